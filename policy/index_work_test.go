package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// many are so many statements, each about the patterns with its number in the place of their verb.
func many(n int, patterns ...string) []policy.Statement {
	out := make([]policy.Statement, n)
	for i := range out {
		out[i] = about("Allow", "s3:GetObject", patterns...)
		for j, p := range patterns {
			if strings.Contains(p, "%") {
				out[i].Resources[j] = fmt.Sprintf(p, i)
			}
		}
	}
	return out
}

func about(effect, action string, resources ...string) policy.Statement {
	return policy.Statement{Effect: effect, Actions: []string{action}, Resources: slices.Clone(resources)}
}

// never is the statement with a condition that no request of these tests meets.
func never(s policy.Statement) policy.Statement {
	s.Conditions = []policy.Condition{{Name: "StringEquals", Key: "aws:username", Values: []string{"nobody"}}}
	return s
}

// setOf is a set of one policy with all statements.
func setOf(t *testing.T, statements ...policy.Statement) *policy.Set {
	t.Helper()
	p, err := policy.Compile(&policy.Document{Kind: policy.Identity, Version: policy.Version2012, Statements: statements})
	if err != nil {
		t.Fatal(err)
	}
	return policy.NewSet(&policy.Attached{Policy: p, Name: "p"})
}

// others are statements about something else, so many that their set has an index.
func others() []policy.Statement {
	return many(50, "arn:aws:sqs:us-east-1:111111111111:other-%02d")
}

// What the bits of actions leave out cannot match, and what looks different is left out.
func TestActionBits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value, action string
		want          bool
	}{
		{"*", "s3:GetObject", true},
		{"s3:*", "s3:GetObject", true},
		{"s3:*", "iam:GetObject", false},
		{"s?:*", "s3:GetObject", true},
		{"s*:Put*", "s3:GetObject", true}, // the service is not fixed, so nothing is
		{"s3:GetObject", "s3:GetObject", true},
		{"S3:GETOBJECT", "s3:getObject", true},
		{"s3:GetObject", "s3:GetObjectAcl", false},
		{"s3:GetObject", "s3:Get", false},
		{"x:ListAlphaItems", "x:ListOmegaItems", false}, // which differ in the middle only
		{"s3:GetO*", "s3:GetObject", true},
		{"s3:G*", "s3:GetObject", true},
		{"s3:Ge*", "s3:GetObject", true},
		{"s3:Ge?Object", "s3:GetObject", true},
		{"s3:Get*", "s3:Get", true},
		{"s3:Get*", "s3:GetObject", true},
		{"s3:Get*", "s3:PutObject", false},
		{"s3:Get?bject", "s3:PutObject", false},
		{"s3:GetOb*", "s3:GetObject", true},
		{"s3:GetOb*", "s3:PutObject", false},
		{"s3:GetObj*", "s3:GetObj", true},
		{"s3:GetObj*", "s3:GetObject", true},
		{"s3:GetObj*", "s3:GetBucketAcl", false},
		{"s3:GetObj?ct", "s3:GetBucketAcl", false},
		{"s3:GetObjectA*", "s3:GetObjectAcl", true},
		{"s3:GetObjectA*", "s3:GetBucketAcl", false},
		{"s3:*Object", "s3:PutObject", true},
		{"a:b", "a:b", true},
		{"a:bc", "a:bc", true},
		{"a:bcdef", "a:bcdef", true},
		{"a:bcdefgh", "a:bcdefgh", true},
		{"a:b*", "a:b", true},
	} {
		if got := policy.ActionsMeet(c.value, c.action); got != c.want {
			t.Errorf("%s may be about %s: %v", c.value, c.action, got)
		}
		if policy.MatchAction(c.value, c.action) && !c.want {
			t.Errorf("%s matches %s, so that it may not be left out", c.value, c.action)
		}
	}
}

