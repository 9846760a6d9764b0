package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// Limits of a seed. What the API limits beside them is checked when the seed is applied.
const (
	maxSeedBytes = 32 << 20
	maxSeedUsers = 100_000
)

// seed is what a seed file describes: see readSeed.
type seed struct {
	alias string
	users []seedUser
}

type seedUser struct {
	name, path string
	tags       []member // values are JSON strings
	keys       []seedKey
	policies   []member // values are documents, or JSON strings that hold one
}

type seedKey struct {
	id     string
	secret keyring.Secret
	active bool
}

// readSeed reads a seed file:
//
//	{"account_alias": "acme", "users": [{"name": "alice", "path": "/", "tags": {"team": "blue"},
//	  "access_keys": [{"id": "…", "secret": "…", "status": "Active"}],
//	  "policies": {"admin": {"Version": "2012-10-17", "Statement": […]}}}]}
//
// Everything but a user's name and a key's id and secret may be left out. Members that are not listed here, or stand twice, are refused
// with their place.
func readSeed(file string) (*seed, error) {
	text, err := readLimited(file, maxSeedBytes)
	if err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	s, err := parseSeed(text)
	if err != nil {
		return nil, fmt.Errorf("seed %s: %w", file, err)
	}
	return s, nil
}

func parseSeed(text []byte) (*seed, error) {
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			before := text[:min(int(syntax.Offset), len(text))]
			return nil, fmt.Errorf("line %d: %w", 1+strings.Count(string(before), "\n"), err)
		}
		return nil, err
	}
	s := &seed{}
	err := object("the seed", text, map[string]func(place string, v json.RawMessage) error{
		"account_alias": func(place string, v json.RawMessage) (err error) { s.alias, err = str(place, v); return err },
		"users": func(place string, v json.RawMessage) error {
			return array(place, v, maxSeedUsers, func(place string, v json.RawMessage) error {
				u, err := parseSeedUser(place, v)
				s.users = append(s.users, u)
				return err
			})
		},
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func parseSeedUser(place string, v json.RawMessage) (u seedUser, err error) {
	err = object(place, v, map[string]func(place string, v json.RawMessage) error{
		"name": func(place string, v json.RawMessage) (err error) { u.name, err = str(place, v); return err },
		"path": func(place string, v json.RawMessage) (err error) { u.path, err = str(place, v); return err },
		"tags": func(place string, v json.RawMessage) (err error) {
			if u.tags, err = members(place, v); err != nil {
				return err
			}
			for _, t := range u.tags {
				if _, err := str(place+"."+t.name, t.value); err != nil {
					return err
				}
			}
			return nil
		},
		"access_keys": func(place string, v json.RawMessage) error {
			return array(place, v, 1000, func(place string, v json.RawMessage) error {
				k, err := parseSeedKey(place, v)
				u.keys = append(u.keys, k)
				return err
			})
		},
		"policies": func(place string, v json.RawMessage) (err error) { u.policies, err = members(place, v); return err },
	})
	if err == nil && u.name == "" {
		err = fmt.Errorf("%s: a user needs a name", place)
	}
	return u, err
}

func parseSeedKey(place string, v json.RawMessage) (k seedKey, err error) {
	k.active = true
	err = object(place, v, map[string]func(place string, v json.RawMessage) error{
		"id": func(place string, v json.RawMessage) (err error) { k.id, err = str(place, v); return err },
		"secret": func(place string, v json.RawMessage) error {
			s, err := str(place, v)
			k.secret = keyring.NewSecret(s)
			return err
		},
		"status": func(place string, v json.RawMessage) error {
			s, err := str(place, v)
			if err == nil && s != "Active" && s != "Inactive" {
				err = fmt.Errorf("%s: %q is neither Active nor Inactive", place, s)
			}
			k.active = s == "Active"
			return err
		},
	})
	if err == nil {
		err = checkAccessKey(k.id, k.secret)
		if err != nil {
			err = fmt.Errorf("%s: %w", place, err)
		}
	}
	return k, err
}

// member is one of an object's, in the order of the file.
type member struct {
	name  string
	value json.RawMessage
}

// members reads the members of an object. A name that stands twice is an error.
func members(place string, v json.RawMessage) ([]member, error) {
	d := json.NewDecoder(strings.NewReader(string(v)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%s: an object is expected", place)
	}
	var ms []member
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		m := member{name: t.(string)}
		if seen[m.name] {
			return nil, fmt.Errorf("%s: %q stands there twice", place, m.name)
		}
		seen[m.name] = true
		if err := d.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", place, m.name, err)
		}
		ms = append(ms, m)
	}
	return ms, nil
}

func object(place string, v json.RawMessage, read map[string]func(string, json.RawMessage) error) error {
	ms, err := members(place, v)
	if err != nil {
		return err
	}
	prefix := place + "."
	if place == "the seed" {
		prefix = ""
	}
	for _, m := range ms {
		f := read[m.name]
		if f == nil {
			known := make([]string, 0, len(read))
			for name := range read {
				known = append(known, name)
			}
			slices.Sort(known)
			return fmt.Errorf("%s: member %q is not known; known are %s", place, m.name, strings.Join(known, ", "))
		}
		if err := f(prefix+m.name, m.value); err != nil {
			return err
		}
	}
	return nil
}

func array(place string, v json.RawMessage, most int, read func(string, json.RawMessage) error) error {
	var items []json.RawMessage
	if err := json.Unmarshal(v, &items); err != nil {
		return fmt.Errorf("%s: an array is expected", place)
	}
	if len(items) > most {
		return fmt.Errorf("%s: %d entries, at most %d", place, len(items), most)
	}
	for i, item := range items {
		if err := read(fmt.Sprintf("%s[%d]", place, i), item); err != nil {
			return err
		}
	}
	return nil
}

func str(place string, v json.RawMessage) (string, error) {
	var s *string
	if err := json.Unmarshal(v, &s); err != nil || s == nil {
		return "", fmt.Errorf("%s: a string is expected", place)
	}
	return *s, nil
}

// plant applies a seed as the root user of the management account, through the operations themselves, so that all their checks hold.
// Access keys have ids and secrets of their own, which no operation takes: they are stored directly.
func (c *cell) plant(ctx context.Context, s *seed) error {
	account := c.store.View().Directory().Management().Id
	if s.alias != "" {
		if err := c.asRoot(ctx, account, "CreateAccountAlias", url.Values{"AccountAlias": {s.alias}}); err != nil {
			return fmt.Errorf("account_alias: %w", err)
		}
	}
	for i := range s.users {
		if err := c.plantUser(ctx, account, &s.users[i]); err != nil {
			return fmt.Errorf("users[%d] %q: %w", i, s.users[i].name, err)
		}
	}
	return nil
}

func (c *cell) plantUser(ctx context.Context, account string, u *seedUser) error {
	form := url.Values{"UserName": {u.name}}
	if u.path != "" {
		form.Set("Path", u.path)
	}
	for i, t := range u.tags {
		value, err := str("tags."+t.name, t.value)
		if err != nil {
			return err
		}
		prefix := "Tags.member." + strconv.Itoa(i+1)
		form.Set(prefix+".Key", t.name)
		form.Set(prefix+".Value", value)
	}
	if err := c.asRoot(ctx, account, "CreateUser", form); err != nil {
		return err
	}
	for _, p := range u.policies {
		document := string(p.value)
		if document[0] == '"' {
			var err error
			if document, err = str("policies."+p.name, p.value); err != nil {
				return err
			}
		}
		form := url.Values{"UserName": {u.name}, "PolicyName": {p.name}, "PolicyDocument": {document}}
		if err := c.asRoot(ctx, account, "PutUserPolicy", form); err != nil {
			return fmt.Errorf("policies.%s: %w", p.name, err)
		}
	}
	for i, k := range u.keys {
		if err := c.plantKey(ctx, account, u.name, &k); err != nil {
			return fmt.Errorf("access_keys[%d] %s: %w", i, k.id, err)
		}
	}
	return nil
}

// asRoot calls an IAM operation as the account's root user would.
func (c *cell) asRoot(ctx context.Context, account, action string, form url.Values) error {
	form.Set("Action", action)
	form.Set("Version", "2010-05-08")
	body := form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", http.NoBody)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	q, fault := wire.Identify(r, []byte(body), Services, "iam")
	if fault != nil {
		return fault
	}
	q.ID = keyring.UUID()
	call := &service.Call{
		Context: ctx, Request: q, Environment: authz.Environment{Time: time.Now(), UserAgent: "gatehouse", Region: globalRegion, Secure: true}, Vault: c.vault, Usage: c.usage,
		Caller: authn.Caller{Principal: state.Principal{Kind: state.RootUser, Account: account, ID: account}},
	}
	if _, fault := c.registry.Serve(call); fault != nil {
		return fault
	}
	return nil
}

// plantKey stores a user's access key that was chosen elsewhere.
func (c *cell) plantKey(ctx context.Context, account, user string, k *seedKey) error {
	v := c.store.View()
	sealed, err := c.vault.SealAccessKey(v, v.Account(account), k.id, k.secret)
	if err != nil {
		return err
	}
	return c.store.Update(ctx, []string{state.DirectoryUnit, state.AccountUnit(account)}, func(tx *state.Tx) error {
		a := tx.Account(account)
		owner := a.UserByName(user)
		switch {
		case owner == nil:
			return errors.New("the user is not there")
		case keyExists(tx, account, k.id):
			return errors.New("an access key with that id exists already")
		case !sealed.Fits(a):
			return state.ErrStale
		}
		r := &state.AccessKey{}
		r.Id, r.Owner, r.Secret, r.Created = k.id, owner.Id, sealed.Sealed, tx.Now().UnixMicro()
		r.Status = statepb.KeyStatus_KEY_STATUS_INACTIVE
		if k.active {
			r.Status = statepb.KeyStatus_KEY_STATUS_ACTIVE
		}
		count := 0
		for other := range a.AccessKeys(owner.Id) {
			count++
			r.Seq = max(r.Seq, other.Seq+1)
		}
		if most := c.quotas.AccessKeysPerUser; count >= most {
			return fmt.Errorf("a user has at most %d access keys (--quota AccessKeysPerUser=N changes that)", most)
		}
		putAccessKey(tx, account, r)
		return nil
	})
}
