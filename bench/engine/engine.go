package engine

import "github.com/gatehouse-iam/gatehouse/bench/workload"

// Form is how a request's context comes in.
type Form string

// The forms.
const (
	// Strings: every value is text, as a server has it. What an engine needs to make of it counts.
	Strings Form = "strings"
	// Typed: the engine's own values, made before the clock starts.
	Typed Form = "typed"
)

// Engine is one of the compared.
type Engine struct {
	Name  string
	Forms []Form
	// Load reads the policies. An error says what the engine cannot express.
	Load func(*workload.Workload) (Loaded, error)
}

// Decide answers request i of those it was made for.
type Decide func(i int) (bool, error)

// Loaded is an engine with the policies of a workload.
type Loaded interface {
	// Prepare brings requests into the form in which the engine gets them. For a wide workload finding the caller's policies is
	// part of each answer. The function that it returns may be called by several goroutines.
	Prepare(form Form, requests []workload.Request) (Decide, error)
}
