package keyring

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrUnsafeFile: the master key file can be read or replaced by others.
var ErrUnsafeFile = errors.New("unsafe master key file")

// LoadMaster reads a master key file. A missing file is fs.ErrNotExist. The file must be a regular one (or a link to one) that belongs to
// the user of the process or to root and gives group and others no access; else ErrUnsafeFile with the command that mends it.
func LoadMaster(path string) (Master, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keyring: master key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("keyring: master key file: %w", err)
	}
	if err := checkMasterFile(path, info); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxMasterText+1))
	if err != nil {
		return nil, fmt.Errorf("keyring: master key file: %w", err)
	}
	defer clear(b)
	m, err := ParseMaster(NewSecret(string(b)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func checkMasterFile(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("keyring: master key file %s is not a regular file: %w", path, ErrUnsafeFile)
	}
	return checkOwner(path, info)
}

// LoadOrCreateMaster reads the master key file, and makes it (mode 0600, complete and synced before it has its name) when it is missing.
// An existing file is never written to. created tells that the key is new: when the store already has a cell keyset, that is a reason to
// stop, because the file that belongs to it was lost or the path is wrong.
//
// The directory must exist. Of several processes that start at once, one makes the file and all read the same key.
func LoadOrCreateMaster(path string) (m Master, created bool, err error) {
	m, err = LoadMaster(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return m, false, err
	}
	text, err := NewMasterText()
	if err != nil {
		return nil, false, err
	}
	created, err = createFile(path, []byte(text.Reveal()))
	if err != nil {
		return nil, false, fmt.Errorf("keyring: make master key file %s: %w", path, err)
	}
	m, err = LoadMaster(path)
	return m, created && err == nil, err
}

// createFile makes a file that never existed half written. It reports false when the file exists, whoever made it.
func createFile(path string, content []byte) (bool, error) {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-") // mode 0600
	if err != nil {
		return false, err
	}
	defer os.Remove(temp.Name())
	if err := writeSynced(temp, content); err != nil {
		return false, err
	}
	// A link, unlike a rename, fails when the name is taken.
	switch err := os.Link(temp.Name(), path); {
	case errors.Is(err, fs.ErrExist):
		return false, nil
	case err != nil:
		// File systems without hard links: exclusive, but a crash here leaves a file that is refused as malformed.
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if err := writeSynced(f, content); err != nil {
			return false, err
		}
	}
	return true, syncDir(dir)
}

func writeSynced(f *os.File, content []byte) error {
	_, err := f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}
