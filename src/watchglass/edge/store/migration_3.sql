-- From schema 2 to 3: how each source fared, minute by minute for a day, and day by day for two months.
CREATE TABLE source_minute (
    source       TEXT    NOT NULL,
    at_ms        INTEGER NOT NULL,
    heard_ms     INTEGER NOT NULL,
    fault_ms     INTEGER NOT NULL,
    fps          REAL    NOT NULL,
    open_share   REAL    NOT NULL,
    kbit_s       REAL    NOT NULL,
    frames       INTEGER NOT NULL,
    decoded      INTEGER NOT NULL,
    inferences   INTEGER NOT NULL,
    cpu_ms       INTEGER NOT NULL,
    decode_ms    INTEGER NOT NULL,
    detect_ms    INTEGER NOT NULL,
    dropped      TEXT    NOT NULL CHECK (json_valid(dropped)),
    cores        INTEGER NOT NULL,
    PRIMARY KEY (source, at_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE source_day (
    source       TEXT    NOT NULL,
    day_ms       INTEGER NOT NULL,
    heard_ms     INTEGER NOT NULL,
    fault_ms     INTEGER NOT NULL,
    frames       INTEGER NOT NULL,
    decoded      INTEGER NOT NULL,
    inferences   INTEGER NOT NULL,
    cpu_ms       INTEGER NOT NULL,
    decode_ms    INTEGER NOT NULL,
    detect_ms    INTEGER NOT NULL,
    cores        INTEGER NOT NULL,
    PRIMARY KEY (source, day_ms)
) STRICT, WITHOUT ROWID;
