package boxerr

// The codes, with the numbers and names that clients and programs know them by.
const (
	Unknown                       Code = 0
	IllegalParams                 Code = 1
	MemoryIssue                   Code = 2
	TupleFound                    Code = 3
	Unsupported                   Code = 5
	Readonly                      Code = 7
	Injection                     Code = 8
	CreateSpace                   Code = 9
	SpaceExists                   Code = 10
	DropSpace                     Code = 11
	AlterSpace                    Code = 12
	IndexType                     Code = 13
	ModifyIndex                   Code = 14
	LastDrop                      Code = 15
	TupleFormatLimit              Code = 16
	DropPrimaryKey                Code = 17
	KeyPartType                   Code = 18
	ExactMatch                    Code = 19
	InvalidMsgpack                Code = 20
	TupleNotArray                 Code = 22
	FieldType                     Code = 23
	IndexPartTypeMismatch         Code = 24
	UpdateSplice                  Code = 25
	UpdateArgType                 Code = 26
	FormatMismatchIndexPart       Code = 27
	UnknownUpdateOp               Code = 28
	UpdateField                   Code = 29
	FunctionTXActive              Code = 30
	KeyPartCount                  Code = 31
	ProcLua                       Code = 32
	NoSuchProc                    Code = 33
	NoSuchTrigger                 Code = 34
	NoSuchIndexID                 Code = 35
	NoSuchSpace                   Code = 36
	NoSuchFieldNo                 Code = 37
	ExactFieldCount               Code = 38
	FieldMissing                  Code = 39
	WalIO                         Code = 40
	MoreThanOneTuple              Code = 41
	AccessDenied                  Code = 42
	CreateUser                    Code = 43
	DropUser                      Code = 44
	NoSuchUser                    Code = 45
	UserExists                    Code = 46
	CredsMismatch                 Code = 47
	UnknownRequestType            Code = 48
	UnknownSchemaObject           Code = 49
	CreateFunction                Code = 50
	NoSuchFunction                Code = 51
	FunctionExists                Code = 52
	BeforeReplaceRet              Code = 53
	MultistatementTransaction     Code = 54
	TriggerExists                 Code = 55
	UserMax                       Code = 56
	NoSuchEngine                  Code = 57
	ReloadCfg                     Code = 58
	Cfg                           Code = 59
	SavepointEmptyTX              Code = 60
	NoSuchSavepoint               Code = 61
	UnknownReplica                Code = 62
	ReplicasetUUIDMismatch        Code = 63
	InvalidUUID                   Code = 64
	ReplicasetUUIDIsRO            Code = 65
	InstanceUUIDMismatch          Code = 66
	ReplicaIDIsReserved           Code = 67
	MissingRequestField           Code = 69
	Identifier                    Code = 70
	DropFunction                  Code = 71
	IteratorType                  Code = 72
	ReplicaMax                    Code = 73
	NoConnection                  Code = 77
	Timeout                       Code = 78
	ActiveTransaction             Code = 79
	CursorNoTransaction           Code = 80
	CrossEngineTransaction        Code = 81
	NoSuchRole                    Code = 82
	RoleExists                    Code = 83
	CreateRole                    Code = 84
	IndexExists                   Code = 85
	SessionClosed                 Code = 86
	RoleLoop                      Code = 87
	Grant                         Code = 88
	PrivGranted                   Code = 89
	RoleGranted                   Code = 90
	PrivNotGranted                Code = 91
	RoleNotGranted                Code = 92
	MissingSnapshot               Code = 93
	CantUpdatePrimaryKey          Code = 94
	UpdateIntegerOverflow         Code = 95
	GuestUserPassword             Code = 96
	TransactionConflict           Code = 97
	UnsupportedPriv               Code = 98
	LoadFunction                  Code = 99
	FunctionLanguage              Code = 100
	RtreeRect                     Code = 101
	ProcC                         Code = 102
	Protocol                      Code = 104
	WrongIndexRecord              Code = 106
	WrongIndexParts               Code = 107
	WrongIndexOptions             Code = 108
	WrongSchemaVersion            Code = 109
	MemtxMaxTupleSize             Code = 110
	WrongSpaceOptions             Code = 111
	UnsupportedIndexFeature       Code = 112
	ViewIsRO                      Code = 113
	NoTransaction                 Code = 114
	SystemFailure                 Code = 115
	Loading                       Code = 116
	ConnectionToSelf              Code = 117
	Compression                   Code = 119
	CheckpointInProgress          Code = 120
	SubStmtMax                    Code = 121
	CommitInSubStmt               Code = 122
	RollbackInSubStmt             Code = 123
	Decompression                 Code = 124
	InvalidXlogType               Code = 125
	AlreadyRunning                Code = 126
	IndexFieldCountLimit          Code = 127
	LocalInstanceIDIsReadOnly     Code = 128
	BackupInProgress              Code = 129
	ReadViewAborted               Code = 130
	InvalidIndexFile              Code = 131
	InvalidRunFile                Code = 132
	InvalidVylogFile              Code = 133
	CascadeRollback               Code = 134
	VyQuotaTimeout                Code = 135
	PartialKey                    Code = 136
	TruncateSystemSpace           Code = 137
	LoadModule                    Code = 138
	VinylMaxTupleSize             Code = 139
	WrongDDVersion                Code = 140
	WrongSpaceFormat              Code = 141
	CreateSequence                Code = 142
	AlterSequence                 Code = 143
	DropSequence                  Code = 144
	NoSuchSequence                Code = 145
	SequenceExists                Code = 146
	SequenceOverflow              Code = 147
	NoSuchIndexName               Code = 148
	SpaceFieldIsDuplicate         Code = 149
	CantCreateCollation           Code = 150
	WrongCollationOptions         Code = 151
	NullablePrimary               Code = 152
	NoSuchFieldNameInSpace        Code = 153
	TransactionYield              Code = 154
	NoSuchGroup                   Code = 155
	SQLBindType                   Code = 157
	SQLBindParameterMax           Code = 158
	SQLExecute                    Code = 159
	UpdateDecimalOverflow         Code = 160
	SQLBindNotFound               Code = 161
	ActionMismatch                Code = 162
	ViewMissingSQL                Code = 163
	ForeignKeyConstraint          Code = 164
	NoSuchModule                  Code = 165
	NoSuchCollation               Code = 166
	CreateFKConstraint            Code = 167
	NoSuchConstraint              Code = 169
	ConstraintExists              Code = 170
	SQLTypeMismatch               Code = 171
	RowidOverflow                 Code = 172
	DropCollation                 Code = 173
	IllegalCollationMix           Code = 174
	SQLNoSuchPragma               Code = 175
	SQLCantResolveField           Code = 176
	IndexExistsInSpace            Code = 177
	InconsistentTypes             Code = 178
	SQLSyntaxWithPos              Code = 179
	SQLStackOverflow              Code = 180
	SQLSelectWildcard             Code = 181
	SQLStatementEmpty             Code = 182
	SQLKeywordIsReserved          Code = 183
	SQLSyntaxNearToken            Code = 184
	SQLUnknownToken               Code = 185
	SQLParserGeneric              Code = 186
	SQLColumnCountMax             Code = 188
	HexLiteralMax                 Code = 189
	IntLiteralMax                 Code = 190
	SQLParserLimit                Code = 191
	IndexDefUnsupported           Code = 192
	MultikeyIndexMismatch         Code = 194
	CreateCKConstraint            Code = 195
	SQLColumnCount                Code = 197
	FuncIndexFunc                 Code = 198
	FuncIndexFormat               Code = 199
	FuncIndexParts                Code = 200
	NoSuchFieldName               Code = 201
	FuncWrongArgCount             Code = 202
	BootstrapReadonly             Code = 203
	SQLFuncWrongRetCount          Code = 204
	FuncInvalidReturnType         Code = 205
	SQLParserGenericWithPos       Code = 206
	ReplicaNotAnon                Code = 207
	CannotRegister                Code = 208
	SessionSettingInvalidValue    Code = 209
	SQLPrepare                    Code = 210
	WrongQueryID                  Code = 211
	SequenceNotStarted            Code = 212
	NoSuchSessionSetting          Code = 213
	UncommittedForeignSyncTxns    Code = 214
	SyncQuorumTimeout             Code = 216
	SyncRollback                  Code = 217
	TupleMetadataIsTooBig         Code = 218
	XlogGap                       Code = 219
	TooEarlySubscribe             Code = 220
	SQLCantAddAutoinc             Code = 221
	QuorumWait                    Code = 222
	InterferingPromote            Code = 223
	ElectionDisabled              Code = 224
	TxnRollback                   Code = 225
	NotLeader                     Code = 226
	SyncQueueUnclaimed            Code = 227
	SyncQueueForeign              Code = 228
	UnableToProcessInStream       Code = 229
	UnableToProcessOutOfStream    Code = 230
	TransactionTimeout            Code = 231
	ActiveTimer                   Code = 232
	TupleFieldCountLimit          Code = 233
	CreateConstraint              Code = 234
	FieldConstraintFailed         Code = 235
	TupleConstraintFailed         Code = 236
	CreateForeignKey              Code = 237
	ForeignKeyIntegrity           Code = 238
	FieldForeignKeyFailed         Code = 239
	ComplexForeignKeyFailed       Code = 240
	WrongSpaceUpgradeOptions      Code = 241
	NoElectionQuorum              Code = 242
	SSL                           Code = 243
	SplitBrain                    Code = 244
	OldTerm                       Code = 245
	InterferingElections          Code = 246
	IteratorPosition              Code = 247
	DefaultValueType              Code = 248
	UnknownAuthMethod             Code = 249
	InvalidAuthData               Code = 250
	InvalidAuthRequest            Code = 251
	WeakPassword                  Code = 252
	OldPassword                   Code = 253
	NoSuchSession                 Code = 254
	WrongSessionType              Code = 255
	PasswordExpired               Code = 256
	AuthDelay                     Code = 257
	AuthRequired                  Code = 258
	SQLSeqScan                    Code = 259
	NoSuchEvent                   Code = 260
	BootstrapNotUnanimous         Code = 261
	CantCheckBootstrapLeader      Code = 262
	BootstrapConnectionNotToAll   Code = 263
	NilUUID                       Code = 264
	WrongFunctionOptions          Code = 265
	MissingSystemSpaces           Code = 266
	ClusterNameMismatch           Code = 267
	ReplicasetNameMismatch        Code = 268
	InstanceNameDuplicate         Code = 269
	InstanceNameMismatch          Code = 270
	SchemaNeedsUpgrade            Code = 271
	SchemaUpgradeInProgress       Code = 272
	Deprecated                    Code = 273
	Unconfigured                  Code = 274
	CreateDefaultFunc             Code = 275
	DefaultFuncFailed             Code = 276
	InvalidDec                    Code = 277
	InAnotherPromote              Code = 278
	Shutdown                      Code = 279
	FieldValueOutOfRange          Code = 280
	ReplicasetNotFound            Code = 281
	ReplicasetNoWritable          Code = 282
	ReplicasetMoreThanOneWritable Code = 283
	TxnCommit                     Code = 284
	ReadViewBusy                  Code = 285
	ReadViewClosed                Code = 286
	WalQueueFull                  Code = 287
)

