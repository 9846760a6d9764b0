package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

const smallest = `{"services":[{"prefix":"x","name":"X","actions":[{"name":"Do","level":"Write"}]}]}`

func TestReadErrors(t *testing.T) {
	t.Parallel()
	service := func(members string) string { return `{"services":[{"prefix":"x","name":"X",` + members + `}]}` }
	action := func(members string) string {
		return service(`"keys":[{"name":"x:k","type":"String"}],"resourceTypes":[{"name":"t","arn":"arn:${Partition}:x:::t/${Name}"}],"actions":[{"name":"Do","level":"Write",` + members + `}]`)
	}
	form := func(arn string) string {
		return service(`"resourceTypes":[{"name":"t","arn":"` + arn + `"}]`)
	}
	for _, tt := range []struct{ text, want string }{
		// JSON.
		{"", "line 1, column 1: the file ends too early"},
		{"{\n \"services\": [", "line 2, column 15: the file ends too early"},
		{"{\n \"services\": }", "line 2, column 14: invalid character"},
		{`[]`, "the file is not what it should be: the file has a JSON array there"},
		{`{"services":[]}`, "the file has no services"},
		{`{}`, "the file has no services"},
		{smallest + "x", "something follows the end"},
		{`{"services":[{"prefix":"x","Prefix":"y"}]}`, `line 1, column 36: member "Prefix" stands twice`},
		{`{"services":[],"services":[]}`, `member "services" stands twice`},
		{`{"service":[]}`, `unknown field "service"`},
		{service(`"descripton":"a"`), `unknown field "descripton"`},
		{service(`"rcp":"yes"`), "services.rcp is not what it should be: the file has a JSON string there"},
		{service(`"actions":[{"name":7}]`), "services.actions.name is not what it should be"},
		{strings.Repeat("[", 100_000), "the values are nested too deeply"},
		{`{"services":` + strings.Repeat("[", 20) + strings.Repeat("]", 20) + "}", "the values are nested too deeply"},
		{strings.Repeat(" ", MaxFileSize+1), "the file has more than 4194304 bytes"},
		// Services.
		{`{"services":[{"name":"X"}]}`, `services[0] (""): the prefix "" does not have 1 to 63 bytes`},
		{`{"services":[{"prefix":"Billing","name":"X"}]}`, `the prefix "Billing" has other characters`},
		{`{"services":[{"prefix":"a:b","name":"X"}]}`, `the prefix "a:b" has other characters`},
		{`{"services":[{"prefix":"` + strings.Repeat("a", 64) + `","name":"X"}]}`, "does not have 1 to 63 bytes"},
		{`{"services":[{"prefix":"x"}]}`, `services[0] ("x"): the name "" does not have 1 to 128 bytes`},
		{`{"services":[{"prefix":"x","name":"a\nb"}]}`, `the name "a\nb" has characters that cannot be printed`},
		{`{"services":[{"prefix":"x","name":"X"},{"prefix":"x","name":"X"}]}`, `services[1]: "x" stands twice`},
		{`{"services":[` + strings.Repeat(`{"prefix":"x","name":"X"},`, 200) + `{"prefix":"x","name":"X"}]}`, "201 services are more than 200"},
		// Keys.
		{service(`"keys":[{"name":"s3:prefix","type":"String"}]`), `keys[0]: "s3:prefix" is neither a global key nor one that begins with "x:"`},
		{service(`"keys":[{"name":"aws:Nothing","type":"String"}]`), `"aws:Nothing" is neither a global key`},
		{service(`"keys":[{"name":"x:k","type":"Text"}]`), `"x:k": type "Text" is none of String, ARN`},
		{service(`"keys":[{"name":"x:k","type":"String"},{"name":"X:K","type":"String"}]`), `keys[1]: "X:K" stands twice`},
		// Resource types.
		{form("arn:aws:x:::t"), `resourceTypes[0]: "t": the form of the ARN is not of the form`},
		{form("x"), "is not of the form"},
		{form("arn:${Partition}:x::t"), "is not of the form"},
		{form("arn:${Partition}::::t"), "has no service or no resource"},
		{form("arn:${Partition}:x:::"), "has no service or no resource"},
		{form("arn:${Partition}:x:::${"), `has a "${" without a name`},
		{form("arn:${Partition}:x:::${}"), `has a "${" without a name`},
		{form("arn:${Partition}:x:::a$b"), `has a "${" without a name`},
		{form("arn:${Partition}:x:r-${Region}::b"), "has a variable beside other text"},
		{form("arn:${Partition}:x:::a, "), "is not of the form"},
		{form("arn:${Partition}:x:::" + strings.Repeat("a", 2100)), "has more than 2048 bytes"},
		{service(`"resourceTypes":[{"name":"t","arn":"arn:${Partition}:x:::t"},{"name":"T","arn":"arn:${Partition}:x:::t"}]`), `resourceTypes[1]: "T" stands twice`},
		{service(`"resourceTypes":[{"name":"t","arn":"arn:${Partition}:x:::t","keys":["x:k"]}]`), `"t": "x:k" is not among the keys of the service`},
		// Actions.
		{service(`"actions":[{"name":"Do it","level":"Write"}]`), `actions[0]: the name "Do it" has other characters`},
		{service(`"actions":[{"name":"Do*","level":"Write"}]`), `the name "Do*" has other characters`},
		{service(`"actions":[{"name":"","level":"Write"}]`), "does not have 1 to 128 bytes"},
		{service(`"actions":[{"name":"Do","level":"write"}]`), `"Do": level "write" is none of List, Read, Write, Tagging, Permissions management`},
		{service(`"actions":[{"name":"Do"}]`), `"Do": level "" is none of`},
		{service(`"actions":[{"name":"Do","level":"Write"},{"name":"DO","level":"Write"}]`), `actions[1]: "DO" stands twice`},
		{action(`"resources":[{"type":"u"}]`), `"Do": resources[0]: "u" is no resource type of the service`},
		{action(`"resources":[{"type":"t"},{"type":"T"}]`), `resources[1]: "T" stands twice`},
		{action(`"resources":[{"type":"t","keys":["x:l"]}]`), `"x:l" is not among the keys of the service`},
		{action(`"keys":["x:l"]`), `"Do": "x:l" is not among the keys of the service`},
		{action(`"keys":[` + strings.Repeat(`"x:k",`, 1000) + `"x:k"]`), "1001 condition keys are more than 1000"},
		{action(`"dependent":[{"action":"PassRole","when":"always"}]`), `dependent[0]: "PassRole" is not an action "prefix:Name"`},
		{action(`"dependent":[{"action":"iam:Pass*","when":"always"}]`), `"iam:Pass*" is not an action`},
		{action(`"dependent":[{"action":"iam:PassRole"}]`), `dependent[0]: the when "" does not have 1 to 512 bytes`},
		{action(`"dependent":[` + strings.Repeat(`{"action":"iam:PassRole","when":"always"},`, 50) + `{"action":"iam:PassRole","when":"always"}]`), "51 dependent actions are more than 50"},
	} {
		_, err := Read(strings.NewReader(tt.text))
		if err == nil || !strings.HasPrefix(err.Error(), "catalog: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.200s\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
	broken := errors.New("the disk is gone")
	if _, err := Read(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the reader", err)
	}
}

func TestReadBounds(t *testing.T) {
	t.Parallel()
	many := func(n int, one string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, one, i)
		}
		return b.String()
	}
	for _, tt := range []struct{ what, one string }{
		{"actions", `{"name":"A%d","level":"Write"}`},
		{"resourceTypes", `{"name":"t%d","arn":"arn:${Partition}:x:::t"}`},
		{"keys", `{"name":"x:k%d","type":"String"}`},
	} {
		most := map[string]int{"actions": maxActions, "resourceTypes": maxTypes, "keys": maxKeys}[tt.what]
		for n, ok := range map[int]bool{most: true, most + 1: false} {
			text := `{"services":[{"prefix":"x","name":"X","` + tt.what + `":[` + many(n, tt.one) + `]}]}`
			if _, err := Read(strings.NewReader(text)); (err == nil) != ok {
				t.Errorf("%d %s: %v", n, tt.what, err)
			}
		}
	}
}

