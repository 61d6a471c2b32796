package xlog

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/lycosadb/lycosa/boxerr"
)

// contentError says that the content of a file is wrong. The fields file and offset of the error say where.
func contentError(file string, offset int64, format string, args ...any) error {
	return boxerr.OfType(boxerr.TypeXlog, format, args...).With("file", file).With("offset", offset)
}

// damageError is contentError with file and offset in the message.
func damageError(file string, offset int64, format string, args ...any) error {
	return contentError(file, offset, "%s in '%s' at offset %d", fmt.Sprintf(format, args...), file, offset)
}

// SystemError turns an error of the file system into one of the database: "failed to open 'x' file: No such file or
// directory". An error that is one already stays as it is.
func SystemError(verb, file string, err error) error {
	var already *boxerr.Error
	if errors.As(err, &already) {
		return err
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		err = errno
	}
	text := err.Error()
	return boxerr.System(errno, "failed to %s '%s' file: %s", verb, file, strings.ToUpper(text[:1])+text[1:])
}
