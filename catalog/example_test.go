package catalog_test

import (
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/catalog"
)

func ExampleBuiltin() {
	c := catalog.Builtin()
	fmt.Println(c.Verdict("s3:GetObject", "arn:aws:s3:::photos/cat.jpg"))
	fmt.Println(c.Verdict("s3:GetObject", "arn:aws:s3:::photos")) // a bucket
	fmt.Println(c.Verdict("s3:GetObjct", "*"))
	fmt.Println(c.NearestAction("s3:GetObjct"))
	a := c.Action("ec2:RunInstances")
	fmt.Println(a.Level, a.TakesKey("ec2:InstanceType"), a.TakesKey("s3:prefix"))
	// Output:
	// Known
	// WrongResource
	// UnknownAction
	// s3:GetObject true
	// Write true false
}

// A file describes services of one's own, and what AWS's reference lacks.
func ExampleRead() {
	own, err := catalog.Read(strings.NewReader(`{"services": [
		{"prefix": "invoices", "name": "Invoices",
		 "resourceTypes": [{"name": "invoice", "arn": "arn:${Partition}:invoices::${Account}:invoice/${InvoiceId}"}],
		 "actions": [{"name": "SendInvoice", "level": "Write", "resources": [{"type": "invoice", "required": true}]}]},
		{"extends": "sqs", "actions": [{"name": "PeekMessage", "level": "Read", "resources": [{"type": "queue", "required": true}]}]}
	]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := catalog.Builtin().With(own...)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Verdict("invoices:SendInvoice", "arn:aws:invoices::123456789012:invoice/7"))
	fmt.Println(c.Verdict("sqs:PeekMessage", "arn:aws:sqs:eu-west-1:123456789012:orders"))
	fmt.Println(catalog.Builtin().Verdict("sqs:PeekMessage", "*"))
	// Output:
	// Known
	// Known
	// UnknownAction
}

// The error of a file says where the fault is.
func ExampleRead_error() {
	_, err := catalog.Read(strings.NewReader(`{"services": [{"prefix": "invoices", "name": "Invoices",
		"actions": [{"name": "SendInvoice", "level": "Write", "resources": [{"type": "invoice"}]}]}]}`))
	fmt.Println(err)
	// Output: catalog: services[0] ("invoices"): actions[0]: "SendInvoice": resources[0]: "invoice" is no resource type of the service
}

func ExampleCatalog_Expand() {
	for a := range catalog.Builtin().Expand("iam:*AccountAlias") {
		fmt.Println(a, a.Level)
	}
	// Output:
	// iam:CreateAccountAlias Write
	// iam:DeleteAccountAlias Write
}

func ExampleMatch() {
	fmt.Println(catalog.Match("Get*", "GetObject"), catalog.Match("Get?", "GetObject"))
	// Output: true false
}

func ExampleResourceType_Match() {
	role := catalog.Builtin().Service("iam").ResourceType("role")
	fmt.Println(role.Match("arn:aws:iam::123456789012:role/team/deploy"), role.Match("arn:aws:iam::123456789012:user/alice"))
	// Output: true false
}
