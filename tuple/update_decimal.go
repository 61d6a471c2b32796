package tuple

import "github.com/lycosadb/lycosa/boxerr"

// addDecimals is add when one of the numbers is a decimal.
func (op *operation) addDecimals(b []byte, n number) ([]byte, *boxerr.Error) {
	return nil, boxerr.New(boxerr.Unsupported, "Update", "decimals")
}
