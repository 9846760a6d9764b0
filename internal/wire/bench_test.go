package wire_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/aaapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/orgapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

var services = []*wire.Service{iamapi.Service, stsapi.Service, orgapi.Service, aaapi.Service}

// blackHole is a ResponseWriter that keeps nothing.
type blackHole struct{ header http.Header }

func (h blackHole) Header() http.Header         { return h.header }
func (h blackHole) Write(p []byte) (int, error) { return len(p), nil }
func (h blackHole) WriteHeader(int)             {}

func someUser(i int) iamapi.User {
	name := fmt.Sprintf("user-%04d", i)
	return iamapi.User{
		Path: new("/"), UserName: &name, UserId: new(fmt.Sprintf("AIDA%017d", i)), Arn: new("arn:aws:iam::111122223333:user/" + name),
		CreateDate: new(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)), Tags: []iamapi.Tag{{Key: new("team"), Value: new("red")}},
	}
}

func form(text string) *http.Request {
	r := httptest.NewRequest("POST", "/", strings.NewReader(text))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	return r
}

// cpu reports the processor time of the process, which other work on the machine disturbs less than the clock.
func cpu(b *testing.B) func() {
	read := func() int64 {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			b.Fatal(err)
		}
		return usage.Utime.Nano() + usage.Stime.Nano()
	}
	before := read()
	return func() { b.ReportMetric(float64(read()-before)/float64(b.N), "cpu-ns/op") }
}

func BenchmarkGetUser(b *testing.B) {
	body := []byte("Action=GetUser&Version=2010-05-08&UserName=user-0042")
	r := form(string(body))
	user := someUser(42)
	w := blackHole{http.Header{}}
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		q, err := wire.Identify(r, body, services, "iam")
		if err != nil {
			b.Fatal(err)
		}
		q.ID = "7a62c49f-347e-4fc4-9331-6e8e00000000"
		var in iamapi.GetUserRequest
		if err := q.Decode(&in); err != nil {
			b.Fatal(err)
		}
		if err := wire.Check(q.Operation, &in); err != nil {
			b.Fatal(err)
		}
		if _, err := wire.WriteResponse(w, q, &iamapi.GetUserResponse{User: &user}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListUsers1000(b *testing.B) {
	out := &iamapi.ListUsersResponse{IsTruncated: new(false)}
	for i := range 1000 {
		out.Users = append(out.Users, someUser(i))
	}
	q := &wire.Request{ID: "x", Protocol: wire.Query, Service: iamapi.Service, Operation: iamapi.OpListUsers.Operation}
	w := blackHole{http.Header{}}
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		if _, err := wire.WriteResponse(w, q, out); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCalibrate is the work of other people's code, to compare with on a busy machine.
func BenchmarkCalibrate(b *testing.B) {
	v := map[string]any{"Path": "/", "UserName": "user-0042", "UserId": "AIDA00000000000000042", "Arn": "arn:aws:iam::111122223333:user/user-0042"}
	defer cpu(b)()
	for b.Loop() {
		if _, err := json.Marshal(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeCreatePolicy(b *testing.B) {
	document := strings.Repeat("%7B%22Effect%22%3A+%22Allow%22%7D", 200)
	body := []byte("Action=CreatePolicy&Version=2010-05-08&PolicyName=p&PolicyDocument=" + document + "&Tags.member.1.Key=a&Tags.member.1.Value=b")
	r := form(string(body))
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		q, err := wire.Identify(r, body, services, "iam")
		if err != nil {
			b.Fatal(err)
		}
		var in iamapi.CreatePolicyRequest
		if err := q.Decode(&in); err != nil {
			b.Fatal(err)
		}
		if err := wire.Check(q.Operation, &in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkListAccountsJSON(b *testing.B) {
	body := []byte(`{"MaxResults": 20, "NextToken": "abc"}`)
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("X-Amz-Target", "AWSOrganizationsV20161128.ListAccounts")
	b.ReportAllocs()
	defer cpu(b)()
	for b.Loop() {
		q, err := wire.Identify(r, body, services, "organizations")
		if err != nil {
			b.Fatal(err)
		}
		var in orgapi.ListAccountsRequest
		if err := q.Decode(&in); err != nil {
			b.Fatal(err)
		}
		if err := wire.Check(q.Operation, &in); err != nil {
			b.Fatal(err)
		}
	}
}
