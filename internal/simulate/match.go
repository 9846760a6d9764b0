package simulate

import "github.com/gatehouse-iam/gatehouse/policy"

// place is where a statement stands.
type place struct {
	sid        string
	start, end Position
}

func (r *run) match(layer policy.Layer, a *policy.Attached, statement int) Match {
	p := r.placesOf(a.Policy)[statement]
	return Match{
		SourceID: SourceID(a), SourceType: sourceType(layer), Layer: layer, Policy: a, Statement: statement, Sid: p.sid, Start: p.start, End: p.end,
	}
}

// statementKey is what makes a match one of a kind.
type statementKey struct {
	policy    *policy.Attached
	layer     policy.Layer
	statement int
}

func (m *Match) key() statementKey { return statementKey{m.Policy, m.Layer, m.Statement} }

// placesOf finds the statements of a policy, once.
func (r *run) placesOf(p *policy.Policy) []place {
	if known, ok := r.places[p]; ok {
		return known
	}
	d := p.Document()
	c := newCursor(d.Text())
	list := make([]place, len(d.Statements))
	for i := range d.Statements {
		s := &d.Statements[i]
		list[i] = place{sid: s.Sid, start: c.to(s.Slot), end: c.to(s.End)}
	}
	r.places[p] = list
	return list
}
