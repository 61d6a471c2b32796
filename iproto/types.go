package iproto

// Type is the type of a request or of an answer.
type Type uint32

// The types of requests and answers. The answer that reports an error has TypeError with the error's code in
// the bits below.
const (
	TypeOK             Type = 0
	TypeSelect         Type = 1
	TypeInsert         Type = 2
	TypeReplace        Type = 3
	TypeUpdate         Type = 4
	TypeDelete         Type = 5
	TypeCall16         Type = 6
	TypeAuth           Type = 7
	TypeEval           Type = 8
	TypeUpsert         Type = 9
	TypeCall           Type = 10
	TypeExecute        Type = 11
	TypeNOP            Type = 12
	TypePrepare        Type = 13
	TypeBegin          Type = 14
	TypeCommit         Type = 15
	TypeRollback       Type = 16
	TypeRaft           Type = 30
	TypeRaftPromote    Type = 31
	TypeRaftDemote     Type = 32
	TypeRaftConfirm    Type = 40
	TypeRaftRollback   Type = 41
	TypePing           Type = 64
	TypeJoin           Type = 65
	TypeSubscribe      Type = 66
	TypeVoteDeprecated Type = 67
	TypeVote           Type = 68
	TypeFetchSnapshot  Type = 69
	TypeRegister       Type = 70
	TypeJoinMeta       Type = 71
	TypeJoinSnapshot   Type = 72
	TypeID             Type = 73
	TypeWatch          Type = 74
	TypeUnwatch        Type = 75
	TypeEvent          Type = 76
	TypeWatchOnce      Type = 77
	TypeChunk          Type = 128
	TypeError          Type = 0x8000
)

// TypeUnknown stands for all types without a handler of their own. It is never sent.
const TypeUnknown = -1

// typeNames are the types in the order of their numbers.
var typeNames = []Constant{
	{"UNKNOWN", -1},
	{"OK", 0},
	{"SELECT", 1},
	{"INSERT", 2},
	{"REPLACE", 3},
	{"UPDATE", 4},
	{"DELETE", 5},
	{"CALL_16", 6},
	{"AUTH", 7},
	{"EVAL", 8},
	{"UPSERT", 9},
	{"CALL", 10},
	{"EXECUTE", 11},
	{"NOP", 12},
	{"PREPARE", 13},
	{"BEGIN", 14},
	{"COMMIT", 15},
	{"ROLLBACK", 16},
	{"RAFT", 30},
	{"RAFT_PROMOTE", 31},
	{"RAFT_DEMOTE", 32},
	{"RAFT_CONFIRM", 40},
	{"RAFT_ROLLBACK", 41},
	{"PING", 64},
	{"JOIN", 65},
	{"SUBSCRIBE", 66},
	{"VOTE_DEPRECATED", 67},
	{"VOTE", 68},
	{"FETCH_SNAPSHOT", 69},
	{"REGISTER", 70},
	{"JOIN_META", 71},
	{"JOIN_SNAPSHOT", 72},
	{"ID", 73},
	{"WATCH", 74},
	{"UNWATCH", 75},
	{"EVENT", 76},
	{"WATCH_ONCE", 77},
	{"CHUNK", 128},
	{"TYPE_ERROR", 32768},
}

// Feature is a feature of the protocol that both sides tell each other in ID.
type Feature uint32

// The features.
const (
	FeatureStreams               Feature = 0
	FeatureTransactions          Feature = 1
	FeatureErrorExtension        Feature = 2
	FeatureWatchers              Feature = 3
	FeaturePagination            Feature = 4
	FeatureSpaceAndIndexNames    Feature = 5
	FeatureWatchOnce             Feature = 6
	FeatureDMLTupleExtension     Feature = 7
	FeatureCallRetTupleExtension Feature = 8
	FeatureCallArgTupleExtension Feature = 9
	FeatureFetchSnapshotCursor   Feature = 10
	FeatureIsSync                Feature = 11
)

// featureNames are the features in the order of their numbers.
var featureNames = []Constant{
	{"streams", 0},
	{"transactions", 1},
	{"error_extension", 2},
	{"watchers", 3},
	{"pagination", 4},
	{"space_and_index_names", 5},
	{"watch_once", 6},
	{"dml_tuple_extension", 7},
	{"call_ret_tuple_extension", 8},
	{"call_arg_tuple_extension", 9},
	{"fetch_snapshot_cursor", 10},
	{"is_sync", 11},
}
