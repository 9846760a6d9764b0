package iam

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func TestMarkersAreOfTheirList(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "a\nb", "\x00\xff", strings.Repeat("x", 200)} {
		m := markerOf("users", name)
		got, err := after("users", m)
		if err != nil || got != name {
			t.Errorf("%q: %q, %v", name, got, err)
		}
		for _, list := range []string{"user", "userss", "usertags", "", "users\na"} {
			if got, err := after(list, m); err == nil && (list != "users\na" || got == "") {
				t.Errorf("a marker of users for %q is taken for %q", list, got)
			}
		}
	}
	if got, err := after("users", nil); got != "" || err != nil {
		t.Errorf("no marker: %q, %v", got, err)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	for n := range 5 {
		for most := 1; most <= 6; most++ {
			var records []int
			for i := range n {
				records = append(records, i)
			}
			size := int32(most)
			taken, marker := page("list", &size, slices.Values(records), strconv.Itoa)
			if !slices.Equal(taken, records[:min(n, most)]) || (marker != nil) != (n > most) || taken == nil {
				t.Errorf("%d of %d: %v, marker %v", most, n, taken, marker)
			}
			if marker != nil {
				if last, err := after("list", marker); err != nil || last != strconv.Itoa(most-1) {
					t.Errorf("%d of %d: the marker remembers %q, %v", most, n, last, err)
				}
			}
		}
	}
	many := make([]int, 150)
	if taken, marker := page("list", nil, slices.Values(many), strconv.Itoa); len(taken) != 100 || marker == nil {
		t.Errorf("without MaxItems %d, marker %v", len(taken), marker)
	}
}

// TestTagsAfterLongKeys: keys that begin alike are told apart by their digest; when the remembered one is gone, none is left out.
func TestTagsAfterLongKeys(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", 120)
	var all []*statepb.Tag
	for _, key := range []string{"a", "b", long + "1", long + "2", long + "3", "ö"} {
		all = append(all, &statepb.Tag{Key: key})
	}
	for i, tag := range all {
		place := tagPlace(tag)
		if got := identityTags.after(all, place); !slices.Equal(got, all[i+1:]) {
			t.Errorf("behind %.10q… %d tags; want %d", tag.Key, len(got), len(all)-i-1)
		}
		rest := slices.Delete(slices.Clone(all), i, i+1)
		got := identityTags.after(rest, place)
		for _, next := range all[i+1:] {
			if !slices.Contains(got, next) {
				t.Errorf("behind %.10q…, which is gone, %q is missing", tag.Key, next.Key)
			}
		}
		if len(tag.Key) <= maxPlace && !slices.Equal(got, all[i+1:]) {
			t.Errorf("behind %.10q…, which is gone, %d tags; want %d", tag.Key, len(got), len(all)-i-1)
		}
	}
	if got := identityTags.after(all, ""); len(got) != len(all) {
		t.Errorf("from the beginning %d tags", len(got))
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	q := DefaultQuotas
	for name, field := range q.byName() {
		for _, bad := range []int{0, -1} {
			if err := q.Set(name, bad); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s %d: %v", name, bad, err)
			}
		}
		if err := q.Set(name, 7); err != nil || *field != 7 {
			t.Errorf("%s: %v, %d", name, err, *field)
		}
	}
	for _, name := range []string{"", "usersPerAccount", "TagsPerUser"} {
		if err := q.Set(name, 7); err == nil {
			t.Errorf("%q was set", name)
		}
	}
	if DefaultQuotas.UsersPerAccount != 5000 {
		t.Error("the defaults have changed")
	}
}

func TestBoundaryARNs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                         "ValidationError: ARN  is not valid.",
		"policy/x":                 "ValidationError: ARN policy/x is not valid.",
		"arn:aws:iam::1":           "ValidationError: ARN arn:aws:iam::1 is not valid.",
		"arn:aws:iam::1:":          "ValidationError: ARN arn:aws:iam::1: is not valid.",
		"arn:aws:iam::1:root":      "InvalidInput: ARN arn:aws:iam::1:root is not valid.",
		"arn:aws:iam::1:policy":    "InvalidInput: ARN arn:aws:iam::1:policy is not valid.",
		"arn:aws:iam::1:policy/":   "InvalidInput: ARN arn:aws:iam::1:policy/ is not valid.",
		"arn:aws:iam::1:policyx/y": "InvalidInput: ARN arn:aws:iam::1:policyx/y is not valid.",
		"arn:aws:sqs::1:policy/y":  "InvalidInput: ARN arn:aws:sqs::1:policy/y is not valid.",
	} {
		if got := checkPolicyARN(text); got == nil || got.Error() != want {
			t.Errorf("%q\n got %v\nwant %s", text, got, want)
		}
	}
	for _, text := range []string{"arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::111122223333:policy/a/%s/%d"} {
		if err := checkPolicyARN(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzMarker: whatever a client sends as a marker, the answer is Invalid Marker or a part of the list in its order.
func FuzzMarker(f *testing.F) {
	var keys []*state.AccessKey
	var sorted []*statepb.Tag
	for i := range 5 {
		k := &state.AccessKey{}
		k.Id, k.Seq = "KEY"+strconv.Itoa(i), uint32(i)
		keys = append(keys, k)
		sorted = append(sorted, &statepb.Tag{Key: strings.Repeat("ä", 50*i) + "k"})
	}
	slices.SortFunc(sorted, func(a, b *statepb.Tag) int { return strings.Compare(a.Key, b.Key) })
	for _, m := range []string{*markerOf("accesskeys", "1 KEY1"), *markerOf("accesskeys", "x"), *markerOf("usertags", tagPlace(sorted[3])), "=", "", "MXVzZXJz\nCg"} {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, marker string) {
		refused := func(err error) bool {
			e, ok := err.(*wire.Error) //nolint:errorlint // these functions return the very error
			if err != nil && (!ok || e.Error() != "ValidationError: Invalid Marker.") {
				t.Fatal(err)
			}
			return err != nil
		}
		if from, err := after("accesskeys", &marker); !refused(err) {
			if behind, err := accessKeysAfter(slices.Values(keys), from); !refused(err) {
				got := slices.Collect(behind)
				if !slices.IsSortedFunc(got, func(a, b *state.AccessKey) int { return int(a.Seq) - int(b.Seq) }) {
					t.Fatalf("%q: %v", from, got)
				}
			}
		}
		if from, err := after("usertags", &marker); !refused(err) {
			if got := identityTags.after(sorted, from); len(got) > 0 && !slices.Equal(got, sorted[len(sorted)-len(got):]) {
				t.Fatalf("%q: not the end of the list", from)
			}
		}
	})
}