// A small set leaves out what lacks the end of the pattern's beginning, or the longest block behind it.
func TestListExcludes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, resource string
		want              bool
	}{
		{"*", "arn:aws:s3:::b", false},
		{"arn:aws:s3:::b", "arn:aws:s3:::b", false},
		{"arn:aws:s3:::b", "arn:aws:s3:::c", true},
		{"arn:aws:s3:::b", "arn:aws:s3:::", true},
		{"arn:aws:s3:::b*", "arn:aws:s3:::c", true},
		{"arn:aws:*", "arn:aws:s3:::c", false},
		{"arn:aws:*", "arn:awz:s3:::c", true},
		{"arn:aws*", "arn:awz:s3:::c", false}, // too short to be compared at once
		{"arn:aws:s3:::b*x*", "arn:aws:s3:::bx", false},
		{"arn:aws:s3:::b*x*", "arn:aws:s3:::by", true}, // a block of one letter
		{"arn:aws:s3:::b*x*", "arn:aws:s3:::b", true},
		{"arn:aws:s3:::b*x", "arn:aws:s3:::b/x", false},
		{"arn:aws:s3:::b*x", "arn:aws:s3:::b/y", true}, // a block at the end
		{"arn:aws:s3:::data*data*", "arn:aws:s3:::data-data", false},
		{"arn:aws:s3:::data*data*", "arn:aws:s3:::data-other", true}, // the block comes behind the beginning
		{"arn:aws:s3:::b*longest*x", "arn:aws:s3:::b-longest-x", false},
		{"arn:aws:s3:::b*longest*x", "arn:aws:s3:::b-long-x", true},
		{"arn:aws:s3:::b*x*longest", "arn:aws:s3:::b-x-long", true},
		{"arn:aws:s3:::b*lon?est*", "arn:aws:s3:::b-longest", false},
		{"arn:aws:s3:::b*lon?est*", "arn:aws:s3:::b-looges", true},
		{"arn:aws:s3:::b*longer-than-eight", "arn:aws:s3:::b*longer-t", false}, // only so much of it is compared
		{"arn:aws:s3:::b*longer-than-eight", "arn:aws:s3:::b*longer-", true},
		{"arn:aws:s3:::b*${*}star", "arn:aws:s3:::b/*star", false}, // a wildcard that stands for itself
		{"arn:aws:s3:::b*${*}star", "arn:aws:s3:::b/star", true},
		{"arn:aws:*:::b/x", "arn:aws:s3:::b/x", false},
		{"arn:aws:*:::b/x", "arn:aws:s3:::b/y", true}, // wildcards before the fifth colon
		{"arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::b/alice/x", false},
		{"arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::c/alice/x", true},
	} {
		if got := policy.ListExcludes(setOf(t, about("Allow", "s3:*", c.pattern)), c.resource); got != c.want {
			t.Errorf("%s leaves out %s: %v", c.pattern, c.resource, got)
		}
		if policy.MatchResourceIn(policy.Identity, c.pattern, c.resource, true, single("aws:username", "alice")) && c.want {
			t.Errorf("%s matches %s, so that it may not be left out", c.pattern, c.resource)
		}
	}
}

