package sigv4

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// headerList is a list of signed headers taken apart. It is not changed once it is made.
type headerList struct {
	text  string
	valid bool         // lower-case, sorted, no repetition: otherwise no canonical request has this list, and the rest is not set
	host  bool         // the host is in it
	lines []headerLine // in the order of text
	amz   int          // how many names begin with x-amz-, x-amz-content-sha256 not counted
	// others are the headers that clients usually send and do not sign, without those that are in the list.
	others []string
	tail   string // the end of the last header, the empty line, and the list itself
}

type headerLine struct {
	label string // line feed, except in the first line, name and colon
	name  string
	key   string // as net/http writes the name; empty for the host
}

var usuallyUnsigned = [...]string{"Authorization", "User-Agent", "Accept-Encoding", "Content-Length"}

func newHeaderList(text string) *headerList {
	l := &headerList{text: strings.Clone(text), tail: "\n\n" + text + "\n"}
	l.lines = make([]headerLine, 0, 1+strings.Count(text, ";"))
	l.others = append(make([]string, 0, len(usuallyUnsigned)), usuallyUnsigned[:]...)
	previous := ""
	for name := range strings.SplitSeq(l.text, ";") {
		line := headerLine{label: "\n" + name + ":", name: name}
		if len(l.lines) == 0 {
			line.label = line.label[1:]
		}
		if name <= previous {
			return l
		}
		previous = name
		if name == "host" || name == ":authority" {
			l.host = true
		} else {
			key, ok := headerKey(name)
			if !ok {
				return l
			}
			line.key = key
			l.others = slices.DeleteFunc(l.others, func(other string) bool { return other == key })
			if isAmz(key) {
				l.amz++
			}
		}
		l.lines = append(l.lines, line)
	}
	l.valid = true
	return l
}

// headerKey returns a lower-case name as net/http writes it. ok is false for a name that has an upper-case letter or that no header
// can have.
func headerKey(name string) (key string, ok bool) {
	b, upper := []byte(name), true
	for i, c := range b {
		if c <= ' ' || c >= 0x7f || 'A' <= c && c <= 'Z' {
			return "", false
		}
		if upper && 'a' <= c && c <= 'z' {
			b[i] = c - ('a' - 'A')
		}
		upper = c == '-'
	}
	return string(b), true
}

// Every client sends few lists, and the same ones again and again. A list is remembered only after a signature over it was found
// right, so that nobody without a key decides what is remembered; which lists are held changes nothing but the time a verification
// takes.
var headerLists [headerListSets * headerListWays]atomic.Pointer[headerList]

const (
	headerListSets = 64
	headerListWays = 4
	maxKeptList    = 1024 // bytes of its text
)

func headerListSet(text string) []atomic.Pointer[headerList] {
	if text == "" {
		return nil
	}
	n := (len(text)*7 + int(text[0])*5 + int(text[len(text)/2])) % headerListSets * headerListWays
	return headerLists[n : n+headerListWays]
}

// knownHeaderList returns nil for a list that is not remembered.
func knownHeaderList(text string) *headerList {
	set := headerListSet(text)
	for i := range set {
		if l := set[i].Load(); l != nil && l.text == text {
			return l
		}
	}
	return nil
}

// remember keeps l, in place of the oldest of its set.
func (l *headerList) remember() {
	if len(l.text) > maxKeptList || knownHeaderList(l.text) != nil {
		return
	}
	set := headerListSet(l.text)
	for i := range set { // every list moves one place on
		l = set[i].Swap(l)
		if l == nil {
			return
		}
	}
}

// appendHeaders appends the canonical headers of r that l names, which must be valid, and their list. ok is false when a header is
// absent. found is the number of keys of r.Header that were appended.
func appendHeaders(b []byte, r *http.Request, host string, l *headerList) (out []byte, found int, ok bool) {
	start := len(b)
	for i := range l.lines {
		line := &l.lines[i]
		b = append(b, line.label...)
		if line.key == "" {
			b = appendFolded(b, host)
			continue
		}
		values := r.Header[line.key]
		if len(values) == 1 {
			found++
			b = appendFolded(b, values[0])
			continue
		}
		if len(values) == 0 {
			// net/http moves these out of the header map.
			switch {
			case line.name == "content-length" && r.ContentLength >= 0:
				b = strconv.AppendInt(b, r.ContentLength, 10)
				continue
			case line.name == "transfer-encoding" && len(r.TransferEncoding) > 0:
				values = r.TransferEncoding
			default:
				return b, 0, false
			}
		} else {
			found++
		}
		for i, value := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendFolded(b, value)
		}
	}
	// No server lets a line feed through, but a canonical line must not be forged in a request built by hand either.
	if bytes.Count(b[start:], []byte{'\n'}) != len(l.lines)-1 {
		return b, 0, false
	}
	return append(b, l.tail...), found, true
}

// covers reports whether l names every x-amz-* header of h that must be signed, given the number of keys of h that l names.
func (l *headerList) covers(h http.Header, found int) bool {
	// Usually all the keys that l does not name are known ones. That is seen faster than a map is walked.
	rest := len(h) - found
	for _, key := range l.others {
		if rest == 0 {
			return true
		}
		if _, ok := h[key]; ok {
			rest--
		}
	}
	if rest == 0 {
		return true
	}
	amz := l.amz
	for name := range h {
		if isAmz(name) {
			amz--
		}
	}
	return amz == 0
}
