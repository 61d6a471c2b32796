package iproto

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// The decoders below want a body that is one whole MessagePack value, or
// none (nil). A key that stands twice counts with its last value; keys that
// a request does not have are skipped.

// DML is the body of SELECT, INSERT, REPLACE, UPDATE, DELETE and UPSERT.
// Slices are MessagePack values within the body, names are the bytes of
// strings; what the request does not have is nil or zero.
type DML struct {
	SpaceID, IndexID           uint32
	Limit, Offset, Iterator    uint32
	IndexBase                  uint32
	FetchPosition              bool
	Key, Tuple, Ops            []byte
	AfterPosition              []byte // the bytes of the string
	AfterTuple                 []byte
	SpaceName, IndexName       []byte
	HasAfterPosition           bool
	HasSpaceID, HasIndexID     bool
	HasSpaceName, HasIndexName bool
}

// Bits of what a request brings, in the order in which what is missing is reported.
const (
	hasSpace = 1 << iota
	hasLimit
	hasKey
	hasTuple
	hasOps
)

var mandatoryNames = [...]string{"SPACE_ID", "LIMIT", "KEY", "TUPLE", "OPS"}

// mandatory is what the DML requests must have.
var mandatory = [...]uint8{
	TypeSelect:  hasSpace | hasLimit | hasKey,
	TypeInsert:  hasSpace | hasTuple,
	TypeReplace: hasSpace | hasTuple,
	TypeUpdate:  hasSpace | hasKey | hasTuple,
	TypeDelete:  hasSpace | hasKey,
	TypeUpsert:  hasSpace | hasTuple | hasOps,
}

// DecodeDML decodes the body of a request of type t. Keys that are no
// unsigned integers are skipped, but every key with a name must have a value
// of its type. Of a body that is no one whole value, too, the error is
// INVALID_MSGPACK.
func DecodeDML(t Type, body []byte, r *DML) error {
	*r = DML{}
	var has uint8
	if body != nil {
		n, b, ok := msgpack.ReadMapHeader(body)
		if !ok {
			return errBody()
		}
		for ; n > 0; n-- {
			// Most keys and numbers are a byte: what isn't inlined is called for the others only.
			var key uint64
			var value []byte
			if len(b) > 1 && b[0] < 0x80 && b[1] < 0x80 {
				key, value, b = uint64(b[0]), b[1:2:2], b[2:]
			} else if key, value, b, ok = readPair(b); !ok {
				return errBody()
			}
			if key >= uint64(len(keyTypes)) {
				continue
			}
			var number uint32
			switch want := keyTypes[key]; want {
			case msgpack.Nil:
			case msgpack.Uint:
				if value[0] < 0x80 {
					number = uint32(value[0])
				} else if number, ok = readUint32(value); !ok {
					return errBody()
				}
			default:
				if msgpack.TypeOf(value[0]) != want {
					return errBody()
				}
			}
			switch Key(key) {
			case KeySpaceID:
				r.SpaceID, r.HasSpaceID = number, true
				has |= hasSpace
			case KeyIndexID:
				r.IndexID, r.HasIndexID = number, true
			case KeyLimit:
				r.Limit = number
				has |= hasLimit
			case KeyOffset:
				r.Offset = number
			case KeyIterator:
				r.Iterator = number
			case KeyIndexBase:
				r.IndexBase = number
			case KeyKey:
				r.Key = value
				has |= hasKey
			case KeyTuple:
				r.Tuple = value
				has |= hasTuple
			case KeyOps:
				r.Ops = value
				has |= hasOps
			case KeyFetchPosition:
				r.FetchPosition, _, _ = msgpack.ReadBool(value)
			case KeyAfterPosition:
				r.AfterPosition, _, _ = msgpack.ReadString(value)
				r.HasAfterPosition = true
			case KeyAfterTuple:
				r.AfterTuple = value
			case KeySpaceName:
				r.SpaceName, _, _ = msgpack.ReadString(value)
				r.HasSpaceName = true
				has |= hasSpace
			case KeyIndexName:
				r.IndexName, _, _ = msgpack.ReadString(value)
				r.HasIndexName = true
			}
		}
		if len(b) > 0 {
			return errBody()
		}
	}
	if missing := mandatory[t] &^ has; missing != 0 {
		for i, name := range mandatoryNames {
			if missing&(1<<i) != 0 {
				return errMissing(name)
			}
		}
	}
	return nil
}

