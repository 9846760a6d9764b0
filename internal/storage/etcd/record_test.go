package etcd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

func sampleRecord() *record {
	return &record{Batch: storage.Batch{ID: storage.CommitID{1, 2, 3}, Time: time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC),
		Units: []storage.Condition{{Unit: "directory", Head: 70}, {Unit: "acct/1", Head: 76, Write: true}},
		Ops: []storage.Op{{Kind: storage.Put, Key: "acct/1/a", Value: []byte("passing")}, {Kind: storage.Put, Key: "acct/1/a"},
			{Kind: storage.Delete, Key: "acct/1/b"}, {Kind: storage.DeletePrefix, Key: "acct/1/c/"}},
		Events: [][]byte{[]byte("event")}}, final: []bool{false, true, false, false}}
}

func TestRecord(t *testing.T) {
	r := sampleRecord()
	encoded := r.encode()
	if got, err := decodeRecord(encoded); err != nil || !reflect.DeepEqual(got, r) {
		t.Fatalf("decoded %+v, %v\nwant %+v", got, err, r)
	}
	for i := range len(encoded) * 8 {
		bad := bytes.Clone(encoded)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := decodeRecord(bad); !errors.Is(err, storage.ErrDamaged) {
			t.Fatalf("bit %d turned: %v, want ErrDamaged", i, err)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(sampleRecord().encode()[recordHeader:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		encoded := append([]byte{recordVersion, 0, 0, 0, 0}, payload...)
		binary.BigEndian.PutUint32(encoded[1:], crc32.Checksum(payload, castagnoli))
		r, err := decodeRecord(encoded)
		if err != nil {
			if !errors.Is(err, storage.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		again, err := decodeRecord(r.encode())
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%+v became %+v, %v", r, again, err)
		}
	})
}

// TestEffectOf compares what etcd is told to do with what the operations do one after the other.
func TestEffectOf(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		key := func() string { return "u/" + strings.Repeat("x", r.IntN(3)) + string(rune('a'+r.IntN(3))) }
		want := values{}
		for range r.IntN(8) {
			want.Set(storage.Item{Key: key(), Value: []byte("old")})
		}
		got := values{}
		maps.Copy(got, want)
		var ops []storage.Op
		for i := range r.IntN(10) {
			switch r.IntN(4) {
			case 0:
				ops = append(ops, storage.Op{Kind: storage.Delete, Key: key()})
			case 1:
				k := key()
				ops = append(ops, storage.Op{Kind: storage.DeletePrefix, Key: k[:2+r.IntN(len(k)-1)]})
			default:
				ops = append(ops, put1(key(), fmt.Sprint(i)))
			}
		}
		if _, _, err := storage.Effect(want, 1, ops); err != nil {
			t.Fatal(err)
		}
		e := effectOf(ops)
		for i, s := range e.deletes {
			if i > 0 && s.from < e.deletes[i-1].to {
				t.Fatalf("seed %d: the spans %q overlap", seed, e.deletes)
			}
			for k := range e.puts {
				if s.has(k) {
					t.Fatalf("seed %d: %q is put and deleted", seed, k)
				}
			}
			for k := range got {
				if s.has(k) {
					delete(got, k)
				}
			}
		}
		for k, i := range e.puts {
			got.Set(storage.Item{Key: k, Value: ops[i].Value, Rev: 1})
		}
		if len(got) != len(want) {
			t.Fatalf("seed %d: %q leaves %v, want %v", seed, ops, got, want)
		}
		for k, i := range want {
			if string(got[k].Value) != string(i.Value) {
				t.Fatalf("seed %d: %q leaves %v, want %v", seed, ops, got, want)
			}
		}
	}
}

func BenchmarkCommit(b *testing.B) {
	e := openEngine(b, Options{})
	defer e.Close()
	var head storage.Rev
	n := 0
	for b.Loop() {
		batch := testBatch(1, "a", head, put1(fmt.Sprintf("a/%06d", n%1000), strings.Repeat("v", 250)), put1("a/x", "v"))
		binary.BigEndian.PutUint64(batch.ID[:], uint64(n+1))
		head = mustCommit(b, e, batch)
		n++
	}
}
