package state

import (
	"iter"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

// Attachment says that a managed policy applies to a user, group or role: as a permissions policy, or as its permissions boundary.
type Attachment struct{ statepb.Attachment }

// boundaryKey takes the place of the policy's ARN in the key of a boundary: there is at most one, and setting another replaces it.
const boundaryKey = "boundary"

func (t *Attachment) key() string {
	if t.Boundary {
		return t.Owner + "/" + boundaryKey
	}
	return t.Owner + "/" + t.Policy
}

func (t *Attachment) place() (string, string)  { return attachmentSchema.name, t.key() }
func (t *Attachment) marshal() ([]byte, error) { return marshal(&t.Attachment) }
func (t *Attachment) size() int                { return proto.Size(&t.Attachment) }

var attachmentSchema = &schema[Attachment]{
	name: "attachment",
	key:  (*Attachment).key,
	less: func(a, b *Attachment) bool {
		if c := strings.Compare(a.Owner, b.Owner); c != 0 {
			return c < 0
		}
		if a.Boundary != b.Boundary {
			return b.Boundary
		}
		return a.Seq < b.Seq || a.Seq == b.Seq && a.Policy < b.Policy
	},
	second: func(a, b *Attachment) bool {
		if c := strings.Compare(a.Policy, b.Policy); c != 0 {
			return c < 0
		}
		if a.Boundary != b.Boundary {
			return b.Boundary
		}
		return a.Owner < b.Owner
	},
	decode: func(_ string, v []byte) (*Attachment, error) {
		r := &Attachment{}
		return r, proto.Unmarshal(v, &r.Attachment)
	},
}

// Attachment returns the attachment of a policy, given by its ARN, to an owner, given by its unique id; nil if it is not attached. It does
// not find boundaries.
func (a *Account) Attachment(owner, policyARN string) *Attachment {
	return at[Attachment](&a.tables, attachmentTable).get(owner + "/" + policyARN)
}

// Boundary returns the permissions boundary of a user or role, given by its unique id, or nil.
func (a *Account) Boundary(owner string) *Attachment {
	return at[Attachment](&a.tables, attachmentTable).get(owner + "/" + boundaryKey)
}

// Attachments walks the permissions policies attached to a user, group or role, given by its unique id, in order of attachment. The
// boundary is not among them.
func (a *Account) Attachments(owner string) iter.Seq[*Attachment] {
	return func(yield func(*Attachment) bool) {
		for t := range a.AttachmentsAndBoundary(owner) {
			if t.Boundary || !yield(t) {
				return
			}
		}
	}
}

// AttachmentsAndBoundary is Attachments, with the boundary, if there is one, as the last.
func (a *Account) AttachmentsAndBoundary(owner string) iter.Seq[*Attachment] {
	return func(yield func(*Attachment) bool) {
		pivot := &Attachment{}
		pivot.Owner = owner
		for t := range at[Attachment](&a.tables, attachmentTable).from(pivot) {
			if t.Owner != owner || !yield(t) {
				return
			}
		}
	}
}

// AttachmentsOf walks where a policy, given by its ARN, is attached: as a boundary, or else as a permissions policy; in order of the
// owners' unique ids.
func (a *Account) AttachmentsOf(policyARN string, boundary bool) iter.Seq[*Attachment] {
	pivot := &Attachment{}
	pivot.Policy, pivot.Boundary = policyARN, boundary
	return func(yield func(*Attachment) bool) {
		for t := range at[Attachment](&a.tables, attachmentTable).fromSecond(pivot) {
			if t.Policy != policyARN || t.Boundary != boundary || !yield(t) {
				return
			}
		}
	}
}
