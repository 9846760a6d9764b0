package policy_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// The short ways of reading values take exactly the texts that they are for: no more, which would be wrong answers, and no less, which would be slow.

func TestCommonInstantAtTheEdges(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)
	texts := []string{"", "2026-06-15T12:30:00", "2026-06-15T12:30:00.0Z", "2026-06-15t12:30:00Z", "2026-06-15T12:30:00z", "2026-06-15T12:30:0-Z", "1781526600"}
	for _, year := range []string{"0000", "0001", "1900", "1969", "1970", "1999", "2000", "2023", "2024", "2099", "2100", "9999", "20:0", "/000", "2 24"} {
		for _, month := range []string{"00", "01", "02", "04", "09", "11", "12", "13", "1:", "/1"} {
			for _, day := range []string{"00", "01", "09", "28", "29", "30", "31", "32", "3:"} {
				texts = append(texts, year+"-"+month+"-"+day+"T00:00:00Z", year+"-"+month+"-"+day+"T23:59:59Z")
			}
		}
	}
	for _, hour := range []string{"00", "09", "19", "20", "23", "24", "29", "99", "2:", "/9"} {
		for _, minute := range []string{"00", "09", "59", "60", "99", "5:", "/9"} {
			for _, second := range []string{"00", "09", "59", "60", "61", "99", "5:", "/9"} {
				texts = append(texts, "2026-06-15T"+hour+":"+minute+":"+second+"Z")
			}
		}
	}
	for i := range len("2026-06-15T12:30:00Z") {
		texts = append(texts, "2026-06-15T12:30:00Z"[:i]+"x"+"2026-06-15T12:30:00Z"[i+1:])
	}
	for _, v := range texts {
		at, err := time.Parse(time.RFC3339, v)
		want := form.MatchString(v) && err == nil
		if got, ok := policy.CommonInstant(v); ok != want || ok && got != at.Unix() {
			t.Errorf("%q: %d, read %t; want %d, %t", v, got, ok, at.Unix(), want)
		}
	}
}

func TestCommonInteger(t *testing.T) {
	t.Parallel()
	for _, v := range []string{
		"", "0", "9", "09", "10", "123456789012345678", "999999999999999999", "1234567890123456789", "9223372036854775808", "18446744073709551617",
		"-1", "+1", "1.", "1.0", "1e1", "/", ":", "1/", "1:", "a", " 1", "1 ", "١", "000000000000000001", "0000000000000000001",
	} {
		n, err := strconv.ParseUint(v, 10, 63)
		want := err == nil && len(v) <= 18
		if got, ok := policy.CommonInteger(v); ok != want || ok && got != int64(n) {
			t.Errorf("%q: %d, read %t; want %t", v, got, ok, want)
		}
		value, integer, _ := policy.ParseInteger(v)
		if integer != want || integer && value != int64(n) {
			t.Errorf("%q in a policy: %d, an integer: %t; want %t", v, value, integer, want)
		}
	}
}

// What overflows while it is read is no address.
func TestAddressesThatOverflow(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"1.2.3.4294967300", "1.2.3.18446744073709551620", "4294967297.2.3.4", "1.2.3.4.5", "1.2.3", "1.2.3.4.", "256.0.0.0", "0.0.0.256", "0.0.0.1000"} {
		if got, ok := policy.CommonAddress(v); ok {
			t.Errorf("%q is %x", v, got)
		}
	}
	for v, want := range map[string]uint32{"0.0.0.0": 0, "255.255.255.255": 0xffffffff, "1.20.255.99": 0x0114ff63} {
		if got, ok := policy.CommonAddress(v); !ok || got != want {
			t.Errorf("%q: %x, %t", v, got, ok)
		}
	}
}

// A byte that is not UTF-8 is seen wherever it stands, in texts of all lengths that are read 8 bytes at a time or otherwise.
func TestInvalidBytesAreSeen(t *testing.T) {
	t.Parallel()
	for n := range 40 {
		plain := strings.Repeat("a", n)
		if !policy.ValidText(plain) {
			t.Errorf("%d letters are not valid", n)
		}
		for i := range n {
			for _, c := range []string{"\x80", "\xff", "é", "\u2028"} {
				v := plain[:i] + c + plain[i+1:]
				if got := policy.ValidText(v); got != utf8.ValidString(v) {
					t.Errorf("%q: valid %t", v, got)
				}
			}
			v := plain[:i] + "\xff" + plain[i+1:]
			request := policy.Request{Action: "s3:Get", Resource: "*", Context: []policy.Entry{{Key: "k", Values: []string{"x", v}}}}
			root := policy.Sets{Caller: policy.Caller{Kind: policy.RootCaller, Account: "111122223333"}, Root: true}
			if d := policy.Decide(&root, &request); d.Effect == policy.Allow {
				t.Errorf("%q in a context is taken", v)
			}
		}
	}
}

