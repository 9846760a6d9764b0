package state

import (
	"iter"
	"strings"
	"sync"

	"github.com/gatehouse-iam/gatehouse/arn"
)

// ARN is the user's name for policies; account is the one it belongs to.
func (u *User) ARN(account string) string { return arn.User(Partition, account, u.Path, u.Name) }

// User returns the user with that unique id, or nil.
func (a *Account) User(id string) *User { return at[User](&a.tables, userTable).get(id) }

// UserByName returns the user with that name, compared without regard to case, or nil.
func (a *Account) UserByName(name string) *User {
	pivot := pivots.Get().(*User)
	defer pivots.Put(pivot)
	pivot.Name = name
	return oneNamed(at[User](&a.tables, userTable), pivot, name, (*User).GetName)
}

// UserByARN returns the user with exactly that ARN, or nil. Unlike names in IAM's parameters, ARNs have case (docs/spec/wire.md 5.4).
func (a *Account) UserByARN(userARN string) *User {
	u := a.UserByName(userARN[strings.LastIndexByte(userARN, '/')+1:])
	if u == nil || u.ARN(a.ID) != userARN {
		return nil
	}
	return u
}

// pivots are users to compare with in look-ups by name, which every call about a user makes.
var pivots = sync.Pool{New: func() any { return new(User) }}

// Users walks the users in order of name, without regard to case, beginning behind the name after ("" = all).
func (a *Account) Users(after string) iter.Seq[*User] {
	pivot := &User{}
	pivot.Name = after
	return behindName(at[User](&a.tables, userTable), pivot, after, (*User).GetName)
}

// UserCount is the number of users.
func (a *Account) UserCount() int { return at[User](&a.tables, userTable).count() }

// oneNamed is the record with that name, compared without regard to case, in a table that is ordered by name; nil if there is none. pivot has
// that name and nothing else.
func oneNamed[T any](t *table[T], pivot *T, name string, nameOf func(*T) string) *T {
	var found *T
	t.ordered.Ascend(pivot, func(r *T) bool {
		if compareFold(nameOf(r), name) == 0 {
			found = r
		}
		return false
	})
	return found
}

// behindName walks a table that is ordered by name, beginning behind the name after ("" = all). pivot has that name and nothing else.
func behindName[T any](t *table[T], pivot *T, after string, nameOf func(*T) string) iter.Seq[*T] {
	if after == "" {
		return t.from(nil)
	}
	return func(yield func(*T) bool) {
		for r := range t.from(pivot) {
			if compareFold(nameOf(r), after) == 0 {
				continue
			}
			if !yield(r) {
				return
			}
		}
	}
}

// lessNamed orders by name, then by id: names are unique, but need not be in the middle of a transaction.
func lessNamed(nameA, idA, nameB, idB string) bool {
	c := compareFold(nameA, nameB)
	return c < 0 || c == 0 && idA < idB
}
