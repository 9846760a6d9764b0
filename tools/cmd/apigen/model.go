package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// model is the part of a models/*.json file that the generator reads.
type model struct {
	Metadata struct {
		APIVersion, EndpointPrefix, Protocol, ServiceFullName, SigningName, TargetPrefix, XMLNamespace string
	}
	Operations ordered[operation]
	Shapes     ordered[shape]
	Pagination map[string]pagination
}

type operation struct {
	Name string
	HTTP struct {
		Method, RequestURI string
		ResponseCode       int
	}
	Input, Output *struct{ Shape, ResultWrapper string }
	Errors        []ref
	AuthType      string
	ReadOnly      bool
	Idempotent    bool
}

type ref struct {
	Shape, Location, LocationName string
	IdempotencyToken              bool
}

type shape struct {
	Type             string
	Members          ordered[ref]
	Required         []string
	Member           *ref
	Key, Value       *ref
	Min, Max         *int64
	Pattern          string
	Enum             []string
	Sensitive        bool
	Exception, Fault bool
	Union            bool
	TimestampFormat  string
	Flattened        bool
	Document         bool
	Error            *struct {
		Code           string
		HTTPStatusCode int
	}
}

type pagination struct {
	InputToken  oneOrMany `json:"input_token"`
	OutputToken oneOrMany `json:"output_token"`
	LimitKey    string    `json:"limit_key"`
	MoreResults string    `json:"more_results"`
	ResultKey   oneOrMany `json:"result_key"`
}

// oneOrMany reads a string or a list of strings.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// ordered is a JSON object that keeps the order of its keys: the order of members is the order of fields and of output elements.
type ordered[T any] struct {
	Keys []string
	By   map[string]T
}

func (o *ordered[T]) UnmarshalJSON(b []byte) error {
	o.By = map[string]T{}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var value T
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%v: %w", key, err)
		}
		o.Keys = append(o.Keys, key.(string))
		o.By[key.(string)] = value
	}
	return nil
}

func readModel(path string) (*model, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := new(model)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}