// A set of many patterns of one shape finds each of them, whatever they stand under.
func TestIndexFindsEveryShape(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ pattern, resource string }{
		{"arn:aws:s3:::bucket-%02d", "arn:aws:s3:::bucket-%02d"},
		{"arn:aws:s3:::buckets-%02d", "arn:aws:s3:::buckets-%02d"},                 // 23 bytes
		{"arn:aws:s3:::buckets-0%02d", "arn:aws:s3:::buckets-0%02d"},               // 24 bytes
		{"arn:aws:s3:::buckets-00%02d", "arn:aws:s3:::buckets-00%02d"},             // 25 bytes
		{"arn:aws:s3:::%02d*", "arn:aws:s3:::%02d"},                                // nothing behind the beginning
		{"arn:aws:s3:::%02d/*", "arn:aws:s3:::%02d/key"},                           //
		{"arn:aws:s3:::%02d/?", "arn:aws:s3:::%02d/k"},                             //
		{"arn:aws:s3:::*%08d", "arn:aws:s3:::x%08d"},                               // a window at the end
		{"arn:aws:s3:::*%08d*", "arn:aws:s3:::%08d"},                               //
		{"arn:aws:s3:::*/a?cdef-%04d", "arn:aws:s3:::x/abcdef-%04d"},               // windows only behind the wildcard
		{"arn:aws:s3:::*a?cd%02dg*", "arn:aws:s3:::xabcd%02dghi"},                  // fewer than 8 bytes in each block
		{"arn:aws:s3:::*%02d?abcde*", "arn:aws:s3:::xy%02d-abcde"},                 // or in one block that a wildcard takes apart
		{"arn:aws:s3:::*?%08d", "arn:aws:s3:::x%08d"},                              //
		{"arn:aws:s3:::*/${*}literal/%04d", "arn:aws:s3:::x/*literal/%04d"},        // a wildcard that stands for itself
		{"arn:aws:s3:::%02d/${?}*", "arn:aws:s3:::%02d/?x"},                        //
		{"arn:aws:*:us-east-1:*:queue-%04d", "arn:aws:sqs:us-east-1:1:queue-%04d"}, // wildcards before the fifth colon
		{"*:aws:s3:::bucket-%04d", "arn:aws:s3:::bucket-%04d"},
		{"arn:aws:s3:::%02d/${aws:username}/*", "arn:aws:s3:::%02d/alice/key"},
		{"arn:aws:s3:::*/${aws:username}/%04d", "arn:aws:s3:::x/alice/%04d"},
		{"*-suffix-%04d", "x-suffix-%04d"}, // a short ARN is two patterns
		{"arn:aws:*-%04d", "arn:aws:s3-%04d:::x"},
	} {
		statements := many(50, c.pattern)
		for n, set := range map[string]*policy.Set{"a large set": setOf(t, statements...), "a small set": setOf(t, statements[:10]...)} {
			sets := policy.Sets{Caller: policy.Caller{Kind: policy.UserCaller, Account: "1"}, Identity: set}
			for i := range set.Policies()[0].Policy.Len() {
				r := policy.Request{Action: "s3:GetObject", Resource: fmt.Sprintf(c.resource, i), Context: []policy.Entry{single("aws:username", "alice")}}
				if d := policy.Decide(&sets, &r); d.Effect != policy.Allow || d.Statement != i {
					t.Errorf("%s of %s, %s: %+v", n, c.pattern, r.Resource, d)
					break
				}
			}
		}
	}
}

// A statement about everything but its patterns is found by what they do not match.
func TestIndexFindsNotResource(t *testing.T) {
	t.Parallel()
	not := about("Deny", "s3:GetObject", "arn:aws:s3:::bucket-00", "arn:aws:s3:::bucket-01/*")
	not.NotResource = true
	for _, n := range []int{10, 50} {
		set := setOf(t, append(many(n, "arn:aws:s3:::bucket-%02d"), not)...)
		for resource, want := range map[string]policy.Effect{"arn:aws:s3:::bucket-00": policy.Allow, "arn:aws:s3:::bucket-02": policy.DenyExplicit, "*": policy.DenyExplicit} {
			if d := policy.Decide(&policy.Sets{Identity: set}, &policy.Request{Action: "s3:GetObject", Resource: resource}); d.Effect != want {
				t.Errorf("%d statements, %s: %+v", n, resource, d)
			}
		}
	}
}

