// Reads a C2SP tlog-tiles log with somebody else's code: golang.org/x/mod/sumdb/{note,tlog}, as Debian packages it.
//
// Tiles are not read through tlog.TileHashReader (x/mod names its tiles otherwise, and the packaged version has a known
// flaw): every hash is made again from the entries. It prints one line of JSON, or a reason on stderr and exits with 4.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const full = 256

type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at < 0 || at >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d is not stored", at)
		}
		out[i] = s[at]
	}
	return out, nil
}

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(4)
}

func must(err error, what string) {
	if err != nil {
		fail("%s: %v", what, err)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	must(err, "read")
	return data
}

func parse(data []byte, key string) checkpoint {
	verifier, err := note.NewVerifier(key)
	must(err, "key")
	opened, err := note.Open(data, note.VerifierList(verifier))
	must(err, "checkpoint")
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		fail("checkpoint: not of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "size")
	raw, err := base64.StdEncoding.DecodeString(lines[2])
	must(err, "root")
	if len(raw) != tlog.HashSize {
		fail("root: %d bytes", len(raw))
	}
	var root tlog.Hash
	copy(root[:], raw)
	return checkpoint{lines[0], size, root}
}

func name(kind string, index int64, width int64) string {
	path := fmt.Sprintf("%03d", index%1000)
	for index >= 1000 {
		index /= 1000
		path = fmt.Sprintf("x%03d/%s", index%1000, path)
	}
	if width < full {
		path = fmt.Sprintf("%s.p/%d", path, width)
	}
	return filepath.Join("tile", kind, path)
}

func bundle(data []byte, width int64) [][]byte {
	out := make([][]byte, 0, width)
	for len(data) >= 2 {
		n := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+n {
			fail("a bundle is torn")
		}
		out = append(out, data[2:2+n])
		data = data[2+n:]
	}
	if len(data) != 0 || int64(len(out)) != width {
		fail("a bundle holds %d entries instead of %d", len(out), width)
	}
	return out
}

func checkProof(path string, key string, hashes stored, now checkpoint) int64 {
	text := string(read(path))
	head, signed, found := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		fail("proof: not a tlog-proof")
	}
	under := parse([]byte(signed), key)
	if under != now {
		fail("proof: under another checkpoint")
	}
	lines = lines[1:]
	var record []byte
	if strings.HasPrefix(lines[0], "extra ") {
		var err error
		record, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[0], "extra "))
		must(err, "extra")
		lines = lines[1:]
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	must(err, "index")
	proof := tlog.RecordProof{}
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		must(err, "proof hash")
		proof = append(proof, hash)
	}
	must(tlog.CheckRecord(proof, now.size, now.root, index, tlog.RecordHash(record)), "proof")
	return index
}

func main() {
	key := flag.String("key", "", "the log's verifier key")
	before := flag.String("before", "", "a checkpoint that was seen before")
	proof := flag.String("proof", "", "a tlog-proof that carries its entry")
	flag.Parse()
	root := flag.Arg(0)
	now := parse(read(filepath.Join(root, "checkpoint")), *key)
	var hashes stored
	for first := int64(0); first < now.size; first += full {
		width := now.size - first
		if width > full {
			width = full
		}
		tile := read(filepath.Join(root, name("0", first/full, width)))
		for at, entry := range bundle(read(filepath.Join(root, name("entries", first/full, width))), width) {
			made := tlog.RecordHash(entry)
			if !bytes.Equal(tile[at*tlog.HashSize:(at+1)*tlog.HashSize], made[:]) {
				fail("entry %d and its tile differ", first+int64(at))
			}
			more, err := tlog.StoredHashesForRecordHash(first+int64(at), made, hashes)
			must(err, "hashes")
			hashes = append(hashes, more...)
		}
	}
	found, err := tlog.TreeHash(now.size, hashes)
	must(err, "tree")
	if found != now.root {
		fail("the entries lead to the root %v, the checkpoint says %v", found, now.root)
	}
	result := map[string]interface{}{"origin": now.origin, "size": now.size, "root": now.root.String()}
	if *before != "" {
		old := parse(read(*before), *key)
		made, err := tlog.ProveTree(now.size, old.size, hashes)
		must(err, "consistency")
		must(tlog.CheckTree(made, now.size, now.root, old.size, old.root), "consistency")
		result["continues"] = old.size
	}
	if *proof != "" {
		result["proved"] = checkProof(*proof, *key, hashes, now)
	}
	json.NewEncoder(os.Stdout).Encode(result)
}
