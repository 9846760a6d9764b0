package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// bbolt trusts its pages: on a damaged file it panics, also in goroutines of its own where nobody can recover, and a file that is too short
// makes it read behind the end of its memory map. So Open reads the file itself first and follows every page from the newest meta page:
// each must say that it is the page it should be, lie within the file, be used once, and hold its elements, in order, within its bounds. The
// checksums of all values are checked on the way.
// The layout is bbolt's version 2, in the byte order of the machine as bbolt has it.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	pageHeader    = 16
	elementHeader = 16
	bucketHeader  = 16
	metaBytes     = 64

	branchPage = 0x01
	leafPage   = 0x02
	metaPage   = 0x04

	bucketElement = 0x01
	noFreelist    = ^uint64(0)
	maxDepth      = 64
)

// meta is one of the two pages that a transaction of bbolt writes last.
type meta struct {
	pageSize       uint32
	root, end, txn uint64 // page of the root bucket, pages in use, number of the transaction
	alone          bool   // the other meta page is not whole
}

// readMeta returns the newer of the two meta pages that are whole.
func readMeta(f io.ReaderAt, pageSize int64) (newest meta, err error) {
	found := 0
	for _, offset := range []int64{0, pageSize} {
		var b [pageHeader + metaBytes]byte
		if _, err := f.ReadAt(b[:], offset); err != nil && err != io.EOF {
			return meta{}, err
		}
		m, body := meta{}, b[pageHeader:]
		sum := fnv.New64a()
		sum.Write(body[:metaBytes-8])
		if binary.NativeEndian.Uint32(body) != boltMagic || binary.NativeEndian.Uint32(body[4:]) != boltVersion ||
			binary.NativeEndian.Uint64(body[metaBytes-8:]) != sum.Sum64() {
			continue
		}
		m.pageSize = binary.NativeEndian.Uint32(body[8:])
		m.root, m.end, m.txn = binary.NativeEndian.Uint64(body[16:]), binary.NativeEndian.Uint64(body[40:]), binary.NativeEndian.Uint64(body[48:])
		if found++; found == 1 || m.txn > newest.txn {
			newest = m
		}
	}
	newest.alone = found == 1
	if found == 0 {
		return meta{}, fmt.Errorf("%w: neither of its two meta pages is whole", storage.ErrDamaged)
	}
	return newest, nil
}

// checkFile checks the file's pages and returns the number of keys in each bucket.
func checkFile(path string, warn func(string)) (keys map[string]uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, fmt.Errorf("%w: it is empty", storage.ErrDamaged)
	}
	m, err := findMeta(f, info.Size())
	if err != nil {
		return nil, err
	}
	if m.alone {
		warn("one of the file's two meta pages is damaged: the write that was under way when the machine stopped is not there, or, if the disk is at fault, the last one before")
	}
	if size := int64(m.pageSize); m.end > uint64(info.Size()/size) {
		return nil, fmt.Errorf("%w: it is cut off: %d bytes, its pages take %d", storage.ErrDamaged, info.Size(), m.end*uint64(size))
	}
	c := checker{f: f, meta: m, used: make([]uint64, (m.end+63)/64), keys: map[string]uint64{}}
	c.used[0] = 1<<0 | 1<<1
	if err := c.bucket("", m.root, 0); err != nil {
		return nil, err
	}
	if len(c.keys) == 0 {
		return nil, fmt.Errorf("%w: nothing is in it", storage.ErrDamaged)
	}
	return c.keys, nil
}

// findMeta looks for the meta pages: the second one's place depends on the page size, which the first one tells if it is whole.
func findMeta(f *os.File, fileSize int64) (meta, error) {
	for size := int64(1 << 10); size <= 16<<20 && size < fileSize; size <<= 1 {
		if m, err := readMeta(f, size); err == nil && int64(m.pageSize) == size {
			return m, nil
		} else if err == nil {
			// The first page is whole and has another page size.
			if size = int64(m.pageSize); size >= 1<<10 && size <= 16<<20 && size&(size-1) == 0 {
				return readMeta(f, size)
			}
			return meta{}, fmt.Errorf("%w: a page size of %d", storage.ErrDamaged, m.pageSize)
		}
	}
	return meta{}, fmt.Errorf("%w: it is not a Gatehouse store, or both its meta pages are damaged", storage.ErrDamaged)
}

