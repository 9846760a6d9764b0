package policy

// CommonInteger reads a number by the short way.
func CommonInteger(v string) (int64, bool) { return commonInteger(v) }

// ParseInteger says whether a number of a policy is compared by the short way, and as what.
func ParseInteger(v string) (value int64, integer, ok bool) {
	n, ok := parseNumber(v)
	return n.value, n.integer, ok
}

// GlobSteps is how many steps the matcher of texts takes, and after how many it gives up.
func GlobSteps(pattern, text string) (steps, limit int) {
	g := newGlobber(plainWildcards, pattern, text)
	limit = g.fuel
	_ = g.glob(pattern, text)
	return limit - g.fuel, limit
}

// FoldSteps is the same for the matcher of actions.
func FoldSteps(pattern, text string) (steps, limit int) {
	limit = foldFuel(pattern, text)
	_, left := foldSteps(pattern, text, limit)
	return limit - left, limit
}

// HeadSteps is the same for a Resource with wildcards before the fifth colon.
func HeadSteps(pattern, text string) (steps, limit int) {
	p := newResourcePattern(pattern, false)
	g := newGlobber(plainWildcards, pattern, text)
	limit = g.fuel
	_ = g.head(&p, text)
	return limit - g.fuel, limit
}

// ValidText is the check of the texts of a request.
func ValidText(s string) bool { return validText(s) }

// KeyHash is the hash that a context is looked up by.
func KeyHash(key string) uint32 { return keyHash(key) }
