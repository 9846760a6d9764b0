package etcd

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/field"
)

// record is a log record: a batch whose final values are left out.
type record struct {
	storage.Batch
	final []bool // for each operation: it is a Put whose value is the key's value after the commit, and so stands at the key
}

// The encoding: version byte, CRC-32C (4 bytes, big endian) of the payload, payload: id, time, units (name, flags, head), operations (kind and
// flags, key, value unless final), events.
const (
	recordVersion = 1
	recordHeader  = 1 + 4
	unitWrite     = 1 << 0
	opFinal       = 1 << 7
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (r *record) encode() []byte {
	b := make([]byte, recordHeader, 1024)
	b = append(b, r.ID[:]...)
	b = field.AppendTime(b, r.Time)
	b = binary.AppendUvarint(b, uint64(len(r.Units)))
	for _, u := range r.Units {
		flags := byte(0)
		if u.Write {
			flags |= unitWrite
		}
		b = append(field.Append(b, u.Unit), flags)
		b = binary.AppendUvarint(b, uint64(u.Head))
	}
	b = binary.AppendUvarint(b, uint64(len(r.Ops)))
	for i, op := range r.Ops {
		kind := byte(op.Kind)
		if r.final[i] {
			kind |= opFinal
		}
		b = field.Append(append(b, kind), op.Key)
		if op.Kind == storage.Put && !r.final[i] {
			b = field.Append(b, op.Value)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(r.Events)))
	for _, ev := range r.Events {
		b = field.Append(b, ev)
	}
	b[0] = recordVersion
	binary.BigEndian.PutUint32(b[1:], crc32.Checksum(b[recordHeader:], castagnoli))
	return b
}

func decodeRecord(b []byte) (*record, error) {
	if len(b) < recordHeader || binary.BigEndian.Uint32(b[1:]) != crc32.Checksum(b[recordHeader:], castagnoli) {
		return nil, fmt.Errorf("%w: a log record of %d bytes has a wrong checksum", storage.ErrDamaged, len(b))
	}
	if b[0] != recordVersion {
		return nil, fmt.Errorf("%w: a log record has version %d, this program knows %d", storage.ErrDamaged, b[0], recordVersion)
	}
	r := &record{}
	d := field.Reader{Rest: b[recordHeader:]}
	copy(r.ID[:], d.Take(uint64(len(r.ID))))
	r.Time = d.Time()
	for range d.Count(3) {
		u := storage.Condition{Unit: string(d.Bytes())}
		flags := d.Byte()
		u.Write, u.Head = flags&unitWrite != 0, d.Rev()
		d.Bad = d.Bad || flags > unitWrite
		r.Units = append(r.Units, u)
	}
	for range d.Count(2) {
		kind := d.Byte()
		op, final := storage.Op{Kind: storage.Kind(kind &^ opFinal), Key: string(d.Bytes())}, kind&opFinal != 0
		if op.Kind == storage.Put && !final {
			op.Value = d.Bytes()
		}
		d.Bad = d.Bad || op.Kind < storage.Put || op.Kind > storage.DeletePrefix || final && op.Kind != storage.Put
		r.Ops, r.final = append(r.Ops, op), append(r.final, final)
	}
	for range d.Count(1) {
		r.Events = append(r.Events, d.Bytes())
	}
	if d.Bad || len(d.Rest) != 0 {
		return nil, fmt.Errorf("%w: a log record cannot be read", storage.ErrDamaged)
	}
	return r, nil
}

// effect is what a batch leaves: etcd takes a transaction only if no key is written twice, so the order of operations must be worked out first.
type effect struct {
	puts    map[string]int // key -> the operation whose value it gets
	deletes []span         // disjoint, in order, without the keys of puts
}

// span is the keys from up to but without to.
type span struct{ from, to string }

func spanOf(prefix string) span    { return span{prefix, clientv3.GetPrefixRangeEnd(prefix)} }
func spanOfKey(key string) span    { return span{key, key + "\x00"} }
func (s span) has(key string) bool { return s.from <= key && key < s.to }

func effectOf(ops []storage.Op) effect {
	e := effect{puts: map[string]int{}}
	var spans []span
	for i, op := range ops {
		switch op.Kind {
		case storage.Put:
			e.puts[op.Key] = i
		case storage.Delete:
			delete(e.puts, op.Key)
			spans = append(spans, spanOfKey(op.Key))
		case storage.DeletePrefix:
			for key := range e.puts {
				if strings.HasPrefix(key, op.Key) {
					delete(e.puts, key)
				}
			}
			spans = append(spans, spanOf(op.Key))
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var merged []span
	for _, s := range spans {
		if n := len(merged); n > 0 && s.from <= merged[n-1].to {
			merged[n-1].to = max(merged[n-1].to, s.to)
		} else {
			merged = append(merged, s)
		}
	}
	var keys []string
	for key := range e.puts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, s := range merged {
		for _, key := range keys {
			if s.has(key) {
				if s.from < key {
					e.deletes = append(e.deletes, span{s.from, key})
				}
				s.from = key + "\x00"
			}
		}
		if s.from < s.to {
			e.deletes = append(e.deletes, s)
		}
	}
	return e
}

// values is a few items in memory, as storage.Effect changes them.
type values map[string]storage.Item

func (v values) Set(i storage.Item) (storage.Item, bool) {
	old, ok := v[i.Key]
	v[i.Key] = i
	return old, ok
}

func (v values) Remove(key string) (storage.Item, bool) {
	old, ok := v[key]
	delete(v, key)
	return old, ok
}

func (v values) Keys(prefix string) iter.Seq[string] {
	var keys []string
	for key := range v {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.Values(keys)
}

// commit makes the contract's form of the record, given the items that it met and the values that it left at the keys of final operations.
func (r *record) commit(rev storage.Rev, before values, after func(key string) ([]byte, bool)) (storage.Commit, error) {
	for i := range r.Ops {
		if r.final[i] {
			value, ok := after(r.Ops[i].Key)
			if !ok {
				return storage.Commit{}, fmt.Errorf("%w: log record %d puts %q, which is not there", storage.ErrDamaged, rev, r.Ops[i].Key)
			}
			r.Ops[i].Value = value
		}
	}
	mutations, _, err := storage.Effect(before, rev, r.Ops)
	if err != nil {
		return storage.Commit{}, fmt.Errorf("%w: log record %d: %v", storage.ErrDamaged, rev, err)
	}
	return storage.Commit{Rev: rev, ID: r.ID, Time: r.Time, Units: r.Units, Mutations: mutations, Events: r.Events}, nil
}
