package cedar

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

// Engine is cedar-go with policies as they are written: a list of actions stands in the scope.
var Engine = engine.Engine{Name: "cedar-go", Forms: []engine.Form{engine.Strings, engine.Typed}, Load: func(w *workload.Workload) (engine.Loaded, error) {
	return load(w, false)
}}

// Tuned has lists of actions in a condition behind the resource, since cedar-go makes a set of a list in the scope anew for every request.
var Tuned = engine.Engine{Name: "cedar-go, tuned", Forms: []engine.Form{engine.Strings, engine.Typed}, Load: func(w *workload.Workload) (engine.Loaded, error) {
	return load(w, true)
}}

type loaded struct {
	sets    map[string]*cedar.PolicySet
	actions types.EntityMap
}

func load(w *workload.Workload, tuned bool) (engine.Loaded, error) {
	l := &loaded{sets: make(map[string]*cedar.PolicySet, len(w.Policies))}
	groups := map[string]bool{}
	for principal, policies := range w.Policies {
		statements, err := workload.Statements(policies)
		if err != nil {
			return nil, err
		}
		var text strings.Builder
		for i := range statements {
			if err := write(&text, principal, &statements[i], groups, tuned); err != nil {
				return nil, err
			}
		}
		if l.sets[principal], err = cedar.NewPolicySetFromBytes(principal, []byte(text.String())); err != nil {
			return nil, fmt.Errorf("%w in\n%s", err, text.String())
		}
	}
	l.actions = types.EntityMap{}
	for _, name := range workload.Actions {
		var parents []types.EntityUID
		for group := range groups {
			if workload.Match(group, name) {
				parents = append(parents, types.NewEntityUID("Action", types.String(group)))
			}
		}
		uid := types.NewEntityUID("Action", types.String(name))
		l.actions[uid] = types.Entity{UID: uid, Parents: types.NewEntityUIDSet(parents...)}
	}
	return l, nil
}

func (l *loaded) Prepare(form engine.Form, requests []workload.Request) (engine.Decide, error) {
	find := func(i int) *cedar.PolicySet { return l.sets[requests[i].Principal] }
	if len(l.sets) == 1 {
		set := find(0)
		find = func(int) *cedar.PolicySet { return set }
	}
	if form == engine.Strings {
		contexts := workload.Contexts(requests, (*workload.Context).Map)
		return func(i int) (bool, error) {
			r, err := request(&requests[i], contexts[i])
			if err != nil {
				return false, err
			}
			return l.decide(find(i), r)
		}, nil
	}
	list := make([]cedar.Request, len(requests))
	for i := range requests {
		var err error
		if list[i], err = request(&requests[i], requests[i].Context.Map()); err != nil {
			return nil, err
		}
	}
	return func(i int) (bool, error) { return l.decide(find(i), list[i]) }, nil
}

func (l *loaded) decide(set *cedar.PolicySet, r cedar.Request) (bool, error) {
	decision, diagnostic := cedar.Authorize(set, l.actions, r)
	if len(diagnostic.Errors) > 0 {
		return false, fmt.Errorf("%s: %s", diagnostic.Errors[0].PolicyID, diagnostic.Errors[0].Message)
	}
	return decision == cedar.Allow, nil
}

const lower = "/lower"

// request makes Cedar's values from text.
func request(r *workload.Request, context map[string]string) (cedar.Request, error) {
	m := make(types.RecordMap, len(context)+3)
	m["resource"] = types.String(r.Resource)
	for key, text := range context {
		value, err := typed(key, text)
		if err != nil {
			return cedar.Request{}, err
		}
		m[types.String(key)] = value
		if caseless[key] {
			m[types.String(key+lower)] = types.String(strings.ToLower(text))
		}
	}
	return cedar.Request{
		Principal: types.NewEntityUID("User", types.String(r.Principal)),
		Action:    types.NewEntityUID("Action", types.String(r.Action)),
		Resource:  types.NewEntityUID("Resource", types.String(r.Resource)),
		Context:   types.NewRecord(m),
	}, nil
}

// caseless are the keys of the schema that policies compare without regard to case.
var caseless = map[string]bool{"aws:username": true, "aws:userid": true}

// typed is the value of a key as the schema has it.
func typed(key, text string) (types.Value, error) {
	switch key {
	case "aws:SourceIp":
		return types.ParseIPAddr(text)
	case "aws:CurrentTime":
		t, err := time.Parse(time.RFC3339, text)
		return types.NewDatetime(t), err
	case "aws:SecureTransport":
		b, err := strconv.ParseBool(text)
		return types.Boolean(b), err
	case "s3:max-keys":
		n, err := strconv.ParseInt(text, 10, 64)
		return types.Long(n), err
	}
	return types.String(text), nil
}
