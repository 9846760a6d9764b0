package robustness

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// entry is a line of a journal: a call that is about to be made, or how the call before it ended.
type entry struct {
	Call    *intent `json:",omitempty"`
	Outcome string  `json:",omitempty"` // done, refused, lost (no answer came), unsent
	Code    string  `json:",omitempty"` // of a refusal
	KeyID   string  `json:",omitempty"`
	Secret  string  `json:",omitempty"`
}

// writer is a client with a journal. Before a call its intention is on the disk, and after the call its outcome, before the next one: what
// the checks believe is read back from there.
type writer struct {
	n       int
	rng     *rand.Rand
	journal *os.File
	path    string // of the journal
	heavy   bool   // users with as many tags as fit

	model   *world        // the world as it was when the journal was last read
	read    int64         // bytes of the journal that are in model
	gone    []credentials // keys that were deleted, the last few
	serial  int
	flight  atomic.Bool  // a call is on its way
	waiting atomic.Int64 // bytes of tags of users that are there and were written since the start of the server
	stats
}

// stats are what became of the calls.
type stats struct{ calls, done, refused, lost, happened int }

func (s *stats) add(o stats) {
	s.calls, s.done, s.refused, s.lost, s.happened = s.calls+o.calls, s.done+o.done, s.refused+o.refused, s.lost+o.lost, s.happened+o.happened
}

func newWriter(n int, dir string, seed uint64) (*writer, error) {
	w := &writer{n: n, rng: rand.New(rand.NewPCG(seed, uint64(1000+n))), path: filepath.Join(dir, fmt.Sprintf("journal-%02d", n)), model: newWorld()}
	var err error
	w.journal, err = os.OpenFile(w.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	return w, err
}

// home is the path under which all users of this writer stand.
func (w *writer) home() string { return fmt.Sprintf("/w%02d/", w.n) }

func (w *writer) note(e entry) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := w.journal.Write(append(b, '\n')); err != nil {
		return err
	}
	return w.journal.Sync()
}

// write makes calls until one of them is lost or unsent because the server was killed, or stop says so. An answer that the model does not
// expect is an error.
func (w *writer) write(s *server, stop func() bool) error {
	c := newClient(s, root)
	defer c.close()
	now, fresh := w.model.clone(), map[string]int64{}
	for !stop() {
		call := w.choose(now)
		if err := w.note(entry{Call: call}); err != nil {
			return err
		}
		req, err := request(c.addr, "iam", c.keys, call.Op, call.parameters()...)
		if err != nil {
			return err
		}
		w.flight.Store(true)
		a, err := c.send(req)
		w.flight.Store(false)
		switch {
		case errors.Is(err, errRefused):
			return w.note(entry{Outcome: "unsent"})
		case errors.Is(err, errCut):
			return w.note(entry{Outcome: "lost"})
		case err != nil:
			return err
		}
		e := entry{Outcome: "done"}
		var made credentials
		if a.code != "" {
			e = entry{Outcome: "refused", Code: a.code}
		} else if call.Op == "CreateAccessKey" {
			var out struct {
				ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
				Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
			}
			if err := xml.Unmarshal(a.body, &out); err != nil || out.ID == "" || out.Secret == "" {
				return fmt.Errorf("CreateAccessKey was answered with %q, %v", a.body, err)
			}
			made = credentials{out.ID, out.Secret}
			e.KeyID, e.Secret = out.ID, out.Secret
		}
		if err := w.note(e); err != nil {
			return err
		}
		if code := now.apply(call, made); code != a.code {
			b, _ := json.Marshal(call)
			return fmt.Errorf("writer %d: %s was answered with %s, want code %q", w.n, b, a, code)
		}
		if u := now.Users[call.User]; u != nil && a.code == "" {
			fresh[call.User] = u.tagBytes()
		} else {
			delete(fresh, call.User)
		}
		w.waiting.Store(sum(maps.Values(fresh)))
	}
	return nil
}

func sum(values iter.Seq[int64]) (n int64) {
	for v := range values {
		n += v
	}
	return n
}

