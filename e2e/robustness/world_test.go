package robustness

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// world is what one client made: all users below a path that nobody else uses, and the account's alias if the client has the care of it.
// It is the model that the server is compared with.
type world struct {
	Users map[string]*user
	Alias string
}

type user struct {
	Path     string
	Tags     map[string]string
	Policies map[string]string
	Keys     map[string]*key
}

type key struct {
	Secret string `json:"-"` // "" if the answer that held it never came
	Active bool
}

func (u *user) tagBytes() (n int64) {
	for k, v := range u.Tags {
		n += int64(len(k) + len(v))
	}
	return n
}

func newWorld() *world { return &world{Users: map[string]*user{}} }

func (w *world) clone() *world {
	c := &world{Users: make(map[string]*user, len(w.Users)), Alias: w.Alias}
	for name, u := range w.Users {
		v := &user{Path: u.Path, Tags: maps.Clone(u.Tags), Policies: maps.Clone(u.Policies), Keys: map[string]*key{}}
		for id, k := range u.Keys {
			v.Keys[id] = &key{k.Secret, k.Active}
		}
		c.Users[name] = v
	}
	return c
}

// String is the world in one form, for comparing and for messages. Secrets are not in it.
func (w *world) String() string {
	b, err := json.Marshal(w) // maps in the order of their keys
	if err != nil {
		panic(err)
	}
	return string(b)
}

// differences names the users that stand otherwise in two worlds.
func (w *world) differences(other *world) string {
	var list []string
	names := map[string]bool{}
	for name := range w.Users {
		names[name] = true
	}
	for name := range other.Users {
		names[name] = true
	}
	show := func(u *user) string {
		if u == nil {
			return "absent"
		}
		b, _ := json.Marshal(u)
		return string(b)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if a, b := show(w.Users[name]), show(other.Users[name]); a != b {
			list = append(list, fmt.Sprintf("user %s:\n  expected %.3000s\n  found    %.3000s", name, a, b))
		}
	}
	if len(list) > 4 {
		list = append(list[:4], fmt.Sprintf("and %d more users", len(list)-4))
	}
	if w.Alias != other.Alias {
		list = append(list, fmt.Sprintf("alias: expected %q, found %q", w.Alias, other.Alias))
	}
	return strings.Join(list, "\n")
}

// intent is a call that a client is about to make.
type intent struct {
	Op       string
	User     string            `json:",omitempty"`
	NewName  string            `json:",omitempty"`
	Path     string            `json:",omitempty"`
	Tags     map[string]string `json:",omitempty"`
	Policy   string            `json:",omitempty"`
	Document string            `json:",omitempty"`
	Key      string            `json:",omitempty"`
	Alias    string            `json:",omitempty"`
}

// parameters of the call on the wire.
func (c *intent) parameters() []string {
	var p []string
	add := func(name, value string) {
		if value != "" {
			p = append(p, name, value)
		}
	}
	add("UserName", c.User)
	add("NewUserName", c.NewName)
	if c.Op == "UpdateUser" {
		add("NewPath", c.Path)
	} else {
		add("Path", c.Path)
	}
	for i, k := range slices.Sorted(maps.Keys(c.Tags)) {
		if c.Op == "UntagUser" {
			add(fmt.Sprintf("TagKeys.member.%d", i+1), k)
			continue
		}
		add(fmt.Sprintf("Tags.member.%d.Key", i+1), k)
		p = append(p, fmt.Sprintf("Tags.member.%d.Value", i+1), c.Tags[k])
	}
	add("PolicyName", c.Policy)
	add("PolicyDocument", c.Document)
	add("AccessKeyId", c.Key)
	if c.Op == "UpdateAccessKey" {
		add("Status", "Inactive")
	}
	add("AccountAlias", c.Alias)
	return p
}

// The limits that the model knows, those of a new account.
const (
	maxTags       = 50
	maxKeys       = 2
	maxPolicyText = 2048
)

