//go:build !unix

package keyring

import "io/fs"

// Permission bits mean nothing here: the file's protection is the directory's access list, which the operator sets.
func checkOwner(string, fs.FileInfo) error { return nil }

// Directories cannot be synced here.
func syncDir(string) error { return nil }
