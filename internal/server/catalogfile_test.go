package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCatalogFile: the services of --catalog are asked about like AWS's, and so is what it adds to AWS's.
func TestCatalogFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "catalog.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"services":[
		{"prefix":"shop","name":"Shop","actions":[{"name":"Sell","level":"Write"}]},
		{"extends":"apigateway",
		 "resourceTypes":[{"name":"Theme","arn":"arn:${Partition}:apigateway:${Region}::/themes/${ThemeId}"}],
		 "actions":[{"name":"PaintTheme","level":"Write","resources":[{"type":"Theme","required":true}]},{"name":"GET","resources":[{"type":"Theme"}]}]}]}`)
	const theme = "arn:aws:apigateway:us-east-1::/themes/t"
	ask := func(x *apiTest, action, resource string) string {
		got := x.ask(x.root, `{"Principal":{"Arn":"`+arnHere+`user/bob"},"Action":"`+action+`","Resource":"`+resource+`","ResourceAccount":"`+testAccount+`"}`)
		decision, _, _ := strings.Cut(strings.TrimPrefix(got, `{"Decision":"`), `"`)
		return decision
	}
	for _, tt := range []struct {
		x    *apiTest
		want map[string]string // by action
	}{
		{newAPI(t).sub(t), map[string]string{"shop:Sell": "Deny", "apigateway:GET": "Deny", "apigateway:PaintTheme": "Deny", "apigateway:POST": "Deny", "apigateway:DELETE": "Deny"}},
		{newAPIOf(t, func(cfg *Config) { cfg.CatalogFile = file }).sub(t), map[string]string{"shop:Sell": "Allow", "apigateway:GET": "Allow", "apigateway:PaintTheme": "Allow", "apigateway:POST": "Deny", "apigateway:DELETE": "Deny"}},
	} {
		tt.x.user(tt.x.root, "bob")
		tt.x.policy(tt.x.root, "bob", "p", "Deny apigateway:DELETE *", "Allow shop:* *", "Allow apigateway:* *")
		for action, want := range tt.want {
			resource := theme
			if action == "shop:Sell" {
				resource = "*"
			}
			if got := ask(tt.x, action, resource); got != want {
				t.Errorf("%s on %s: %s, want %s", action, resource, got, want)
			}
		}
		if got := ask(tt.x, "apigateway:GET", "arn:aws:apigateway:us-east-1::/restapis/r"); got != "Allow" {
			t.Errorf("what AWS's part has: %s", got)
		}
	}

	for text, want := range map[string]string{
		`{"services":[{"extends":"gatehouse"}]}`: `services[0] ("gatehouse"): Gatehouse's own service cannot be extended`,
		`{"services":[{"extends":"apigateway","actions":[{"name":"GET","dependent":[{"action":"iam:Pass","when":"a role is named"}]}]}]}`: `service "apigateway": action "GET": the dependent action "iam:Pass" is not known`,
	} {
		write(text)
		cfg := Config{CatalogFile: file}
		if err := cfg.Check(); err == nil || err.Error() != "--catalog: "+file+": catalog: "+want {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}
