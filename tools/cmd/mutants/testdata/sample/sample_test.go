package sample

import "testing"

func TestSpan(t *testing.T) {
	s := &span{2, 4}
	for n, want := range map[int]bool{1: false, 2: true, 3: true, 4: false, 5: false} {
		if s.holds(n) != want {
			t.Errorf("%d", n)
		}
	}
}

func TestFirst(t *testing.T) {
	if c, rest, err := again("ab"); c != 'a' || rest != "b" || err != nil {
		t.Errorf("%c %q %v", c, rest, err)
	}
}

func TestCount(t *testing.T) {
	if n := count([]int{1, 2, 3}, func(n int) bool { return n == 2 }); n != 2 {
		t.Errorf("%d", n)
	}
}

func TestKind(t *testing.T) {
	for n, want := range map[int]string{-1: "out", 101: "out", 7: "lucky", 1: "small", 3: ""} {
		if got := kind(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}

func TestFixed(t *testing.T) {
	if ok, text := fixed(true); !ok || text != "yes" {
		t.Errorf("%t %q", ok, text)
	}
	if ok, text := fixed(false); ok || text != "" {
		t.Errorf("%t %q", ok, text)
	}
}

func TestWide(t *testing.T) {
	for text, want := range map[string]bool{"a.": false, "abc.": true, "abcd": false} {
		if wide(text) != want {
			t.Errorf("%q", text)
		}
	}
}

func TestDrained(t *testing.T) {
	if n := drained(3); n != 0 {
		t.Errorf("%d", n)
	}
}
