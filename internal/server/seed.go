package server

import "context"

type seed struct{}

func readSeed(file string) (*seed, error)                { return &seed{}, nil }
func (c *cell) plant(ctx context.Context, d *seed) error { return nil }
