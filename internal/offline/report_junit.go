package offline

import (
	"encoding/xml"
	"io"
	"strings"
)

type junitSuites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Suites   []junitSuite
}

type junitSuite struct {
	XMLName  xml.Name `xml:"testsuite"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Cases    []junitCase
}

type junitCase struct {
	XMLName xml.Name      `xml:"testcase"`
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr,omitempty"`
	Line    string        `xml:"line,attr,omitempty"`
	Failure *junitFailure `xml:"failure"`
	Out     *junitText    `xml:"system-out"` // of a call: what its checks say
}

type junitText struct {
	Text string `xml:",cdata"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

// junitReporter writes the form that CI systems read. A question without expectation counts as passed.
type junitReporter struct {
	w   io.Writer
	out junitSuites
}

func (r *junitReporter) Begin(suite string) error {
	if suite == "" {
		suite = "gatehouse simulate"
	}
	r.out.Suites = append(r.out.Suites, junitSuite{Name: Printable(suite)})
	return nil
}

func (r *junitReporter) Answer(a *Answer) error {
	s := &r.out.Suites[len(r.out.Suites)-1]
	s.Cases = append(s.Cases, a.junit(s.Name))
	s.Tests++
	r.out.Tests++
	if a.Difference != "" {
		s.Failures++
		r.out.Failures++
	}
	return nil
}

func (r *junitReporter) Close() error {
	if _, err := io.WriteString(r.w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(r.w)
	e.Indent("", "  ")
	if err := e.Encode(r.out); err != nil {
		return err
	}
	_, err := io.WriteString(r.w, "\n")
	return err
}

func (a *Answer) junit(suite string) junitCase {
	q := a.Question
	c := junitCase{Name: Printable(q.Name), Class: suite}
	if i := strings.LastIndexByte(q.Place, ':'); i >= 0 {
		c.File, c.Line = Printable(q.Place[:i]), q.Place[i+1:]
	}
	if c.Name == "" {
		c.Name = Printable(a.what())
	}
	var b strings.Builder
	switch {
	case a.Difference == "" && a.Checks == nil:
		return c
	case a.Difference == "":
		a.full(&printer{w: &b}, "")
		c.Out = &junitText{b.String()}
		return c
	}
	a.print(&printer{w: &b})
	c.Failure = &junitFailure{Message: Printable(a.Difference), Text: b.String()}
	return c
}
