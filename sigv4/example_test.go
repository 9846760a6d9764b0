package sigv4_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

func Example_sign() {
	body := "Action=GetCallerIdentity&Version=2011-06-15"
	r, err := http.NewRequest("POST", "https://sts.amazonaws.com/", strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	creds := sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC) // usually time.Now()
	if err := sigv4.Sign(r, []byte(body), creds, "us-east-1", "sts", at); err != nil {
		fmt.Println(err)
		return
	}
	authorization, _, _ := strings.Cut(r.Header.Get("Authorization"), ", Signature=")
	fmt.Println(authorization)
	// Output: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date
}

// An enforcement point holds signing keys, derived for it by the server, and never a secret.
func Example_verify() {
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	key := sigv4.DeriveKey("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "orders"})
	keys := map[string]*sigv4.Key{"AKIDEXAMPLE": &key}
	orders := &sigv4.Expect{Service: "orders", Regions: []string{"us-east-1"}, Window: 5 * time.Minute}

	verify := func(r *http.Request, body []byte, now time.Time) (accessKeyID string, err error) {
		claim, err := sigv4.Parse(r)
		if err != nil {
			return "", err
		}
		if err := claim.CheckScope(orders, now); err != nil {
			return "", err
		}
		key := keys[claim.AccessKeyID]
		if key == nil {
			return "", errors.New("the security token included in the request is invalid")
		}
		return claim.AccessKeyID, claim.Verify(r, body, key, orders)
	}

	r, _ := http.NewRequest("GET", "https://orders.example.com/orders/7", nil)
	creds := sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	_ = sigv4.Sign(r, nil, creds, "us-east-1", "orders", at)
	fmt.Println(verify(r, nil, at))
	r.URL.Path = "/orders/8"
	_, err := verify(r, nil, at)
	var refused *sigv4.Error
	fmt.Println(errors.As(err, &refused), refused.Kind)
	// Output:
	// AKIDEXAMPLE <nil>
	// true SignatureDoesNotMatch
}
