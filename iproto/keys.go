package iproto

import "github.com/lycosadb/lycosa/msgpack"

// Key is a key of a header or a body.
type Key uint32

// The keys of headers and bodies.
const (
	KeyRequestType      Key = 0x00
	KeySync             Key = 0x01
	KeyReplicaID        Key = 0x02
	KeyLSN              Key = 0x03
	KeyTimestamp        Key = 0x04
	KeySchemaVersion    Key = 0x05
	KeyServerVersion    Key = 0x06
	KeyGroupID          Key = 0x07
	KeyTSN              Key = 0x08
	KeyFlags            Key = 0x09
	KeyStreamID         Key = 0x0a
	KeySpaceID          Key = 0x10
	KeyIndexID          Key = 0x11
	KeyLimit            Key = 0x12
	KeyOffset           Key = 0x13
	KeyIterator         Key = 0x14
	KeyIndexBase        Key = 0x15
	KeyFetchPosition    Key = 0x1f
	KeyKey              Key = 0x20
	KeyTuple            Key = 0x21
	KeyFunctionName     Key = 0x22
	KeyUserName         Key = 0x23
	KeyInstanceUUID     Key = 0x24
	KeyReplicasetUUID   Key = 0x25
	KeyVClock           Key = 0x26
	KeyExpr             Key = 0x27
	KeyOps              Key = 0x28
	KeyBallot           Key = 0x29
	KeyTupleMeta        Key = 0x2a
	KeyOptions          Key = 0x2b
	KeyOldTuple         Key = 0x2c
	KeyNewTuple         Key = 0x2d
	KeyAfterPosition    Key = 0x2e
	KeyAfterTuple       Key = 0x2f
	KeyData             Key = 0x30
	KeyError24          Key = 0x31
	KeyMetadata         Key = 0x32
	KeyBindMetadata     Key = 0x33
	KeyBindCount        Key = 0x34
	KeyPosition         Key = 0x35
	KeySQLText          Key = 0x40
	KeySQLBind          Key = 0x41
	KeySQLInfo          Key = 0x42
	KeyStmtID           Key = 0x43
	KeyReplicaAnon      Key = 0x50
	KeyIDFilter         Key = 0x51
	KeyError            Key = 0x52
	KeyTerm             Key = 0x53
	KeyVersion          Key = 0x54
	KeyFeatures         Key = 0x55
	KeyTimeout          Key = 0x56
	KeyEventKey         Key = 0x57
	KeyEventData        Key = 0x58
	KeyTxnIsolation     Key = 0x59
	KeyVClockSync       Key = 0x5a
	KeyAuthType         Key = 0x5b
	KeyReplicasetName   Key = 0x5c
	KeyInstanceName     Key = 0x5d
	KeySpaceName        Key = 0x5e
	KeyIndexName        Key = 0x5f
	KeyTupleFormats     Key = 0x60
	KeyIsSync           Key = 0x61
	KeyIsCheckpointJoin Key = 0x62
	KeyCheckpointVClock Key = 0x63
	KeyCheckpointLSN    Key = 0x64
)

// maxKey is the last key that has a name.
const maxKey = KeyCheckpointLSN

