//go:build unix

package keyring

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

func checkOwner(path string, info fs.FileInfo) error {
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return fmt.Errorf("keyring: master key file %s has mode %04o, others than its owner have access to it: run chmod 600 %s, "+
			"and replace the key if others may have read it: %w", path, perm, path, ErrUnsafeFile)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("keyring: master key file %s belongs to user %d, this process runs as user %d: run chown %d %s: %w",
			path, st.Uid, os.Geteuid(), os.Geteuid(), path, ErrUnsafeFile)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
