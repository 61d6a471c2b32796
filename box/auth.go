package box

import (
	"crypto/sha1"
	"crypto/subtle"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// ChapSHA1 is the way of authentication that every client knows: the client proves that it knows the password's
// SHA-1 hash without sending it.
const ChapSHA1 = "chap-sha1"

// PasswordHash returns what is kept of a password: the hash of its hash.
func PasswordHash(password string) []byte {
	once := sha1.Sum([]byte(password))
	twice := sha1.Sum(once[:])
	return twice[:]
}

// Scramble returns what a client sends to prove that it knows the password. Of the salt 20 bytes count.
func Scramble(salt []byte, password string) []byte { return iproto.Scramble(salt, password) }

func saltedHash(salt, hash []byte) [sha1.Size]byte {
	h := sha1.New()
	h.Write(salt[:min(len(salt), sha1.Size)])
	h.Write(hash)
	return [sha1.Size]byte(h.Sum(nil))
}

// checkScramble reports whether a scramble was made of the password with the given PasswordHash.
func checkScramble(scramble, salt, hash []byte) bool {
	if len(hash) != sha1.Size || len(scramble) != sha1.Size {
		return false
	}
	once := saltedHash(salt, hash)
	subtle.XORBytes(once[:], once[:], scramble)
	twice := sha1.Sum(once[:])
	return subtle.ConstantTimeCompare(twice[:], hash) == 1
}

// Authenticate makes the session of c that of another user. proof is the MessagePack array of an AUTH request: the
// method and what it needs, or nothing for the guest, who is always let in. The session stays as it was when that fails.
func (b *Box) Authenticate(c *Ctx, name string, proof []byte) error {
	b.Stat.Count(OpAuth)
	n, rest, ok := msgpack.ReadArrayHeader(proof)
	if !ok {
		return boxerr.New(boxerr.InvalidMsgpack, "authentication request body")
	}
	u := b.UserByName(name)
	if n > 0 || name != "guest" {
		ok, err := b.prove(c, u, n, rest)
		if err != nil {
			return err
		}
		if !ok {
			if err := b.onAuth(c, name, false); err != nil {
				return err
			}
			return boxerr.New(boxerr.CredsMismatch)
		}
		if err := c.CheckSession(u); err != nil {
			return err
		}
	}
	if err := b.onAuth(c, name, true); err != nil {
		return err
	}
	c.Session.User, c.User = u, u
	return nil
}

// prove checks the proof of a user, who is nil when there is none of that name. An error means that the proof
// is malformed.
func (b *Box) prove(c *Ctx, u *User, n int, proof []byte) (bool, error) {
	if n < 2 {
		return false, boxerr.New(boxerr.InvalidMsgpack, "authentication request body")
	}
	method, proof, ok := msgpack.ReadString(proof)
	if !ok {
		return false, boxerr.New(boxerr.InvalidMsgpack, "authentication request body")
	}
	if string(method) != ChapSHA1 {
		return false, boxerr.New(boxerr.UnknownAuthMethod, string(method))
	}
	scramble, _, ok := msgpack.ReadString(proof)
	if !ok {
		if scramble, _, ok = msgpack.ReadBin(proof); !ok {
			return false, boxerr.New(boxerr.InvalidAuthRequest, ChapSHA1, "scramble must be string")
		}
	}
	if len(scramble) != sha1.Size {
		return false, boxerr.New(boxerr.InvalidAuthRequest, ChapSHA1, "invalid scramble size")
	}
	if u == nil || u.Role || u.AuthMethod != ChapSHA1 {
		return false, nil
	}
	return checkScramble(scramble, c.Session.Salt, u.AuthData), nil
}

// onAuth tells the event box.session.on_auth who tried to sign in and whether that worked.
func (b *Box) onAuth(c *Ctx, name string, ok bool) error {
	e := b.Triggers.Lookup("box.session.on_auth")
	if e == nil || e.Empty() {
		return nil
	}
	args := msgpack.AppendString(nil, name)
	return b.fireSession(c, e, msgpack.AppendBool(args, ok), 2)
}
