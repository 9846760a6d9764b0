package field

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Append appends v and its length to b.
func Append[T string | []byte](b []byte, v T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// AppendTime appends t in whole microseconds.
func AppendTime(b []byte, t time.Time) []byte { return binary.AppendVarint(b, t.UnixMicro()) }

// Reader reads fields off the front of Rest. After a field that does not fit Bad is set and everything reads as zero.
type Reader struct {
	Rest []byte
	Bad  bool
}

// Take reads n bytes. What it returns refers to Rest; it is nil only if the reader is bad.
func (r *Reader) Take(n uint64) []byte {
	if r.Bad || n > uint64(len(r.Rest)) {
		r.fail()
		return nil
	}
	v := r.Rest[:n:n]
	r.Rest = r.Rest[n:]
	return v
}

func (r *Reader) fail() { r.Bad, r.Rest = true, nil }

// Bytes reads what Append has appended.
func (r *Reader) Bytes() []byte { return r.Take(r.Uint()) }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if v := r.Take(1); v != nil {
		return v[0]
	}
	return 0
}

// Uint reads an unsigned varint.
func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.Rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.Rest = r.Rest[n:]
	return v
}

// Count reads the length of a list whose elements have at least min bytes, so that a wrong length cannot ask for much memory.
func (r *Reader) Count(min int) int {
	n := r.Uint()
	if n > uint64(len(r.Rest)/min) {
		r.fail()
		return 0
	}
	return int(n)
}

// Rev reads a revision, written as an unsigned varint.
func (r *Reader) Rev() storage.Rev {
	v := r.Uint()
	if v > math.MaxInt64 {
		r.fail()
		return 0
	}
	return storage.Rev(v)
}

// Time reads what AppendTime has appended, in UTC.
func (r *Reader) Time() time.Time {
	v, n := binary.Varint(r.Rest)
	if n <= 0 {
		r.fail()
		return time.Time{}
	}
	r.Rest = r.Rest[n:]
	return time.UnixMicro(v).UTC()
}
