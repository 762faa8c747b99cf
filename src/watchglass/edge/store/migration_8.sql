-- From schema 7 to 8: signals of misuse, and the record of each look at a clip, which they name as evidence.
ALTER TABLE clip_view ADD COLUMN leaf_hash BLOB;

-- What the record of accesses made oversight look at, and what oversight made of it. Oversight alone reads it.
CREATE TABLE misuse_signal (
    id                 TEXT PRIMARY KEY,
    kind               TEXT    NOT NULL,
    person             TEXT    NOT NULL,
    other              TEXT,
    sentence           TEXT    NOT NULL,
    evidence           TEXT    NOT NULL CHECK (json_valid(evidence)),
    at_ms              INTEGER NOT NULL,
    leaf_hash          BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    finding            TEXT,
    note               TEXT,
    settled_ms         INTEGER,
    settled_leaf_hash  BLOB,
    CHECK ((finding IS NULL) = (settled_ms IS NULL))
) STRICT;
CREATE INDEX misuse_signal_at ON misuse_signal (at_ms);
