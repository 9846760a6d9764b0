package workload_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

const dir = "../testdata"

func read(t *testing.T, name string) *workload.Workload {
	w, err := workload.Read(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// What is made for 10,000 statements is what stands in the files, as far as there are files.
func TestLongIsTheFiles(t *testing.T) {
	t.Parallel()
	base := read(t, "W6-n10")
	for _, n := range []int{10, 100, 1000} {
		want, got := read(t, fmt.Sprintf("W6-n%d", n)), workload.Long(base, n)
		if got.Name != want.Name || got.Timed != want.Timed || !reflect.DeepEqual(got.Requests, want.Requests) {
			t.Errorf("n = %d: other requests than in the file", n)
		}
		for principal, policies := range want.Policies {
			a, err := workload.Statements(policies)
			if err != nil {
				t.Fatal(err)
			}
			b, err := workload.Statements(got.Policies[principal])
			if err != nil {
				t.Fatal(err)
			}
			if len(policies) != len(got.Policies[principal]) || !reflect.DeepEqual(a, b) {
				t.Errorf("n = %d: other policies than in the file", n)
			}
		}
	}
}

func TestWideIsBalanced(t *testing.T) {
	t.Parallel()
	w, err := workload.Wide(1, 200, 1000)
	if err != nil {
		t.Fatal(err)
	}
	allowed := 0
	for i := range w.Timed {
		if w.Requests[i].Expect {
			allowed++
		}
	}
	if allowed < w.Timed*4/10 || allowed > w.Timed*6/10 {
		t.Errorf("%d of %d timed requests are allowed", allowed, w.Timed)
	}
	again, err := workload.Wide(1, 200, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(w, again) {
		t.Error("the same seed gives another workload")
	}
}
