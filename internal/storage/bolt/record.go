package bolt

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/field"
)

// record is one log record: a commit and what is needed to undo it.
type record struct {
	storage.Commit
	before    []storage.Rev // of the old values, as storage.Effect returns them
	headTimes []time.Time   // for each unit written, the time in its head before; the zero time if it had none
}

// The encoding of a record: version byte, CRC-32C (4 bytes, big endian) over the revision (8 bytes, big endian) and the payload, payload.
// The payload: id, time, units (name, flags, head, head time), mutations (flags, key, revision of the old value, old, new), events. Numbers
// are varints, strings and lists are preceded by their length.
const (
	recordVersion = 1
	recordHeader  = 1 + 4

	unitWrite = 1 << 0

	hasOld = 1 << 0
	hasNew = 1 << 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (r *record) encode() []byte {
	size := recordHeader + 64 + 48*len(r.Units) + 32*len(r.Mutations)
	for _, m := range r.Mutations {
		size += len(m.Key) + len(m.Old) + len(m.New)
	}
	for _, ev := range r.Events {
		size += 4 + len(ev)
	}
	b := make([]byte, recordHeader, size)
	b = append(b, r.ID[:]...)
	b = field.AppendTime(b, r.Time)
	b = binary.AppendUvarint(b, uint64(len(r.Units)))
	for i, u := range r.Units {
		flags := byte(0)
		if u.Write {
			flags |= unitWrite
		}
		b = append(field.Append(b, u.Unit), flags)
		b = binary.AppendUvarint(b, uint64(u.Head))
		if u.Write && u.Head != 0 {
			b = field.AppendTime(b, r.headTimes[i])
		}
	}
	b = binary.AppendUvarint(b, uint64(len(r.Mutations)))
	for i, m := range r.Mutations {
		flags := byte(0)
		if m.Old != nil {
			flags |= hasOld
		}
		if m.New != nil {
			flags |= hasNew
		}
		b = field.Append(append(b, flags), m.Key)
		if m.Old != nil {
			b = field.Append(binary.AppendUvarint(b, uint64(r.before[i])), m.Old)
		}
		if m.New != nil {
			b = field.Append(b, m.New)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(r.Events)))
	for _, ev := range r.Events {
		b = field.Append(b, ev)
	}
	b[0] = recordVersion
	binary.BigEndian.PutUint32(b[1:], recordSum(r.Rev, b))
	return b
}

func recordSum(rev storage.Rev, encoded []byte) uint32 {
	key := revKey(rev)
	return crc32.Update(crc32.Checksum(key[:], castagnoli), castagnoli, encoded[recordHeader:])
}

// decodeRecord reads what encode wrote; the record refers to b. Any change to the bytes is ErrDamaged.
func decodeRecord(rev storage.Rev, b []byte) (*record, error) {
	r, rest, err := decodeUnits(rev, b)
	if err != nil {
		return nil, err
	}
	d := field.Reader{Rest: rest}
	for range d.Count(2) {
		flags := d.Byte()
		m, before := storage.Mutation{Key: string(d.Bytes())}, storage.Rev(0)
		if flags&hasOld != 0 {
			before = d.Rev()
			m.Old = d.Bytes()
		}
		if flags&hasNew != 0 {
			m.New = d.Bytes()
		}
		if flags > hasOld|hasNew {
			d.Bad = true
		}
		r.Mutations, r.before = append(r.Mutations, m), append(r.before, before)
	}
	for range d.Count(1) {
		r.Events = append(r.Events, d.Bytes())
	}
	if d.Bad || len(d.Rest) != 0 {
		return nil, fmt.Errorf("%w: log record %d cannot be read", storage.ErrDamaged, rev)
	}
	return r, nil
}

// decodeUnits checks the whole record but reads it only up to its units; rest is what follows.
func decodeUnits(rev storage.Rev, b []byte) (r *record, rest []byte, err error) {
	if len(b) < recordHeader {
		return nil, nil, fmt.Errorf("%w: log record %d has %d bytes", storage.ErrDamaged, rev, len(b))
	}
	if binary.BigEndian.Uint32(b[1:]) != recordSum(rev, b) {
		return nil, nil, fmt.Errorf("%w: log record %d has a wrong checksum", storage.ErrDamaged, rev)
	}
	if b[0] != recordVersion {
		return nil, nil, fmt.Errorf("%w: log record %d has version %d, this program knows %d", storage.ErrDamaged, rev, b[0], recordVersion)
	}
	r = &record{Commit: storage.Commit{Rev: rev}}
	d := field.Reader{Rest: b[recordHeader:]}
	copy(r.ID[:], d.Take(uint64(len(r.ID))))
	r.Time = d.Time()
	for range d.Count(3) {
		u := storage.Condition{Unit: string(d.Bytes())}
		flags := d.Byte()
		u.Write, u.Head = flags&unitWrite != 0, d.Rev()
		var at time.Time
		if u.Write && u.Head != 0 {
			at = d.Time()
		}
		if flags > unitWrite {
			d.Bad = true
		}
		r.Units, r.headTimes = append(r.Units, u), append(r.headTimes, at)
	}
	if d.Bad {
		return nil, nil, fmt.Errorf("%w: the units of log record %d cannot be read", storage.ErrDamaged, rev)
	}
	return r, d.Rest, nil
}

func revKey(rev storage.Rev) (key [8]byte) {
	binary.BigEndian.PutUint64(key[:], uint64(rev))
	return key
}

// An item's value in its bucket: CRC-32C over the key and what follows, revision, value.
const itemHeader = 4 + 8

func encodeItem(i storage.Item) []byte {
	b := make([]byte, itemHeader, itemHeader+len(i.Value))
	binary.BigEndian.PutUint64(b[4:], uint64(i.Rev))
	b = append(b, i.Value...)
	binary.BigEndian.PutUint32(b, itemSum([]byte(i.Key), b))
	return b
}

func itemSum(key, encoded []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, encoded[4:])
}

