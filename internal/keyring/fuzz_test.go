package keyring

import (
	"bytes"
	"testing"
)

// Whatever the bytes, opening answers an error unless they are what was sealed, and never panics. The fuzzer works in several processes,
// each with its own keys, so an input is a change to what this process sealed: patch is written at a position, or is all there is.
func FuzzOpen(f *testing.F) {
	text, err := NewMasterText()
	if err != nil {
		f.Fatal(err)
	}
	master, err := ParseMaster(text)
	if err != nil {
		f.Fatal(err)
	}
	c, a := testCell(f), testAccount(f, unit1)
	wrapped, _ := c.Wrap(f.Context(), master)
	keyset, _ := a.Sealed(c)
	sealed, _ := a.Seal("access-key", "AKIA1", []byte("secret"))
	good := [][]byte{nil, wrapped, keyset, sealed}
	for which := range good {
		f.Add(uint8(which), uint16(3), []byte{0})
		f.Add(uint8(which), uint16(0), []byte("K\x01a"))
		f.Add(uint8(which), uint16(0), []byte("K\x01c\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
		f.Add(uint8(which), uint16(0), []byte{})
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, patch []byte) {
		b := bytes.Clone(good[int(which)%len(good)])
		if int(at) < len(b) {
			b = append(b[:at:at], append(patch, b[min(int(at)+len(patch), len(b)):]...)...)
		} else {
			b = append(b, patch...)
		}
		_, err := OpenCell(t.Context(), "cell", b, master)
		if (err == nil) != bytes.Equal(b, wrapped) {
			t.Errorf("cell keyset: %v for %x", err, b)
		}
		if _, err = OpenAccount(c, unit1, b); (err == nil) != bytes.Equal(b, keyset) {
			t.Errorf("account keyset: %v for %x", err, b)
		}
		if _, err = a.Open("access-key", "AKIA1", b); (err == nil) != bytes.Equal(b, sealed) {
			t.Errorf("record: %v for %x", err, b)
		}
		if id, ok := KeyID(b); !ok && id != 0 {
			t.Errorf("KeyID: %x and not ok", id)
		}
		for _, p := range []purpose{forCell, forAccount} {
			s, err := parseStored(b, p)
			if err == nil && (len(s.keys) == 0 || len(s.keys) > MaxKeys || len(s.head)+len(s.ciphertext) != len(b)) {
				t.Errorf("parsed %d keys, %d + %d of %d bytes", len(s.keys), len(s.head), len(s.ciphertext), len(b))
			}
			if id, idErr := MasterID(b); p == forCell && (idErr == nil) != (err == nil) || idErr != nil && id != "" {
				t.Errorf("MasterID: %q, %v; parsed: %v", id, idErr, err)
			}
		}
	})
}

func FuzzAccountOfID(f *testing.F) {
	for _, v := range idVectors {
		f.Add(v.id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		account, ok := AccountOfAccessKeyID(id)
		if !ok {
			if account != "" {
				t.Errorf("%q: %q and not ok", id, account)
			}
		} else if n, valid := accountNumber(account); !valid || packID(Prefix(id[:4]), n, new([rawID]byte))[:12] != id[:12] {
			t.Errorf("%q: account %q does not pack to it", id, account)
		}
		if other, ok2 := AccountOfUniqueID(id); ok && (!ok2 || other != account) {
			t.Errorf("%q: %q as access key, %q as unique id", id, account, other)
		}
	})
}

func FuzzParsePHC(f *testing.F) {
	f.Add(referenceHash)
	for _, h := range badHashes {
		f.Add(h.hash)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePHC(text)
		if err != nil {
			return
		}
		if p.String() != text {
			t.Errorf("%q is written again as %q", text, p)
		}
		if p.memory > maxMemory || p.passes == 0 || p.passes > maxPasses || p.lanes == 0 || p.lanes > maxLanes || len(p.salt) > 64 || len(p.hash) > 64 || len(p.hash) < 16 {
			t.Errorf("%q is let through", text)
		}
	})
}

func FuzzParseMaster(f *testing.F) {
	text, err := NewMasterText()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text.Reveal())
	f.Add("gatehouse-master-1::")
	f.Add("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMaster(NewSecret(text))
		if (m == nil) == (err == nil) {
			t.Fatalf("%v, %v", m, err)
		}
		if m != nil && len(m.ID()) != 16 {
			t.Errorf("id %q", m.ID())
		}
	})
}