// replay reads what the journal has got since it was last read, into the model, and returns the call whose outcome nobody knows, if any.
func (w *writer) replay() (open *intent, err error) {
	f, err := os.Open(w.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Seek(w.read, 0); err != nil {
		return nil, err
	}
	r := bufio.NewReader(f)
	for {
		line, err := r.ReadBytes('\n')
		if len(line) == 0 {
			return open, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s ends within a line: %w", w.path, err)
		}
		w.read += int64(len(line))
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s: %w", w.path, err)
		}
		if e.Call != nil {
			if open != nil {
				return nil, fmt.Errorf("%s has a call after %s, whose outcome is not known", w.path, open.Op)
			}
			w.calls++
			open = e.Call
			continue
		}
		switch e.Outcome {
		case "unsent":
			w.calls--
		case "lost":
			w.lost++
			return open, nil // the last line
		case "refused":
			w.refused++
			if code := w.model.clone().apply(open, credentials{}); code != e.Code {
				return nil, fmt.Errorf("writer %d: a %s was refused with %s, the model says %q", w.n, open.Op, e.Code, code)
			}
		case "done":
			w.done++
			if open.Op == "DeleteAccessKey" {
				if secret := w.model.Users[open.User].Keys[open.Key].Secret; secret != "" {
					w.gone = append(w.gone, credentials{open.Key, secret})
					w.gone = w.gone[max(0, len(w.gone)-3):]
				}
			}
			if code := w.model.apply(open, credentials{e.KeyID, e.Secret}); code != "" {
				return nil, fmt.Errorf("writer %d: a %s succeeded, the model says %s", w.n, open.Op, code)
			}
		}
		open = nil
	}
}

// verify compares the server with the journal, and takes over what became of a call without an answer. It returns the number of keys that
// it signed with.
func (w *writer) verify(s *server) (keys int, err error) {
	open, err := w.replay()
	if err != nil {
		return 0, err
	}
	c := newClient(s, root)
	defer c.close()
	found, err := look(c, w.home(), w.model)
	if err != nil {
		return 0, fmt.Errorf("writer %d: %w", w.n, err)
	}
	if w.n != 0 {
		found.Alias = "" // the alias is the first writer's
	}
	if found.String() != w.model.String() {
		if open == nil {
			return 0, fmt.Errorf("writer %d: the server does not hold what it acknowledged (journal: %s):\n%s", w.n, w.path, w.model.differences(found))
		}
		after := w.model.clone()
		if open.Op == "CreateAccessKey" {
			open.Key = unknownKey(found.Users[open.User], after.Users[open.User])
		}
		code := after.apply(open, credentials{open.Key, ""})
		if code != "" || found.String() != after.String() {
			b, _ := json.Marshal(open)
			return 0, fmt.Errorf("writer %d: the server holds neither what it acknowledged nor that and the call under way (journal: %s)\ncall: %.2000s\nwithout the call:\n%s\nwith the call:\n%s",
				w.n, w.path, b, w.model.differences(found), after.differences(found))
		}
		w.happened++
	}
	w.model = found
	if keys, err = found.checkKeys(c); err != nil {
		return keys, fmt.Errorf("writer %d (journal: %s): %w", w.n, w.path, err)
	}
	for _, k := range w.gone {
		gone := c.as(k)
		code, err := gone.caller()
		gone.close()
		if err != nil || code != "InvalidClientTokenId" {
			return keys, fmt.Errorf("writer %d: key %s was deleted, GetCallerIdentity says %q, %v", w.n, k.id, code, err)
		}
	}
	return keys, nil
}

// unknownKey is the key that found has and known has not.
func unknownKey(found, known *user) string {
	if found == nil || known == nil {
		return ""
	}
	for id := range found.Keys {
		if known.Keys[id] == nil {
			return id
		}
	}
	return ""
}

// choose gives the next call. Most succeed; some must be refused.
func (w *writer) choose(now *world) *intent {
	names := slices.Sorted(maps.Keys(now.Users))
	most := 6
	if w.heavy {
		most = 32
	}
	if w.n == 0 && w.rng.IntN(8) == 0 {
		return w.chooseAlias(now)
	}
	if len(names) == 0 || w.heavy && len(names) < most && w.rng.IntN(4) != 0 || len(names) < most && w.rng.IntN(5) == 0 {
		return &intent{Op: "CreateUser", User: w.newName(), Path: w.newPath(), Tags: w.tags(8)}
	}
	name := names[w.rng.IntN(len(names))]
	u := now.Users[name]
	if w.heavy && w.rng.IntN(2) == 0 {
		return &intent{Op: "TagUser", User: name, Tags: w.tags(8)}
	}
	if len(names) > most {
		return w.dismantle(u, name)
	}
	if w.rng.IntN(7) == 0 {
		return w.chooseRefused(now, names, name)
	}
	switch w.rng.IntN(10) {
	case 0, 1:
		c := &intent{Op: "UpdateUser", User: name}
		switch w.rng.IntN(4) {
		case 0:
			c.Path = w.newPath()
		case 1:
			c.Path, c.NewName = w.newPath(), w.newName()
		default:
			c.NewName = w.newName()
		}
		return c
	case 2:
		return &intent{Op: "TagUser", User: name, Tags: w.tags(8)}
	case 3:
		c := &intent{Op: "UntagUser", User: name, Tags: map[string]string{"Tag00": "", "none": ""}}
		for _, k := range slices.Sorted(maps.Keys(u.Tags)) {
			c.Tags[k] = ""
			if len(c.Tags) > 4 {
				break
			}
		}
		return c
	case 4, 5:
		return &intent{Op: "PutUserPolicy", User: name, Policy: fmt.Sprintf("p%d", w.rng.IntN(4)), Document: documents[w.rng.IntN(len(documents))].text}
	case 6:
		if p := slices.Sorted(maps.Keys(u.Policies)); len(p) > 0 {
			return &intent{Op: "DeleteUserPolicy", User: name, Policy: p[w.rng.IntN(len(p))]}
		}
	case 7:
		if len(u.Keys) < maxKeys {
			return &intent{Op: "CreateAccessKey", User: name}
		}
	case 8:
		if k := slices.Sorted(maps.Keys(u.Keys)); len(k) > 0 {
			op := "DeleteAccessKey"
			if w.rng.IntN(3) == 0 {
				op = "UpdateAccessKey"
			}
			return &intent{Op: op, User: name, Key: k[w.rng.IntN(len(k))]}
		}
	}
	return w.dismantle(u, name)
}

