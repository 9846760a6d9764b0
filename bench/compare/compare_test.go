package compare

import (
	"math"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/gatehouse"
	"github.com/gatehouse-iam/gatehouse/bench/plain"
	"github.com/gatehouse-iam/gatehouse/bench/store"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

const testdata = "../testdata"

// Nothing is timed that is wrong, so everything has to be right before.
func TestAnswers(t *testing.T) {
	t.Parallel()
	base, err := workload.Read(testdata, "W6-n10")
	if err != nil {
		t.Fatal(err)
	}
	few, err := workload.Wide(wideSeed, 50, 2000)
	if err != nil {
		t.Fatal(err)
	}
	list := []*workload.Workload{workload.Long(base, 10), workload.Long(base, 1000), few}
	for _, name := range files {
		w, err := workload.Read(testdata, name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, w)
	}
	for _, w := range list {
		for _, e := range []engine.Engine{gatehouse.Engine, plain.Engine} {
			if _, err := newSubject(&e, engine.Strings, w); err != nil {
				t.Errorf("%s, %s: %v", w.Name, e.Name, err)
			}
		}
		if w.Name == "W5-cond20" {
			continue // its probes give users other names and ids, which the store knows better
		}
		s, err := store.Open(w)
		if err != nil {
			t.Fatal(err)
		}
		if err := check(s.Decide(w.Requests), w.Requests); err != nil {
			t.Errorf("%s from the store: %v", w.Name, err)
		}
		s.Close()
	}
	typical := list[4]
	decide, err := gatehouse.Layers(typical)
	if err != nil {
		t.Fatal(err)
	}
	if err := check(decide, typical.Requests); err != nil {
		t.Errorf("%s with every layer: %v", typical.Name, err)
	}
}

func TestCheckSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	w, err := workload.Read(testdata, "W2-typical")
	if err != nil {
		t.Fatal(err)
	}
	always := func(int) (bool, error) { return true, nil }
	if err := check(always, w.Requests); err == nil || !strings.Contains(err.Error(), "of 128 answers are wrong") {
		t.Errorf("everything allowed: %v", err)
	}
}

func TestSlope(t *testing.T) {
	t.Parallel()
	x, y := []float64{1, 2, 3, 4}, []float64{5, 5.5, 6, 6.5}
	if got := slope(x, y); math.Abs(got-0.5) > 1e-9 {
		t.Errorf("slope = %v, want 0.5", got)
	}
	if got := median([]float64{3, 1, 2, 10}); got != 2.5 {
		t.Errorf("median = %v, want 2.5", got)
	}
}