// definition describes a code: its name, the template of its message, and the payload fields that the arguments
// of the template become, in their order and as name:type.
type definition struct {
	name, template, payload string
}

// definitions is indexed by code; unassigned codes have no name.
var definitions = [...]definition{
	Unknown:                       {"UNKNOWN", "Unknown error", ""},
	IllegalParams:                 {"ILLEGAL_PARAMS", "%s", ""},
	MemoryIssue:                   {"MEMORY_ISSUE", "Failed to allocate %u bytes in %s for %s", ""},
	TupleFound:                    {"TUPLE_FOUND", `Duplicate key exists in unique index "%s" in space "%s" with old tuple - %s and new tuple - %s`, "index:string space:string old_tuple:tuple new_tuple:tuple"},
	Unsupported:                   {"UNSUPPORTED", "%s does not support %s", ""},
	Readonly:                      {"READONLY", "Can't modify data on a read-only instance", ""},
	Injection:                     {"INJECTION", "Error injection '%s'", "details:string"},
	CreateSpace:                   {"CREATE_SPACE", "Failed to create space '%s': %s", "space:string details:string"},
	SpaceExists:                   {"SPACE_EXISTS", "Space '%s' already exists", "space:string"},
	DropSpace:                     {"DROP_SPACE", "Can't drop space '%s': %s", "space:string details:string"},
	AlterSpace:                    {"ALTER_SPACE", "Can't modify space '%s': %s", "space:string details:string"},
	IndexType:                     {"INDEX_TYPE", "Unsupported index type supplied for index '%s' in space '%s'", "index:string space:string"},
	ModifyIndex:                   {"MODIFY_INDEX", "Can't create or modify index '%s' in space '%s': %s", "index:string space:string details:string"},
	LastDrop:                      {"LAST_DROP", "Can't drop the primary key in a system space, space '%s'", "space:string"},
	TupleFormatLimit:              {"TUPLE_FORMAT_LIMIT", "Tuple format limit reached: %u", "max:uint"},
	DropPrimaryKey:                {"DROP_PRIMARY_KEY", "Can't drop primary key in space '%s' while secondary keys exist", "space:string"},
	KeyPartType:                   {"KEY_PART_TYPE", "Supplied key type of part %u does not match index part type: expected %s", "partno:uint expected:string"},
	ExactMatch:                    {"EXACT_MATCH", "Invalid key part count in an exact match (expected %u, got %u)", "expected:uint actual:uint"},
	InvalidMsgpack:                {"INVALID_MSGPACK", "Invalid MsgPack - %s", "details:string"},
	TupleNotArray:                 {"TUPLE_NOT_ARRAY", "Tuple/Key must be MsgPack array", ""},
	FieldType:                     {"FIELD_TYPE", "Tuple field %s type does not match one required by operation: expected %s, got %s", "field:string expected:string actual:string"},
	IndexPartTypeMismatch:         {"INDEX_PART_TYPE_MISMATCH", "Field %s has type '%s' in one index, but type '%s' in another", "field:string actual:string expected:string"},
	UpdateSplice:                  {"UPDATE_SPLICE", "SPLICE error on field %s: %s", "field:string details:string"},
	UpdateArgType:                 {"UPDATE_ARG_TYPE", "Argument type in operation '%c' on field %s does not match field type: expected %s", "operation:char field:string expected:string"},
	FormatMismatchIndexPart:       {"FORMAT_MISMATCH_INDEX_PART", "Field %s has type '%s' in space format, but type '%s' in index definition", "field:string actual:string expected:string"},
	UnknownUpdateOp:               {"UNKNOWN_UPDATE_OP", "Unknown UPDATE operation #%d: %s", "argno:int operation:string"},
	UpdateField:                   {"UPDATE_FIELD", "Field %s UPDATE error: %s", "field:string details:string"},
	FunctionTXActive:              {"FUNCTION_TX_ACTIVE", "Transaction is active at return from function", ""},
	KeyPartCount:                  {"KEY_PART_COUNT", "Invalid key part count (expected [0..%u], got %u)", "max:uint value:uint"},
	ProcLua:                       {"PROC_LUA", "%s", "details:string"},
	NoSuchProc:                    {"NO_SUCH_PROC", "Procedure '%s' is not defined", "func:string"},
	NoSuchTrigger:                 {"NO_SUCH_TRIGGER", "Trigger '%s' doesn't exist", "trigger:string"},
	NoSuchIndexID:                 {"NO_SUCH_INDEX_ID", "No index #%u is defined in space '%s'", "index_id:uint space:string"},
	NoSuchSpace:                   {"NO_SUCH_SPACE", "Space '%s' does not exist", "space:string"},
	NoSuchFieldNo:                 {"NO_SUCH_FIELD_NO", "Field %d was not found in the tuple", "fieldno:int"},
	ExactFieldCount:               {"EXACT_FIELD_COUNT", "Tuple field count %u does not match space field count %u", "actual:uint expected:uint"},
	FieldMissing:                  {"FIELD_MISSING", "Tuple field %s required by space format is missing", "field:string"},
	WalIO:                         {"WAL_IO", "Failed to write to disk", ""},
	MoreThanOneTuple:              {"MORE_THAN_ONE_TUPLE", "Get() doesn't support partial keys and non-unique indexes", ""},
	AccessDenied:                  {"ACCESS_DENIED", "%s access to %s '%s' is denied for user '%s'", ""},
	CreateUser:                    {"CREATE_USER", "Failed to create user '%s': %s", "user:string details:string"},
	DropUser:                      {"DROP_USER", "Failed to drop user or role '%s': %s", "user:string details:string"},
	NoSuchUser:                    {"NO_SUCH_USER", "User '%s' is not found", "user:string"},
	UserExists:                    {"USER_EXISTS", "User '%s' already exists", "user:string"},
	CredsMismatch:                 {"CREDS_MISMATCH", "User not found or supplied credentials are invalid", ""},
	UnknownRequestType:            {"UNKNOWN_REQUEST_TYPE", "Unknown request type %u", "value:uint"},
	UnknownSchemaObject:           {"UNKNOWN_SCHEMA_OBJECT", "Unknown object type '%s'", "value:string"},
	CreateFunction:                {"CREATE_FUNCTION", "Failed to create function '%s': %s", "func:string details:string"},
	NoSuchFunction:                {"NO_SUCH_FUNCTION", "Function '%s' does not exist", "func:string"},
	FunctionExists:                {"FUNCTION_EXISTS", "Function '%s' already exists", "func:string"},
	BeforeReplaceRet:              {"BEFORE_REPLACE_RET", "Invalid return value of space:before_replace trigger: expected tuple or nil", ""},
	MultistatementTransaction:     {"MULTISTATEMENT_TRANSACTION", "Can not perform %s in a multi-statement transaction", "operation:string"},
	TriggerExists:                 {"TRIGGER_EXISTS", "Trigger '%s' already exists", "trigger:string"},
	UserMax:                       {"USER_MAX", "A limit on the total number of users has been reached: %u", "max:uint"},
	NoSuchEngine:                  {"NO_SUCH_ENGINE", "Space engine '%s' does not exist", "engine:string"},
	ReloadCfg:                     {"RELOAD_CFG", "Can't set option '%s' dynamically", "option:string"},
	Cfg:                           {"CFG", "Incorrect value for option '%s': %s", "option:string details:string"},
	SavepointEmptyTX:              {"SAVEPOINT_EMPTY_TX", "Can not set a savepoint in an empty transaction", ""},
	NoSuchSavepoint:               {"NO_SUCH_SAVEPOINT", "Can not rollback to savepoint: the savepoint does not exist", ""},
	UnknownReplica:                {"UNKNOWN_REPLICA", "Replica %s is not registered with replica set %s", "replica:string replicaset:string"},
	ReplicasetUUIDMismatch:        {"REPLICASET_UUID_MISMATCH", "Replica set UUID mismatch: expected %s, got %s", "expected:string actual:string"},
	InvalidUUID:                   {"INVALID_UUID", "Invalid UUID: %s", "value:string"},
	ReplicasetUUIDIsRO:            {"REPLICASET_UUID_IS_RO", "Can't reset replica set UUID: it is already assigned", ""},
	InstanceUUIDMismatch:          {"INSTANCE_UUID_MISMATCH", "Instance UUID mismatch: expected %s, got %s", "expected:string actual:string"},
	ReplicaIDIsReserved:           {"REPLICA_ID_IS_RESERVED", "Can't initialize replica id with a reserved value %u", "value:uint"},
	MissingRequestField:           {"MISSING_REQUEST_FIELD", "Missing mandatory field '%s' in request", "value:string"},
	Identifier:                    {"IDENTIFIER", "Invalid identifier '%s' (expected printable symbols only or it is too long)", "value:string"},
	DropFunction:                  {"DROP_FUNCTION", "Can't drop function %u: %s", "func_id:uint details:string"},
	IteratorType:                  {"ITERATOR_TYPE", "Unknown iterator type '%s'", "value:string"},
	ReplicaMax:                    {"REPLICA_MAX", "Replica count limit reached: %u", "max:uint"},
	NoConnection:                  {"NO_CONNECTION", "Connection is not established", ""},
	Timeout:                       {"TIMEOUT", "Timeout exceeded", ""},
	ActiveTransaction:             {"ACTIVE_TRANSACTION", "Operation is not permitted when there is an active transaction ", ""},
	CursorNoTransaction:           {"CURSOR_NO_TRANSACTION", "The transaction the cursor belongs to has ended", ""},
	CrossEngineTransaction:        {"CROSS_ENGINE_TRANSACTION", "Storage engine '%s' does not support cross-engine transactions", "engine:string"},
	NoSuchRole:                    {"NO_SUCH_ROLE", "Role '%s' is not found", "role:string"},
	RoleExists:                    {"ROLE_EXISTS", "Role '%s' already exists", "role:string"},
	CreateRole:                    {"CREATE_ROLE", "Failed to create role '%s': %s", "role:string details:string"},
	IndexExists:                   {"INDEX_EXISTS", "Index '%s' already exists", "index:string"},
	SessionClosed:                 {"SESSION_CLOSED", "Session is closed", ""},
	RoleLoop:                      {"ROLE_LOOP", "Granting role '%s' to role '%s' would create a loop", "role:string grantee:string"},
	Grant:                         {"GRANT", "Incorrect grant arguments: %s", "details:string"},
	PrivGranted:                   {"PRIV_GRANTED", "User '%s' already has %s access on %s", "user:string privilege:string object_type:string object:string"},
	RoleGranted:                   {"ROLE_GRANTED", "User '%s' already has role '%s'", "user:string role:string"},
	PrivNotGranted:                {"PRIV_NOT_GRANTED", "User '%s' does not have %s access on %s '%s'", "user:string privilege:string object_type:string object:string"},
	RoleNotGranted:                {"ROLE_NOT_GRANTED", "User '%s' does not have role '%s'", "user:string role:string"},
	MissingSnapshot:               {"MISSING_SNAPSHOT", "Can't find snapshot", ""},
	CantUpdatePrimaryKey:          {"CANT_UPDATE_PRIMARY_KEY", "Attempt to modify a tuple field which is part of primary index in space '%s'", "space:string space_id:uint old_tuple:tuple new_tuple:tuple ops:msgpack"},
	UpdateIntegerOverflow:         {"UPDATE_INTEGER_OVERFLOW", "Integer overflow when performing '%c' operation on field %s", "operation:char field:string"},
	GuestUserPassword:             {"GUEST_USER_PASSWORD", "Setting password for guest user has no effect", ""},
	TransactionConflict:           {"TRANSACTION_CONFLICT", "Transaction has been aborted by conflict", ""},
	UnsupportedPriv:               {"UNSUPPORTED_PRIV", "Unsupported %s privilege '%s'", "object_type:string privilege:string"},
	LoadFunction:                  {"LOAD_FUNCTION", "Failed to dynamically load function '%s': %s", "func:string details:string"},
	FunctionLanguage:              {"FUNCTION_LANGUAGE", "Unsupported language '%s' specified for function '%s'", "value:string func:string"},
	RtreeRect:                     {"RTREE_RECT", "RTree: %s must be an array with %u (point) or %u (rectangle/box) numeric coordinates", ""},
	ProcC:                         {"PROC_C", "%s", ""},
	Protocol:                      {"PROTOCOL", "%s", "details:string"},
	WrongIndexRecord:              {"WRONG_INDEX_RECORD", "Wrong record in _index space: got {%s}, expected {%s}", "actual:string expected:string"},
	WrongIndexParts:               {"WRONG_INDEX_PARTS", "Wrong index part %u: %s", "partno:uint details:string"},
	WrongIndexOptions:             {"WRONG_INDEX_OPTIONS", "Wrong index options: %s", "details:string"},
	WrongSchemaVersion:            {"WRONG_SCHEMA_VERSION", "Wrong schema version, current: %d, in request: %llu", "actual:ullong expected:ullong"},
	MemtxMaxTupleSize:             {"MEMTX_MAX_TUPLE_SIZE", "Failed to allocate %u bytes for tuple: tuple is too large. Check 'memtx_max_tuple_size' configuration option.", "value:ullong max:ullong"},
	WrongSpaceOptions:             {"WRONG_SPACE_OPTIONS", "Wrong space options: %s", "details:string"},
	UnsupportedIndexFeature:       {"UNSUPPORTED_INDEX_FEATURE", "Index '%s' (%s) of space '%s' (%s) does not support %s", ""},
	ViewIsRO:                      {"VIEW_IS_RO", "View '%s' is read-only", "space:string"},
	NoTransaction:                 {"NO_TRANSACTION", "No active transaction", ""},
	SystemFailure:                 {"SYSTEM", "%s", ""},
	Loading:                       {"LOADING", "Instance bootstrap hasn't finished yet", ""},
	ConnectionToSelf:              {"CONNECTION_TO_SELF", "Connection to self", ""},
	Compression:                   {"COMPRESSION", "Compression error: %s", "details:string"},
	CheckpointInProgress:          {"CHECKPOINT_IN_PROGRESS", "Snapshot is already in progress", ""},
	SubStmtMax:                    {"SUB_STMT_MAX", "Can not execute a nested statement: nesting limit reached", ""},
	CommitInSubStmt:               {"COMMIT_IN_SUB_STMT", "Can not commit transaction in a nested statement", ""},
	RollbackInSubStmt:             {"ROLLBACK_IN_SUB_STMT", "Rollback called in a nested statement", ""},
	Decompression:                 {"DECOMPRESSION", "Decompression error: %s", "details:string"},
	InvalidXlogType:               {"INVALID_XLOG_TYPE", "Invalid xlog type: expected %s, got %s", "expected:string actual:string"},
	AlreadyRunning:                {"ALREADY_RUNNING", "Failed to lock WAL directory %s and hot_standby mode is off", "path:string"},
	IndexFieldCountLimit:          {"INDEX_FIELD_COUNT_LIMIT", "Indexed field count limit reached: %d indexed fields", "max:int"},
	LocalInstanceIDIsReadOnly:     {"LOCAL_INSTANCE_ID_IS_READ_ONLY", "The local instance id %u is read-only", "instance_id:uint"},
	BackupInProgress:              {"BACKUP_IN_PROGRESS", "Backup is already in progress", ""},
	ReadViewAborted:               {"READ_VIEW_ABORTED", "The read view is aborted", ""},
	InvalidIndexFile:              {"INVALID_INDEX_FILE", "Invalid INDEX file %s: %s", "path:string details:string"},
	InvalidRunFile:                {"INVALID_RUN_FILE", "Invalid RUN file: %s", "details:string"},
	InvalidVylogFile:              {"INVALID_VYLOG_FILE", "Invalid VYLOG file: %s", "details:string"},
	CascadeRollback:               {"CASCADE_ROLLBACK", "WAL has a rollback in progress", ""},
	VyQuotaTimeout:                {"VY_QUOTA_TIMEOUT", "Timed out waiting for Vinyl memory quota", ""},
	PartialKey:                    {"PARTIAL_KEY", "%s index  does not support selects via a partial key (expected %u parts, got %u). Please Consider changing index type to TREE.", "index_type:string expected:uint actual:uint"},
	TruncateSystemSpace:           {"TRUNCATE_SYSTEM_SPACE", "Can't truncate a system space, space '%s'", "space:string"},
	LoadModule:                    {"LOAD_MODULE", "Failed to dynamically load module '%s': %s", "module:string details:string"},
	VinylMaxTupleSize:             {"VINYL_MAX_TUPLE_SIZE", "Failed to allocate %u bytes for tuple: tuple is too large. Check 'vinyl_max_tuple_size' configuration option.", "value:uint max:ullong"},
	WrongDDVersion:                {"WRONG_DD_VERSION", "Wrong _schema version: expected 'major.minor[.patch]'", ""},
	WrongSpaceFormat:              {"WRONG_SPACE_FORMAT", "Wrong space format field %u: %s", "fieldno:uint details:string"},
	CreateSequence:                {"CREATE_SEQUENCE", "Failed to create sequence '%s': %s", "sequence:string details:string"},
	AlterSequence:                 {"ALTER_SEQUENCE", "Can't modify sequence '%s': %s", "sequence:string details:string"},
	DropSequence:                  {"DROP_SEQUENCE", "Can't drop sequence '%s': %s", "sequence:string details:string"},
	NoSuchSequence:                {"NO_SUCH_SEQUENCE", "Sequence '%s' does not exist", "sequence:string"},
	SequenceExists:                {"SEQUENCE_EXISTS", "Sequence '%s' already exists", "sequence:string"},
	SequenceOverflow:              {"SEQUENCE_OVERFLOW", "Sequence '%s' has overflowed", "sequence:string"},
	NoSuchIndexName:               {"NO_SUCH_INDEX_NAME", "No index '%s' is defined in space '%s'", "index:string space:string"},
	SpaceFieldIsDuplicate:         {"SPACE_FIELD_IS_DUPLICATE", "Space field '%s' is duplicate", "field:string"},
	CantCreateCollation:           {"CANT_CREATE_COLLATION", "Failed to initialize collation: %s.", "details:string"},
	WrongCollationOptions:         {"WRONG_COLLATION_OPTIONS", "Wrong collation options: %s", "details:string"},
	NullablePrimary:               {"NULLABLE_PRIMARY", "Primary index of space '%s' can not contain nullable parts", "space:string"},
	NoSuchFieldNameInSpace:        {"NO_SUCH_FIELD_NAME_IN_SPACE", "Field '%s' was not found in space '%s' format", "field:string space:string"},
	TransactionYield:              {"TRANSACTION_YIELD", "Transaction has been aborted by a fiber yield", ""},
	NoSuchGroup:                   {"NO_SUCH_GROUP", "Replication group '%s' does not exist", "replication_group:string"},
	SQLBindType:                   {"SQL_BIND_TYPE", "Bind value type %s for parameter %s is not supported", "value_type:string parameter:string"},
	SQLBindParameterMax:           {"SQL_BIND_PARAMETER_MAX", "SQL bind parameter limit reached: %d", "max:int"},
	SQLExecute:                    {"SQL_EXECUTE", "Failed to execute SQL statement: %s", "details:string"},
	UpdateDecimalOverflow:         {"UPDATE_DECIMAL_OVERFLOW", "Decimal overflow when performing operation '%c' on field %s", "operation:char field:string"},
	SQLBindNotFound:               {"SQL_BIND_NOT_FOUND", "Parameter %s was not found in the statement", "parameter:string"},
	ActionMismatch:                {"ACTION_MISMATCH", "Field %s contains %s on conflict action, but %s in index parts", "field:string expected:string actual:string"},
	ViewMissingSQL:                {"VIEW_MISSING_SQL", "Space declared as a view must have SQL statement", ""},
	ForeignKeyConstraint:          {"FOREIGN_KEY_CONSTRAINT", "Can not commit transaction: deferred foreign keys violations are not resolved", ""},
	NoSuchModule:                  {"NO_SUCH_MODULE", "Module '%s' does not exist", "module:string"},
	NoSuchCollation:               {"NO_SUCH_COLLATION", "Collation '%s' does not exist", "collation:string"},
	CreateFKConstraint:            {"CREATE_FK_CONSTRAINT", "Failed to create foreign key constraint '%s': %s", "constraint:string details:string"},
	NoSuchConstraint:              {"NO_SUCH_CONSTRAINT", "Constraint '%s' does not exist in space '%s'", "constraint:string space:string"},
	ConstraintExists:              {"CONSTRAINT_EXISTS", "%s constraint '%s' already exists in space '%s'", "constraint_type:string constraint:string space:string"},
	SQLTypeMismatch:               {"SQL_TYPE_MISMATCH", "Type mismatch: can not convert %s to %s", "actual:string expected:string"},
	RowidOverflow:                 {"ROWID_OVERFLOW", "Rowid is overflowed: too many entries in ephemeral space", ""},
	DropCollation:                 {"DROP_COLLATION", "Can't drop collation '%s': %s", "collation:string details:string"},
	IllegalCollationMix:           {"ILLEGAL_COLLATION_MIX", "Illegal mix of collations", ""},
	SQLNoSuchPragma:               {"SQL_NO_SUCH_PRAGMA", "Pragma '%s' does not exist", "pragma:string"},
	SQLCantResolveField:           {"SQL_CANT_RESOLVE_FIELD", "Can't resolve field '%s'", "field:string"},
	IndexExistsInSpace:            {"INDEX_EXISTS_IN_SPACE", "Index '%s' already exists in space '%s'", "index:string space:string"},
	InconsistentTypes:             {"INCONSISTENT_TYPES", "Inconsistent types: expected %s got %s", "expected:string actual:string"},
	SQLSyntaxWithPos:              {"SQL_SYNTAX_WITH_POS", "Syntax error at line %d at or near position %d: %s", "line:int position:int details:string"},
	SQLStackOverflow:              {"SQL_STACK_OVERFLOW", "Failed to parse SQL statement: parser stack limit reached", ""},
	SQLSelectWildcard:             {"SQL_SELECT_WILDCARD", "Failed to expand '*' in SELECT statement without FROM clause", ""},
	SQLStatementEmpty:             {"SQL_STATEMENT_EMPTY", "Failed to execute an empty SQL statement", ""},
	SQLKeywordIsReserved:          {"SQL_KEYWORD_IS_RESERVED", "At line %d at or near position %d: keyword '%s' is reserved. Please use double quotes if '%s' is an identifier.", "line:int position:int keyword:string"},
	SQLSyntaxNearToken:            {"SQL_SYNTAX_NEAR_TOKEN", "Syntax error at line %d near '%s'", "line:int token:string"},
	SQLUnknownToken:               {"SQL_UNKNOWN_TOKEN", "At line %d at or near position %d: unrecognized token '%s'", "line:int position:int value:string"},
	SQLParserGeneric:              {"SQL_PARSER_GENERIC", "%s", "details:string"},
	SQLColumnCountMax:             {"SQL_COLUMN_COUNT_MAX", "Failed to create space '%s': space column count %d exceeds the limit (%d)", "space:string value:int max:int"},
	HexLiteralMax:                 {"HEX_LITERAL_MAX", "Hex literal %s length %d exceeds the supported limit (%d)", "value:string"},
	IntLiteralMax:                 {"INT_LITERAL_MAX", "Integer literal %s exceeds the supported range [-9223372036854775808, 18446744073709551615]", "literal:string"},
	SQLParserLimit:                {"SQL_PARSER_LIMIT", "%s %d exceeds the limit (%d)", "parameter:string value:int max:int"},
	IndexDefUnsupported:           {"INDEX_DEF_UNSUPPORTED", "%s are prohibited in an index definition", "feature:string"},
	MultikeyIndexMismatch:         {"MULTIKEY_INDEX_MISMATCH", "Field %s is used as multikey in one index and as single key in another", "field:string"},
	CreateCKConstraint:            {"CREATE_CK_CONSTRAINT", "Failed to create check constraint '%s': %s", "constraint:string details:string"},
	SQLColumnCount:                {"SQL_COLUMN_COUNT", "Unequal number of entries in row expression: left side has %u, but right side - %u", "actual:uint expected:uint"},
	FuncIndexFunc:                 {"FUNC_INDEX_FUNC", "Failed to build a key for functional index '%s' of space '%s': %s", "index:string space:string details:string"},
	FuncIndexFormat:               {"FUNC_INDEX_FORMAT", "Key format doesn't match one defined in functional index '%s' of space '%s': %s", "index:string space:string details:string"},
	FuncIndexParts:                {"FUNC_INDEX_PARTS", "Wrong functional index definition: %s", "details:string"},
	NoSuchFieldName:               {"NO_SUCH_FIELD_NAME", "Field '%s' was not found in the tuple", "field:string"},
	FuncWrongArgCount:             {"FUNC_WRONG_ARG_COUNT", "Wrong number of arguments is passed to %s(): expected %s, got %d", "func:string value:int min:int max:int"},
	BootstrapReadonly:             {"BOOTSTRAP_READONLY", "Trying to bootstrap a local read-only instance as master", ""},
	SQLFuncWrongRetCount:          {"SQL_FUNC_WRONG_RET_COUNT", "SQL expects exactly one argument returned from %s, got %d", "func:string actual:int"},
	FuncInvalidReturnType:         {"FUNC_INVALID_RETURN_TYPE", "Function '%s' returned value of invalid type: expected %s got %s", "func:string expected:string actual:string"},
	SQLParserGenericWithPos:       {"SQL_PARSER_GENERIC_WITH_POS", "At line %d at or near position %d: %s", "line:int position:int details:string"},
	ReplicaNotAnon:                {"REPLICA_NOT_ANON", "Replica '%s' is not anonymous and cannot register.", "replica:string"},
	CannotRegister:                {"CANNOT_REGISTER", "Couldn't find an instance to register this replica on.", ""},
	SessionSettingInvalidValue:    {"SESSION_SETTING_INVALID_VALUE", "Session setting %s expected a value of type %s", "setting:string expected:string"},
	SQLPrepare:                    {"SQL_PREPARE", "Failed to prepare SQL statement: %s", "details:string"},
	WrongQueryID:                  {"WRONG_QUERY_ID", "Prepared statement with id %u does not exist", "value:uint"},
	SequenceNotStarted:            {"SEQUENCE_NOT_STARTED", "Sequence '%s' is not started", "sequence:string"},
	NoSuchSessionSetting:          {"NO_SUCH_SESSION_SETTING", "Session setting %s doesn't exist", "setting:string"},
	UncommittedForeignSyncTxns:    {"UNCOMMITTED_FOREIGN_SYNC_TXNS", "Found uncommitted sync transactions from other instance with id %u", "instance_id:uint"},
	SyncQuorumTimeout:             {"SYNC_QUORUM_TIMEOUT", "Quorum collection for a synchronous transaction is timed out", ""},
	SyncRollback:                  {"SYNC_ROLLBACK", "A rollback for a synchronous transaction is received", ""},
	TupleMetadataIsTooBig:         {"TUPLE_METADATA_IS_TOO_BIG", "Can't create tuple: metadata size %u is too big", "value:uint"},
	XlogGap:                       {"XLOG_GAP", "%s", ""},
	TooEarlySubscribe:             {"TOO_EARLY_SUBSCRIBE", "Can't subscribe non-anonymous replica %s until join is done", "replica:string"},
	SQLCantAddAutoinc:             {"SQL_CANT_ADD_AUTOINC", "Can't add AUTOINCREMENT: space %s can't feature more than one AUTOINCREMENT field", "space:string"},
	QuorumWait:                    {"QUORUM_WAIT", "Couldn't wait for quorum %d: %s", "value:int details:string"},
	InterferingPromote:            {"INTERFERING_PROMOTE", "Instance with replica id %u was promoted first", "replica_id:uint"},
	ElectionDisabled:              {"ELECTION_DISABLED", "Elections were turned off", ""},
	TxnRollback:                   {"TXN_ROLLBACK", "Transaction was rolled back", ""},
	NotLeader:                     {"NOT_LEADER", "The instance is not a leader. New leader is %u", "leader_id:uint"},
	SyncQueueUnclaimed:            {"SYNC_QUEUE_UNCLAIMED", "The synchronous transaction queue doesn't belong to any instance", ""},
	SyncQueueForeign:              {"SYNC_QUEUE_FOREIGN", "The synchronous transaction queue belongs to other instance with id %u", "instance_id:uint"},
	UnableToProcessInStream:       {"UNABLE_TO_PROCESS_IN_STREAM", "Unable to process %s request in stream", "request:string"},
	UnableToProcessOutOfStream:    {"UNABLE_TO_PROCESS_OUT_OF_STREAM", "Unable to process %s request out of stream", "request:string"},
	TransactionTimeout:            {"TRANSACTION_TIMEOUT", "Transaction has been aborted by timeout", ""},
	ActiveTimer:                   {"ACTIVE_TIMER", "Operation is not permitted if timer is already running", ""},
	TupleFieldCountLimit:          {"TUPLE_FIELD_COUNT_LIMIT", "Tuple field count limit reached: see box.schema.FIELD_MAX", ""},
	CreateConstraint:              {"CREATE_CONSTRAINT", "Failed to create constraint '%s' in space '%s': %s", "constraint:string space:string details:string"},
	FieldConstraintFailed:         {"FIELD_CONSTRAINT_FAILED", "Check constraint '%s' failed for field '%s'", "constraint:string field:string field_id:uint"},
	TupleConstraintFailed:         {"TUPLE_CONSTRAINT_FAILED", "Check constraint '%s' failed for a tuple", "constraint:string"},
	CreateForeignKey:              {"CREATE_FOREIGN_KEY", "Failed to create foreign key '%s' in space '%s': %s", "constraint:string space:string details:string"},
	ForeignKeyIntegrity:           {"FOREIGN_KEY_INTEGRITY", "Foreign key '%s' integrity check failed: %s", "constraint:string details:string"},
	FieldForeignKeyFailed:         {"FIELD_FOREIGN_KEY_FAILED", "Foreign key constraint '%s' failed for field '%s': %s", "constraint:string field:string details:string field_id:uint"},
	ComplexForeignKeyFailed:       {"COMPLEX_FOREIGN_KEY_FAILED", "Foreign key constraint '%s' failed: %s", "constraint:string details:string"},
	WrongSpaceUpgradeOptions:      {"WRONG_SPACE_UPGRADE_OPTIONS", "Wrong space upgrade options: %s", "details:string"},
	NoElectionQuorum:              {"NO_ELECTION_QUORUM", "Not enough peers connected to start elections: %d out of minimal required %d", "actual:int value:int"},
	SSL:                           {"SSL", "%s", ""},
	SplitBrain:                    {"SPLIT_BRAIN", "Split-Brain discovered: %s", "details:string"},
	OldTerm:                       {"OLD_TERM", "The term is outdated: old - %llu, new - %llu", "old_term:ullong new_term:ullong"},
	InterferingElections:          {"INTERFERING_ELECTIONS", "Interfering elections started", ""},
	IteratorPosition:              {"ITERATOR_POSITION", "Iterator position is invalid", ""},
	DefaultValueType:              {"DEFAULT_VALUE_TYPE", "Type of the default value does not match tuple field %s type: expected %s, got %s", "field:string expected:string actual:string"},
	UnknownAuthMethod:             {"UNKNOWN_AUTH_METHOD", "Unknown authentication method '%s'", "value:string"},
	InvalidAuthData:               {"INVALID_AUTH_DATA", "Invalid '%s' data: %s", "auth_method:string details:string"},
	InvalidAuthRequest:            {"INVALID_AUTH_REQUEST", "Invalid '%s' request: %s", "auth_method:string details:string"},
	WeakPassword:                  {"WEAK_PASSWORD", "Password doesn't meet security requirements: %s", "details:string"},
	OldPassword:                   {"OLD_PASSWORD", "Password must differ from last %d passwords", "history_length:int"},
	NoSuchSession:                 {"NO_SUCH_SESSION", "Session %llu does not exist", "session_id:ullong"},
	WrongSessionType:              {"WRONG_SESSION_TYPE", "Session '%s' is not supported", "session_type:string"},
	PasswordExpired:               {"PASSWORD_EXPIRED", "Password expired", ""},
	AuthDelay:                     {"AUTH_DELAY", "Too many authentication attempts", ""},
	AuthRequired:                  {"AUTH_REQUIRED", "Authentication required", ""},
	SQLSeqScan:                    {"SQL_SEQ_SCAN", "Scanning is not allowed for %s", "space:string"},
	NoSuchEvent:                   {"NO_SUCH_EVENT", "Unknown event %s", "value:string"},
	BootstrapNotUnanimous:         {"BOOTSTRAP_NOT_UNANIMOUS", "Replica %s chose a different bootstrap leader %s", "replica:string leader:string"},
	CantCheckBootstrapLeader:      {"CANT_CHECK_BOOTSTRAP_LEADER", "Can't check who replica %s chose its bootstrap leader", "replica:string"},
	BootstrapConnectionNotToAll:   {"BOOTSTRAP_CONNECTION_NOT_TO_ALL", "Some replica set members were not specified in box.cfg.replication", ""},
	NilUUID:                       {"NIL_UUID", "Nil UUID is reserved and can't be used in replication", ""},
	WrongFunctionOptions:          {"WRONG_FUNCTION_OPTIONS", "Wrong function options: %s", ""},
	MissingSystemSpaces:           {"MISSING_SYSTEM_SPACES", "Snapshot has no system spaces", ""},
	ClusterNameMismatch:           {"CLUSTER_NAME_MISMATCH", "Cluster name mismatch: name '%s' provided in config confilcts with the instance one '%s'", "actual:string expected:string"},
	ReplicasetNameMismatch:        {"REPLICASET_NAME_MISMATCH", "Replicaset name mismatch: name '%s' provided in config confilcts with the instance one '%s'", "actual:string expected:string"},
	InstanceNameDuplicate:         {"INSTANCE_NAME_DUPLICATE", "Duplicate replica name %s, already occupied by %s", "value:string replica:string"},
	InstanceNameMismatch:          {"INSTANCE_NAME_MISMATCH", "Instance name mismatch: name '%s' provided in config confilcts with the instance one '%s'", "actual:string expected:string"},
	SchemaNeedsUpgrade:            {"SCHEMA_NEEDS_UPGRADE", "Your schema version is %s while Tarantool %s requires a more recent schema version. Please, consider using box.schema.upgrade().", "schema_version:string tarantool_version:string"},
	SchemaUpgradeInProgress:       {"SCHEMA_UPGRADE_IN_PROGRESS", "Schema upgrade is already in progress", ""},
	Deprecated:                    {"DEPRECATED", "%s is deprecated", "feature:string"},
	Unconfigured:                  {"UNCONFIGURED", "Please call box.cfg{} first", ""},
	CreateDefaultFunc:             {"CREATE_DEFAULT_FUNC", "Failed to create field default function '%s': %s", "func:string details:string"},
	DefaultFuncFailed:             {"DEFAULT_FUNC_FAILED", "Error calling field default function '%s': %s", "func:string details:string"},
	InvalidDec:                    {"INVALID_DEC", "Invalid decimal: '%s'", "value:string"},
	InAnotherPromote:              {"IN_ANOTHER_PROMOTE", "box.ctl.promote() is already running", ""},
	Shutdown:                      {"SHUTDOWN", "Server is shutting down", ""},
	FieldValueOutOfRange:          {"FIELD_VALUE_OUT_OF_RANGE", "The value of field %s exceeds the supported range for type '%s': %s", "field:string field_type:string value:msgpack min:msgpack max:msgpack"},
	ReplicasetNotFound:            {"REPLICASET_NOT_FOUND", "The replicaset was not found by its name", ""},
	ReplicasetNoWritable:          {"REPLICASET_NO_WRITABLE", "Writable instance was not found in replicaset", ""},
	ReplicasetMoreThanOneWritable: {"REPLICASET_MORE_THAN_ONE_WRITABLE", "More than one writable was found in replicaset", ""},
	TxnCommit:                     {"TXN_COMMIT", "Transaction was committed", ""},
	ReadViewBusy:                  {"READ_VIEW_BUSY", "The read view is busy", ""},
	ReadViewClosed:                {"READ_VIEW_CLOSED", "The read view is closed", ""},
	WalQueueFull:                  {"WAL_QUEUE_FULL", "The WAL queue is full", ""},
}
