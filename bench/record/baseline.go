package record

import "time"

// Baseline is what a run on a quiet machine has reached: ratios, which depend less on the machine than figures do.
type Baseline struct {
	Recorded time.Time         `json:"recorded"`
	Form     string            `json:"form"`
	Machine  Machine           `json:"machine"`
	Servers  map[string]string `json:"servers"`
	// Ratios are by the names of what was measured, see goals.Result.Name.
	Ratios map[string]float64 `json:"ratios"`
}

// Write writes the baseline to a file.
func (b *Baseline) Write(path string) error { return write(path, b) }

// ReadBaseline reads the baseline in a file.
func ReadBaseline(path string) (*Baseline, error) {
	b := new(Baseline)
	return b, read(path, b)
}
