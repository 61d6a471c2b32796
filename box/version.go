package box

// CompatibleVersion is the version of the reference that Lycosa is compatible with: what clients and programs that look
// at a version are told.
const CompatibleVersion = "3.2.1-0-lycosa"

// Package is the name that box.info.package gives.
const Package = "Lycosa"
