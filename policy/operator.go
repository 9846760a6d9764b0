package policy

// Operator is a condition operator without set prefix and IfExists (docs/spec/policy-language.md 10). The zero value is none.
type Operator uint8

// The operators.
const (
	StringEquals Operator = iota + 1
	StringNotEquals
	StringEqualsIgnoreCase
	StringNotEqualsIgnoreCase
	StringLike
	StringNotLike
	NumericEquals
	NumericNotEquals
	NumericLessThan
	NumericLessThanEquals
	NumericGreaterThan
	NumericGreaterThanEquals
	DateEquals
	DateNotEquals
	DateLessThan
	DateLessThanEquals
	DateGreaterThan
	DateGreaterThanEquals
	Bool
	BinaryEquals
	IPAddress
	NotIPAddress
	ArnEquals
	ArnNotEquals
	ArnLike
	ArnNotLike
	Null
)

var operatorNames = [...]string{
	"", "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
	"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
	"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
	"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike", "Null",
}

// String is the operator's name in AWS's spelling.
func (o Operator) String() string {
	if int(o) < len(operatorNames) {
		return operatorNames[o]
	}
	return ""
}

func (o Operator) date() bool { return o >= DateEquals && o <= DateGreaterThanEquals }

// SetOperator says how the values of a key with several values are tested.
type SetOperator uint8

// The set operators. SetNone is a plain operator.
const (
	SetNone SetOperator = iota
	ForAllValues
	ForAnyValue
)

// parseOperator reads "[ForAllValues:|ForAnyValue:]Name[IfExists]", all without regard to case (docs/spec/policy-language.md 2.2).
func parseOperator(name string) (op Operator, set SetOperator, ifExists, ok bool) {
	rest := name
	if r, found := cutPrefixFold(rest, "ForAllValues:"); found {
		rest, set = r, ForAllValues
	} else if r, found := cutPrefixFold(rest, "ForAnyValue:"); found {
		rest, set = r, ForAnyValue
	}
	const suffix = "IfExists"
	if n := len(rest) - len(suffix); n > 0 && equalFold(rest[n:], suffix) {
		rest, ifExists = rest[:n], true
	}
	for i, known := range operatorNames {
		if equalFold(rest, known) {
			op = Operator(i)
			break
		}
	}
	if op == 0 || op == Null && ifExists {
		return 0, SetNone, false, false
	}
	return op, set, ifExists, true
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !equalFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// equalFold compares without regard to ASCII case. strings.EqualFold folds all of Unicode, so "ſ" would equal "s".
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