// What patterns stand under: their beginning, or where too many begin alike, what few others have.
func TestIndexAnchors(t *testing.T) {
	t.Parallel()
	lengths := func(n int) (out []policy.Statement) { // from minAnchor on
		for i := range n {
			out = append(out, many(1, "arn:aws:"+strings.Repeat("s", i)+"*:::*")...)
		}
		return out
	}
	grouped := func(size int, pattern string) []policy.Statement {
		out := many(60, pattern)
		for i := range out {
			out[i].Resources[0] = strings.ReplaceAll(out[i].Resources[0], "GROUP", fmt.Sprintf("group-%02d", i/size))
		}
		return out
	}
	full := strings.Repeat("a", policy.MaxResource-len("arn:aws:s3:::"))
	for _, c := range []struct {
		name       string
		statements []policy.Statement
		form       string
		want       policy.Anchors
	}{
		{"texts", many(50, "arn:aws:s3:::bucket-%02d"), "hash", policy.Anchors{Entries: 50, Largest: 1, Lengths: []uint16{22}}},
		{"beginnings", many(50, "arn:aws:s3:::bucket-%02d/*"), "hash", policy.Anchors{Entries: 50, Largest: 1, Lengths: []uint16{23}}},
		{"few letters behind the beginning", many(50, "arn:aws:s3:::bucket-%02d/*x"), "hash", policy.Anchors{Entries: 50, Largest: 1, Lengths: []uint16{23}}},
		{"beginnings before a variable", many(50, "arn:aws:s3:::bucket-%02d/${aws:username}/*"), "hash", policy.Anchors{Entries: 50, Largest: 1, Lengths: []uint16{23}}},
		{"two patterns each", many(50, "arn:aws:s3:::bucket-%02d", "arn:aws:s3:::bucket-%02d/*"), "hash", policy.Anchors{Entries: 100, Largest: 1, Lengths: []uint16{22, 23}}},
		{"eight bytes", many(50, "arn:aws:*:::*"), "hash", policy.Anchors{Entries: 50, Largest: 50, Lengths: []uint16{8}}},
		{"seven bytes", many(50, "arn:aws*:s3:::*"), "hash", policy.Anchors{Always: 50}},
		{"everything", many(50, "*"), "hash", policy.Anchors{Always: 50}},
		{"some have none", append(many(40, "arn:aws:s3:::bucket-%02d"), many(10, "*")...), "hash", policy.Anchors{Always: 10, Entries: 40, Largest: 1, Lengths: []uint16{22}}},
		{"the longest text", append(others(), many(3, "arn:aws:s3:::"+full)...), "hash", policy.Anchors{Entries: 53, Largest: 3, Lengths: []uint16{43, policy.MaxResource}}},
		{"a longer text, which nothing has", append(others(), many(3, "arn:aws:s3:::a"+full)...), "hash", policy.Anchors{Always: 3, Entries: 50, Largest: 1, Lengths: []uint16{43}}},
		{"a much longer text", append(others(), many(3, "arn:aws:s3:::"+full+full)...), "hash", policy.Anchors{Always: 3, Entries: 50, Largest: 1, Lengths: []uint16{43}}},
		{"32 lengths", append(lengths(32), many(9, "arn:aws:*:::*")...), "hash", policy.Anchors{Entries: 41, Largest: 10, Lengths: count(8, 40, 1)}},
		{"33 lengths are cut to even ones", append(lengths(33), many(9, "arn:aws:*:::*")...), "hash", policy.Anchors{Entries: 42, Largest: 11, Lengths: count(8, 41, 2)}},
		{"300 lengths are cut to multiples of 16", lengths(300), "hash", policy.Anchors{Always: 8, Entries: 292, Largest: 16, Lengths: count(16, 308, 16)}},
		{"four begin alike", grouped(4, "arn:aws:s3:::GROUP/*/item-%04d"), "hash", policy.Anchors{Entries: 60, Largest: 4, Lengths: []uint16{22}}},
		{"five begin alike", grouped(5, "arn:aws:s3:::GROUP/*/item-%04d"), "hash and windows", policy.Anchors{Entries: 60, Largest: 1}},
		{"all begin alike, and have the same window", many(50, "arn:aws:s3:::shared/*/archive/*"), "hash", policy.Anchors{Entries: 50, Largest: 50, Lengths: []uint16{20}}},
		{"the first window is that of all", many(50, "arn:aws:s3:::*the-same*item-%04d*"), "hash and windows", policy.Anchors{Entries: 50, Largest: 1}},
		{"eight bytes at the end", many(50, "arn:aws:s3:::*%08d"), "hash and windows", policy.Anchors{Entries: 50, Largest: 1}},
		{"seven bytes at the end", many(50, "arn:aws:s3:::*%07d"), "hash", policy.Anchors{Entries: 50, Largest: 50, Lengths: []uint16{13}}},
		{"no beginning", many(50, "*:aws:s3:::*%08d"), "hash and windows", policy.Anchors{Entries: 50, Largest: 1}},
	} {
		set := setOf(t, c.statements...)
		if form := policy.IndexForm(set); form != c.form {
			t.Errorf("%s: %q, not %q", c.name, form, c.form)
			continue
		}
		got := policy.IndexAnchors(set)
		if got.Always != c.want.Always || got.Entries != c.want.Entries || got.Largest != c.want.Largest || !slices.Equal(got.Lengths, c.want.Lengths) {
			t.Errorf("%s: %+v, not %+v", c.name, got, c.want)
		}
	}
}

