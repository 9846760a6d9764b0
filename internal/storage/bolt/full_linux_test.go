package bolt

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

func init() {
	// limited meets the file size limit of its process, which the kernel answers with EFBIG for ftruncate and write alike.
	roles["limited"] = func(path string) error {
		signal.Ignore(syscall.SIGXFSZ)
		limit := func(extra uint64) func() error {
			return func() error {
				info, err := os.Stat(path)
				if err != nil {
					return err
				}
				var l syscall.Rlimit
				if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
					return err
				}
				l.Cur = uint64(info.Size()) + extra
				return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l)
			}
		}
		return full(path, limit(300_000), limit(64<<20))
	}
}

func TestFileSizeLimit(t *testing.T) {
	t.Parallel()
	out, err := play(t, "limited", filepath.Join(t.TempDir(), "store")).Output()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestFullDisk meets a file system that is really full.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		t.Skipf("SKIPPED, the engine was not tested on a full file system (only with a file size limit): mounting a tmpfs: %v", err)
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}()
	size := 3
	shrink := func() error { return nil }
	grow := func() error {
		size += 8
		return syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%dm", size))
	}
	if err := full(filepath.Join(dir, "store"), shrink, grow); err != nil {
		t.Error(err)
	}
}

// replaceFile makes f's descriptor stand for the null device, which takes writes and refuses fdatasync.
func replaceFile(f *os.File) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	return syscall.Dup3(int(null.Fd()), int(f.Fd()), 0)
}

// TestGoneFile takes the file descriptor away under bbolt: writes vanish and syncs fail.
func TestGoneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store")
	e := openAt(t, path, Options{})
	defer func() { e.Close() }()
	first, err := e.Commit(t.Context(), testBatch(1, "a", 0, put1("a/1", "one")))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.do(func() error { return replaceFile(e.file) }); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	lost := testBatch(2, "a", first, put1("a/1", "two"))
	if rev, err := e.Commit(t.Context(), lost); !errors.Is(err, storage.ErrUnknown) {
		t.Fatalf("Commit on a file that cannot be synced = %d, %v, want ErrUnknown", rev, err)
	}
	if rev, err := storage.Resolve(t.Context(), e, lost, storage.CommitID{9}); !errors.Is(err, storage.ErrConflict) {
		t.Fatalf("Resolve = %d, %v, want ErrConflict", rev, err)
	}
	if got := value(t, e, "a/1"); got != "one" {
		t.Errorf("a reader sees %q", got)
	}
}
