package session

// packedLimit is how many bytes the session policies and tags of a session may take when packed. AWS does not publish its limit nor how it
// packs. Recorded is that one inline policy of 163 characters takes 16 percent of it (docs/spec/wire.md 10.2), which packs to 147 bytes
// here: limits from 919 to 979 agree with that. This one is from the middle, so that a compressor that does a few bytes better or worse
// still agrees. A policy of 2048 characters takes some 40 percent.
const packedLimit = 950

// unpackedLimit is how many bytes they may take before packing, so that what packs to nothing still fits: 50 tags of the greatest length in
// ASCII take 19 KB.
const unpackedLimit = 48 << 10

// PackedSize is PackedPolicySize: how much of what a session may take its policies and tags take, in percent, rounded up. Over 100 is
// PackedPolicyTooLarge; 0 means that there are neither. Of the claims it reads Account, Policy, PolicyARNs and Tags.
func PackedSize(c *Claims) (percent int) {
	if !c.Limited() && len(c.Tags) == 0 {
		return 0
	}
	unpacked := c.appendLimits(nil)
	// Without the dictionary: a policy that happens to be made of its words would leave little room for one of the same length that is not.
	packed := len(deflate(nil, unpacked, withoutDictionary))
	return max(percentOf(packed, packedLimit), percentOf(len(unpacked), unpackedLimit))
}

func percentOf(n, limit int) int { return (n*100 + limit - 1) / limit }
