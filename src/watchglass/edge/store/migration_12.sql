-- From schema 11 to 12.

-- E: conditions of sources. `seen`: under what light and how large an alert was seen, and what its source did not meet.
ALTER TABLE alert ADD COLUMN seen TEXT;

-- What the pictures of each source were like, hour by hour for two months: means over its minutes, and the least and the
-- most of a minute. `asked_ms` is how long it should have been looked at, `up_ms` how long of that pictures came, `looks`
-- how many minutes had a picture. `clock_ms` is the camera's clock against this machine's, where it was furthest off;
-- `frames` came in and `lost` of work was lost; `followed` counts things, never people one by one.
CREATE TABLE source_hour (
    source         TEXT    NOT NULL,
    hour_ms        INTEGER NOT NULL,
    asked_ms       INTEGER NOT NULL,
    up_ms          INTEGER NOT NULL,
    looks          INTEGER NOT NULL,
    bright         REAL,
    bright_least   REAL,
    bright_most    REAL,
    sharp          REAL,
    sharp_least    REAL,
    sharp_most     REAL,
    zones          REAL,
    zones_least    REAL,
    clock_ms       INTEGER,
    frames         INTEGER NOT NULL,
    lost           INTEGER NOT NULL,
    followed       INTEGER NOT NULL,
    inferences     INTEGER NOT NULL,
    PRIMARY KEY (source, hour_ms)
) STRICT, WITHOUT ROWID;

