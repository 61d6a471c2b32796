//go:build cgo

package lua

import "testing"

// TestBeforeCfg asks for sessions and settings of authentication when there is no database yet.
func TestBeforeCfg(t *testing.T) {
	runChunks(t, []chunkTest{
		{"who runs", `return box.session.user() .. ' ' .. box.session.euid() .. ' ' .. box.session.type()`, "admin 1 background"},
		{"su", `return tostring(select(2, pcall(box.session.su, 'admin', print)))`, "Please call box.cfg{} first"},
		{"accounts", `return tostring(select(2, pcall(function() return box.schema.user end)))`, "Please call box.cfg{} first"},
		{"delays", `return tostring(select(2, pcall(box.cfg, {auth_delay = 1})))`,
			"Incorrect value for option 'auth_delay': unexpected option"},
		{"methods", `return tostring(select(2, pcall(box.cfg, {auth_type = 'pap-sha256'})))`,
			"Incorrect value for option 'auth_type': pap-sha256"},
		{"watching", `box.broadcast('k', 1) return tostring(box.watch_once('k')) .. ' ' .. select('#', box.watch_once('box.status'))`, "1 0"},
	})
}
