-- Heartbeats: runs, the keys of recorders, the last beat of each source, and when each was watched.

-- Each run of the house: which sources it looked at, and how it ended.
CREATE TABLE run (
    run                TEXT PRIMARY KEY,
    charter            BLOB,
    sources            TEXT    NOT NULL CHECK (json_valid(sources)),
    every_s            INTEGER,
    started_ms         INTEGER NOT NULL,
    started_leaf_hash  BLOB    NOT NULL CHECK (length(started_leaf_hash) = 32),
    stopped_ms         INTEGER,
    cause              TEXT,
    stopped_leaf_hash  BLOB,
    CHECK ((stopped_ms IS NULL) = (cause IS NULL))
) STRICT;
CREATE INDEX run_started ON run (started_ms);

-- Keys that recorders made for themselves, each for one run; the private halves are in their memory only.
CREATE TABLE recorder (
    vkey       TEXT PRIMARY KEY,
    run        TEXT    NOT NULL REFERENCES run (run),
    sources    TEXT    NOT NULL CHECK (json_valid(sources)),
    named_ms   INTEGER NOT NULL,
    leaf_hash  BLOB    NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT, WITHOUT ROWID;

-- The last heartbeat of each source: what the next one must name.
CREATE TABLE heartbeat (
    source     TEXT PRIMARY KEY,
    sequence   INTEGER NOT NULL,
    to_s       INTEGER NOT NULL,
    kept_ms    INTEGER NOT NULL,
    leaf_hash  BLOB    NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT, WITHOUT ROWID;

-- Heartbeats of one run that follow each other without a gap and say the same (pictures came, none came, nothing was
-- allowed to look) as one row, so that a month is read at once.
CREATE TABLE watched (
    id               INTEGER PRIMARY KEY,
    source           TEXT    NOT NULL,
    run              TEXT    NOT NULL REFERENCES run (run),
    state            TEXT    NOT NULL,
    from_s           INTEGER NOT NULL,
    to_s             INTEGER NOT NULL,
    beats            INTEGER NOT NULL,
    first_leaf_hash  BLOB    NOT NULL CHECK (length(first_leaf_hash) = 32),
    last_leaf_hash   BLOB    NOT NULL CHECK (length(last_leaf_hash) = 32),
    CHECK (to_s > from_s)
) STRICT;
CREATE INDEX watched_source ON watched (source, to_s);
