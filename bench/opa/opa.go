package opa

import (
	"context"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown/cache"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

// Engine is OPA.
var Engine = engine.Engine{Name: "OPA", Forms: []engine.Form{engine.Strings, engine.Typed}, Load: load}

// maxPatterns is more than any workload has.
const maxPatterns = 100_000

type loaded struct {
	query rego.PreparedEvalQuery
	cache cache.InterQueryValueCache
}

func load(w *workload.Workload) (engine.Loaded, error) {
	ctx := context.Background()
	var module string
	data := map[string]any{}
	var err error
	if w.Wide() {
		module, data, err = tables(w)
	} else {
		module, err = rules(w)
	}
	if err != nil {
		return nil, err
	}
	store := inmem.NewFromObjectWithOpts(data, inmem.OptRoundTripOnWrite(false), inmem.OptReturnASTValuesOnRead(true))
	txn, err := store.NewTransaction(ctx) // of reading: nothing is written after this
	if err != nil {
		return nil, err
	}
	return prepare(ctx, module, store, txn)
}

func prepare(ctx context.Context, module string, store storage.Store, txn storage.Transaction) (*loaded, error) {
	query, err := rego.New(
		rego.Query("data.bench.allow"), rego.Module("bench.rego", module), rego.Store(store), rego.Transaction(txn),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	size := maxPatterns
	config := cache.Config{InterQueryBuiltinValueCache: cache.InterQueryBuiltinValueCacheConfig{MaxNumEntries: &size}}
	return &loaded{query, cache.NewInterQueryValueCache(ctx, &config)}, nil
}

func (l *loaded) Prepare(form engine.Form, requests []workload.Request) (engine.Decide, error) {
	contexts := workload.Contexts(requests, func(c *workload.Context) map[string]any {
		m := map[string]any{}
		for _, p := range c.Pairs {
			m[p.Key] = p.Value
		}
		return m
	})
	inputs := make([]map[string]any, len(requests))
	for i := range requests {
		r := &requests[i]
		inputs[i] = map[string]any{
			"principal": r.Principal, "action": r.Action, "resource": r.Resource, "bucket": r.Bucket(), "object": r.Object(), "context": contexts[i],
		}
	}
	if form == engine.Strings {
		return func(i int) (bool, error) { return l.decide(rego.EvalInput(inputs[i])) }, nil
	}
	values := make([]ast.Value, len(inputs))
	for i := range inputs {
		var err error
		if values[i], err = ast.InterfaceToValue(inputs[i]); err != nil {
			return nil, err
		}
	}
	return func(i int) (bool, error) { return l.decide(rego.EvalParsedInput(values[i])) }, nil
}

func (l *loaded) decide(input rego.EvalOption) (bool, error) {
	results, err := l.query.Eval(context.Background(), input, rego.EvalInterQueryBuiltinValueCache(l.cache), rego.EvalSortSets(false))
	if err != nil {
		return false, err
	}
	if len(results) != 1 || len(results[0].Expressions) != 1 {
		return false, errors.New("no answer")
	}
	allow, ok := results[0].Expressions[0].Value.(bool)
	if !ok {
		return false, fmt.Errorf("the answer is a %T", results[0].Expressions[0].Value)
	}
	return allow, nil
}
