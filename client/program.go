package client

import (
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// The methods of authentication.
const (
	chapSHA1  = "chap-sha1"
	papSHA256 = "pap-sha256"
)

// Call calls a function of the server by its name.
type Call struct {
	Name string
	Args []any
	// RawArgs is a MessagePack array instead of Args, and Formats the map of the formats of tuples in it, if there are any.
	RawArgs, Formats msgpack.Raw
	// Old makes results come as the first CALL of the protocol has them: each a tuple.
	Old bool
}

// Type implements Request.
func (r Call) Type() iproto.Type {
	if r.Old {
		return iproto.TypeCall16
	}
	return iproto.TypeCall
}

// AppendBody implements Request.
func (r Call) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.string(iproto.KeyFunctionName, r.Name)
	w.args(r.Args, r.RawArgs, r.Formats)
	return w.end()
}

func (w *body) args(args []any, raw, formats msgpack.Raw) {
	if raw != nil {
		w.array(iproto.KeyTuple, raw)
	} else {
		w.list(iproto.KeyTuple, args)
	}
	if formats != nil {
		w.array(iproto.KeyTupleFormats, formats)
	}
}

// Eval runs a chunk of the server's language.
type Eval struct {
	Expr string
	Args []any
	// RawArgs and Formats are as in Call.
	RawArgs, Formats msgpack.Raw
}

// Type implements Request.
func (Eval) Type() iproto.Type { return iproto.TypeEval }

// AppendBody implements Request.
func (r Eval) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.string(iproto.KeyExpr, r.Expr)
	w.args(r.Args, r.RawArgs, r.Formats)
	return w.end()
}

// Execute runs a statement of SQL, or one that was prepared.
type Execute struct {
	SQL         string
	StatementID uint32 // counts when SQL is empty
	Args        []any
	RawArgs     msgpack.Raw // an array instead of Args
}

// Type implements Request.
func (Execute) Type() iproto.Type { return iproto.TypeExecute }

// AppendBody implements Request.
func (r Execute) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.statement(r.SQL, r.StatementID)
	if r.RawArgs != nil {
		w.array(iproto.KeySQLBind, r.RawArgs)
	} else {
		w.list(iproto.KeySQLBind, r.Args)
	}
	w.list(iproto.KeyOptions, nil)
	return w.end()
}

func (w *body) statement(sql string, id uint32) {
	if sql != "" {
		w.string(iproto.KeySQLText, sql)
		return
	}
	w.uint(iproto.KeyStmtID, uint64(id))
}

// Prepare prepares a statement of SQL; with StatementID instead of SQL it lets go of one.
type Prepare struct {
	SQL         string
	StatementID uint32
}

// Type implements Request.
func (Prepare) Type() iproto.Type { return iproto.TypePrepare }

// AppendBody implements Request.
func (r Prepare) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.statement(r.SQL, r.StatementID)
	return w.end()
}

// keyed are WATCH and UNWATCH.
type keyed struct {
	code iproto.Type
	key  string
}

func (r keyed) Type() iproto.Type { return r.code }

func (r keyed) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.string(iproto.KeyEventKey, r.key)
	return w.end()
}

// WatchOnce asks for the value of a key: Response.Data is an array of it, empty when there is none.
type WatchOnce struct{ Key string }

// Type implements Request.
func (WatchOnce) Type() iproto.Type { return iproto.TypeWatchOnce }

// AppendBody implements Request.
func (r WatchOnce) AppendBody(b []byte) ([]byte, error) { return keyed{key: r.Key}.AppendBody(b) }

// id tells the server about the client.
type id struct{ features []iproto.Feature }

func (id) Type() iproto.Type { return iproto.TypeID }

func (r id) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.uint(iproto.KeyVersion, iproto.ProtocolVersion)
	w.key(iproto.KeyFeatures)
	w.b = msgpack.AppendArrayHeader(w.b, len(r.features))
	for _, f := range r.features {
		w.b = msgpack.AppendUint(w.b, uint64(f))
	}
	return w.end()
}

// auth signs in.
type auth struct {
	user, method string
	proof        []byte
}

func (auth) Type() iproto.Type { return iproto.TypeAuth }

func (r auth) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.string(iproto.KeyUserName, r.user)
	w.key(iproto.KeyTuple)
	w.b = msgpack.AppendString(append(w.b, 0x92), r.method)
	w.b = msgpack.AppendStringBytes(w.b, r.proof)
	return w.end()
}
