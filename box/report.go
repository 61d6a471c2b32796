package box

import (
	"fmt"

	"github.com/lycosadb/lycosa/boxerr"
)

// info logs what the database does by itself, in the words of the reference, which operators know.
func (b *Box) info(format string, args ...any) {
	if b.Config.Log != nil {
		b.Config.Log.Info(fmt.Sprintf(format, args...))
	}
}

// warn logs what went wrong without harm to data.
func (b *Box) warn(err error) {
	if err != nil && b.Config.Log != nil {
		b.Config.Log.Warn(boxerr.From(err).Message)
	}
}

// complain reports an error that nobody waits for.
func (b *Box) complain(err error) {
	switch {
	case err == nil:
	case b.OnError != nil:
		b.OnError(err)
	case b.Config.Log != nil:
		b.Config.Log.Error(boxerr.From(err).Message)
	}
}

// progressStep is after how many rows progress is logged.
const progressStep = 100_000

// progress logs how many rows were processed so far.
func (b *Box) progress(rows int64, what string) {
	if rows%progressStep == 0 {
		b.info("%.1fM rows %s", float64(rows)/1e6, what)
	}
}
