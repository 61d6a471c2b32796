// Package iproto is the binary protocol between clients and the server: its
// numbers and names, the greeting, and the encoding and decoding of headers
// and bodies. It knows nothing of connections and of data.
//
// A packet is its length as a MessagePack unsigned integer, a header and,
// as a rule, a body; the last two are maps with integer keys. The server
// writes lengths in the five-byte form and the header of an answer as
//
//	{0x00: code as uint32, 0x01: sync as uint64, 0x05: schema version as uint32}
//
// in fixed widths, so that all answers begin with the same 28 bytes. Clients
// and tests count on these sizes.
//
// Decoders look at the bytes of the packet in place: what they return points
// into it. They never allocate by a size that the packet claims, and report
// bad input as the *boxerr.Error that goes back to the client.
package iproto

import "strings"

// ProtocolVersion is the version of the protocol that the server speaks.
const ProtocolVersion = 9

// Features are the features that the server has, in the order in which ID tells them.
var Features = []Feature{
	FeatureStreams, FeatureTransactions, FeatureErrorExtension, FeatureWatchers, FeaturePagination,
	FeatureSpaceAndIndexNames, FeatureWatchOnce, FeatureDMLTupleExtension, FeatureCallRetTupleExtension,
	FeatureCallArgTupleExtension, FeatureIsSync,
}

// Constant is a number of the protocol with its name.
type Constant struct {
	Name  string
	Value int64
}

// Types returns all request and answer types, TypeUnknown included, in the order of their numbers.
func Types() []Constant { return typeNames }

// Keys returns all keys of headers and bodies in the order of their numbers.
func Keys() []Constant {
	var list []Constant
	for k, name := range keyNames {
		if name != "" {
			list = append(list, Constant{name, int64(k)})
		}
	}
	return list
}

// AllFeatures returns the features that the protocol knows, also those that this server has not.
func AllFeatures() []Constant { return featureNames }

// BallotKeys returns the keys of a ballot.
func BallotKeys() []Constant { return ballotNames }

// MetadataKeys returns the keys of the description of a column.
func MetadataKeys() []Constant { return metadataNames }

// RaftKeys returns the keys of the state of an election.
func RaftKeys() []Constant { return raftNames }

// Flags returns the bits of FLAGS.
func Flags() []Constant { return flagNames }

// namesOfTypes finds names by number for the types below 256, which are all that clients send.
var namesOfTypes [256]string

var (
	typesByName = map[string]int64{}
	keysByName  = map[string]Key{}
)

func init() {
	for _, c := range typeNames {
		typesByName[c.Name] = c.Value
		if c.Value >= 0 && c.Value < int64(len(namesOfTypes)) {
			namesOfTypes[c.Value] = c.Name
		}
	}
	for k, name := range keyNames {
		if name != "" {
			keysByName[name] = Key(k)
			keysByName[strings.ToLower(name)] = Key(k)
		}
	}
}

// Name returns the name of the type, "" if it has none.
func (t Type) Name() string {
	if t < Type(len(namesOfTypes)) {
		return namesOfTypes[t]
	}
	if t == TypeError {
		return "TYPE_ERROR"
	}
	return ""
}

// String returns the name of the type, or "(null)" without one, as error messages have it.
func (t Type) String() string {
	if name := t.Name(); name != "" {
		return name
	}
	return "(null)"
}

// TypeByName finds a type by its name in upper case. UNKNOWN is TypeUnknown.
func TypeByName(name string) (number int64, ok bool) {
	number, ok = typesByName[name]
	return number, ok
}

// Name returns the name of the key, "" if it has none.
func (k Key) Name() string {
	if k <= maxKey {
		return keyNames[k]
	}
	return ""
}

// KeyByName finds a key by its name in all upper case or all lower case.
func KeyByName(name string) (k Key, ok bool) {
	k, ok = keysByName[name]
	return k, ok
}

// String returns the name of the feature, "" if it has none.
func (f Feature) String() string {
	if int(f) < len(featureNames) {
		return featureNames[f].Name
	}
	return ""
}

// Sizes of packets.
const (
	// MaxPacketSize is the largest length of a packet that the server takes, in bytes.
	MaxPacketSize = 1 << 31
	// LengthSize is the size of the length in front of the packets that the server writes.
	LengthSize = 5
)