// readPair reads a pair of a map. Keys that are no unsigned integers come
// back as 2^64-1, which no key is.
func readPair(b []byte) (key uint64, value, rest []byte, ok bool) {
	switch {
	case len(b) == 0:
		return 0, nil, nil, false
	case b[0] < 0x80: // as all keys with names are
		key, value, ok = uint64(b[0]), b[1:], true
	case msgpack.TypeOf(b[0]) == msgpack.Uint:
		key, value, ok = msgpack.ReadUint(b)
	default:
		key = 1<<64 - 1
		value, ok = msgpack.Check(b)
	}
	if !ok || len(value) == 0 {
		return 0, nil, nil, false
	}
	if value[0] < 0x80 {
		return key, value[:1:1], value[1:], true
	}
	rest, ok = msgpack.Check(value)
	n := len(value) - len(rest)
	return key, value[:n:n], rest, ok
}

// readUint32 reads an integer of an unsigned form, of which the lower 32 bits count.
func readUint32(b []byte) (v uint32, ok bool) {
	n, _, ok := readUintExact(b)
	return uint32(n), ok
}

// Call is the body of CALL, CALL_16 and EVAL.
type Call struct {
	// Name is the function's name or, for EVAL, the expression.
	Name []byte
	// Args is a MessagePack array.
	Args []byte
	// Formats is the MessagePack map of the formats of tuples among the arguments, nil without one.
	Formats []byte
}

// noArgs is the empty array that stands for missing arguments.
var noArgs = []byte{0x90}

// DecodeCall decodes the body of a CALL, CALL_16 or EVAL.
func DecodeCall(t Type, body []byte, r *Call) error {
	*r = Call{Args: noArgs}
	wanted, missing := KeyFunctionName, "FUNCTION_NAME"
	if t == TypeEval {
		wanted, missing = KeyExpr, "EXPR"
	}
	found := false
	err := decodeMap(body, func(key Key, value []byte) bool {
		switch key {
		case KeyFunctionName, KeyExpr:
			s, _, ok := msgpack.ReadString(value)
			if key == wanted {
				r.Name, found = s, true
			}
			return ok
		case KeyTuple:
			r.Args = value
			return msgpack.TypeOf(value[0]) == msgpack.Array
		case KeyTupleFormats:
			r.Formats = value
			return msgpack.TypeOf(value[0]) == msgpack.Map
		}
		return true
	})
	if err == nil && !found {
		return errMissing(missing)
	}
	return err
}

// decodeMap calls take for every pair of a body that must be there and must
// be a map with unsigned integers as keys. take says whether it likes the value.
func decodeMap(body []byte, take func(key Key, value []byte) bool) error {
	if body == nil {
		return invalid("missing request body")
	}
	if !eachPair(body, take) {
		return errBody()
	}
	return nil
}

func eachPair(body []byte, take func(key Key, value []byte) bool) bool {
	n, b, ok := msgpack.ReadMapHeader(body)
	if !ok {
		return false
	}
	for ; n > 0; n-- {
		key, value, rest, ok := readPair(b)
		if !ok || key == 1<<64-1 || key <= 1<<32-1 && !take(Key(key), value) {
			return false
		}
		b = rest
	}
	return true
}

// Auth is the body of AUTH.
type Auth struct {
	User []byte
	// Tuple is the MessagePack array that holds the method and what proves the identity.
	Tuple []byte
}

// DecodeAuth decodes the body of an AUTH.
func DecodeAuth(body []byte, r *Auth) error {
	*r = Auth{}
	hasUser := false
	err := decodeMap(body, func(key Key, value []byte) (ok bool) {
		ok = true
		switch key {
		case KeyUserName:
			r.User, _, ok = msgpack.ReadString(value)
			hasUser = true
		case KeyTuple:
			r.Tuple = value
			ok = msgpack.TypeOf(value[0]) == msgpack.Array
		}
		return ok
	})
	switch {
	case err != nil:
		return err
	case !hasUser:
		return errMissing("USER_NAME")
	case r.Tuple == nil:
		return errMissing("TUPLE")
	}
	return nil
}

// SQL is the body of EXECUTE and PREPARE.
type SQL struct {
	Text      []byte
	HasText   bool
	StmtID    uint32
	HasStmtID bool
	// Bind is the MessagePack array of parameters, nil without one.
	Bind []byte
}