// The document shows whole files; they are read.
func TestDocumentedFiles(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/catalog.md")
	if err != nil {
		t.Fatal(err)
	}
	c, files := Builtin(), 0
	for i, part := range strings.Split(string(text), "```") {
		file, ok := strings.CutPrefix(part, "json\n")
		if i%2 == 0 || !ok {
			continue
		}
		files++
		if c, err = c.With(readAll(t, file)...); err != nil {
			t.Fatal(err)
		}
	}
	if files != 2 {
		t.Fatalf("docs/catalog.md has %d blocks of JSON", files)
	}
	for action, resource := range map[string]string{
		"invoices:CreateInvoice": "arn:aws:invoices::111111111111:invoice/2026/0001",
		"apigateway:PaintTheme":  "arn:aws:apigateway:us-east-1::/themes/t",
		"apigateway:GET":         "arn:aws:apigateway:us-east-1::/themes/t",
		"apigateway:PATCH":       "arn:aws:apigateway:us-east-1::/accounts/a",
	} {
		if v := c.Verdict(action, resource); v != Known {
			t.Errorf("%s on %s: %s", action, resource, v)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{smallest, string(gatehouseJSON), portals, `{"services":[{"prefix":"x","name":"X","keys":[{"name":"x:k","type":"String"}],` +
		`"resourceTypes":[{"name":"t","arn":"arn:${Partition}:x:${Region}:*:t/${Name}-*/${NamePath}, arn:${Partition}:y:::u","keys":["x:k"]}],` +
		`"actions":[{"name":"Do","level":"Read","resources":[{"type":"t","required":true,"keys":["x:k"]}],"keys":["x:k"],"dependent":[{"action":"iam:PassRole","when":"w"}]}]}]}`} {
		f.Add([]byte(seed), "arn:aws:x:r::t/a-b/c")
	}
	f.Fuzz(func(t *testing.T, text []byte, resource string) {
		services, err := Read(bytes.NewReader(text))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("the error is not one line of text: %q", err)
			}
			return
		}
		c := &Catalog{own: map[string]*Service{}}
		for _, s := range services {
			c.own[s.Prefix] = s
		}
		for _, s := range services {
			for _, a := range s.Actions() {
				if v := c.Verdict(a.String(), "*"); v != Known {
					t.Errorf("%s: %s", a, v)
				}
				v := c.Verdict(a.String(), resource)
				if rt := a.TypeOf(resource); resource != "*" && (v == Known) != (rt != nil) {
					t.Errorf("%s on %q: %s and type %v", a, resource, v, rt)
				}
				for _, k := range a.Keys {
					if !a.TakesKey(k) {
						t.Errorf("%s does not take its key %q", a, k)
					}
				}
			}
		}
	})
}
