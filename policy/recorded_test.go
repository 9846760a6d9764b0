package policy_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// recordedDocument is one document that real AWS answered to, see testdata/recorded/ORIGIN.
type recordedDocument struct {
	name, text string
	message    string // "" when AWS took it
}

func recordedDocuments(t testing.TB) []recordedDocument {
	t.Helper()
	var documents struct {
		Cases map[string]struct{ Call, Document, Outcome string }
	}
	var answers map[string]struct {
		Content json.RawMessage `json:"recorded-content"`
	}
	load := func(name string, into any) {
		data, err := os.ReadFile(filepath.Join("testdata", "recorded", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, into); err != nil {
			t.Fatal(err)
		}
	}
	load("policy_documents.json", &documents)
	load("test_iam_policies.snapshot.json", &answers)
	var out []recordedDocument
	for id, c := range documents.Cases {
		if c.Call != "CreatePolicy" {
			t.Fatalf("%s: unknown call %s", id, c.Call)
		}
		name := strings.TrimSuffix(id[strings.LastIndexByte(id, '[')+1:], "]")
		d := recordedDocument{name: name, text: c.Document}
		var content map[string]struct {
			Error            struct{ Code, Message string }
			ResponseMetadata struct{ HTTPStatusCode int }
		}
		if err := json.Unmarshal(answers[id].Content, &content); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if answer, ok := content["error"]; ok {
			if answer.Error.Code != string(policy.MalformedPolicyDocument) || answer.Error.Message == "" {
				t.Fatalf("%s: unexpected recording %+v", id, answer)
			}
			d.message = strings.NewReplacer("<region>", "us-east-1", "<partition>", "aws").Replace(answer.Error.Message)
		} else if answer := content["response"]; answer.ResponseMetadata.HTTPStatusCode != 200 {
			t.Fatalf("%s: no recorded answer", id)
		}
		out = append(out, d)
	}
	return out
}

// All 129 documents get from Parse the answer that AWS gave to CreatePolicy.
func TestRecordedDocuments(t *testing.T) {
	t.Parallel()
	documents := recordedDocuments(t)
	refused := 0
	for _, c := range documents {
		d, err := policy.Parse(c.text, policy.Managed)
		if c.message == "" {
			if err != nil {
				t.Errorf("%s: AWS takes it, Parse says %v\n%s", c.name, err, c.text)
			}
			continue
		}
		refused++
		if d != nil {
			t.Errorf("%s: Parse returned a document with its error", c.name)
		}
		var e *policy.Error
		if !errors.As(err, &e) || e.Code != policy.MalformedPolicyDocument || e.Message != c.message {
			t.Errorf("%s: got %v, AWS said %q\n%s", c.name, err, c.message, c.text)
		}
	}
	if len(documents) != 129 || refused != 78 {
		t.Errorf("%d documents, %d refused; want 129 and 78", len(documents), refused)
	}
}
