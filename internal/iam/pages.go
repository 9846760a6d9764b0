package iam

import (
	"encoding/base64"
	"iter"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

const defaultMaxItems = 100 // docs/spec/wire.md 6

// A marker is "1", the list it belongs to, and the last name that was given, so that a page begins behind it whatever happened to the
// list meanwhile.

func markerOf(list, last string) *string {
	m := base64.RawURLEncoding.EncodeToString([]byte("1" + list + "\n" + last))
	return &m
}

// after is the name behind which the page begins; "" is the list's beginning.
func after(list string, marker *string) (string, error) {
	if marker == nil {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*marker)
	if err == nil {
		if last, ok := strings.CutPrefix(string(raw), "1"+list+"\n"); ok && last != "" {
			return last, nil
		}
	}
	return "", invalidMarker()
}

func invalidMarker() *wire.Error { return wire.ValidationError.New("Invalid Marker.") }

// page takes at most maxItems records and the marker for what follows; nil if that was all. name gives what a marker remembers.
func page[T any](list string, maxItems *int32, records iter.Seq[T], name func(T) string) (taken []T, marker *string) {
	most := defaultMaxItems
	if maxItems != nil {
		most = int(*maxItems)
	}
	taken = []T{}
	for r := range records {
		if len(taken) == most {
			return taken, markerOf(list, name(taken[most-1]))
		}
		taken = append(taken, r)
	}
	return taken, nil
}

// listed is a page of a list whose entities have a path, those below the prefix, in the order of all.
func listed[T any](list string, prefix, marker *string, maxItems *int32, all func(after string) iter.Seq[T], path, name func(T) string) (taken []T, next *string, err error) {
	from, err := after(list, marker)
	if err != nil {
		return nil, nil, err
	}
	below := filter(all(from), func(r T) bool { return strings.HasPrefix(path(r), value(prefix)) })
	taken, next = page(list, maxItems, below, name)
	return taken, next, nil
}

func filter[T any](records iter.Seq[T], keep func(T) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for r := range records {
			if keep(r) && !yield(r) {
				return
			}
		}
	}
}
