package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Escapes of RFC 8259, as they are read into the document.
func TestEscapes(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`\"\\\/`:                      `"\/`,
		`\b\f\n\r\t`:                  "\b\f\n\r\t",
		`\u0041 after`:                "A after",
		`\u00e9\u00E9\uABCD\uabcd`:    "éé\uabcd\uabcd",
		`\ufFfe\uF900\u9999`:          "\ufffe\uf900\u9999",
		`a\ud83d\ude00b`:              "a\U0001f600b",
		`\uDBFF\uDFFF`:                "\U0010ffff",
		"\u007f \x7f\U0001f600\ufffd": "\u007f \x7f\U0001f600\ufffd",
	} {
		text := `{"Version":"2012-10-17","Id":"` + source + `","Statement":{` + good + `}}`
		d, err := policy.Decode(text, policy.Managed)
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if d.ID != want {
			t.Errorf("%s is %q, want %q", source, d.ID, want)
		}
	}
}

// What is refused at the borders of each rule, with the rule and the place.
func TestScannerBounds(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		text, detail string
		offset       int
	}{
		{"{\"Id\":\"a\ufffdb\xffc\"}", "not UTF-8", 12},
		{"{\"Id\":\"\xff\"}", "not UTF-8", 7},
		{`{"Id":` + nested(16) + `}`, "Id is an array", 6},
		{`{"Id":` + nested(17) + `}`, "nested deeper than 16 levels", 22},
		{`{"Id":/}`, "unexpected character '/'", 6},
		{`{"Id"::}`, "unexpected character ':'", 6},
		{`{"Id":1/}`, "expected ',' or '}'", 7},
		{`{"Id":1:}`, "expected ',' or '}'", 7},
		{`{"Id":1.5e-7}`, "Id is a number", 6},
		{`{"Id":10e+5}`, "Id is a number", 6},
		{`{"Id":-0}`, "Id is a number", 6},
		{`{"Id":1e-}`, "malformed number", 6},
		{`{"Id":-a}`, "malformed number", 6},
		{"{\"Id\":\"\\n\x1f\"}", "control character", 9},
		{"{\"Id\":\"a\x1f\"}", "control character", 8},
		{`{"Id":"\u0041`, "string without end", 6},
		{`{"Id":"\u004`, `malformed \u escape`, 7},
		{`{"Id":"\u00/0"}`, `malformed \u escape`, 7},
		{`{"Id":"\u00:0"}`, `malformed \u escape`, 7},
		{`{"Id":"\u00@0"}`, `malformed \u escape`, 7},
		{`{"Id":"\u00G0"}`, `malformed \u escape`, 7},
		{"{\"Id\":\"\\u00`0\"}", `malformed \u escape`, 7},
		{`{"Id":"\u00g0"}`, `malformed \u escape`, 7},
		{`{"Id":"\ud83d\u12"}`, "unpaired surrogate", 7},
		{`{"Id":"\ud83d\n"}`, "unpaired surrogate", 7},
		{`{` + keys(40) + `,"k3":"v"}`, `member "k3" occurs twice`, len(keys(40)) + 2},
		{`{` + keys(16) + `,"k0":"v"}`, `member "k0" occurs twice`, len(keys(16)) + 2},
		{`{` + keys(15) + `,"k14":"v"}`, `member "k14" occurs twice`, len(keys(15)) + 2},
		{`{"Id":"a"}x`, "text after the end", 10},
		{`{"Id":"a"`, "expected ',' or '}'", 9},
		{`{"Id"`, "expected ':'", 5},
		{`{"Id`, "string without end", 1},
		{`{"I\d":1}`, "unknown escape", 3},
		{`{"Id":`, "unexpected end", 6},
		{`{"Id":["a"`, "expected ',' or ']'", 10},
	}
	for _, tt := range tests {
		_, err := policy.Decode(tt.text, policy.Managed)
		wantError(t, tt.text, err, policy.MalformedPolicyDocument, syntax, tt.detail)
		if e, ok := errors.AsType[*policy.Error](err); ok && e.Offset != tt.offset {
			t.Errorf("%.200s\nthe error is at %d, want %d", tt.text, e.Offset, tt.offset)
		}
	}
}

// The bound counts characters, not bytes.
func TestTextBound(t *testing.T) {
	t.Parallel()
	for _, letter := range []string{"x", "é"} {
		fill := policy.MaxText - len(`{"Version":"2012-10-17","Id":"","Statement":{`+good+`}}`)
		for extra, ok := range map[int]bool{-1: true, 0: true, 1: false} {
			text := `{"Version":"2012-10-17","Id":"` + strings.Repeat(letter, fill+extra) + `","Statement":{` + good + `}}`
			_, err := policy.Decode(text, policy.Managed)
			if ok && err != nil {
				t.Errorf("%d characters %s: %v", policy.MaxText+extra, letter, err)
			}
			if !ok {
				wantError(t, text, err, policy.MalformedPolicyDocument, syntax, "longer than 131072 characters")
			}
		}
	}
}
