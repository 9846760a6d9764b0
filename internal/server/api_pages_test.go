package server

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
)

// pages walks a list to its end and gives the texts of the elements called name. between runs after every page.
func (x *apiTest) pages(by caller, op, name string, p params, most int, between func(page int)) []string {
	x.Helper()
	var got []string
	marker := ""
	for page := 1; ; page++ {
		q := slices.Concat(p, ps("MaxItems", strconv.Itoa(most)))
		if marker != "" {
			q = append(q, "Marker", marker)
		}
		a := x.ok(by, op, q...)
		texts := a.all(name)
		got = append(got, texts...)
		next, truncated := a.value(op+"Result", "Marker"), a.value(op+"Result", "IsTruncated")
		switch {
		case truncated == "false" && next == "" && len(texts) <= most:
			return got
		case truncated != "true" || next == "" || len(texts) != most:
			x.Fatalf("%s page %d: IsTruncated %s, marker %q, %d entries of at most %d", op, page, truncated, next, len(texts), most)
		case len(next) > 320:
			x.Fatalf("%s page %d: a marker of %d characters, which no request may have", op, page, len(next))
		}
		marker = next
		if between != nil {
			between(page)
		}
	}
}

func TestPagesOfUsers(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	const n = 250
	var names []string
	for i := range n {
		name := fmt.Sprintf("user%03d", i)
		if i%3 == 0 {
			name = strings.ToUpper(name)
		}
		names = append(names, name)
	}
	shuffled := slices.Clone(names)
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for i, name := range shuffled {
		x.ok(x.root, "CreateUser", "UserName", name, "Path", []string{"/even/", "/odd/"}[i%2])
	}
	for _, most := range []int{1, 2, 7, 100, 125, 249, 250, 251, 1000} {
		if got := x.pages(x.root, "ListUsers", "UserName", nil, most, nil); !slices.Equal(got, names) {
			t.Errorf("MaxItems %d: %d names, in order %t; want all %d in order without regard to case", most, len(got), slices.IsSorted(got), n)
		}
	}
	if got := x.ok(x.root, "ListUsers").all("UserName"); !slices.Equal(got, names[:100]) {
		t.Errorf("without MaxItems: %d names; want the first 100", len(got))
	}
	for _, most := range []int{1, 10, 124, 125, 126} {
		got := x.pages(x.root, "ListUsers", "UserName", ps("PathPrefix", "/odd/"), most, nil)
		if len(got) != n/2 || !slices.IsSortedFunc(got, compareLower) {
			t.Errorf("MaxItems %d below a path: %d names; want %d in order", most, len(got), n/2)
		}
	}
}

func compareLower(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }

// TestPagesBesideWrites: between two pages users come and go, the one that the marker remembers among them. Who is there all the time is
// given exactly once.
func TestPagesBesideWrites(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	var stay []string
	for i := range 60 {
		name := fmt.Sprintf("u%02d", i)
		if i%4 == 3 { // the last of every page goes as soon as it was given
			name += "-goes"
		} else {
			stay = append(stay, name)
		}
		x.ok(x.root, "CreateUser", "UserName", name)
	}
	got := x.pages(x.root, "ListUsers", "UserName", nil, 4, func(page int) {
		last := 4*page - 1
		x.ok(x.root, "DeleteUser", "UserName", fmt.Sprintf("u%02d-goes", last))
		x.ok(x.root, "CreateUser", "UserName", fmt.Sprintf("u%02d-early", last)) // before the place of the marker
	})
	var seen []string
	for _, name := range got {
		if !strings.Contains(name, "-") {
			seen = append(seen, name)
		}
		if strings.HasSuffix(name, "-early") {
			t.Errorf("%s was made behind the reader and is given", name)
		}
	}
	if !slices.Equal(seen, stay) {
		t.Errorf("given %v; want %v", seen, stay)
	}
}