// apply does to the world what the call does, and returns the code of the refusal, "" for a success. made is the key that the call made.
// A refused call changes nothing.
func (w *world) apply(c *intent, made credentials) (code string) {
	u := w.Users[c.User]
	if u == nil && c.Op != "CreateUser" && c.Op != "CreateAccountAlias" && c.Op != "DeleteAccountAlias" {
		return "NoSuchEntity"
	}
	switch c.Op {
	case "CreateUser":
		if u != nil {
			return "EntityAlreadyExists"
		}
		w.Users[c.User] = &user{Path: c.Path, Tags: maps.Clone(c.Tags), Policies: map[string]string{}, Keys: map[string]*key{}}
		if c.Tags == nil {
			w.Users[c.User].Tags = map[string]string{}
		}
	case "UpdateUser":
		if c.NewName != "" && c.NewName != c.User {
			if w.Users[c.NewName] != nil {
				return "EntityAlreadyExists"
			}
			delete(w.Users, c.User)
			w.Users[c.NewName] = u
		}
		u.Path = cmp.Or(c.Path, u.Path)
	case "DeleteUser":
		if len(u.Keys) > 0 || len(u.Policies) > 0 {
			return "DeleteConflict"
		}
		delete(w.Users, c.User)
	case "TagUser":
		after := maps.Clone(u.Tags)
		maps.Copy(after, c.Tags)
		if len(after) > maxTags {
			return "LimitExceeded"
		}
		u.Tags = after
	case "UntagUser":
		for k := range c.Tags {
			delete(u.Tags, k)
		}
	case "PutUserPolicy":
		if !json.Valid([]byte(c.Document)) {
			return "MalformedPolicyDocument"
		}
		size := len(c.Document) // the documents here have no white space
		for name, document := range u.Policies {
			if name != c.Policy {
				size += len(document)
			}
		}
		if size > maxPolicyText {
			return "LimitExceeded"
		}
		u.Policies[c.Policy] = c.Document
	case "DeleteUserPolicy":
		if _, ok := u.Policies[c.Policy]; !ok {
			return "NoSuchEntity"
		}
		delete(u.Policies, c.Policy)
	case "CreateAccessKey":
		if len(u.Keys) >= maxKeys {
			return "LimitExceeded"
		}
		u.Keys[made.id] = &key{made.secret, true}
	case "UpdateAccessKey":
		if u.Keys[c.Key] == nil {
			return "NoSuchEntity"
		}
		u.Keys[c.Key].Active = false
	case "DeleteAccessKey":
		if u.Keys[c.Key] == nil {
			return "NoSuchEntity"
		}
		delete(u.Keys, c.Key)
	case "CreateAccountAlias":
		w.Alias = c.Alias
	case "DeleteAccountAlias":
		if w.Alias != c.Alias {
			return "NoSuchEntity"
		}
		w.Alias = ""
	default:
		panic("the model does not know " + c.Op)
	}
	return ""
}

// look reads the users below a path, and the alias, from the server: everything that the API shows of them. Secrets are taken from known.
func look(c *client, path string, known *world) (*world, error) {
	w := newWorld()
	err := c.pages("ListUsers", func(body []byte) error {
		var out struct {
			Users []struct{ UserName, Path string } `xml:"ListUsersResult>Users>member"`
		}
		err := xml.Unmarshal(body, &out)
		for _, u := range out.Users {
			if w.Users[u.UserName] != nil {
				return fmt.Errorf("ListUsers has %s twice", u.UserName)
			}
			w.Users[u.UserName] = &user{Path: u.Path}
		}
		return err
	}, "PathPrefix", path)
	if err != nil {
		return nil, err
	}
	for name, u := range w.Users {
		if err := u.look(c, name); err != nil {
			return nil, err
		}
	}
	secrets := map[string]string{}
	for _, u := range known.Users {
		for id, k := range u.Keys {
			secrets[id] = k.Secret
		}
	}
	for _, u := range w.Users {
		for id, k := range u.Keys {
			k.Secret = secrets[id]
		}
	}
	var aliases struct {
		List []string `xml:"ListAccountAliasesResult>AccountAliases>member"`
	}
	if err := c.ask(&aliases, "ListAccountAliases"); err != nil {
		return nil, err
	}
	if len(aliases.List) > 1 {
		return nil, fmt.Errorf("the account has %d aliases: %q", len(aliases.List), aliases.List)
	}
	w.Alias = strings.Join(aliases.List, "")
	return w, nil
}

