package clients

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

var printedID = regexp.MustCompile(`\(decision ([0-9a-f-]{36})\)$`)

// explained runs gatehouse explain with the environment that AWS clients have.
func explained(t *testing.T, env []string, id string) string {
	t.Helper()
	out, msg, err := command(t, "", env, binary, "explain", id)
	if err != nil {
		t.Fatalf("gatehouse explain: %v\n%s", err, msg)
	}
	return out
}

// wants looks for texts, in order.
func wants(t *testing.T, got string, texts ...string) {
	t.Helper()
	rest := got
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Errorf("got\n%s\nwithout, in this order: %s", got, text)
			return
		}
		rest = after
	}
}

const why = `{"Effect":"Allow","Action":["iam:ListUsers"],"Resource":["arn:aws:iam::` + account + `:user/"]}`

// TestExplained: the denial of a call by the SDK is explained from the id in its message, which is also a header that the SDK shows.
func TestExplained(t *testing.T) {
	t.Parallel()
	s := start(t, "dev", "--denial-ids")
	ctx := t.Context()
	must[*iam.CreateUserOutput](t)(s.iam(root).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("alice")}))
	key := must[*iam.CreateAccessKeyOutput](t)(s.iam(root).CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("alice")})).AccessKey
	_, err := s.iam(keys{*key.AccessKeyId, *key.SecretAccessKey}).ListUsers(ctx, nil)
	var api smithy.APIError
	var response *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) {
		t.Fatal(err)
	}
	m := printedID.FindStringSubmatch(api.ErrorMessage())
	if m == nil || response.Response.Header.Get("X-Gatehouse-Decision-Id") != m[1] {
		t.Fatalf("%s, header %v", api.ErrorMessage(), response.Response.Header)
	}
	wants(t, explained(t, s.environment(t, root), m[1]), "Decision "+m[1], "user/alice may not iam:ListUsers on", "identity-based policies: not allowed", "What would allow it:", why)
}

// authorize asks with a request that the SDK signs, and gives the answer.
func (s *server) authorize(t *testing.T, k keys, question string) (answer struct{ Decision, DecisionId, EncodedAuthorizationMessage string }) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/gatehouse/v1/authorize", strings.NewReader(question))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(question))
	if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret}, r, hex.EncodeToString(sum[:]), "gatehouse", "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil || json.NewDecoder(bytes.NewReader(text)).Decode(&answer) != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return answer
}

// denied is a question about alice that is answered with no, and the message of the answer.
func (s *server) denied(t *testing.T) string {
	t.Helper()
	a := s.authorize(t, root, `{"Principal":{"Arn":"arn:aws:iam::`+account+`:user/alice"},"Action":"ec2:StopInstances",
		"Resource":"arn:aws:ec2:us-east-1:`+account+`:instance/i-1","Context":{"ec2:Tenancy":"default"}}`)
	if a.Decision != "Deny" || a.DecisionId == "" || a.EncodedAuthorizationMessage == "" {
		t.Fatalf("%+v", a)
	}
	return a.EncodedAuthorizationMessage
}

const (
	decodedHead = `{"allowed":false,"explicitDeny":false,"matchedStatements":{"items":[]},"failures":{"items":[]},"context":{"principal":{"id":"AIDA`
	decodedTail = `"name":"alice","arn":"arn:aws:iam::` + account + `:user/alice"},"action":"ec2:StopInstances","resource":"arn:aws:ec2:us-east-1:` + account +
		`:instance/i-1","conditions":{"items":[{"key":"ec2:Tenancy","values":{"items":[{"value":"default"}]}}]}}}`
)

// TestDecoded: the message of a denial is decoded by the SDK.
func TestDecoded(t *testing.T) {
	t.Parallel()
	s := start(t, "dev")
	must[*iam.CreateUserOutput](t)(s.iam(root).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("alice")}))
	message := s.denied(t)
	decoded := must[*sts.DecodeAuthorizationMessageOutput](t)(s.sts(root).DecodeAuthorizationMessage(t.Context(), &sts.DecodeAuthorizationMessageInput{EncodedMessage: &message}))
	if text := *decoded.DecodedMessage; !strings.HasPrefix(text, decodedHead) || !strings.HasSuffix(text, decodedTail) {
		t.Errorf("got %s", text)
	}
	_, err := s.sts(root).DecodeAuthorizationMessage(t.Context(), &sts.DecodeAuthorizationMessageInput{EncodedMessage: aws.String(message + "A")})
	refused(t, err, "InvalidAuthorizationMessageException", "Message is not valid.")
}

// TestCLIExplained is the README's walk from a denied call to its explanation, and decode-authorization-message.
func TestCLIExplained(t *testing.T) {
	t.Parallel()
	need(t, "aws", func() error { _, err := exec.LookPath("aws"); return err })
	s := start(t, "dev", "--denial-ids")
	env := s.environment(t, root)
	ok, _ := awsCLI(t)
	ok(env, "iam", "create-user", "--user-name", "alice")
	key := strings.Fields(ok(env, "iam", "create-access-key", "--user-name", "alice", "--query", "AccessKey.[AccessKeyId,SecretAccessKey]", "--output", "text"))
	_, msg, err := command(t, "", s.environment(t, keys{key[0], key[1]}), "aws", "iam", "list-users")
	m := printedID.FindStringSubmatch(strings.TrimSpace(msg))
	if err == nil || m == nil {
		t.Fatalf("the CLI prints %q", msg)
	}
	wants(t, explained(t, env, m[1]), "user/alice may not iam:ListUsers on", why)
	text := ok(env, "sts", "decode-authorization-message", "--encoded-message", s.denied(t), "--query", "DecodedMessage", "--output", "text")
	if !strings.HasPrefix(text, decodedHead) || !strings.HasSuffix(text, decodedTail) {
		t.Errorf("got %s", text)
	}
}
