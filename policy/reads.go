package policy

// Reads says whether the operator can compare v as the value of a request: whether it is a number, a date, an address, base64 or a boolean
// for operators of those types (docs/spec/policy-language.md 10). Operators of texts and of ARNs read every text.
func (o Operator) Reads(v string) bool {
	ok := true
	switch o = o.positive(); {
	case o.numeric():
		_, ok = parseNumber(v)
	case o.date():
		_, ok = parseInstant(v)
	case o == IPAddress:
		_, ok = parseAddress(v)
	case o == BinaryEquals:
		_, ok = decodeBase64(v)
	case o == Bool, o == Null:
		ok = equalFold(v, "true") || equalFold(v, "false")
	}
	return ok
}
