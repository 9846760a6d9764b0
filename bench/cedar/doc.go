// Package cedar is cedar-go in the comparison: a Cedar policy for every statement.
//
// Written as for Cedar: actions with wildcards are groups that the action entities belong to; resources are patterns of the context's
// resource; addresses, dates, numbers and Booleans are Cedar's own types, which in the form of strings are made from text for each
// request, as a host does. What is compared without regard to case comes in lower-case beside the text. A principal's policies are a
// policy set.
//
// Cedar's like has no "?"; a * stands for it, which permits more than the original. The workloads do not ask for what differs.
package cedar