// keyNames holds the names of the keys, "" where there is none.
var keyNames = [maxKey + 1]string{
	KeyRequestType:      "REQUEST_TYPE",
	KeySync:             "SYNC",
	KeyReplicaID:        "REPLICA_ID",
	KeyLSN:              "LSN",
	KeyTimestamp:        "TIMESTAMP",
	KeySchemaVersion:    "SCHEMA_VERSION",
	KeyServerVersion:    "SERVER_VERSION",
	KeyGroupID:          "GROUP_ID",
	KeyTSN:              "TSN",
	KeyFlags:            "FLAGS",
	KeyStreamID:         "STREAM_ID",
	KeySpaceID:          "SPACE_ID",
	KeyIndexID:          "INDEX_ID",
	KeyLimit:            "LIMIT",
	KeyOffset:           "OFFSET",
	KeyIterator:         "ITERATOR",
	KeyIndexBase:        "INDEX_BASE",
	KeyFetchPosition:    "FETCH_POSITION",
	KeyKey:              "KEY",
	KeyTuple:            "TUPLE",
	KeyFunctionName:     "FUNCTION_NAME",
	KeyUserName:         "USER_NAME",
	KeyInstanceUUID:     "INSTANCE_UUID",
	KeyReplicasetUUID:   "REPLICASET_UUID",
	KeyVClock:           "VCLOCK",
	KeyExpr:             "EXPR",
	KeyOps:              "OPS",
	KeyBallot:           "BALLOT",
	KeyTupleMeta:        "TUPLE_META",
	KeyOptions:          "OPTIONS",
	KeyOldTuple:         "OLD_TUPLE",
	KeyNewTuple:         "NEW_TUPLE",
	KeyAfterPosition:    "AFTER_POSITION",
	KeyAfterTuple:       "AFTER_TUPLE",
	KeyData:             "DATA",
	KeyError24:          "ERROR_24",
	KeyMetadata:         "METADATA",
	KeyBindMetadata:     "BIND_METADATA",
	KeyBindCount:        "BIND_COUNT",
	KeyPosition:         "POSITION",
	KeySQLText:          "SQL_TEXT",
	KeySQLBind:          "SQL_BIND",
	KeySQLInfo:          "SQL_INFO",
	KeyStmtID:           "STMT_ID",
	KeyReplicaAnon:      "REPLICA_ANON",
	KeyIDFilter:         "ID_FILTER",
	KeyError:            "ERROR",
	KeyTerm:             "TERM",
	KeyVersion:          "VERSION",
	KeyFeatures:         "FEATURES",
	KeyTimeout:          "TIMEOUT",
	KeyEventKey:         "EVENT_KEY",
	KeyEventData:        "EVENT_DATA",
	KeyTxnIsolation:     "TXN_ISOLATION",
	KeyVClockSync:       "VCLOCK_SYNC",
	KeyAuthType:         "AUTH_TYPE",
	KeyReplicasetName:   "REPLICASET_NAME",
	KeyInstanceName:     "INSTANCE_NAME",
	KeySpaceName:        "SPACE_NAME",
	KeyIndexName:        "INDEX_NAME",
	KeyTupleFormats:     "TUPLE_FORMATS",
	KeyIsSync:           "IS_SYNC",
	KeyIsCheckpointJoin: "IS_CHECKPOINT_JOIN",
	KeyCheckpointVClock: "CHECKPOINT_VCLOCK",
	KeyCheckpointLSN:    "CHECKPOINT_LSN",
}

// keyTypes holds the type that the value of each key must have. Nil stands for any type.
var keyTypes = [256]msgpack.Type{
	KeyRequestType:      msgpack.Uint,
	KeySync:             msgpack.Uint,
	KeyReplicaID:        msgpack.Uint,
	KeyLSN:              msgpack.Uint,
	KeyTimestamp:        msgpack.Float64,
	KeySchemaVersion:    msgpack.Uint,
	KeyServerVersion:    msgpack.Uint,
	KeyGroupID:          msgpack.Uint,
	KeyTSN:              msgpack.Uint,
	KeyFlags:            msgpack.Uint,
	KeyStreamID:         msgpack.Uint,
	KeySpaceID:          msgpack.Uint,
	KeyIndexID:          msgpack.Uint,
	KeyLimit:            msgpack.Uint,
	KeyOffset:           msgpack.Uint,
	KeyIterator:         msgpack.Uint,
	KeyIndexBase:        msgpack.Uint,
	KeyFetchPosition:    msgpack.Bool,
	KeyKey:              msgpack.Array,
	KeyTuple:            msgpack.Array,
	KeyFunctionName:     msgpack.String,
	KeyUserName:         msgpack.String,
	KeyInstanceUUID:     msgpack.String,
	KeyReplicasetUUID:   msgpack.String,
	KeyVClock:           msgpack.Map,
	KeyExpr:             msgpack.String,
	KeyOps:              msgpack.Array,
	KeyBallot:           msgpack.Map,
	KeyTupleMeta:        msgpack.Map,
	KeyOptions:          msgpack.Map,
	KeyOldTuple:         msgpack.Array,
	KeyNewTuple:         msgpack.Array,
	KeyAfterPosition:    msgpack.String,
	KeyAfterTuple:       msgpack.Array,
	KeyData:             msgpack.Array,
	KeyError24:          msgpack.String,
	KeyMetadata:         msgpack.Array,
	KeyBindMetadata:     msgpack.Array,
	KeyBindCount:        msgpack.Uint,
	KeyPosition:         msgpack.String,
	KeySQLText:          msgpack.String,
	KeySQLBind:          msgpack.Array,
	KeySQLInfo:          msgpack.Map,
	KeyStmtID:           msgpack.Uint,
	KeyReplicaAnon:      msgpack.Bool,
	KeyIDFilter:         msgpack.Array,
	KeyError:            msgpack.Map,
	KeyTerm:             msgpack.Uint,
	KeyVersion:          msgpack.Uint,
	KeyFeatures:         msgpack.Array,
	KeyTimeout:          msgpack.Float64,
	KeyEventKey:         msgpack.String,
	KeyTxnIsolation:     msgpack.Uint,
	KeyVClockSync:       msgpack.Uint,
	KeyAuthType:         msgpack.String,
	KeyReplicasetName:   msgpack.String,
	KeyInstanceName:     msgpack.String,
	KeySpaceName:        msgpack.String,
	KeyIndexName:        msgpack.String,
	KeyTupleFormats:     msgpack.Map,
	KeyIsSync:           msgpack.Bool,
	KeyIsCheckpointJoin: msgpack.Bool,
	KeyCheckpointVClock: msgpack.Map,
	KeyCheckpointLSN:    msgpack.Uint,
}