// decodeItem reads what encodeItem wrote; the item refers to b.
func decodeItem(key string, b []byte) (storage.Item, error) {
	if len(b) < itemHeader || binary.BigEndian.Uint32(b) != itemSum([]byte(key), b) {
		return storage.Item{}, fmt.Errorf("%w: the item %q has a wrong checksum", storage.ErrDamaged, key)
	}
	return storage.Item{Key: key, Value: b[itemHeader:len(b):len(b)], Rev: storage.Rev(binary.BigEndian.Uint64(b[4:]))}, nil
}

// state is the one row of bucket "state".
type state struct {
	checkpoint storage.Rev // items and heads stand as of this revision, apart from keys that a later record of the log changes
	trimmed    storage.Rev // the newest revision that is no longer in the log
	items      uint64      // keys in bucket "items"
	heads      uint64      // keys in bucket "heads"
}

const (
	formatVersion = 1
	stateBytes    = 1 + 4*8 + 4
)

var stateKey = []byte("state")

func (s state) encode() []byte {
	b := []byte{formatVersion}
	for _, v := range []uint64{uint64(s.checkpoint), uint64(s.trimmed), s.items, s.heads} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeState(b []byte) (s state, err error) {
	if len(b) > 0 && b[0] != formatVersion {
		return s, fmt.Errorf("storage: the file has format version %d, this program knows %d: run the version that wrote it", b[0], formatVersion)
	}
	if len(b) != stateBytes || binary.BigEndian.Uint32(b[stateBytes-4:]) != crc32.Checksum(b[:stateBytes-4], castagnoli) {
		return s, fmt.Errorf("%w: the state row has a wrong checksum", storage.ErrDamaged)
	}
	s.checkpoint, s.trimmed = storage.Rev(binary.BigEndian.Uint64(b[1:])), storage.Rev(binary.BigEndian.Uint64(b[9:]))
	s.items, s.heads = binary.BigEndian.Uint64(b[17:]), binary.BigEndian.Uint64(b[25:])
	return s, nil
}
