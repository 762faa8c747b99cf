-- From schema 6 to 7: sealed originals, their keys, cases, releases and holds.
-- The public keys to which shares of a month's segments are sealed, each with its custodian's signed statement.
CREATE TABLE sealing_key (
    custodian            TEXT    NOT NULL,
    period               TEXT    NOT NULL,
    public               BLOB    NOT NULL CHECK (length(public) = 32),
    statement            BLOB    NOT NULL,
    leaf_hash            BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    published_ms         INTEGER NOT NULL,
    destroyed_ms         INTEGER,
    destroyed_leaf_hash  BLOB,
    PRIMARY KEY (custodian, period)
) STRICT, WITHOUT ROWID;

-- Sealed originals. `header` holds every wrapped share of the key; the chunks lie in the object store under `path`.
-- Retention destroys the header first, then the chunks.
CREATE TABLE segment (
    id              TEXT PRIMARY KEY,
    source          TEXT    NOT NULL,
    purpose         TEXT    NOT NULL,
    from_ms         INTEGER NOT NULL,
    to_ms           INTEGER NOT NULL,
    period          TEXT    NOT NULL,
    charter         BLOB    NOT NULL CHECK (length(charter) = 32),
    alert           TEXT,
    path            TEXT    NOT NULL UNIQUE,
    header          BLOB,
    opened          BLOB,
    bytes           INTEGER NOT NULL,
    sha256          BLOB    NOT NULL CHECK (length(sha256) = 32),
    key_commitment  BLOB    NOT NULL CHECK (length(key_commitment) = 32),
    made_ms         INTEGER NOT NULL,
    keep_until_ms   INTEGER NOT NULL,
    destroyed_ms    INTEGER,
    leaf_hash       BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    CHECK (to_ms > from_ms),
    CHECK ((destroyed_ms IS NULL) = (header IS NOT NULL))
) STRICT;
CREATE INDEX segment_place ON segment (source, from_ms);
CREATE INDEX segment_due ON segment (keep_until_ms) WHERE destroyed_ms IS NULL;
CREATE INDEX segment_period ON segment (period);

CREATE TABLE evidence_case (
    id         TEXT PRIMARY KEY,
    number     TEXT    NOT NULL,
    authority  TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    purpose    TEXT    NOT NULL,
    case_key   BLOB    NOT NULL CHECK (length(case_key) = 32),
    until_ms   INTEGER NOT NULL,
    opened_ms  INTEGER NOT NULL,
    closed_ms  INTEGER,
    person     TEXT    NOT NULL,
    statement  BLOB    NOT NULL,
    leaf_hash  BLOB    NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT;

-- What was asked for: by an investigator of the custodians, or (`glass` = 1) taken by the emergency rule.
CREATE TABLE release_request (
    id                 TEXT PRIMARY KEY,
    glass              INTEGER NOT NULL CHECK (glass IN (0, 1)),
    evidence_case      TEXT    REFERENCES evidence_case (id),
    source             TEXT    NOT NULL,
    purpose            TEXT    NOT NULL,
    from_ms            INTEGER NOT NULL,
    to_ms              INTEGER NOT NULL,
    reason             TEXT    NOT NULL,
    recipient          BLOB,
    until_ms           INTEGER NOT NULL,
    asked_ms           INTEGER NOT NULL,
    person             TEXT    NOT NULL,
    role               TEXT    NOT NULL,
    vkey               TEXT    NOT NULL,
    statement          BLOB    NOT NULL,
    leaf_hash          BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    granted_ms         INTEGER,
    granted_leaf_hash  BLOB,
    taken_ms           INTEGER,
    taken_leaf_hash    BLOB,
    followed_ms        INTEGER,
    CHECK (glass = 1 OR (evidence_case IS NOT NULL AND recipient IS NOT NULL))
) STRICT;
CREATE INDEX release_request_case ON release_request (evidence_case);
CREATE INDEX release_request_open ON release_request (until_ms) WHERE granted_ms IS NULL;

CREATE TABLE release_answer (
    request      TEXT    NOT NULL REFERENCES release_request (id),
    custodian    TEXT    NOT NULL,
    approved     INTEGER NOT NULL CHECK (approved IN (0, 1)),
    reason       TEXT    NOT NULL,
    until_ms     INTEGER NOT NULL,
    statement    BLOB    NOT NULL,
    bundle       BLOB,
    answered_ms  INTEGER NOT NULL,
    leaf_hash    BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    PRIMARY KEY (request, custodian),
    CHECK ((approved = 1) = (bundle IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE hold (
    id          TEXT PRIMARY KEY,
    source      TEXT    NOT NULL,
    from_ms     INTEGER NOT NULL,
    to_ms       INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    until_ms    INTEGER NOT NULL,
    role        TEXT    NOT NULL,
    ordered_ms  INTEGER NOT NULL,
    lifted_ms   INTEGER,
    statement   BLOB    NOT NULL,
    leaf_hash   BLOB    NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT;

-- What each custodian sealed anew to a key of the hold, so that the month's key can still be destroyed.
CREATE TABLE hold_share (
    hold       TEXT    NOT NULL REFERENCES hold (id),
    custodian  TEXT    NOT NULL,
    bundle     BLOB    NOT NULL,
    statement  BLOB    NOT NULL,
    kept_ms    INTEGER NOT NULL,
    leaf_hash  BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    PRIMARY KEY (hold, custodian)
) STRICT, WITHOUT ROWID;

-- Requests that the house did not let through, for the signals of misuse.
CREATE TABLE release_denied (
    id        INTEGER PRIMARY KEY,
    at_ms     INTEGER NOT NULL,
    person    TEXT    NOT NULL,
    evidence_case TEXT,
    source    TEXT,
    why       TEXT    NOT NULL,
    leaf_hash BLOB    NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT;