type checker struct {
	f    *os.File
	meta meta
	used []uint64 // a bit for each page
	keys map[string]uint64
	free [][]byte // buffers of one page
}

// page returns the page and its overflow.
func (c *checker) page(id uint64) ([]byte, error) {
	size := uint64(c.meta.pageSize)
	if id < 2 || id >= c.meta.end {
		return nil, fmt.Errorf("%w: page %d is outside its %d pages", storage.ErrDamaged, id, c.meta.end)
	}
	b, err := c.read(int64(id*size), int(size))
	if err != nil {
		return nil, err
	}
	if got := binary.NativeEndian.Uint64(b); got != id {
		return nil, fmt.Errorf("%w: page %d says it is page %d", storage.ErrDamaged, id, got)
	}
	pages := uint64(binary.NativeEndian.Uint32(b[12:])) + 1
	if pages > c.meta.end-id {
		return nil, fmt.Errorf("%w: page %d goes on for %d pages", storage.ErrDamaged, id, pages)
	}
	for i := id; i < id+pages; i++ {
		if c.used[i/64]&(1<<(i%64)) != 0 {
			return nil, fmt.Errorf("%w: page %d is used twice", storage.ErrDamaged, i)
		}
		c.used[i/64] |= 1 << (i % 64)
	}
	if pages == 1 {
		return b, nil
	}
	c.done(b)
	return c.read(int64(id*size), int(pages*size))
}

// read reads into a buffer of its own, not through a memory map: there a bad sector would end the process.
func (c *checker) read(offset int64, n int) ([]byte, error) {
	var b []byte
	if n == int(c.meta.pageSize) && len(c.free) > 0 {
		b = c.free[len(c.free)-1]
		c.free = c.free[:len(c.free)-1]
	} else {
		b = make([]byte, n)
	}
	if got, err := c.f.ReadAt(b, offset); got < n {
		if err == io.EOF {
			return nil, fmt.Errorf("%w: it is cut off at byte %d", storage.ErrDamaged, offset+int64(got))
		}
		return nil, fmt.Errorf("%w: %v", storage.ErrDamaged, err)
	}
	return b, nil
}

// done takes the buffer of a page back.
func (c *checker) done(b []byte) {
	if len(b) == int(c.meta.pageSize) {
		c.free = append(c.free, b)
	}
}

// bucket checks the tree of a bucket at page root.
func (c *checker) bucket(name string, root uint64, depth int) error {
	_, err := c.tree(name, root, nil, nil, depth)
	return err
}

// tree checks page id and what is below it, whose keys are at least from and less than to (nil: no bound). It returns a copy of the last key.
func (c *checker) tree(name string, id uint64, from, to []byte, depth int) (last []byte, err error) {
	b, err := c.page(id)
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: page %d lies too deep", storage.ErrDamaged, id)
	}
	flags, count := binary.NativeEndian.Uint16(b[8:]), int(binary.NativeEndian.Uint16(b[10:]))
	switch flags {
	case leafPage:
		last, err = c.leaf(name, id, b, from, to, depth)
		last = bytes.Clone(last)
		c.done(b)
		return last, err
	case branchPage:
	default:
		return nil, fmt.Errorf("%w: page %d has type %#x", storage.ErrDamaged, id, flags)
	}
	if pageHeader+count*elementHeader > len(b) || count == 0 {
		return nil, fmt.Errorf("%w: page %d has %d elements", storage.ErrDamaged, id, count)
	}
	var key []byte
	var child uint64
	element := func(i int) error {
		at := pageHeader + i*elementHeader
		pos, size := uint64(binary.NativeEndian.Uint32(b[at:])), uint64(binary.NativeEndian.Uint32(b[at+4:]))
		if uint64(at)+pos+size > uint64(len(b)) {
			return fmt.Errorf("%w: element %d of page %d lies outside it", storage.ErrDamaged, i, id)
		}
		key, child = b[uint64(at)+pos:][:size], binary.NativeEndian.Uint64(b[at+8:])
		return nil
	}
	last = from
	for i := range count {
		upTo := to
		if i+1 < count {
			if err := element(i + 1); err != nil {
				return nil, err
			}
			upTo = key
		}
		if err := element(i); err != nil {
			return nil, err
		}
		if last != nil && string(key) < string(last) || upTo != nil && string(key) >= string(upTo) {
			return nil, fmt.Errorf("%w: element %d of page %d is out of order", storage.ErrDamaged, i, id)
		}
		if last, err = c.tree(name, child, key, upTo, depth+1); err != nil {
			return nil, err
		}
	}
	c.done(b)
	return last, nil
}