// dismantle takes a step towards the end of a user.
func (w *writer) dismantle(u *user, name string) *intent {
	for _, k := range slices.Sorted(maps.Keys(u.Keys)) {
		return &intent{Op: "DeleteAccessKey", User: name, Key: k}
	}
	for _, p := range slices.Sorted(maps.Keys(u.Policies)) {
		return &intent{Op: "DeleteUserPolicy", User: name, Policy: p}
	}
	return &intent{Op: "DeleteUser", User: name}
}

func (w *writer) chooseAlias(now *world) *intent {
	w.serial++
	switch {
	case now.Alias != "" && w.rng.IntN(3) == 0:
		return &intent{Op: "DeleteAccountAlias", Alias: now.Alias}
	case w.rng.IntN(6) == 0:
		return &intent{Op: "DeleteAccountAlias", Alias: "never-was"}
	}
	// Few names: one that stayed behind in one of the two units is met again.
	return &intent{Op: "CreateAccountAlias", Alias: fmt.Sprintf("alias-%d", w.serial%4)}
}

// chooseRefused gives a call that, with few exceptions, must be refused and change nothing. The model knows.
func (w *writer) chooseRefused(now *world, names []string, name string) *intent {
	u := now.Users[name]
	switch w.rng.IntN(8) {
	case 0:
		return &intent{Op: "CreateUser", User: name, Path: w.newPath(), Tags: w.tags(3)}
	case 1:
		return &intent{Op: "UpdateUser", User: name, NewName: names[w.rng.IntN(len(names))], Path: w.newPath()}
	case 2:
		return &intent{Op: "DeleteUser", User: name}
	case 3:
		tags := map[string]string{}
		for i := range 49 {
			tags[fmt.Sprintf("Many%02d", i)] = "x"
		}
		return &intent{Op: "TagUser", User: name, Tags: tags}
	case 4:
		return &intent{Op: "PutUserPolicy", User: name, Policy: "p0", Document: `{"Version":"2012-10-17","Statement":[`}
	case 5:
		return &intent{Op: "PutUserPolicy", User: name, Policy: "long",
			Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:` + strings.Repeat("X", maxPolicyText) + `","Resource":"*"}]}`}
	case 6:
		if len(u.Keys) == maxKeys {
			return &intent{Op: "CreateAccessKey", User: name}
		}
		return &intent{Op: "DeleteAccessKey", User: name, Key: "AKIAIOSFODNN7EXAMPLE"}
	}
	return &intent{Op: "DeleteUserPolicy", User: "nobody-" + w.newName(), Policy: "p0"}
}

func (w *writer) newName() string {
	w.serial++
	return fmt.Sprintf("w%02d-%d", w.n, w.serial)
}

func (w *writer) newPath() string {
	if w.rng.IntN(2) == 0 {
		return w.home()
	}
	return fmt.Sprintf("%steam-%d/", w.home(), w.rng.IntN(5))
}

// tags gives up to n tags, all with the same new value, so that half a change shows. A heavy writer's tags are as many and as large as
// AWS allows.
func (w *writer) tags(n int) map[string]string {
	w.serial++
	value, count := fmt.Sprintf("v%d", w.serial), 1+w.rng.IntN(n)
	if w.heavy {
		value, count = strings.Repeat(fmt.Sprintf("%08d", w.serial), 32), maxTags
	}
	tags := make(map[string]string, count)
	for i := range count {
		name := fmt.Sprintf("Tag%02d", i)
		if w.heavy {
			name += strings.Repeat("-", 128-len(name))
		}
		tags[name] = value
	}
	return tags
}
