// Package xlog reads and writes the files of a data directory: snapshots (NNN.snap) and logs (NNN.xlog), in the format
// 0.13 of Tarantool, which its releases from 1.7 to 3.x share.
//
// A file is a text header (Meta), blocks of rows, and an end marker if it was closed:
//
//	header            lines of text, the last one empty
//	block, block ...  19 bytes of block header and the rows, plain or compressed with zstd
//	d5 10 ad ed       end marker: nothing may follow it
//
// A Row is a request with its place in the log. Rows of one transaction stand together in one block, so that a block that
// is torn takes whole transactions with it.
//
// Reader goes through a file with memory for one block, whatever lengths the file claims, and tells a torn tail, which is
// no error, from damage, which is one. Writer makes files. Dir knows names and the order in which logs follow each other.
// Print and CheckDir are what command line tools show.
//
// Errors are *boxerr.Error: SystemError where the system failed, XlogError where the content of a file is wrong.
package xlog

import (
	"hash/crc32"
)

// Kind is the type of a file, as its first line names it.
type Kind string

// The kinds of files that this package knows.
const (
	Snap Kind = "SNAP"
	Log  Kind = "XLOG"
)

// Ext is the extension of the kind's file names.
func (k Kind) Ext() string {
	if k == Snap {
		return ".snap"
	}
	return ".xlog"
}

// BlockHeaderSize is the number of bytes before the rows of a block.
const BlockHeaderSize = 19

// markerSize is the size of the markers that begin blocks and end a file.
const markerSize = 4

// The markers, as the big-endian numbers that they are read as.
const (
	plainMarker      uint32 = 0xd5ba0bab
	compressedMarker uint32 = 0xd5ba0bba
	endMarker        uint32 = 0xd510aded
)

// markerStart is the first byte of all markers.
const markerStart = 0xd5

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is CRC-32C with the start value 0 and without the inversion of the result. Go's function inverts both.
func checksum(b []byte) uint32 { return ^crc32.Update(^uint32(0), castagnoli, b) }
