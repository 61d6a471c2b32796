package box

// InMemory returns a fresh database that keeps nothing: without a journal and without files.
func InMemory(cfg Config) (*Box, error) {
	b := New(cfg)
	if err := b.Bootstrap(); err != nil {
		return nil, err
	}
	return b, nil
}