// Keys that are one key have one hash, and those of usual contexts have many different ones.
func TestHashesOfKeys(t *testing.T) {
	t.Parallel()
	hashes := map[uint32]bool{}
	for _, name := range []string{
		"", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "abcdefghi", "aws:username", "aws:userid", "aws:SourceIp", "aws:CurrentTime", "aws:PrincipalArn",
		"aws:PrincipalTag/team", "aws:PrincipalTag/cost", "aws:ResourceTag/team", "s3:prefix", "s3:max-keys", "x:K", "x:L", "x:M", "aws:TagKeys", "aws:RequestedRegion",
	} {
		h := policy.KeyHash(name)
		if upper, lower := policy.KeyHash(strings.ToUpper(name)), policy.KeyHash(strings.ToLower(name)); h != upper || h != lower || h >= 64 {
			t.Errorf("%q: %d, in capitals %d, in small letters %d", name, h, upper, lower)
		}
		hashes[h] = true
	}
	if len(hashes) < 15 {
		t.Errorf("25 keys have %d hashes", len(hashes))
	}
}

// Of several entries for a key the first counts, but among tag keys that differ only by case the one as it is asked for, else the smallest, and of equal ones
// the first (docs/spec/policy-language.md 9.1). What tag keys are is told by the text before the slash.
func TestWhichEntryCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key     string
		entries string // "key=value key=value"
		want    string // "" = the key is absent
	}{
		{"own:key", "own:key=1 own:key=2", "1"},
		{"own:key", "OWN:key=1 own:key=2", "1"},
		{"own:key", "own:Key=1 OWN:KEY=2", "1"},
		{"own:key", "own:kez=1 own:key=2", "2"},
		{"own:a/key", "own:a/Key=1 own:a/key=2", "1"},
		{"own:a/key", "own:a/Key=1 own:a/KEY=2", "1"},
		{"ab/key", "ab/Key=1 ab/KEY=2 ab/key=3", "1"},
		{"a/key", "a/Key=1 a/KEY=2 a/key=3", "1"},
		{"/key", "/Key=1 /KEY=2 /key=3", "1"},
		{"xxx/key", "xxx/Key=1 xxx/KEY=2 xxx/key=3", "1"},
		{"tag/key", "tag/Key=1 tag/KEY=2", "2"},
		{"tag/key", "tag/Key=1 tag/KEY=2 tag/key=3", "3"},
		{"own:TAG/key", "own:tag/Key=1 own:tag/KEY=2", "2"},
		{"aws:ResourceTag/k", "aws:ResourceTag/K=1 aws:ResourceTag/K=2", "1"},
		{"aws:ResourceTag/k", "aws:ResourceTag/k=1 aws:ResourceTag/k=2", "1"},
		{"aws:ResourceTag/k", "aws:ResourceTag/K=1 aws:ResourceTag/k=2 aws:ResourceTag/K=3", "2"},
		{"aws:ResourceTag/k", "AWS:RESOURCETAG/k=1 aws:ResourceTag/k=2", "1"},
		{"aws:ResourceTag/kk", "aws:ResourceTag/kK=1 aws:ResourceTag/Kk=2 aws:ResourceTag/KK=3 aws:ResourceTag/Kk=4", "3"},
		{"aws:ResourceTag/", "=1 aws:ResourceTag/=2", ""},
		{"aws:RequestTag/", "=1 aws:RequestTag/=2", ""},
		{"aws:PrincipalTag/", "=1 aws:principaltag/=2", ""},
		{"aws:ResourceTag/k", "=1", ""},
	} {
		for _, others := range []int{0, 40, 62, 63, 64, 65, 300} {
			var context []policy.Entry
			for entry := range strings.FieldsSeq(c.entries) {
				key, value, _ := strings.Cut(entry, "=")
				context = append(context, single(key, value))
			}
			for i := range others {
				context = append(context, single(fmt.Sprint("other:", i), "x"))
			}
			want := []string{"1", "2", "3", "4"}
			for _, value := range want {
				if got := holds(t, "StringEquals", c.key, []string{value}, context...); got != (value == c.want) {
					t.Errorf("%s among %s and %d others: %s: %t", c.key, c.entries, others, value, got)
				}
			}
		}
	}
}
