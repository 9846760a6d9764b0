package policy

// For the tests that compare the matchers with package reference, which this package's own tests cannot import.

// MatchAction matches one compiled value. It says false for what Compile refuses.
func MatchAction(value, action string) bool {
	if noVendor(value)+manyColons(value) != "" {
		return false
	}
	q, ok := newQuery(&Request{Action: action, Resource: "*"})
	return ok && matchAction([]actionPattern{compileAction(value)}, &q)
}

// MatchResource matches one compiled value of an identity policy.
func MatchResource(value, resource string, variables bool) bool {
	q, ok := newQuery(&Request{Action: "a:b", Resource: resource})
	return ok && matchResource(compileResource(nil, value, variables), &q)
}

// HasVariable says whether a Resource value of a 2012 document has a variable.
func HasVariable(value string) bool { return hasVariable(value) }

// ValidDate is the check of Date values.
func ValidDate(v string) bool { return validDate(v) }
