package offline

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

// ValidateText writes findings for a person and for editors: "file:line:column: severity: message (rule)".
func ValidateText(w io.Writer, checked ...*Checked) error {
	p := &printer{w: w}
	for _, c := range checked {
		for _, f := range c.Findings {
			p.printf("%s:%s: %s: %s (%s)\n", Printable(c.Name), f.Position, f.Severity, Printable(f.Message), f.Rule)
		}
		if errors, warnings := c.Count(); errors+warnings == 0 {
			p.printf("%s: ok, a policy of the kind %s\n", Printable(c.Name), strings.ToLower(c.Kind.String()))
		}
	}
	return p.err
}

// ValidateJSON writes findings as one JSON object (docs/validate.md).
func ValidateJSON(w io.Writer, checked ...*Checked) error {
	type finding struct {
		Rule, Severity string
		Position
		Message string
	}
	type file struct {
		File, Kind       string
		Errors, Warnings int
		Findings         []finding
	}
	out := struct {
		Errors, Warnings int
		Files            []file
	}{Files: []file{}}
	for _, c := range checked {
		one := file{File: c.Name, Kind: strings.ToLower(c.Kind.String()), Findings: []finding{}}
		one.Errors, one.Warnings = c.Count()
		for _, f := range c.Findings {
			one.Findings = append(one.Findings, finding{string(f.Rule), f.Severity.String(), f.Position, f.Message})
		}
		out.Errors += one.Errors
		out.Warnings += one.Warnings
		out.Files = append(out.Files, one)
	}
	return encode(w, out)
}

// The parts of SARIF 2.1.0 that are used, in its order and spelling.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID            string       `json:"id"`
		Short         sarifMessage `json:"shortDescription"`
		Configuration sarifLevel   `json:"defaultConfiguration"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
)

// ValidateSARIF writes findings as a SARIF 2.1.0 log. version is that of this program.
func ValidateSARIF(w io.Writer, version string, checked ...*Checked) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "gatehouse", Version: version}}, ColumnKind: "utf16CodeUnits", Results: []sarifResult{}}
	index := map[Rule]int{}
	for i, r := range rules {
		index[r.id] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{string(r.id), sarifMessage{r.text}, sarifLevel{r.severity.String()}})
	}
	for _, c := range checked {
		for _, f := range c.Findings {
			run.Results = append(run.Results, sarifResult{
				RuleID: string(f.Rule), RuleIndex: index[f.Rule], Level: f.Severity.String(), Message: sarifMessage{f.Message},
				Locations: []sarifLocation{{sarifPhysical{sarifArtifact{uri(c.Name)}, sarifRegion{f.Position.Line, f.Position.Column}}}},
			})
		}
	}
	return encode(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// uri is a file's name as a URI reference, relative where the name is.
func uri(name string) string {
	name = filepath.ToSlash(name)
	if filepath.IsAbs(name) {
		if !strings.HasPrefix(name, "/") {
			name = "/" + name
		}
		return (&url.URL{Scheme: "file", Path: name}).String()
	}
	return (&url.URL{Path: strings.TrimPrefix(name, "./")}).String()
}

// Summary is how many errors and warnings there are, in words.
func Summary(checked ...*Checked) (errors, warnings int, text string) {
	for _, c := range checked {
		e, w := c.Count()
		errors += e
		warnings += w
	}
	count := func(n int, what string) string {
		if n == 1 {
			return "1 " + what
		}
		return fmt.Sprintf("%d %ss", n, what)
	}
	return errors, warnings, count(errors, "error") + ", " + count(warnings, "warning")
}
