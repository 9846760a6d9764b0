package server

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
)

// TestDecodeAuthorizationMessage: the message that Authorize gives with a denial is read by whoever may in the account, and by nobody else.
func TestDecodeAuthorizationMessage(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	other := x.addAccount(testAccount2)
	bob, reader := x.user(x.root, "/div/bob"), x.user(x.root, "reader")
	const who = arnHere + "user/div/bob"
	x.put(x.root, "bob", "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},
		{"Sid":"NoSecrets","Effect":"Deny","Action":"s3:Get*","Resource":"arn:aws:s3:::b/*","Condition":{"StringEquals":{"s3:ExistingObjectTag/<env>":"secret"}}}]}`)
	denial := func(action string) string {
		t.Helper()
		var out ghapi.AuthorizeResponse
		a := x.send(x.question(x.root, jsonOf(jsonObject{
			"Principal": jsonObject{"Arn": who}, "Action": action, "Resource": bucketARN, "ResourceAccount": testAccount, "Context": jsonObject{"s3:ExistingObjectTag/<env>": "secret"},
		})))
		x.must(json.Unmarshal(a.body, &out))
		if out.EncodedAuthorizationMessage == nil || len(*out.EncodedAuthorizationMessage) > 10240 {
			t.Fatalf("%s", a.body)
		}
		return *out.EncodedAuthorizationMessage
	}
	id := x.ok(x.root, "GetUser", "UserName", "bob").value("GetUserResult", "User", "UserId")
	const head, tail = `{"allowed":false,"explicitDeny":`, `"resource":"` + bucketARN + `","conditions":{"items":[{"key":"s3:ExistingObjectTag/<env>","values":{"items":[{"value":"secret"}]}}`
	principal := `"failures":{"items":[]},"context":{"principal":{"id":"` + id + `","name":"bob","arn":"` + who + `"},"action":`
	explicit, implicit := denial("s3:GetObject"), denial("sqs:SendMessage")
	x.policy(x.root, "reader", "p", "Allow sts:DecodeAuthorizationMessage *")
	for text, want := range map[string][]string{
		explicit: {head + `true,"matchedStatements":{"items":[{"statementId":"NoSecrets","effect":"DENY","principals":{"items":[{"value":"` + id + `"}]},"principalGroups":{"items":[]},` +
			`"actions":{"items":[{"value":"s3:Get*"}]},"resources":{"items":[{"value":"arn:aws:s3:::b/*"}]},` +
			`"conditions":{"items":[{"key":"s3:ExistingObjectTag/<env>","values":{"items":[{"value":"secret"}]}}]}}]},` + principal + `"s3:GetObject",`, tail},
		implicit: {head + `false,"matchedStatements":{"items":[]},` + principal + `"sqs:SendMessage",`, tail},
	} {
		got := x.ok(reader, "DecodeAuthorizationMessage", "EncodedMessage", text).value("DecodeAuthorizationMessageResult", "DecodedMessage")
		if !strings.HasPrefix(got, want[0]) || !strings.Contains(got, want[1]) || !json.Valid([]byte(got)) {
			t.Errorf("got %s\nwant %s… %s…", got, want[0], want[1])
		}
	}
	const invalid = "400 InvalidAuthorizationMessageException Message is not valid."
	x.want(invalid, other, "DecodeAuthorizationMessage", "EncodedMessage", explicit)
	for _, bad := range []string{"x", explicit[:len(explicit)-1], strings.Replace(explicit, "AM1", "AM2", 1), strings.Repeat("A", 10240)} {
		x.want(invalid, reader, "DecodeAuthorizationMessage", "EncodedMessage", bad)
	}
	for _, p := range []params{ps("EncodedMessage", strings.Repeat("A", 10241)), ps("EncodedMessage", ""), nil} {
		if a := x.call(reader, "DecodeAuthorizationMessage", p); a.status != 400 || a.code() != "ValidationError" {
			t.Errorf("%.60s: %s", p, a)
		}
	}
	x.policy(x.root, "reader", "p", "Allow sts:DecodeAuthorizationMessage arn:aws:s3:::*")
	for _, by := range []caller{reader, bob} {
		if a := x.call(by, "DecodeAuthorizationMessage", ps("EncodedMessage", explicit)); a.code() != "AccessDenied" ||
			!strings.HasSuffix(a.String(), "is not authorized to perform: sts:DecodeAuthorizationMessage because no identity-based policy allows the sts:DecodeAuthorizationMessage action") {
			t.Errorf("%s: %s", by.name, a)
		}
	}
	x.want("403 AccessDenied Cannot call DecodeAuthorizationMessage with session credentials", x.session(bob, "GetSessionToken"), "DecodeAuthorizationMessage", "EncodedMessage", explicit)
}
