package policy

import "unsafe"

// The compiled form of a policy is one array of words beside its text. Policies are kept by the ten thousand, and most decisions are the
// first for their caller since long, so what counts is how few places of memory a decision reads, and how small they are.
//
//	head of each statement   headWords: where its body begins, flags and weight, how many resources, actions and conditions, its actionBits
//	body of each statement   its actions, resources and conditions, then the values of the conditions
//	action                   actionWords: its text, tagged with its form
//	resource                 resourceWords: its text, tagged with its form; the length of its literal beginning, or the number of its template
//	condition                conditionWords: its key, tagged with its hash; the place of the tag in it; operator and flags; where values begin
//	                         and end, in this array or among the extras
//	text of a condition      refWords: the text, tagged with its form; or the number of a textPattern among the extras
//	IPv4 block               refWords: the address, and the number of bits; or the number of an IPv6 block among the extras
//
// A text is where it begins and, in the lower 24 bits of a second word, its length; the upper 8 are the tag. It lies in the policy's
// text, or among those that were rewritten.
const (
	headWords      = 6
	refWords       = 2
	actionWords    = refWords
	resourceWords  = refWords + 1
	conditionWords = refWords + 4
)

const (
	rewritten    = 1 << 31 // of a text: it lies in extras.rewritten
	maxRef       = 1<<24 - 1
	tagShift     = 24
	weightAt     = 16
	conditionsAt = 16
)

// The tag of a resource: its form and this.
const tagEscaped = 8

// The tag of a condition's text: its wildness and these.
const (
	tagTextEscaped = 4
	tagTextPattern = 8 // the first word is the number of a textPattern
)

// tagWide is the tag of an IPv6 block.
const tagWide = 1

// The flags of a condition, after eight bits of operator and eight of set operator.
const (
	conditionNegated = 1 << (16 + iota)
	conditionIfExists
	conditionTrue
	conditionFalse
	conditionSame // its key is that of the condition before
)

// head is that of one statement.
type head struct {
	at                             uint32
	flags                          statementFlags
	resources, actions, conditions uint32 // how many
}

func (p *Policy) head(i int) head {
	w := p.code[i*headWords : i*headWords+headWords]
	return head{
		at: w[0], flags: statementFlags(w[1]), resources: w[2], actions: w[3] & (1<<conditionsAt - 1), conditions: w[3] >> conditionsAt,
	}
}

func (p *Policy) denies(i int) bool { return p.code[i*headWords+1]&uint32(flagDeny) != 0 }

func (p *Policy) weight(i int) int { return int(p.code[i*headWords+1] >> weightAt) }

// actionBits are those of a statement.
func (p *Policy) actionBits(i int) actionBits {
	w := p.code[i*headWords+4 : i*headWords+6]
	return actionBits(w[0]) | actionBits(w[1])<<32
}

func (h *head) has(f statementFlags) bool { return h.flags&f != 0 }

// actionsOf, resourcesOf and conditionsOf are the words of a statement's body.
func (p *Policy) actionsOf(h *head) []uint32 { return p.code[h.at : h.at+h.actions*actionWords] }

func (p *Policy) resourcesOf(h *head) []uint32 {
	at := h.at + h.actions*actionWords
	return p.code[at : at+h.resources*resourceWords]
}

func (p *Policy) conditionsOf(h *head) []uint32 {
	at := h.at + h.actions*actionWords + h.resources*resourceWords
	return p.code[at : at+h.conditions*conditionWords]
}

// ref is the text that begins at place at, with the length in the lower bits of n.
func (p *Policy) ref(at, n uint32) string {
	n &= maxRef
	if at&rewritten != 0 {
		at &^= rewritten
		return p.extra.rewritten[at : at+n]
	}
	return p.text[at : at+n]
}

// coder writes the words of a policy.
type coder struct {
	p         *Policy
	variables bool
	// What conditions look at: their values are written behind all conditions of their statement.
	values    []uint32
	rewritten []byte
}

func (c *coder) words(w ...uint32) { c.p.code = append(c.p.code, w...) }

// refTo is the two words of a text, which is copied if it does not share memory with that of the policy.
func (c *coder) refTo(s string, tag uint32) (at, n uint32) {
	at, ok := within(c.p.text, s)
	if !ok {
		at = uint32(len(c.rewritten)) | rewritten
		c.rewritten = append(c.rewritten, s...)
	}
	return at, uint32(len(s)) | tag<<tagShift
}

// within is the place of s in text, if s is a part of its memory. The places of both are compared in one expression, and a
// part of that memory reads the same whatever it was cut from.
func within(text, s string) (uint32, bool) {
	if s == "" {
		return 0, true
	}
	distance := uintptr(unsafe.Pointer(unsafe.StringData(s))) - uintptr(unsafe.Pointer(unsafe.StringData(text)))
	return uint32(distance), distance < uintptr(len(text)) && len(s) <= len(text)-int(distance)
}
