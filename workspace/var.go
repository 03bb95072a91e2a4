package workspace

import "context"

// Var is a variable whose values are of type T.
type Var[T any] struct {
	ws   *Workspace
	name string
}

// NewVar gives a typed handle on a variable of ws. It does not touch Redis.
func NewVar[T any](ws *Workspace, name string) Var[T] { return Var[T]{ws: ws, name: name} }

// Name returns the variable's name.
func (v Var[T]) Name() string { return v.name }

// Store is Workspace.Store.
func (v Var[T]) Store(ctx context.Context, value T) error { return v.ws.Store(ctx, v.name, value) }

// StoreAll is Workspace.StoreAll.
func (v Var[T]) StoreAll(ctx context.Context, values ...T) error {
	all := make([]any, len(values))
	for i, value := range values {
		all[i] = value
	}
	return v.ws.StoreAll(ctx, v.name, all...)
}

// Fetch is Workspace.Fetch: it takes a value, and waits until there is one.
func (v Var[T]) Fetch(ctx context.Context) (T, error) {
	var value T
	err := v.ws.Fetch(ctx, v.name, &value)
	return value, err
}

// FetchN takes up to n values, 1000 at the most. It waits until there is at least one, and takes what is there. If one does
// not convert, it returns those before it and ErrValue, and that one and what follows stay. Otherwise it is as Fetch.
func (v Var[T]) FetchN(ctx context.Context, n int) ([]T, error) {
	r, err := v.ws.await(ctx, question{script: fetchScript, variable: v.name, keep: true},
		random(), min(max(n, 1), maxFetch), "")
	if err != nil {
		return nil, err
	}
	values := make([]T, 0, len(r.rest)-1)
	err = v.ws.use(v.name, r, func(text string) error {
		var value T
		if err := decode(text, &value); err != nil {
			return err
		}
		values = append(values, value)
		return nil
	})
	return values, err
}

// Find is Workspace.Find: it reads a value, and waits until there is one.
func (v Var[T]) Find(ctx context.Context) (T, error) {
	var value T
	err := v.ws.Find(ctx, v.name, &value)
	return value, err
}

// TryFetch is Workspace.TryFetch: it takes a value if there is one.
func (v Var[T]) TryFetch(ctx context.Context) (T, bool, error) {
	var value T
	ok, err := v.ws.TryFetch(ctx, v.name, &value)
	return value, ok, err
}

// TryFind is Workspace.TryFind: it reads a value if there is one.
func (v Var[T]) TryFind(ctx context.Context) (T, bool, error) {
	var value T
	ok, err := v.ws.TryFind(ctx, v.name, &value)
	return value, ok, err
}

// Declare is Workspace.Declare.
func (v Var[T]) Declare(ctx context.Context, mode Mode) error { return v.ws.Declare(ctx, v.name, mode) }

// Delete is Workspace.DeleteVar.
func (v Var[T]) Delete(ctx context.Context) error { return v.ws.DeleteVar(ctx, v.name) }