func TestPagesOfUserPoliciesAndTags(t *testing.T) {
	t.Parallel()
	q := iam.DefaultQuotas
	if err := q.Set("UserPolicySize", 100_000); err != nil {
		t.Fatal(err)
	}
	x := openAPI(t, q)
	x.ok(x.root, "CreateUser", "UserName", "bob")
	x.ok(x.root, "CreateUser", "UserName", "bob2")
	var policies []string
	for i := range 25 {
		policies = append(policies, fmt.Sprintf("p%02d", i)+strings.Repeat("x", 125))
		x.policy(x.root, "bob", policies[i], "Allow s3:Get *")
	}
	x.policy(x.root, "bob2", "other", "Allow s3:Get *")
	for _, most := range []int{1, 5, 24, 25, 26} {
		if got := x.pages(x.root, "ListUserPolicies", "member", ps("UserName", "bob"), most, nil); !slices.Equal(got, policies) {
			t.Errorf("MaxItems %d: %d policies; want %d", most, len(got), len(policies))
		}
	}
	got := x.pages(x.root, "ListUserPolicies", "member", ps("UserName", "bob"), 5, func(page int) {
		x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", policies[5*page-1])
	})
	if !slices.Equal(got, policies) {
		t.Errorf("while policies went: %d; want %d", len(got), len(policies))
	}

	// Keys of 128 characters are up to 512 bytes; a marker has room for 320 characters.
	var keys, pairs []string
	for i := range 50 {
		key := strings.Repeat("𠀀", 126) + fmt.Sprintf("%02d", i)
		if i%5 == 0 {
			key = fmt.Sprintf("k%02d", i)
		}
		keys = append(keys, key)
		pairs = append(pairs, key, "v")
	}
	slices.Sort(keys)
	x.ok(x.root, "TagUser", append(tags(pairs...), "UserName", "bob")...)
	for _, most := range []int{1, 3, 49, 50} {
		if got := x.pages(x.root, "ListUserTags", "Key", ps("UserName", "bob"), most, nil); !slices.Equal(got, keys) {
			t.Errorf("MaxItems %d: %d tags; want %d", most, len(got), len(keys))
		}
	}
	got = x.pages(x.root, "ListUserTags", "Key", ps("UserName", "bob"), 10, func(page int) {
		if page == 1 { // a short key; the marker of a long one would give others again, which is allowed
			x.ok(x.root, "UntagUser", append(tagKeys(keys[9]), "UserName", "bob")...)
		}
	})
	if !slices.Equal(got, keys) {
		t.Errorf("while a tag went: %d tags; want %d", len(got), len(keys))
	}
}

// TestForgedMarkers: a marker is from a client. It is of the list it was made for, or refused; it never shows what the caller may not see.
func TestForgedMarkers(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	for _, name := range []string{"a", "b", "c"} {
		x.ok(x.root, "CreateUser", "UserName", name)
		x.policy(x.root, name, "p", "Allow s3:Get *")
		x.policy(x.root, name, "q", "Allow s3:Get *")
	}
	other := x.addAccount(testAccount2)
	ofUsers := x.ok(x.root, "ListUsers", "MaxItems", "1").value("ListUsersResult", "Marker")
	ofPolicies := x.ok(x.root, "ListUserPolicies", "UserName", "a", "MaxItems", "1").value("ListUserPoliciesResult", "Marker")
	if got := x.ok(x.root, "ListUsers", "Marker", ofUsers).all("UserName"); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("behind the marker: %v", got)
	}
	raw := base64.RawURLEncoding.EncodeToString
	for _, m := range []string{
		ofPolicies, "x", "====", raw([]byte("1users")), raw([]byte("1users\n")), raw([]byte("2users\nb")), raw([]byte("1user\nb")),
		ofUsers + "=", ofUsers + " ", " " + ofUsers, strings.Repeat("A", 320), ofUsers[:len(ofUsers)-2],
	} {
		x.want(badMarker, x.root, "ListUsers", "Marker", m)
	}
	x.want(badMarker, x.root, "ListUserPolicies", "UserName", "a", "Marker", ofUsers)
	// Names that nobody has are places like others.
	for _, name := range []string{"\x00", "\xff\xfe", "zzzz", strings.Repeat("z", 200)} {
		a := x.ok(x.root, "ListUsers", "Marker", raw([]byte("1users\n"+name)))
		if got := len(a.all("UserName")); got != 0 && got != 3 {
			t.Errorf("behind %q: %d users", name, got)
		}
	}
	x.want("Users() IsTruncated=false", other, "ListUsers", "Marker", ofUsers)
	x.want("AccessKeyMetadata() IsTruncated=false", x.root, "ListAccessKeys", "UserName", "a", "Marker", raw([]byte("1accesskeys\n0 X")))
	for _, m := range []string{"1accesskeys\n", "1accesskeys\nX", "1accesskeys\n-1 X", "1accesskeys\n99999999999999999999 X"} {
		x.want(badMarker, x.root, "ListAccessKeys", "UserName", "a", "Marker", raw([]byte(m)))
	}
}
