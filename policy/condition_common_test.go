package policy_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// changed is a text with a byte put in another's place, inserted or taken away.
func changed(rng *rand.Rand, v string, bytes string) string {
	b := []byte(v)
	i, c := rng.IntN(len(b)), bytes[rng.IntN(len(bytes))]
	switch rng.IntN(4) {
	case 0:
		return string(b[:i]) + string(b[i+1:])
	case 1:
		return string(b[:i]) + string(c) + string(b[i:])
	case 2:
		b[i] = c
	}
	return string(b)
}

// What the short way reads is what the rules read.
func TestCommonInstant(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	common := 0
	for range 50_000 {
		v := time.Unix(rng.Int64N(400e9)-62e9, 0).UTC().Format(time.RFC3339)
		if rng.IntN(3) == 0 {
			v = fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02dZ", rng.IntN(2400), rng.IntN(14), rng.IntN(33), rng.IntN(26), rng.IntN(62), rng.IntN(62))
		}
		v = changed(rng, v, "0123456789-:TZtz.+")
		got, ok := policy.CommonInstant(v)
		want, valid := policy.SlowInstant(v)
		if ok && (!valid || got != want) {
			t.Fatalf("%q: %d, want %d, %v", v, got, want, valid)
		}
		if d, err := time.Parse(time.RFC3339, v); ok && (err != nil || d.Unix() != got) {
			t.Fatalf("%q: %d, want %d, %v", v, got, d.Unix(), err)
		}
		if ok {
			common++
		}
	}
	if common < 10_000 {
		t.Errorf("only %d texts were read", common)
	}
}

func TestCommonAddress(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 8))
	common := 0
	for range 50_000 {
		v := fmt.Sprintf("%d.%d.%d.%d", rng.IntN(260), rng.IntN(260), rng.IntN(12), rng.IntN(260))
		v = changed(rng, v, "0123456789.:/x")
		got, ok := policy.CommonAddress(v)
		a, err := netip.ParseAddr(v)
		if valid := err == nil && a.Is4(); valid != ok {
			t.Fatalf("%q: read %v, an address %v", v, ok, valid)
		}
		if !ok {
			continue
		}
		common++
		if b := a.As4(); got != binary.BigEndian.Uint32(b[:]) {
			t.Fatalf("%q: %x, want %s", v, got, a)
		}
	}
	if common < 10_000 {
		t.Errorf("only %d texts were read", common)
	}
}
