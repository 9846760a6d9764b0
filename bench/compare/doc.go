// Package compare checks the engines' answers, measures those that are right and writes the table. It knows Gatehouse and the plain loop; the
// peers are handed to it, so that what it does without them needs none of them.
//
// Nothing is timed before every request of a workload, probes included, has got its expected answer. Each engine is measured against Gatehouse
// in rounds in which the two take turns, so that a change in the machine's speed meets both, and the ratio is the median of the rounds' ratios.
package compare
