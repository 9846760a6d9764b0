package policy

// Change is one part of what would make a denied request allowed.
type Change struct {
	Kind  ChangeKind
	Layer Layer
	Level int // of LayerSCP and LayerRCP
	// Policy is the one whose statement goes, or to which one is added; nil where the statement may stand in any policy of the layer, a new
	// one too.
	Policy    *Attached
	Statement int    // of RemoveStatement: its index
	Text      string // of AddStatement: the statement as JSON, with exactly the action and the resource and without a condition
	Side      Side
}

// ChangeKind is what is to be done.
type ChangeKind uint8

// The kinds of changes.
const (
	AddStatement    ChangeKind = iota + 1
	RemoveStatement            // it is enough to narrow the statement so that it does not apply
)

var changeNames = [...]string{"", "add statement", "remove statement"}

// String says it in words.
func (k ChangeKind) String() string {
	if int(k) < len(changeNames) {
		return changeNames[k]
	}
	return ""
}

// Side is who can make a change.
type Side uint8

// The sides.
const (
	SideCaller       Side = iota + 1 // the caller's account
	SideSession                      // whoever made the caller's session
	SideResource                     // the account of the resource
	SideEndpoint                     // the owner of the VPC endpoint
	SideOrganization                 // who manages the organization: for LayerSCP the caller's, for LayerRCP the resource's
)

var sideNames = [...]string{"", "caller's account", "maker of the session", "resource's account", "owner of the endpoint", "organization's management"}

// String says it in words.
func (s Side) String() string {
	if int(s) < len(sideNames) {
		return sideNames[s]
	}
	return ""
}
