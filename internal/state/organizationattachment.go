package state

import (
	"errors"
	"iter"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

// OrganizationAttachment says that a policy applies to a node and everything below: the root, an organizational unit or an account.
type OrganizationAttachment struct{ statepb.OrganizationAttachment }

// NewOrganizationAttachment makes the record of an attachment, given by ids. seq orders the policies of one target.
func NewOrganizationAttachment(target, policy string, seq uint32) *OrganizationAttachment {
	t := &OrganizationAttachment{}
	t.Target, t.Policy, t.Seq = target, policy, seq
	return t
}

func (t *OrganizationAttachment) key() string { return t.Target + "/" + t.Policy }

func (t *OrganizationAttachment) place() (string, string) {
	return organizationAttachmentSchema.name, t.key()
}
func (t *OrganizationAttachment) marshal() ([]byte, error) { return marshal(&t.OrganizationAttachment) }
func (t *OrganizationAttachment) size() int                { return proto.Size(&t.OrganizationAttachment) }

func (t *OrganizationAttachment) check() error {
	if strings.Contains(t.Target, "/") {
		return errors.New("the target is no id")
	}
	return nil
}

var organizationAttachmentSchema = &schema[OrganizationAttachment]{
	name: "attachment",
	key:  (*OrganizationAttachment).key,
	less: func(a, b *OrganizationAttachment) bool {
		if c := strings.Compare(a.Target, b.Target); c != 0 {
			return c < 0
		}
		return a.Seq < b.Seq || a.Seq == b.Seq && a.Policy < b.Policy
	},
	second: func(a, b *OrganizationAttachment) bool {
		c := strings.Compare(a.Policy, b.Policy)
		return c < 0 || c == 0 && a.Target < b.Target
	},
	decode: func(_ string, v []byte) (*OrganizationAttachment, error) {
		r := &OrganizationAttachment{}
		if err := proto.Unmarshal(v, &r.OrganizationAttachment); err != nil {
			return nil, err
		}
		return r, r.check()
	},
}

// Attachment returns the attachment of a policy to a node, both given by id; nil if it is not attached there.
func (o *Organization) Attachment(target, policy string) *OrganizationAttachment {
	return at[OrganizationAttachment](&o.tables, organizationAttachmentTable).get(target + "/" + policy)
}

// Attachments walks the policies attached directly to a node, given by its id, in order of attachment.
func (o *Organization) Attachments(target string) iter.Seq[*OrganizationAttachment] {
	pivot := NewOrganizationAttachment(target, "", 0)
	return func(yield func(*OrganizationAttachment) bool) {
		for t := range at[OrganizationAttachment](&o.tables, organizationAttachmentTable).from(pivot) {
			if t.Target != target || !yield(t) {
				return
			}
		}
	}
}

// AttachmentsOf walks where a policy, given by its id, is attached, in order of the targets' ids.
func (o *Organization) AttachmentsOf(policy string) iter.Seq[*OrganizationAttachment] {
	pivot := NewOrganizationAttachment("", policy, 0)
	return func(yield func(*OrganizationAttachment) bool) {
		for t := range at[OrganizationAttachment](&o.tables, organizationAttachmentTable).fromSecond(pivot) {
			if t.Policy != policy || !yield(t) {
				return
			}
		}
	}
}
