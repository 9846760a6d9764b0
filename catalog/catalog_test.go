package catalog

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// all are the built-in services.
func all(t testing.TB) []*Service {
	t.Helper()
	c := Builtin()
	list := make([]*Service, 0, len(c.Prefixes()))
	for _, p := range c.Prefixes() {
		s := c.Service(p)
		if s == nil || s.Prefix != p {
			t.Fatalf("service %s: got %v", p, s)
		}
		list = append(list, s)
	}
	return list
}

func TestBuiltinDecodesNothing(t *testing.T) {
	t.Parallel()
	c := newBuiltin()
	if len(c.builtin) != 457 {
		t.Fatalf("%d services", len(c.builtin))
	}
	opened := func() (list []string) {
		for prefix, s := range c.builtin {
			if s.loaded.Load() != nil {
				list = append(list, prefix)
			}
		}
		return list
	}
	if got := opened(); len(got) > 0 {
		t.Errorf("decoded before anybody asked: %v", got)
	}
	if !c.KnowsKey("s3:prefix") || c.KnowsKey("s3:prefixes") {
		t.Error("KnowsKey is wrong of s3:prefix or s3:prefixes")
	}
	if v := c.Verdict("sqs:SendMessage", "*"); v != Known {
		t.Errorf("sqs:SendMessage: %s", v)
	}
	for range c.Expand("iam:Get*") {
		continue
	}
	got := opened()
	slices.Sort(got)
	if want := []string{"gatehouse", "iam", "sqs"}; !slices.Equal(got, want) { // KnowsKey looks at Gatehouse's own
		t.Errorf("decoded: %v, want %v", got, want)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	services, actions := 0, 0
	for _, s := range all(t) {
		if s.Prefix != gatehouse {
			services++
			actions += len(s.Actions())
		}
	}
	if services != 456 || actions != 22_091 {
		t.Errorf("%d services with %d actions of AWS, not 456 with 22,091", services, actions)
	}
	if n := len(allKeys().list); n != 1577 {
		t.Errorf("%d condition keys, not 1,577", n)
	}
}

// Everything that is said of a built-in service is found again by the name it is listed with, whatever the case.
func TestLookups(t *testing.T) {
	t.Parallel()
	c := Builtin()
	for _, s := range all(t) {
		if s.Name == "" || len(s.Actions()) == 0 {
			t.Errorf("service %s has the name %q and %d actions", s.Prefix, s.Name, len(s.Actions()))
		}
		if c.Service(strings.ToUpper(s.Prefix)) != s {
			t.Errorf("service %s is not found in capitals", s.Prefix)
		}
		for _, a := range s.Actions() {
			if c.Action(a.String()) != a || c.Action(strings.ToUpper(a.String())) != a {
				t.Errorf("action %s is not found", a)
			}
			for _, k := range a.Keys {
				if !a.TakesKey(k) || !c.KnowsKey(k) {
					t.Errorf("action %s does not take its key %s", a, k)
				}
			}
		}
		for _, rt := range s.ResourceTypes() {
			if s.ResourceType(rt.Name) != rt {
				t.Errorf("type %s of %s is not found", rt.Name, s.Prefix)
			}
		}
		if !slices.IsSortedFunc(s.Actions(), func(a, b *Action) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("actions of %s are not in order", s.Prefix)
		}
	}
	for _, name := range []string{"", ":", "s3", "s3:", ":GetObject", "s3:GetObject:x", "s3:Ge", strings.Repeat("s", 300) + ":x", "s3:" + strings.Repeat("x", 300), "s3:GetObjecſ"} {
		if a := c.Action(name); a != nil {
			t.Errorf("%q is found as %s", name, a)
		}
	}
	if c.Service("nothing") != nil || Builtin().Service("s3").ResourceType("Bucket") != nil {
		t.Error("what does not exist is found")
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"s3:ListBucket": "List", "s3:GetObject": "Read", "s3:PutObject": "Write", "s3:PutObjectTagging": "Tagging",
		"iam:PutUserPolicy": "Permissions management",
	} {
		if got := Builtin().Action(action).Level.String(); got != want {
			t.Errorf("%s: level %s, want %s", action, got, want)
		}
	}
	if got := Level(9).String(); got != "Level(9)" {
		t.Errorf("an unknown level prints as %s", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c := newBuiltin()
	var wait sync.WaitGroup
	found := make([]*Action, 16)
	for i := range found {
		wait.Go(func() { found[i] = c.Action("s3:GetObject") })
	}
	wait.Wait()
	for _, a := range found {
		if a == nil || a != found[0] {
			t.Fatalf("one action is decoded several times: %v", found)
		}
	}
}

func TestWith(t *testing.T) {
	t.Parallel()
	own := readAll(t, `{"services":[
		{"prefix":"invoices","name":"Invoices","rcp":true,
		 "keys":[{"name":"invoices:Amount","type":"Numeric"}],
		 "resourceTypes":[{"name":"invoice","arn":"arn:${Partition}:invoices::${Account}:invoice/${InvoiceId}","keys":["invoices:amount"]}],
		 "actions":[{"name":"CreateInvoice","level":"Write","resources":[{"type":"invoice","required":true}],
		   "dependent":[{"action":"iam:PassRole","when":"always"},{"action":"ledger:Book","when":"always"}]}]},
		{"prefix":"ledger","name":"Ledger","actions":[{"name":"Book","level":"Write"}]}]}`)
	c, err := Builtin().With(own...)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		action, resource string
		want             Verdict
	}{
		{"invoices:CreateInvoice", "arn:aws:invoices::111111111111:invoice/1", Known},
		{"INVOICES:createinvoice", "*", Known},
		{"invoices:CreateInvoice", "arn:aws:invoices::111111111111:receipt/1", WrongResource},
		{"invoices:DeleteInvoice", "*", UnknownAction},
		{"ledger:Book", "arn:aws:ledger:::1", NoResource},
		{"s3:GetObject", "arn:aws:s3:::b/k", Known},
	} {
		if got := c.Verdict(tt.action, tt.resource); got != tt.want {
			t.Errorf("%s on %s: %s, want %s", tt.action, tt.resource, got, tt.want)
		}
	}
	a := c.Action("invoices:CreateInvoice")
	if !a.TakesKey("invoices:amount") || !c.KnowsKey("Invoices:Amount") || a.TakesKey("s3:prefix") {
		t.Error("keys of the own service are wrong")
	}
	if got, _ := c.NearestAction("invices:CreateInvoce"); got != "invoices:CreateInvoice" {
		t.Errorf("nearest is %q", got)
	}
	if got, _ := c.NearestKey("invoices:Amuont"); got != "invoices:Amount" {
		t.Errorf("nearest key is %q", got)
	}
	if n := len(c.Prefixes()); n != 459 || !slices.IsSorted(c.Prefixes()) {
		t.Errorf("%d prefixes, in order: %t", n, slices.IsSorted(c.Prefixes()))
	}
	if Builtin().Service("invoices") != nil || Builtin().Service("ledger") != nil {
		t.Error("the catalogue that was added to has changed")
	}

	one := func(prefix, dependent string) []*Service {
		d := ""
		if dependent != "" {
			d = `,"dependent":[{"action":"` + dependent + `","when":"always"}]`
		}
		return readAll(t, `{"services":[{"prefix":"`+prefix+`","name":"X","actions":[{"name":"Do","level":"Write"`+d+`}]}]}`)
	}
	for _, tt := range []struct {
		own  []*Service
		want string
	}{
		{one("s3", ""), `service "s3": the prefix is one of AWS or Gatehouse`},
		{one("gatehouse", ""), `service "gatehouse": the prefix is one of AWS or Gatehouse`},
		{one("ledger", ""), `service "ledger" stands twice`},
		{append(one("x", ""), one("x", "")...), `service "x" stands twice`},
		{one("x", "iam:PassRoll"), `service "x": action "Do": the dependent action "iam:PassRoll" is not known`},
	} {
		if _, err := c.With(tt.own...); err == nil || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func readAll(t *testing.T, text string) []*Service {
	t.Helper()
	services, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return services
}

func BenchmarkBuiltin(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		newBuiltin()
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, prefix := range []string{"sqs", "s3", "iam", "ec2"} {
		b.Run(prefix, func(b *testing.B) {
			for b.Loop() {
				newBuiltin().Service(prefix)
			}
		})
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			c := newBuiltin()
			for _, p := range c.Prefixes() {
				c.Service(p)
			}
		}
	})
}
