package policy

import "strings"

// actionBits are a filter of actions. A pattern sets one bit, that of the longest beginning of the action it fixes out of four lengths. A request
// sets the bits of all four, so a pattern that takes its action has a bit in common with it. Letters count without case.
type actionBits uint64

const allActions actionBits = 1<<64 - 1

// The lengths of the beginnings of an action's name: long enough to tell Get from Put, and GetObject from GetBucketAcl.
const (
	shortName = 3
	longName  = 6
)

// requestBits takes a request's action and the place of its colon.
func requestBits(action string, colon int) actionBits {
	service, name := foldHash(hashSeed, action[:colon]), action[colon+1:]
	out := actionBit(service) | actionBit(foldHash(service+1, name))
	if len(name) >= shortName {
		out |= actionBit(foldHash(service+2, name[:shortName]))
	}
	if len(name) >= longName {
		out |= actionBit(foldHash(service+3, name[:longName]))
	}
	return out
}

// patternBits is the bit of a pattern, or all where it does not fix the service.
func patternBits(text string) actionBits {
	if text == "*" {
		return allActions
	}
	colon := strings.IndexByte(text, ':')
	service, name := text[:colon], text[colon+1:]
	if wildcardAt(service) < len(service) {
		return allActions
	}
	sum := foldHash(hashSeed, service)
	switch n := wildcardAt(name); {
	case n == len(name):
		return actionBit(foldHash(sum+1, name))
	case n >= longName:
		return actionBit(foldHash(sum+3, name[:longName]))
	case n >= shortName:
		return actionBit(foldHash(sum+2, name[:shortName]))
	}
	return actionBit(sum)
}

func actionBit(sum uint64) actionBits { return 1 << (sum * hashFactor >> 58) }

// wildcardAt is the place of the first wildcard, or len(s).
func wildcardAt(s string) int {
	for i := range len(s) {
		if s[i] == '*' || s[i] == '?' {
			return i
		}
	}
	return len(s)
}

// foldHash is a hash of the ends of s that is the same for texts that differ by ASCII case only.
func foldHash(h uint64, s string) uint64 {
	const low = 0x2020202020202020 // makes letters small; that it changes other bytes too only joins more of them
	n := len(s)
	if n < 8 {
		return (h ^ (shortWord(s)|low)*hashFactor) * (uint64(2*n) + hashSeed)
	}
	return (h ^ (load8(s, 0)|low)*hashFactor ^ (load8(s, n-8)|low)*hashSeed) * (uint64(2*n) + hashSeed)
}
