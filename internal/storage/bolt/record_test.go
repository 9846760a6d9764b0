package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

func sampleRecord() *record {
	at := time.Date(2026, 3, 1, 12, 0, 0, 1000, time.UTC)
	return &record{
		Commit: storage.Commit{Rev: 77, ID: storage.CommitID{1, 2, 3}, Time: at,
			Units:     []storage.Condition{{Unit: "directory", Head: 70}, {Unit: "acct/1", Head: 76, Write: true}, {Unit: "acct/2", Write: true}},
			Mutations: []storage.Mutation{{Key: "acct/1/a", Old: []byte("old"), New: []byte{}}, {Key: "acct/1/b", Old: []byte{}}, {Key: "acct/2/c", New: []byte("new")}},
			Events:    [][]byte{{}, []byte("event")}},
		before:    []storage.Rev{75, 3, 0},
		headTimes: []time.Time{{}, at.Add(-time.Second), {}},
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	r := sampleRecord()
	encoded := r.encode()
	got, err := decodeRecord(77, encoded)
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Fatalf("decoded %+v, %v\nwant %+v", got, err, r)
	}
	for i := range len(encoded) * 8 {
		bad := bytes.Clone(encoded)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := decodeRecord(77, bad); !errors.Is(err, storage.ErrDamaged) {
			t.Fatalf("bit %d turned: %v, want ErrDamaged", i, err)
		}
	}
	for n := range encoded {
		if _, err := decodeRecord(77, encoded[:n]); !errors.Is(err, storage.ErrDamaged) {
			t.Fatalf("cut off at %d: %v, want ErrDamaged", n, err)
		}
	}
	if _, err := decodeRecord(78, encoded); !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("under another revision: %v, want ErrDamaged", err)
	}
}

// FuzzDecodeRecord gives the payload a right checksum, or the decoder behind it would hardly ever run.
func FuzzDecodeRecord(f *testing.F) {
	f.Add(sampleRecord().encode()[recordHeader:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, payload []byte) {
		encoded := append([]byte{recordVersion, 0, 0, 0, 0}, payload...)
		binary.BigEndian.PutUint32(encoded[1:], recordSum(77, encoded))
		r, err := decodeRecord(77, encoded)
		if err != nil {
			if !errors.Is(err, storage.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		// Varints may be longer than needed, so compare the records, not their bytes.
		again, err := decodeRecord(77, r.encode())
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%+v became %+v, %v", r, again, err)
		}
	})
}

func FuzzDecodeItem(f *testing.F) {
	f.Add("acct/1/user", encodeItem(storage.Item{Key: "acct/1/user", Value: []byte("v"), Rev: 9}))
	f.Fuzz(func(t *testing.T, key string, b []byte) {
		if item, err := decodeItem(key, b); err == nil && !bytes.Equal(encodeItem(item), b) {
			t.Fatalf("%q decodes to %+v, which is encoded otherwise", b, item)
		}
	})
}