// look fills in what ListUsers does not show.
func (u *user) look(c *client, name string) error {
	var got struct {
		UserName string                        `xml:"GetUserResult>User>UserName"`
		Path     string                        `xml:"GetUserResult>User>Path"`
		Tags     []struct{ Key, Value string } `xml:"GetUserResult>User>Tags>member"`
	}
	if err := c.ask(&got, "GetUser", "UserName", name); err != nil {
		return err
	}
	if got.UserName != name || got.Path != u.Path {
		return fmt.Errorf("GetUser says %s%s of user %s%s in ListUsers", got.Path, got.UserName, u.Path, name)
	}
	u.Tags, u.Policies, u.Keys = map[string]string{}, map[string]string{}, map[string]*key{}
	for _, t := range got.Tags {
		u.Tags[t.Key] = t.Value
	}
	if len(u.Tags) != len(got.Tags) {
		return fmt.Errorf("user %s has a tag twice: %q", name, got.Tags)
	}
	var policies struct {
		Names []string `xml:"ListUserPoliciesResult>PolicyNames>member"`
	}
	if err := c.ask(&policies, "ListUserPolicies", "UserName", name); err != nil {
		return err
	}
	for _, p := range policies.Names {
		var out struct {
			Document string `xml:"GetUserPolicyResult>PolicyDocument"`
		}
		if err := c.ask(&out, "GetUserPolicy", "UserName", name, "PolicyName", p); err != nil {
			return err
		}
		document, err := url.QueryUnescape(out.Document)
		if err != nil {
			return err
		}
		u.Policies[p] = document
	}
	var keys struct {
		List []struct{ UserName, AccessKeyId, Status string } `xml:"ListAccessKeysResult>AccessKeyMetadata>member"`
	}
	if err := c.ask(&keys, "ListAccessKeys", "UserName", name); err != nil {
		return err
	}
	for _, k := range keys.List {
		if k.UserName != name || k.Status != "Active" && k.Status != "Inactive" {
			return fmt.Errorf("ListAccessKeys of user %s: %v", name, k)
		}
		u.Keys[k.AccessKeyId] = &key{Active: k.Status == "Active"}
	}
	return nil
}

// decided is the action that the documents here allow and deny, and that takes no resource.
const decided = "GetAccountSummary"

// The documents that clients attach. Each says something else about the decided action; lists is true for those that allow it.
var documents = []struct {
	text   string
	effect string
}{
	{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetAccountSummary","Resource":"*"}]}`, "Allow"},
	{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:Get*","Resource":"*"}]}`, "Allow"},
	{`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:GetAccountSummary","Resource":"*"}]}`, "Deny"},
	{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}`, ""},
	{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"iam:Get*","Resource":"*"}]}`, ""},
}

// allowed is what the user's policies say of the decided action.
func (u *user) allowed() bool {
	allow := false
	for _, text := range u.Policies {
		for _, d := range documents {
			if d.text == text && d.effect == "Deny" {
				return false
			}
			allow = allow || d.text == text && d.effect == "Allow"
		}
	}
	return allow
}

// checkKeys uses every key whose secret is known: an active one signs as its user, an inactive one does not, and the policies decide.
func (w *world) checkKeys(c *client) (checked int, err error) {
	for name, u := range w.Users {
		for id, k := range u.Keys {
			if k.Secret == "" {
				continue
			}
			checked++
			as := c.as(credentials{id, k.Secret})
			if err := u.checkKey(as, name, k.Active); err != nil {
				as.close()
				return checked, fmt.Errorf("key %s of user %s: %w", id, name, err)
			}
			as.close()
		}
	}
	return checked, nil
}

func (u *user) checkKey(as *client, name string, active bool) error {
	who, err := as.caller()
	if err != nil {
		return err
	}
	want := "arn:aws:iam::" + account + ":user" + u.Path + name
	if !active {
		want = "InvalidClientTokenId"
	}
	if who != want {
		return fmt.Errorf("GetCallerIdentity says %q, want %q", who, want)
	}
	if !active {
		return nil
	}
	a, err := as.iam(decided)
	if err != nil {
		return err
	}
	if u.allowed() != (a.code == "") || a.code != "" && a.code != "AccessDenied" {
		return fmt.Errorf("%s: %s, want it allowed: %v; its policies: %v", decided, a, u.allowed(), u.Policies)
	}
	return nil
}