// leaf checks a leaf page, which in a small bucket stands in its parent's value.
func (c *checker) leaf(name string, page uint64, b, from, to []byte, depth int) (last []byte, err error) {
	count := int(binary.NativeEndian.Uint16(b[10:]))
	if pageHeader+count*elementHeader > len(b) {
		return nil, fmt.Errorf("%w: page %d has %d elements", storage.ErrDamaged, page, count)
	}
	for i := range count {
		at := pageHeader + i*elementHeader
		flags, pos := binary.NativeEndian.Uint32(b[at:]), uint64(binary.NativeEndian.Uint32(b[at+4:]))
		keyBytes, valueBytes := uint64(binary.NativeEndian.Uint32(b[at+8:])), uint64(binary.NativeEndian.Uint32(b[at+12:]))
		if uint64(at)+pos+keyBytes+valueBytes > uint64(len(b)) {
			return nil, fmt.Errorf("%w: element %d of page %d lies outside it", storage.ErrDamaged, i, page)
		}
		key, value := b[uint64(at)+pos:][:keyBytes], b[uint64(at)+pos+keyBytes:][:valueBytes]
		if i > 0 && string(key) <= string(last) || i == 0 && from != nil && string(key) < string(from) || to != nil && string(key) >= string(to) {
			return nil, fmt.Errorf("%w: element %d of page %d is out of order", storage.ErrDamaged, i, page)
		}
		last = key
		if flags&bucketElement == 0 {
			c.keys[name]++
			if err := checkValue(name, key, value); err != nil {
				return nil, err
			}
			continue
		}
		if len(value) < bucketHeader || depth > 2 {
			return nil, fmt.Errorf("%w: bucket %q of page %d is no bucket", storage.ErrDamaged, key, page)
		}
		child := strings.TrimPrefix(name+"/"+string(key), "/")
		c.keys[child] += 0
		if root := binary.NativeEndian.Uint64(value); root != 0 {
			err = c.bucket(child, root, depth+1)
		} else if inline := value[bucketHeader:]; len(inline) < pageHeader || binary.NativeEndian.Uint16(inline[8:]) != leafPage {
			err = fmt.Errorf("%w: bucket %q of page %d has no page", storage.ErrDamaged, key, page)
		} else {
			_, err = c.leaf(child, page, inline, nil, nil, depth+1)
		}
		if err != nil {
			return nil, err
		}
	}
	return last, nil
}

// checkValue checks the checksum of a value.
func checkValue(bucket string, key, value []byte) error {
	switch bucket {
	case string(logBucket):
		if len(key) != 8 || len(value) < recordHeader || binary.BigEndian.Uint32(value[1:]) != recordSum(storage.Rev(binary.BigEndian.Uint64(key)), value) {
			return fmt.Errorf("%w: the log record with key %x has a wrong checksum", storage.ErrDamaged, key)
		}
	case string(itemsBucket), string(headsBucket):
		if len(value) < itemHeader || binary.BigEndian.Uint32(value) != itemSum(key, value) {
			return fmt.Errorf("%w: the item %q has a wrong checksum", storage.ErrDamaged, key)
		}
	}
	return nil
}
