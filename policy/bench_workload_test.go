package policy_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// timed decides the timed requests in turn.
func (w *workload) timed(b *testing.B) {
	w.check(b)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c := &w.cases[i]
		if d := policy.Decide(c.sets, &c.request); (d.Effect == policy.Allow) != c.expect {
			b.Fatalf("%+v", d)
		}
		if i++; i == w.Timed {
			i = 0
		}
	}
}

func BenchmarkWorkload(b *testing.B) {
	for _, name := range workloadNames {
		b.Run(name, func(b *testing.B) { readWorkload(b, name).timed(b) })
	}
	b.Run("W4-wide", func(b *testing.B) {
		w := wide(b)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			c := &w[i]
			if d := policy.Decide(c.sets, c.request); (d.Effect == policy.Allow) != c.expect {
				b.Fatalf("%+v", d)
			}
			if i++; i == len(w) {
				i = 0
			}
		}
	})
	b.Run("layers", func(b *testing.B) { layersWorkload(b).timed(b) })
}

// wideCase is a decision of W4: its sets are cold, the request is not, as it would be where one has just come in.
type wideCase struct {
	sets    *policy.Sets
	request *policy.Request
	expect  bool
}

var wideOnce struct {
	sync.Once
	cases []wideCase
}

// wide are requests of 10,000 principals in turn, each checked.
func wide(b *testing.B) []wideCase {
	wideOnce.Do(func() {
		w := wideWorkload(b, 10_000, 4)
		w.check(b)
		requests := w.cases[:256]
		for i := range w.cases {
			r := &requests[i%len(requests)].request
			wideOnce.cases = append(wideOnce.cases, wideCase{w.cases[i].sets, r, newPlain(w.cases[i].sets).allows(r)})
		}
		runtime.GC()
	})
	return wideOnce.cases
}

func BenchmarkPlainLoop(b *testing.B) {
	for _, name := range []string{"W1-one", "W2-typical", "W3-heavy500", "W3b-wild500"} {
		w := readWorkload(b, name)
		loop := newPlain(w.cases[0].sets)
		for i := range w.cases {
			if c := &w.cases[i]; loop.allows(&c.request) != c.expect {
				b.Fatalf("%s: request %d is wrong", name, i)
			}
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				loop.allows(&w.cases[i].request)
				if i++; i == w.Timed {
					i = 0
				}
			}
		})
	}
}

// layersWorkload is W2 with every layer there is, each allowing what W2 asks.
func layersWorkload(t testing.TB) *workload {
	w := readWorkload(t, "W2-typical")
	chain := func(kind policy.Kind, principal string) []*policy.Set {
		var out []*policy.Set
		for level := range 3 {
			out = append(out, policy.NewSet(
				loadKind(t, kind, fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",%s"Action":"*","Resource":"*"}]}`, principal)),
				loadKind(t, kind, fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny",%s"Action":["s3:DeleteBucket%d","iam:*"],"Resource":"*"}]}`, principal, level)),
			))
		}
		return out
	}
	const anyone = `"Principal":"*",`
	sets := *w.cases[0].sets
	sets.SCP = chain(policy.SCP, "")
	sets.Boundary = policy.NewSet(loadKind(t, policy.Boundary, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","sqs:*","dynamodb:*"],"Resource":"*"}]}`))
	sets.Session = policy.NewSet(loadKind(t, policy.Session, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::bucket-*"}]}`))
	resource := loadKind(t, policy.Resource, `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket-*",
		"Condition":{"Bool":{"aws:SecureTransport":"false"}}},{"Effect":"Allow","Principal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket-00/*"}]}`)
	rcp := chain(policy.RCP, anyone)
	w.Name = "layers"
	kept := w.cases[:0]
	for _, c := range w.cases[:w.Timed] {
		c.sets = &sets
		c.request.ResourcePolicy, c.request.RCP = resource, rcp
		kept = append(kept, c)
	}
	w.cases = kept
	return w
}

func loadKind(t testing.TB, kind policy.Kind, text string) *policy.Attached {
	t.Helper()
	d, err := policy.Decode(text, kind) // without Validate, which RCPFullAWSAccess does not pass
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	p, err := policy.Compile(d)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return &policy.Attached{Policy: p, Name: "p"}
}

// Two readers of the same sets: they share nothing that is written.
func BenchmarkTwoCores(b *testing.B) {
	w := readWorkload(b, "W2-typical")
	w.check(b)
	for _, readers := range []int{1, 2} {
		b.Run(fmt.Sprint(readers), func(b *testing.B) {
			var group sync.WaitGroup
			var total atomic.Int64
			start := time.Now()
			for range readers {
				group.Go(func() {
					cases := append([]workCase(nil), w.cases[:w.Timed]...)
					for i := range b.N {
						c := &cases[i%len(cases)]
						policy.Decide(c.sets, &c.request)
					}
					total.Add(int64(b.N))
				})
			}
			group.Wait()
			b.ReportMetric(float64(total.Load())/time.Since(start).Seconds()/1e6, "Mdecisions/s")
		})
	}
}

// What it takes to load W4: 50,000 policies.
func BenchmarkLoadWide(b *testing.B) {
	s := newWideSource(4)
	texts := make([]string, 50_000)
	for i := range texts {
		texts[i] = s.policy(i % 5)
	}
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		sets := make([]*policy.Set, 0, len(texts)/5)
		bytes := 0
		for i := 0; i < len(texts); i += 5 {
			attached := make([]*policy.Attached, 5)
			for j := range attached {
				text := string(append([]byte(nil), texts[i+j]...))
				bytes += len(text)
				p, err := policy.Load(text, policy.Identity)
				if err != nil {
					b.Fatal(err)
				}
				attached[j] = &policy.Attached{Policy: p}
			}
			sets = append(sets, policy.NewSet(attached...))
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
		b.ReportMetric(float64(bytes)/1e6, "MB-text")
		b.StartTimer()
		runtime.KeepAlive(sets)
	}
}

// One of a principal's policies changes: it is compiled and the set is made again.
func BenchmarkRebuild(b *testing.B) {
	for name, policies := range map[string]int{"W3": 20, "W2": 5} {
		w := readWorkload(b, map[string]string{"W3": "W3-heavy500", "W2": "W2-typical"}[name])
		attached := w.cases[0].sets.Identity.Policies()
		if len(attached) != policies {
			b.Fatal(len(attached))
		}
		changed, err := policy.Parse(attached[3].Policy.Text(), policy.Identity)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := policy.Compile(changed)
				if err != nil {
					b.Fatal(err)
				}
				next := append([]*policy.Attached(nil), attached...)
				next[3] = &policy.Attached{Policy: p}
				policy.NewSet(next...)
			}
		})
	}
}
