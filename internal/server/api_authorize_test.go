package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// Tests of POST /gatehouse/v1/authorize through the whole server.

const authorizePath = "/gatehouse/v1/authorize"

// question makes a signed request.
func (x *apiTest) question(by caller, body string) *http.Request {
	x.Helper()
	return x.questionTo(authorizePath, by, body)
}

func (x *apiTest) questionTo(path string, by caller, body string) *http.Request {
	x.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://gatehouse.example.com"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	x.must(sigv4.Sign(r, []byte(body), by.Credentials, "us-east-1", "gatehouse", time.Now()))
	return r
}

// ask gives the body of an answer, or "status code message" of an error.
func (x *apiTest) ask(by caller, body string) string {
	x.Helper()
	return x.jsonText(x.send(x.question(by, body)))
}

// ofDenials are what is different in each denial: see TestExplainDenials.
var ofDenials = regexp.MustCompile(`,"DecisionId":"[0-9a-f-]{36}","EncodedAuthorizationMessage":"GatehouseAM1[\w-]{100,}"`)

func (x *apiTest) jsonText(a *answer) string {
	x.Helper()
	if got := a.header.Get("Content-Type"); got != "application/json" {
		x.Errorf("Content-Type %s", got)
	}
	kind := strings.Join(a.header[errorTypeHeader], ",")
	if a.status == http.StatusOK {
		if kind != "" || !json.Valid(a.body) {
			x.Errorf("%s %s", kind, a.body)
		}
		return ofDenials.ReplaceAllString(string(a.body), "")
	}
	var e struct{ Message string } // its case does not matter to encoding/json
	if err := json.Unmarshal(a.body, &e); err != nil || kind == "" {
		x.Errorf("an error of type %q: %v\n%s", kind, err, a.body)
	}
	return strconv.Itoa(a.status) + " " + kind + " " + e.Message
}

// asks compares the answer to a question.
func (x *apiTest) asks(want string, by caller, body string) {
	x.Helper()
	if got := x.ask(by, body); got != want {
		x.Errorf("%.500s by %s\n got %.1000s\nwant %s", body, by.name, got, want)
	}
}

// jsonOf is v as JSON.
func jsonOf(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// jsonObject is a JSON object.
type jsonObject = map[string]any

const (
	bucketARN  = "arn:aws:s3:::b/k"
	allowedBy  = `{"Decision":"Allow","Explicit":false,"Layer":"%s","Policy":{%s},"Statement":{"Index":%d}}`
	asksBucket = `"Action":"s3:GetObject","Resource":"` + bucketARN + `","ResourceAccount":"` + testAccount + `"`
)

func inline(name, owner string) string { return fmt.Sprintf(`"Name":%q,"Owner":%q`, name, owner) }

// about is a question about bob and a bucket of his account, with more members.
func about(more string) string {
	s := `{"Principal":{"Arn":"` + arnHere + `user/bob"},` + asksBucket
	if more != "" {
		s += "," + more
	}
	return s + "}"
}

func TestAuthorizeAnswers(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "bob")
	bob := arnHere + "user/bob"
	denied := func(reason string) string {
		return `User: ` + bob + ` is not authorized to perform: s3:GetObject on resource: \"` + bucketARN + `\" ` + reason
	}
	x.asks(`{"Decision":"Deny","Explicit":false,"Layer":"identity","Message":"`+denied("because no identity-based policy allows the s3:GetObject action")+`"}`,
		x.root, about(""))
	x.policy(x.root, "bob", "p", "Deny s3:PutObject *", "Allow s3:GetObject *")
	x.asks(fmt.Sprintf(allowedBy, "identity", inline("p", bob), 1), x.root, about(""))
	x.ok(x.root, "CreatePolicy", "PolicyName", "no", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"NoReads","Effect":"Deny","Action":"s3:Get*","Resource":"*"}]}`)
	x.ok(x.root, "AttachUserPolicy", "UserName", "bob", "PolicyArn", arnHere+"policy/no")
	x.asks(`{"Decision":"Deny","Explicit":true,"Layer":"identity","Policy":{"Arn":"`+arnHere+`policy/no","Name":"no"},"Statement":{"Index":1,"Sid":"NoReads"},"Message":"`+
		denied("with an explicit deny in an identity-based policy: "+arnHere+"policy/no")+`"}`, x.root, about(""))
	// Root needs no statement, and an exempt call no policy: nothing is named.
	x.asks(`{"Decision":"Allow","Explicit":false,"Layer":"identity"}`, x.root, `{"Principal":{"Arn":"`+arnHere+`root"},`+asksBucket+`}`)
	x.asks(`{"Decision":"Allow","Explicit":false,"Layer":"exempt"}`, x.root,
		`{"Principal":{"Arn":"`+bob+`"},"Action":"sts:GetCallerIdentity","Resource":"*"}`)
	// An answer is a read, counted like any other.
	if got := x.ask(x.root, strings.Replace(about(""), "s3:GetObject", "s3:ListBucket", 1)); !strings.Contains(got, `"Explicit":false`) {
		t.Error(got)
	}
}
