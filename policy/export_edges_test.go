package policy

// CommonInteger reads a number by the short way.
func CommonInteger(v string) (int64, bool) { return commonInteger(v) }

// ParseInteger says whether a number of a policy is compared by the short way, and as what.
func ParseInteger(v string) (value int64, integer, ok bool) {
	n, ok := parseNumber(v)
	return n.value, n.integer, ok
}

// ValidText is the check of the texts of a request.
func ValidText(s string) bool { return validText(s) }

// KeyHash is the hash that a context is looked up by.
func KeyHash(key string) uint32 { return keyHash(key) }
