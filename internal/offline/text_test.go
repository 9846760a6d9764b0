package offline

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPositionOf(t *testing.T) {
	t.Parallel()
	const text = "ab\ncd😀e\n\nß x"
	tests := []struct {
		at   string // the place is before its first occurrence
		want string
	}{{"ab", "1:1"}, {"b", "1:2"}, {"\n", "1:3"}, {"cd", "2:1"}, {"😀", "2:3"}, {"e", "2:5"}, {"ß", "4:1"}, {" x", "4:2"}}
	for _, tt := range tests {
		if got := positionOf(text, strings.Index(text, tt.at)).String(); got != tt.want {
			t.Errorf("%q stands at %s, want %s", tt.at, got, tt.want)
		}
	}
	for offset, want := range map[int]string{-1: "1:1", len(text): "4:4", len(text) + 9: "4:4"} {
		if got := positionOf(text, offset).String(); got != want {
			t.Errorf("offset %d is %s, want %s", offset, got, want)
		}
	}
	p := place{Position: Position{1, 1}}
	for i := range text { // going on gives what counting anew gives
		if got, want := p.to(text, i), positionOf(text, i); got != want {
			t.Errorf("byte %d: %s going on, %s anew", i, got, want)
		}
	}
}

func TestWalker(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	for _, text := range []string{
		`{}`, `[]`, `null`, ` { "a" : [ 1 , -2.5e+3 , true , false , null , "\"\\\/\b\f\n\rü😀" ] } `, `"x"`, `0`, deep,
	} {
		if err := walk(text); err != nil || !json.Valid([]byte(text)) {
			t.Errorf("%s: %v", text, err)
		}
	}
	tests := []struct{ text, want, at string }{
		{``, "the text ends where a value is expected", "1:1"},
		{`{"a":1`, `the text ends where "," or "}" is expected`, "1:7"},
		{`{"a" 1}`, `":" is expected, not '1'`, "1:6"},
		{`{"a":1,}`, `a member's name is expected, not '}'`, "1:8"},
		{`[1,]`, `a value is expected, not ']'`, "1:4"},
		{"[\n 01]", "a value is expected, not '0'", "2:2"},
		{`[tru]`, "a value is expected, not 't'", "1:2"},
		{`[1 2]`, `"," or "]" is expected, not '2'`, "1:4"},
		{`"abc`, "a string without end", "1:1"},
		{`"a\x"`, "an escape that JSON does not have", "1:3"},
		{"\"a\nb\"", "a control character in a string", "1:3"},
		{`1 2`, "text after the end of the JSON value", "1:3"},
		{"\"\xff\"", "the text is not UTF-8", "1:2"},
		{"[" + deep + "]", "nested deeper than 32 levels", "1:34"},
		{strings.Repeat("9", 1001), "a value is expected, not '9'", "1:1"},
	}
	for _, tt := range tests {
		err := walk(tt.text)
		f, ok := errors.AsType[*textFault](err)
		if !ok || f.message != tt.want || positionOf(tt.text, f.offset).String() != tt.at {
			t.Errorf("%q: %v, want %s at %s", clip(tt.text), err, tt.want, tt.at)
		}
	}
}

func walk(text string) error {
	w, err := newWalker(text)
	if err != nil {
		return err
	}
	if err := w.skip(); err != nil {
		return err
	}
	return w.end()
}

// What the walker takes is JSON, and it takes all JSON within its bounds.
func FuzzWalker(f *testing.F) {
	for _, s := range []string{`{"a":[1,"b\u0041",null]}`, `[1,]`, `"\ud800"`, `{"a":{"b":{}}}`, `-0.5e9`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		err := walk(text)
		switch valid := json.Valid([]byte(text)); {
		case err == nil && !valid && !strings.Contains(text, `\u`): // what follows \u is read only where the string is needed
			t.Errorf("%q is taken, and is no JSON", text)
		case err != nil && valid && utf8.ValidString(text) && !strings.Contains(err.Error(), "nested") && len(text) < 1000:
			t.Errorf("%q is JSON, but: %v", text, err)
		}
	})
}