// Keys of a ballot, the body of the answer to VOTE.
const (
	BallotIsROCfg                = 1
	BallotVClock                 = 2
	BallotGCVClock               = 3
	BallotIsRO                   = 4
	BallotIsAnon                 = 5
	BallotIsBooted               = 6
	BallotCanLead                = 7
	BallotBootstrapLeaderUUID    = 8
	BallotRegisteredReplicaUUIDs = 9
	BallotInstanceName           = 10
)

// Keys of the description of a column in METADATA.
const (
	MetadataName            = 0
	MetadataType            = 1
	MetadataColl            = 2
	MetadataIsNullable      = 3
	MetadataIsAutoincrement = 4
	MetadataSpan            = 5
)

// Keys of the state of the election of a leader.
const (
	RaftTerm         = 0
	RaftVote         = 1
	RaftState        = 2
	RaftVClock       = 3
	RaftLeaderID     = 4
	RaftIsLeaderSeen = 5
)

// Bits of FLAGS.
const (
	FlagCommit   = 1
	FlagWaitSync = 2
	FlagWaitAck  = 4
)

// ballotNames are the ballot keys in the order of their numbers.
var ballotNames = []Constant{
	{"IS_RO_CFG", BallotIsROCfg},
	{"VCLOCK", BallotVClock},
	{"GC_VCLOCK", BallotGCVClock},
	{"IS_RO", BallotIsRO},
	{"IS_ANON", BallotIsAnon},
	{"IS_BOOTED", BallotIsBooted},
	{"CAN_LEAD", BallotCanLead},
	{"BOOTSTRAP_LEADER_UUID", BallotBootstrapLeaderUUID},
	{"REGISTERED_REPLICA_UUIDS", BallotRegisteredReplicaUUIDs},
	{"INSTANCE_NAME", BallotInstanceName},
}

// metadataNames are the column description keys in the order of their numbers.
var metadataNames = []Constant{
	{"NAME", MetadataName},
	{"TYPE", MetadataType},
	{"COLL", MetadataColl},
	{"IS_NULLABLE", MetadataIsNullable},
	{"IS_AUTOINCREMENT", MetadataIsAutoincrement},
	{"SPAN", MetadataSpan},
}

// raftNames are the election state keys in the order of their numbers.
var raftNames = []Constant{
	{"TERM", RaftTerm},
	{"VOTE", RaftVote},
	{"STATE", RaftState},
	{"VCLOCK", RaftVClock},
	{"LEADER_ID", RaftLeaderID},
	{"IS_LEADER_SEEN", RaftIsLeaderSeen},
}

// flagNames are the flags in the order of their numbers.
var flagNames = []Constant{
	{"COMMIT", FlagCommit},
	{"WAIT_SYNC", FlagWaitSync},
	{"WAIT_ACK", FlagWaitAck},
}
