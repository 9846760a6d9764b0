package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestExplainText: an answer with everything that can stand in one, read.
func TestExplainText(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/explain.json")
	if err != nil {
		t.Fatal(err)
	}
	var e explanation
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	golden(t, "explain.txt", e.text())
}

// aliceDenied is a server, the key of a user without permissions, and the id of a denial of hers.
func aliceDenied(t *testing.T) (w *world, s *serving, id string) {
	t.Helper()
	w = newWorld(t, chosen...)
	s = w.start(t, "dev", "--denial-ids")
	root := as(t, s.url, rootKey, rootSecret)
	call := func(c *client, action string, in url.Values) string {
		t.Helper()
		answer, err := c.iam(t.Context(), action, in)
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	call(root, "CreateUser", url.Values{"UserName": {"alice"}})
	call(root, "PutUserPolicy", url.Values{"UserName": {"alice"}, "PolicyName": {"office"}, "PolicyDocument": {`{"Version":"2012-10-17","Statement":[
		{"Sid":"Office","Effect":"Allow","Action":"iam:List*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}},
		{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`}})
	key := call(root, "CreateAccessKey", url.Values{"UserName": {"alice"}})
	part := func(name string) string {
		return regexp.MustCompile("<" + name + ">(.*)</" + name + ">").FindStringSubmatch(key)[1]
	}
	_, err := as(t, s.url, part("AccessKeyId"), part("SecretAccessKey")).iam(t.Context(), "ListUsers", nil)
	m := regexp.MustCompile(`\(decision ([0-9a-f-]{36})\)$`).FindStringSubmatch(err.Error())
	if m == nil {
		t.Fatalf("the message of the denial does not end with its id: %v", err)
	}
	w.environ = append(w.environ, "AWS_ACCESS_KEY_ID="+rootKey, "AWS_SECRET_ACCESS_KEY="+rootSecret)
	return w, s, m[1]
}

var changing = regexp.MustCompile(`[0-9a-f-]{36}, 20[0-9T:Z-]+, revision \d+`)

// TestExplain: a denied call is explained from the id that it printed.
func TestExplain(t *testing.T) {
	t.Parallel()
	w, s, id := aliceDenied(t)
	code, stdout, stderr := w.do(t, "explain", id, "--endpoint", s.url)
	if code != exitOK || stderr != "" {
		t.Fatalf("%d %s", code, stderr)
	}
	golden(t, "explain-call.txt", changing.ReplaceAllString(stdout, "ID, TIME, REVISION"))
	code, stdout, stderr = w.do(t, "explain", id, "--endpoint", s.url, "--output", "json")
	var e explanation
	if err := json.Unmarshal([]byte(stdout), &e); err != nil || code != exitOK || e.DecisionID != id || e.Decision != "Deny" || len(e.Layers) != 1 {
		t.Errorf("json: %d %s %v\n%s", code, stderr, err, stdout)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"explain"}, exitUsage, "which decision?"},
		{[]string{"explain", id, "more"}, exitUsage, "which decision?"},
		{[]string{"explain", id, "--output", "xml"}, exitUsage, `"xml" is neither text nor json`},
		{[]string{"explain", "unknown", "--endpoint", s.url}, exitError, "Explain: The decision unknown cannot be found. The server keeps denials only"},
		{[]string{"explain", "", "--endpoint", s.url}, exitError, "Member must have length greater than or equal to 1"},
		{[]string{"explain", id, "--endpoint", "x"}, exitUsage, `endpoint "x" is not of the form`},
		{[]string{"explain", id, "--profile", "nobody"}, exitUsage, "there is no profile nobody in "},
	} {
		if code, stdout, stderr := w.do(t, c.args...); code != c.code || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: %d %s, want %d %s", c.args, code, stderr, c.code, c.want)
		}
	}
	nobody := newWorld(t)
	if code, _, stderr := nobody.do(t, "explain", id, "--endpoint", s.url); code != exitUsage || !strings.Contains(stderr, "an access key is missing") {
		t.Errorf("without an access key: %d %s", code, stderr)
	}
}

// TestExplainProfiles: who signs, and which server is asked.
func TestExplainProfiles(t *testing.T) {
	t.Parallel()
	var seen string
	h := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, key, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		key, _, _ = strings.Cut(key, "/")
		seen = r.URL.Path + " " + key + " " + r.Header.Get("X-Amz-Security-Token")
		switch r.URL.Path {
		case "/plain" + explainPath:
			rw.WriteHeader(http.StatusTeapot)
		default:
			_, _ = rw.Write([]byte(`{"Caller":"c","Action":"a","Resource":"r","Decision":"Allow"}`))
		}
	}))
	t.Cleanup(h.Close)
	config := "[default]\nendpoint_url = " + h.URL + "\n[profile ci]\nendpoint_url=" + h.URL + "\ns3 =\n  endpoint_url = http://s3.invalid\n[profile  spaced ]\naws_access_key_id = AKIASPACED\naws_secret_access_key = s\n" +
		"endpoint_url = " + h.URL + "\n"
	credentials := "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s\n# aws_session_token = no\n[ci]\naws_access_key_id=AKIACI\naws_secret_access_key=s=\naws_session_token=token\n"
	env := []string{"AWS_ACCESS_KEY_ID=AKIAENV", "AWS_SECRET_ACCESS_KEY=s", "AWS_SESSION_TOKEN=envtoken"}
	for _, c := range []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{"the default profile", nil, nil, " AKIADEFAULT "},
		{"a profile", nil, []string{"--profile", "ci"}, " AKIACI token"},
		{"a profile by variable", []string{"AWS_PROFILE=ci"}, nil, " AKIACI token"},
		{"a profile of the config file", nil, []string{"--profile", "spaced"}, " AKIASPACED "},
		{"variables", env, nil, " AKIAENV envtoken"},
		{"variables, and a profile that is named", env, []string{"--profile", "ci"}, " AKIACI token"},
		{"an endpoint by variable", append([]string{"AWS_ENDPOINT_URL=" + h.URL}, env...), []string{"--profile", "default"}, " AKIADEFAULT "},
	} {
		w := newWorld(t, c.env...)
		if err := os.MkdirAll(filepath.Join(w.home, ".aws"), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(w.home, ".aws", "config"), config)
		writeFile(t, filepath.Join(w.home, ".aws", "credentials"), credentials)
		code, stdout, stderr := w.do(t, append([]string{"explain", "id"}, c.args...)...)
		if code != exitOK || stdout != "c may a on r\n" || seen != explainPath+c.want {
			t.Errorf("%s: %d %s%s\nseen %s, want %s", c.name, code, stdout, stderr, seen, explainPath+c.want)
		}
	}
	w := newWorld(t, env...)
	teapot := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(teapot.Close)
	if code, _, stderr := w.do(t, "explain", "id", "--endpoint", teapot.URL); code != exitError || !strings.Contains(stderr, "HTTP 418: what answers at "+teapot.URL+"/ is no Gatehouse server") {
		t.Errorf("another server: %d %s", code, stderr)
	}
}
