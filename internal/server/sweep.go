package server

import "context"

// sweep is filled in next.
func (c *cell) sweep(ctx context.Context, cfg *Config) error { <-ctx.Done(); return nil }
