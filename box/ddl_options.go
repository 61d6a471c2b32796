package box

import (
	"fmt"
	"math"
	"unicode"
	"unicode/utf8"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// Limits of the catalog.
const (
	// NameMax is the longest name of an object in bytes.
	NameMax = 65000
	// SpaceMax is the largest number of a space.
	SpaceMax = 1<<31 - 2
	// TemporarySpaceMin is the first number of spaces of type 'temporary'.
	TemporarySpaceMin = 1 << 30
	// SystemSpaceMin and SystemSpaceMax bound the numbers of system spaces.
	SystemSpaceMin = 256
	SystemSpaceMax = 511
	// IndexMax is how many indexes a space may have.
	IndexMax = 128
	// IndexPartMax is how many parts an index may have.
	IndexPartMax = 255
	// IndexFieldMax is the largest number of a field that can be indexed.
	IndexFieldMax = 1<<15 - 1
	// FunctionMax is the largest number of a function.
	FunctionMax = 32000
	// UserMax is how many users and roles there may be.
	UserMax = 64
	// ReplicaMax bounds the numbers of instances.
	ReplicaMax = 32

	// invalidNameMax is how many bytes of a name that is too long an error message repeats.
	invalidNameMax = 64
	engineNameMax  = 16
)

// badOption says what is wrong with an option, in the words of the error messages that are made of it.
type badOption string

func (e badOption) Error() string { return string(e) }

// errUnknownOption is what the function given to eachOption returns for a key it does not know.
const errUnknownOption = badOption("unknown option")

// eachOption calls set for each pair of an options map. Unknown keys are skipped or refused.
func eachOption(m []byte, skipUnknown bool, set func(key string, value []byte) error) error {
	n, m, ok := msgpack.ReadMapHeader(m)
	if !ok {
		return badOption("expected a map")
	}
	for ; n > 0; n-- {
		key, value, ok := msgpack.ReadString(m)
		if !ok {
			return badOption("key must be a string")
		}
		if m, ok = msgpack.Skip(value); !ok {
			return badOption("expected a map")
		}
		err := set(string(key), value[:len(value)-len(m)])
		if err == error(errUnknownOption) {
			if skipUnknown {
				continue
			}
			err = badOption(fmt.Sprintf("unexpected option '%s'", key))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func wrongOptionType(key, typ string) error {
	return badOption("'" + key + "' must be " + typ)
}

func setBool(dst *bool, key string, value []byte) error {
	v, _, ok := msgpack.ReadBool(value)
	if !ok {
		return wrongOptionType(key, "boolean")
	}
	*dst = v
	return nil
}

func setUint32(dst *uint32, key string, value []byte) error {
	v, _, ok := msgpack.ReadUint(value)
	if !ok || v > math.MaxUint32 {
		return wrongOptionType(key, "unsigned")
	}
	*dst = uint32(v)
	return nil
}

func setInt(dst *int64, key string, value []byte) error {
	v, _, ok := msgpack.ReadInt(value)
	if !ok {
		return wrongOptionType(key, "integer")
	}
	*dst = v
	return nil
}

func setFloat(dst *float64, key string, value []byte) error {
	v, _, ok := msgpack.ReadNumber(value)
	if !ok {
		return wrongOptionType(key, "float")
	}
	*dst = v
	return nil
}

func setString(dst *string, key string, value []byte) error {
	v, _, ok := msgpack.ReadString(value)
	if !ok {
		return wrongOptionType(key, "string")
	}
	*dst = string(v)
	return nil
}

// checkIdentifier refuses names that are empty, are not UTF-8, or hold what cannot be printed.
func checkIdentifier(name string) error {
	ok := name != "" && utf8.ValidString(name)
	for _, r := range name {
		if r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) || !assigned(r) {
			ok = false
			break
		}
	}
	if !ok {
		return boxerr.New(boxerr.Identifier, name)
	}
	return nil
}

// assigned reports whether Unicode has given the code point a meaning, private use included.
func assigned(r rune) bool {
	return r < 0x80 || unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.C)
}

// checkName refuses names that are too long, by calling tooLong with their beginning, or not identifiers.
func checkName(name string, tooLong func(short string) error) error {
	if len(name) > NameMax {
		return tooLong(name[:invalidNameMax])
	}
	return checkIdentifier(name)
}