-- When a source did not meet a condition that the charter states for it. `measured` and `allowed` are in thousandths;
-- `leaf_hash` is of the record that says so, `over_leaf_hash` of the one that says that it is over.
CREATE TABLE source_condition (
    leaf_hash       BLOB PRIMARY KEY CHECK (length(leaf_hash) = 32),
    source          TEXT    NOT NULL,
    condition       TEXT    NOT NULL,
    measured        INTEGER NOT NULL,
    allowed         INTEGER NOT NULL,
    since_ms        INTEGER NOT NULL,
    over_ms         INTEGER,
    over_leaf_hash  BLOB,
    CHECK ((over_ms IS NULL) = (over_leaf_hash IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX source_condition_open ON source_condition (source, condition) WHERE over_ms IS NULL;
CREATE INDEX source_condition_since ON source_condition (source, since_ms);

-- S: samples of what was not alerted. What people are asked to look at: a moment that came near an alert, one whatever was
-- in the picture, or an old alert. `number` was drawn, and lies below `below`, both in thousand-millionths; `place` is
-- where it stands in the order in which people are asked. `answer` is null until somebody has judged it.
CREATE TABLE sample (
    id                 TEXT PRIMARY KEY,
    kind               TEXT    NOT NULL CHECK (kind IN ('near', 'quiet', 'known')),
    band               TEXT    CHECK (band IN ('near', 'very_near')),
    analytic           TEXT    NOT NULL,
    source             TEXT    NOT NULL,
    purpose            TEXT    NOT NULL,
    charter            TEXT    NOT NULL,
    at_ms              INTEGER NOT NULL,
    taken_ms           INTEGER NOT NULL,
    kept_until_ms      INTEGER NOT NULL,
    number             INTEGER NOT NULL,
    below              INTEGER NOT NULL,
    place              INTEGER NOT NULL,
    of_alert           TEXT    REFERENCES alert (id) ON DELETE SET NULL,
    truth              TEXT    CHECK (truth IN ('confirm', 'reject')),
    path               TEXT    UNIQUE,
    key                BLOB,
    seconds            REAL    NOT NULL DEFAULT 0,
    withheld_per_mille INTEGER NOT NULL DEFAULT 0,
    withheld_why       TEXT    NOT NULL DEFAULT '',
    destroyed_ms       INTEGER,
    answer             TEXT    CHECK (answer IN ('yes', 'no', 'cannot-tell')),
    account            INTEGER REFERENCES account (id),
    judged_ms          INTEGER,
    leaf_hash          BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    CHECK ((kind = 'near') = (band IS NOT NULL)),
    CHECK ((kind = 'known') = (truth IS NOT NULL)),
    CHECK ((answer IS NULL) = (judged_ms IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX sample_taken ON sample (taken_ms);
CREATE INDEX sample_of ON sample (of_alert);

CREATE TABLE sample_view (
    sample     TEXT    NOT NULL REFERENCES sample (id) ON DELETE CASCADE,
    account    INTEGER NOT NULL REFERENCES account (id),
    at_ms      INTEGER NOT NULL,
    leaf_hash  BLOB    NOT NULL,
    PRIMARY KEY (sample, account, at_ms)
) STRICT, WITHOUT ROWID;

-- Every moment that came near an alert and was none, by its day (UTC) alone; `told` once a record has counted it.
CREATE TABLE near_miss (
    id        INTEGER PRIMARY KEY,
    analytic  TEXT    NOT NULL,
    band      TEXT    NOT NULL CHECK (band IN ('near', 'very_near')),
    day_ms    INTEGER NOT NULL,
    number    INTEGER NOT NULL,
    below     INTEGER NOT NULL,
    told      INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1))
) STRICT;
CREATE INDEX near_miss_day ON near_miss (day_ms, analytic);
CREATE INDEX near_miss_untold ON near_miss (analytic) WHERE told = 0;

-- L: recalibration. `calibration` of an alert is the record of the one by which its probability was said; null: by test
-- clips, or none was said.
ALTER TABLE alert ADD COLUMN calibration BLOB;

-- What an analytic's own alerts taught their scores are worth: `points` are [least, right, n], scores per mille. It holds
-- for the model and rule of `charter` alone, until `over_ms`.
CREATE TABLE recalibration (
    leaf_hash  BLOB PRIMARY KEY CHECK (length(leaf_hash) = 32),
    analytic   TEXT    NOT NULL,
    charter    BLOB    NOT NULL CHECK (length(charter) = 32),
    facts      TEXT    NOT NULL CHECK (json_valid(facts)),
    since_ms   INTEGER NOT NULL,
    over_ms    INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX recalibration_in_force ON recalibration (analytic) WHERE over_ms IS NULL;

-- D: staged drills. `told` says who gave the times: somebody on the spot in that moment, or afterwards. `charter` is the
-- one under which it was run, or planned; `number` is the order in which drills were scored, `epoch` how often the
-- analytic had been resumed by then.
CREATE TABLE drill (
    id             TEXT PRIMARY KEY,
    analytic       TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    what           TEXT    NOT NULL,
    from_ms        INTEGER NOT NULL,
    to_ms          INTEGER NOT NULL,
    reach_ms       INTEGER NOT NULL,
    planned_ms     INTEGER NOT NULL,
    charter        BLOB    NOT NULL CHECK (length(charter) = 32),
    begun_ms       INTEGER,
    ended_ms       INTEGER,
    told           TEXT    CHECK (told IN ('there', 'afterwards')),
    called_off_ms  INTEGER,
    reason         TEXT,
    stratum        TEXT    CHECK (stratum IN ('day', 'night')),
    result         TEXT    CHECK (result IN ('noticed', 'missed', 'not-run', 'not-counted')),
    cause          TEXT,
    epoch          INTEGER,
    number         INTEGER UNIQUE,
    scored_ms      INTEGER,
    leaf_hash      BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    scored_leaf    BLOB,
    CHECK ((result IS NULL) = (scored_ms IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX drill_time ON drill (analytic, from_ms);
CREATE INDEX drill_open ON drill (to_ms) WHERE scored_ms IS NULL AND called_off_ms IS NULL;

-- The alerts that drills raised: they count neither as right nor as wrong.
CREATE TABLE drill_alert (
    alert  TEXT PRIMARY KEY REFERENCES alert (id) ON DELETE CASCADE,
    drill  TEXT NOT NULL REFERENCES drill (id)
) STRICT, WITHOUT ROWID;

-- X: reports from outside. Of each row of a log that others keep: its minute, the source, and the rule that would have
-- seen it ('' where somebody complained of being approached), and no more. `aside_ms`: since when a person says that the
-- camera does not see that spot. A file's own row goes once every row that came with it must be gone.
CREATE TABLE report_import (
    id         INTEGER PRIMARY KEY,
    log        TEXT    NOT NULL,
    taken_ms   INTEGER NOT NULL,
    leaf_hash  BLOB    NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT;

CREATE TABLE report (
    id        INTEGER PRIMARY KEY,
    import    INTEGER NOT NULL REFERENCES report_import (id) ON DELETE CASCADE,
    log       TEXT    NOT NULL,
    at_ms     INTEGER NOT NULL,
    source    TEXT    NOT NULL,
    analytic  TEXT    NOT NULL,
    aside_ms  INTEGER,
    UNIQUE (log, at_ms, source, analytic)
) STRICT;
CREATE INDEX report_analytic ON report (analytic, at_ms);
CREATE INDEX report_at ON report (at_ms);
