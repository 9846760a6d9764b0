package storage

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"strings"
)

// A value over MaxValueBytes is kept as chunks: a manifest under the key itself and the parts under key+"\x00"+number, all written by one
// batch. A manifest begins with a byte that no protobuf message begins with (wire type 7), so plain values need no frame.
const (
	manifestByte = 0xff
	chunkMark    = "\x00"
	chunkBytes   = MaxValueBytes

	// MaxSplitBytes is the largest value that SplitValue takes: its chunks and manifest fill one batch together with small records.
	MaxSplitBytes = MaxBatchBytes - 64<<10
)

// SplitValue returns the operations that put value under key, in chunks if it is over MaxValueBytes. wasChunked says that the value it
// replaces may be in chunks, which are then removed first. Values over MaxSplitBytes are ErrLimit; values that begin with 0xff are
// ErrInvalid, because they would read as a manifest.
func SplitValue(key string, value []byte, wasChunked bool) ([]Op, error) {
	if len(value) > 0 && value[0] == manifestByte {
		return nil, fmt.Errorf("%w: a value that begins with 0xff", ErrInvalid)
	}
	if len(value) > MaxSplitBytes {
		return nil, fmt.Errorf("%w: a value of %d bytes, at most %d", ErrLimit, len(value), MaxSplitBytes)
	}
	var ops []Op
	if wasChunked {
		ops = append(ops, Op{Kind: DeletePrefix, Key: key + chunkMark})
	}
	if len(value) <= MaxValueBytes {
		return append(ops, Op{Kind: Put, Key: key, Value: value}), nil
	}
	sum := sha256.Sum256(value)
	n := (len(value) + chunkBytes - 1) / chunkBytes
	manifest := binary.AppendUvarint([]byte{manifestByte}, uint64(n))
	manifest = append(binary.AppendUvarint(manifest, uint64(len(value))), sum[:]...)
	ops = append(ops, Op{Kind: Put, Key: key, Value: manifest})
	for i := range n {
		ops = append(ops, Op{Kind: Put, Key: chunkKey(key, i), Value: value[i*chunkBytes : min((i+1)*chunkBytes, len(value))]})
	}
	return ops, nil
}

// RemoveValue returns the operations that remove a value which may be in chunks.
func RemoveValue(key string, wasChunked bool) []Op {
	ops := []Op{{Kind: Delete, Key: key}}
	if wasChunked {
		ops = append(ops, Op{Kind: DeletePrefix, Key: key + chunkMark})
	}
	return ops
}

func chunkKey(key string, i int) string { return fmt.Sprintf("%s%s%03d", key, chunkMark, i) }

// joiner puts the chunks of one value together.
type joiner struct {
	key       string
	parts     int
	next      int
	length    int
	sum       [sha256.Size]byte
	collected []byte
}

// begin reads a manifest; ok is false if value is not one.
func (j *joiner) begin(key string, value []byte) (ok bool, err error) {
	if len(value) == 0 || value[0] != manifestByte {
		return false, nil
	}
	rest := value[1:]
	parts, a := binary.Uvarint(rest)
	length, b := uint64(0), 0
	if a > 0 {
		length, b = binary.Uvarint(rest[a:])
	}
	if a <= 0 || b <= 0 || len(rest[a+b:]) != sha256.Size || parts < 2 || length > MaxSplitBytes ||
		parts != (length+chunkBytes-1)/chunkBytes {
		return true, fmt.Errorf("%w: the manifest of %q cannot be read", ErrDamaged, key)
	}
	*j = joiner{key: key, parts: int(parts), length: int(length)}
	copy(j.sum[:], rest[a+b:])
	return true, nil
}

func (j *joiner) open() bool { return j.parts > j.next }

// add takes the next part; done reports that the value is complete.
func (j *joiner) add(key string, value []byte) (done bool, err error) {
	if key != chunkKey(j.key, j.next) {
		return false, fmt.Errorf("%w: chunk %d of %q is missing", ErrDamaged, j.next, j.key)
	}
	j.collected = append(j.collected, value...)
	j.next++
	if j.open() {
		return false, nil
	}
	if len(j.collected) != j.length || sha256.Sum256(j.collected) != j.sum {
		return false, fmt.Errorf("%w: the chunks of %q do not belong together", ErrDamaged, j.key)
	}
	return true, nil
}

// Join gives the items of a snapshot with values in chunks put together. Missing or mixed chunks are ErrDamaged, and end the sequence.
func Join(items iter.Seq2[Item, error]) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		var j joiner
		var whole Item
		for item, err := range items {
			if err != nil {
				yield(item, err)
				return
			}
			if j.open() {
				done, err := j.add(item.Key, item.Value)
				if err != nil {
					yield(Item{}, err)
					return
				}
				if done {
					whole.Value = j.collected
					if !yield(whole, nil) {
						return
					}
				}
				continue
			}
			isManifest, err := j.begin(item.Key, item.Value)
			if err == nil && !isManifest && strings.Contains(item.Key, chunkMark) {
				err = fmt.Errorf("%w: chunk %q stands alone", ErrDamaged, item.Key)
			}
			if err != nil {
				yield(Item{}, err)
				return
			}
			if isManifest {
				whole = item
				continue
			}
			if !yield(item, nil) {
				return
			}
		}
		if j.open() {
			yield(Item{}, fmt.Errorf("%w: chunk %d of %q is missing", ErrDamaged, j.next, j.key))
		}
	}
}

// JoinMutations gives a commit's mutations with new values in chunks put together under their keys. Mutations of the chunks themselves
// are left out, and Old is nil where the old value was in chunks.
func JoinMutations(ms []Mutation) ([]Mutation, error) {
	plain := true
	for _, m := range ms {
		if strings.Contains(m.Key, chunkMark) {
			plain = false
		}
	}
	if plain {
		return ms, nil
	}
	var out []Mutation
	var j joiner
	for _, m := range ms {
		if j.open() {
			done, err := j.add(m.Key, m.New)
			if err != nil {
				return nil, err
			}
			if done {
				out[len(out)-1].New = j.collected
			}
			continue
		}
		if strings.Contains(m.Key, chunkMark) {
			continue
		}
		isManifest, err := j.begin(m.Key, m.New)
		if err != nil {
			return nil, err
		}
		if len(m.Old) > 0 && m.Old[0] == manifestByte {
			m.Old = nil
		}
		if isManifest {
			m.New = nil
		}
		out = append(out, m)
	}
	if j.open() {
		return nil, fmt.Errorf("%w: chunk %d of %q is missing", ErrDamaged, j.next, j.key)
	}
	return out, nil
}
