package client

import "context"

// Doer sends requests and waits for their answers: a Conn, a Stream or a Pool.
type Doer interface {
	Do(ctx context.Context, r Request) (*Response, error)
}

// Requests are the common requests as methods.
type Requests struct{ doer Doer }

// Ping asks whether the server is there.
func (q Requests) Ping(ctx context.Context) error {
	_, err := q.doer.Do(ctx, Ping{})
	return err
}

// Get returns the tuple with a primary key, nil when there is none.
func (q Requests) Get(ctx context.Context, space string, key ...any) ([]any, error) {
	answer, err := q.doer.Do(ctx, Select{Space: space, Key: key, Limit: 1})
	if err != nil {
		return nil, err
	}
	tuples, err := answer.Tuples()
	if err != nil || len(tuples) == 0 {
		return nil, err
	}
	return tuples[0], nil
}

// Select asks for tuples.
func (q Requests) Select(ctx context.Context, s Select) (*Response, error) { return q.doer.Do(ctx, s) }

// Insert stores a tuple that must be new.
func (q Requests) Insert(ctx context.Context, space string, tuple any) (*Response, error) {
	return q.doer.Do(ctx, Insert{Space: space, Tuple: tuple})
}

// Replace stores a tuple.
func (q Requests) Replace(ctx context.Context, space string, tuple any) (*Response, error) {
	return q.doer.Do(ctx, Replace{Space: space, Tuple: tuple})
}

// Update changes fields of the tuple with a primary key.
func (q Requests) Update(ctx context.Context, space string, key any, ops ...Op) (*Response, error) {
	return q.doer.Do(ctx, Update{Space: space, Key: key, Ops: ops})
}

// Upsert stores a tuple, or changes the one that is there.
func (q Requests) Upsert(ctx context.Context, space string, tuple any, ops ...Op) (*Response, error) {
	return q.doer.Do(ctx, Upsert{Space: space, Tuple: tuple, Ops: ops})
}

// Delete takes out the tuple with a primary key.
func (q Requests) Delete(ctx context.Context, space string, key any) (*Response, error) {
	return q.doer.Do(ctx, Delete{Space: space, Key: key})
}

// Call calls a function; Response.Values are its results.
func (q Requests) Call(ctx context.Context, name string, args ...any) (*Response, error) {
	return q.doer.Do(ctx, Call{Name: name, Args: args})
}

// Eval runs a chunk; Response.Values are its results.
func (q Requests) Eval(ctx context.Context, expr string, args ...any) (*Response, error) {
	return q.doer.Do(ctx, Eval{Expr: expr, Args: args})
}

// Execute runs a statement of SQL.
func (q Requests) Execute(ctx context.Context, sql string, args ...any) (*Response, error) {
	return q.doer.Do(ctx, Execute{SQL: sql, Args: args})
}