// count are the numbers before end, by steps.
func count(from, end, step uint16) (out []uint16) {
	for ; from < end; from += step {
		out = append(out, from)
	}
	return out
}

// A small set has a list, a larger one an index, and one with too many places neither.
func TestIndexForms(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "list", 40: "list", 41: "hash"} {
		if form := policy.IndexForm(setOf(t, many(n, "arn:aws:s3:::bucket-%02d")...)); form != want {
			t.Errorf("%d statements: %q", n, form)
		}
	}
	changed := func(statements ...policy.Statement) *policy.Attached { // after it was parsed
		d, err := policy.Parse(allowAll, policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		d.Statements = statements
		p, err := policy.Compile(d)
		if err != nil {
			t.Fatal(err)
		}
		return &policy.Attached{Policy: p}
	}
	one, none := load(t, allowAll), changed()
	repeated := func(a *policy.Attached, n int) []*policy.Attached {
		return slices.Repeat([]*policy.Attached{a}, n)
	}
	const most = 1<<16 - 2
	for _, c := range []struct {
		name     string
		policies []*policy.Attached
		want     string
	}{
		{"as many policies as have numbers", repeated(one, most), "hash"},
		{"a policy more", repeated(one, most+1), ""},
		{"as many statements", []*policy.Attached{changed(slices.Repeat([]policy.Statement{about("Allow", "*", "*")}, most)...)}, "hash"},
		{"a statement more", []*policy.Attached{changed(slices.Repeat([]policy.Statement{about("Allow", "*", "*")}, most+1)...)}, ""},
		{"40 policies", append(repeated(none, 39), one), "list"},
		{"a policy more, with few statements together", append(repeated(none, 40), one), "hash"},
		{"more policies than a list has numbers for", append(repeated(none, 300), one), "hash"},
	} {
		set := policy.NewSet(c.policies...)
		if form := policy.IndexForm(set); form != c.want {
			t.Errorf("%s: %q, not %q", c.name, form, c.want)
		}
		first := c.policies[0]
		if first == none {
			first = one
		}
		d := policy.Decide(&policy.Sets{Identity: set}, &policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b"})
		if d.Effect != policy.Allow || d.Policy != first || d.Statement != 0 {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

// What finding reads and asks. Beginnings are looked up from the shortest to the longest, and nobody is asked whose answer cannot matter.
func TestIndexWork(t *testing.T) {
	t.Parallel()
	const bucket = "arn:aws:s3:::bucket/"
	for _, c := range []struct {
		name        string
		statements  []policy.Statement
		resource    string
		read, asked int
		decides     int // the statement
	}{
		{"nothing", nil, bucket + "key", 0, 0, -1},
		{"one", []policy.Statement{about("Allow", "s3:GetObject", bucket+"*")}, bucket + "key", 1, 1, 0},
		{"other actions", []policy.Statement{about("Allow", "s3:PutObject", bucket+"*"), about("Allow", "s3:DeleteObject", bucket+"*"), about("Allow", "s3:GetObject", bucket+"*")},
			bucket + "key", 3, 1, 2},
		{"other actions everywhere", []policy.Statement{about("Allow", "s3:PutObject", "*"), about("Allow", "s3:GetObject", "*")}, bucket + "key", 2, 1, 1},
		{"another beginning", many(5, bucket+"*item-%04d"), "arn:aws:s3:::bucked/item-0001", 1, 0, -1},
		{"a text that is shorter than the beginning", many(5, bucket+"*item-%04d"), "item-0001", 1, 0, -1},
		{"two patterns with one beginning", []policy.Statement{never(about("Allow", "s3:GetObject", bucket+"key", bucket+"key*"))}, bucket + "key", 2, 1, -1},
		{"allows behind one", []policy.Statement{about("Allow", "s3:GetObject", bucket+"*"), about("Allow", "s3:GetObject", bucket+"k*")}, bucket + "key", 2, 1, 0},
		{"an allow before one", []policy.Statement{about("Allow", "s3:GetObject", bucket+"k*"), about("Allow", "s3:GetObject", bucket+"*")}, bucket + "key", 2, 2, 0},
		{"an allow before a deny", []policy.Statement{about("Allow", "s3:GetObject", bucket+"k*"), about("Deny", "s3:GetObject", bucket+"*")}, bucket + "key", 2, 1, 1},
		{"a deny behind an allow", []policy.Statement{about("Allow", "s3:GetObject", bucket+"*"), about("Deny", "s3:GetObject", bucket+"k*")}, bucket + "key", 2, 2, 1},
		{"a deny behind one", []policy.Statement{about("Deny", "s3:GetObject", bucket+"*"), about("Deny", "s3:GetObject", bucket+"k*")}, bucket + "key", 2, 1, 0},
		{"a deny before one", []policy.Statement{about("Deny", "s3:GetObject", bucket+"k*"), about("Deny", "s3:GetObject", bucket+"*")}, bucket + "key", 2, 2, 0},
		{"the same allow again", []policy.Statement{never(about("Allow", "s3:GetObject", bucket+"k*")), about("Allow", "s3:GetObject", bucket+"*", bucket+"key*")},
			bucket + "key", 3, 2, 1},
		{"the same deny again", []policy.Statement{never(about("Deny", "s3:GetObject", bucket+"k*")), about("Deny", "s3:GetObject", bucket+"*", bucket+"key*")},
			bucket + "key", 3, 2, 1},
	} {
		set := setOf(t, append(slices.Clone(c.statements), others()...)...)
		r := policy.Request{Action: "s3:GetObject", Resource: c.resource}
		if read, asked := policy.IndexWork(set, &r); read != c.read || asked != c.asked {
			t.Errorf("%s: %d entries are read and %d statements asked", c.name, read, asked)
		}
		d := policy.Decide(&policy.Sets{Identity: set}, &r)
		if c.decides < 0 {
			if d.Policy != nil {
				t.Errorf("%s: %+v", c.name, d)
			}
			continue
		}
		if want := c.statements[c.decides].Effect == "Allow"; d.Policy == nil || d.Statement != c.decides || (d.Effect == policy.Allow) != want {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

// The filter lets few windows through that nobody has.
func TestIndexFilter(t *testing.T) {
	t.Parallel()
	var resource strings.Builder
	for i := range 100 {
		fmt.Fprintf(&resource, "other/%03d/", i)
	}
	for _, n := range []int{50, 63, 64, 127, 128, 500} {
		set := setOf(t, many(n, "arn:aws:s3:::*item-%04d*")...)
		if windows, passed := policy.IndexFiltered(set, resource.String()); passed > windows/8 {
			t.Errorf("of %d windows %d pass the filter of %d", windows, passed, n)
		}
	}
}

// The work of finding is bounded to the unit, and it is finished only if everybody was met.
func TestIndexFuel(t *testing.T) {
	t.Parallel()
	var nested []policy.Statement
	key := strings.Repeat("abcdefg/", 10)
	for range 20 {
		s := never(about("Allow", "s3:GetObject"))
		for i := range 20 {
			s.Resources = append(s.Resources, "arn:aws:s3:::"+key[:10+i]+"*")
		}
		nested = append(nested, s)
	}
	nested = append(nested, about("Deny", "s3:GetObject", "arn:aws:s3:::"+key))
	for _, c := range []struct {
		name       string
		statements []policy.Statement
	}{
		{"one beginning", slices.Repeat([]policy.Statement{never(about("Allow", "s3:GetObject", "arn:aws:s3:::"+key+"*"))}, 50)},
		{"always", slices.Repeat([]policy.Statement{never(about("Allow", "s3:GetObject", "*"))}, 50)},
		{"beginnings", nested},
		{"a window", slices.Repeat([]policy.Statement{never(about("Allow", "s3:GetObject", "*:aws:s3:::*abcdefg/*"))}, 50)},
		{"an entry that is not asked", []policy.Statement{about("Allow", "s3:PutObject", "arn:aws:s3:::"+key)}},
	} {
		set := setOf(t, append(slices.Clone(c.statements), others()...)...)
		r := policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::" + key}
		const plenty = 1 << 30
		all, ok := policy.IndexUseOf(plenty, set, &r)
		if !ok || all == 0 {
			t.Fatalf("%s: used %d, finished %v", c.name, all, ok)
		}
		if used, ok := policy.IndexUseOf(all, set, &r); !ok || used != all {
			t.Errorf("%s: with just enough: used %d of %d, finished %v", c.name, used, all, ok)
		}
		for fuel := 0; fuel < all; fuel += 1 + all/300 {
			used, ok := policy.IndexUseOf(fuel, set, &r)
			if ok || used <= fuel || used > fuel+130 { // an anchor and a statement more
				t.Fatalf("%s: used %d of %d, finished %v", c.name, used, fuel, ok)
			}
		}
	}

	// Of 50 statements of the same weight under one anchor 10 are asked, and an eleventh takes more than there is.
	set := setOf(t, slices.Repeat([]policy.Statement{never(about("Allow", "s3:GetObject", "arn:aws:s3:::"+key+"*"))}, 50)...)
	r := policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::" + key}
	_, used, _ := policy.IndexUse(set, &r)
	weight := (used - 50) / 50
	for _, short := range []int{weight, 2, 1} {
		if used, ok := policy.IndexUseOf(50+11*weight-short, set, &r); ok || used != 50+11*weight {
			t.Errorf("used %d, finished %v: a statement weighs %d, %d are too few", used, ok, weight, short)
		}
	}

	// Beginnings alone can take all fuel too, and what was found until then means nothing.
	set = setOf(t, nested...)
	if form := policy.IndexForm(set); form != "hash" {
		t.Errorf("%q", form)
	}
	if fuel, used, ok := policy.IndexUse(set, &r); ok || used < fuel {
		t.Errorf("used %d of %d, finished %v", used, fuel, ok)
	}
	if d := policy.Decide(&policy.Sets{Identity: set}, &r); d.Effect != policy.DenyExplicit || d.Statement != len(nested)-1 {
		t.Errorf("%+v", d)
	}
}

// However often a hash comes, it does not begin to look rare.
func TestSumsStop(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]uint16{0: 0, 1: 1, 3: 3, 1<<16 - 2: 1<<16 - 2, 1<<16 - 1: 1<<16 - 1, 1 << 16: 1<<16 - 1, 70000: 1<<16 - 1} {
		if got := policy.CountSum(n); got != want {
			t.Errorf("%d times: counted %d", n, got)
		}
	}
}