// DecodeSQL decodes the body of an EXECUTE or a PREPARE.
func DecodeSQL(body []byte, r *SQL) error {
	*r = SQL{}
	err := decodeMap(body, func(key Key, value []byte) (ok bool) {
		ok = true
		switch key {
		case KeySQLText:
			r.Text, _, ok = msgpack.ReadString(value)
			r.HasText = true
		case KeyStmtID:
			r.StmtID, ok = readUint32(value)
			r.HasStmtID = true
		case KeySQLBind:
			r.Bind = value
			ok = msgpack.TypeOf(value[0]) == msgpack.Array
		}
		return ok
	})
	switch {
	case err != nil:
		return err
	case r.HasText && r.HasStmtID:
		return invalid("SQL text and statement id are incompatible options in one request: choose one")
	case !r.HasText && !r.HasStmtID:
		return errMissing("SQL_TEXT or STMT_ID")
	}
	return nil
}

// ID is the body of ID. Bit n of Features stands for feature n; those from 64 on are not kept.
type ID struct {
	Version, Features uint64
	AuthType          []byte
}

// DecodeID decodes the body of an ID.
func DecodeID(body []byte, r *ID) error {
	*r = ID{}
	ok := eachPair(body, func(key Key, value []byte) (ok bool) {
		ok = true
		switch key {
		case KeyVersion:
			r.Version, _, ok = readUintExact(value)
		case KeyFeatures:
			n, b, isArray := msgpack.ReadArrayHeader(value)
			if !isArray {
				return false
			}
			for ; n > 0; n-- {
				var f uint64
				if f, b, ok = readUintExact(b); !ok {
					return false
				}
				if f < 64 {
					r.Features |= 1 << f
				}
			}
		case KeyAuthType:
			r.AuthType, _, ok = msgpack.ReadString(value)
		}
		return ok
	})
	if !ok {
		return errRequestBody()
	}
	return nil
}

// readUintExact reads an integer of an unsigned form; others, which may hold the same number, are refused.
func readUintExact(b []byte) (v uint64, rest []byte, ok bool) {
	if len(b) == 0 || msgpack.TypeOf(b[0]) != msgpack.Uint {
		return 0, nil, false
	}
	return msgpack.ReadUint(b)
}

// Watch is the body of WATCH, UNWATCH and WATCH_ONCE.
type Watch struct {
	Key []byte
}

// DecodeWatch decodes the body of a WATCH, UNWATCH or WATCH_ONCE.
func DecodeWatch(body []byte, r *Watch) error {
	*r = Watch{}
	found := false
	err := decodeMap(body, func(key Key, value []byte) (ok bool) {
		if key != KeyEventKey {
			return true
		}
		r.Key, _, ok = msgpack.ReadString(value)
		found = true
		return ok
	})
	if err == nil && !found {
		return errMissing("EVENT_KEY")
	}
	return err
}

// Txn is the body of BEGIN and COMMIT, which may be missing.
type Txn struct {
	// Timeout in seconds, 0 when the request has none.
	Timeout float64
	// Isolation is a level by its number.
	Isolation uint32
	IsSync    bool
}

// isolationLevels is how many isolation levels there are.
const isolationLevels = 5

// DecodeBegin decodes the body of a BEGIN.
func DecodeBegin(body []byte, r *Txn) error { return decodeTxn(body, r, true) }

// DecodeCommit decodes the body of a COMMIT, of which only IS_SYNC counts.
func DecodeCommit(body []byte, r *Txn) error { return decodeTxn(body, r, false) }

func decodeTxn(body []byte, r *Txn, begin bool) error {
	*r = Txn{}
	if body == nil {
		return nil
	}
	var fault error
	ok := eachPair(body, func(key Key, value []byte) (ok bool) {
		switch {
		case key == KeyIsSync:
			r.IsSync, _, ok = msgpack.ReadBool(value)
			if ok && !r.IsSync && fault == nil {
				fault = boxerr.Illegal("is_sync can only be true")
			}
			return ok
		case key == KeyTimeout && begin:
			if msgpack.TypeOf(value[0]) != msgpack.Float64 {
				return false
			}
			r.Timeout, _, ok = msgpack.ReadFloat64(value)
			if ok && !(r.Timeout > 0) && fault == nil {
				fault = boxerr.Illegal("timeout must be a number greater than 0")
			}
			return ok
		case key == KeyTxnIsolation && begin:
			var level uint64
			level, _, ok = readUintExact(value)
			if ok && level >= isolationLevels && fault == nil {
				fault = boxerr.Illegal("unknown isolation level")
			}
			r.Isolation = uint32(level)
			return ok
		}
		return true
	})
	if !ok {
		return errRequestBody()
	}
	return fault
}

func invalid(details string) error { return boxerr.New(boxerr.InvalidMsgpack, details) }

func errBody() error        { return invalid("packet body") }
func errRequestBody() error { return invalid("request body") }

func errMissing(name string) error { return boxerr.New(boxerr.MissingRequestField, name) }
