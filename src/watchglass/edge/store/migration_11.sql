-- From schema 10 to 11.

-- V: second reads and seeded checks. Of each verdict: what was drawn with it, in millionths, and how many alerts waited.
ALTER TABLE verdict ADD COLUMN drawn INTEGER;
ALTER TABLE verdict ADD COLUMN drawn_below INTEGER;
ALTER TABLE verdict ADD COLUMN waiting INTEGER;
-- The same incident put before people again as an alert of its own: for a second or third judgement, or as a check whose
-- answer is known (`truth`). Nothing that shows an alert reads this. `clip_due_ms`: when its clip is to follow;
-- `clip_ms`: when that was kept, for retention to tell of it at its own time. `of_alert` is null once that is gone.
CREATE TABLE shown_again (
    alert        TEXT PRIMARY KEY REFERENCES alert (id) ON DELETE CASCADE,
    of_alert     TEXT REFERENCES alert (id) ON DELETE SET NULL,
    of_leaf      BLOB    NOT NULL CHECK (length(of_leaf) = 32),
    why          TEXT    NOT NULL CHECK (why IN ('second', 'third', 'check')),
    truth        TEXT    CHECK (truth IN ('confirm', 'reject')),
    shown_ms     INTEGER NOT NULL,
    clip_due_ms  INTEGER,
    clip_ms      INTEGER,
    closed_ms    INTEGER,
    CHECK ((why = 'check') = (truth IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX shown_again_of ON shown_again (of_alert);

-- What people made together of an alert that was drawn for a second judgement, once nothing is owed any more.
CREATE TABLE reads (
    alert      TEXT PRIMARY KEY REFERENCES alert (id) ON DELETE CASCADE,
    value      TEXT    NOT NULL CHECK (value IN ('confirm', 'reject', 'unsure')),
    told       INTEGER NOT NULL CHECK (told IN (0, 1)),
    settled_ms INTEGER NOT NULL,
    closed_ms  INTEGER
) STRICT, WITHOUT ROWID;

-- J: published limits.

-- The order in which alerts were raised, each once: a number is never given again. What is shown again is not in it.
-- `epoch` is how often its analytic had been resumed by then; `final_ms`, since when it is final.
CREATE TABLE alert_order (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    alert     TEXT    UNIQUE REFERENCES alert (id) ON DELETE SET NULL,
    analytic  TEXT    NOT NULL,
    epoch     INTEGER NOT NULL,
    final_ms  INTEGER
) STRICT;
CREATE INDEX alert_order_analytic ON alert_order (analytic, number);
CREATE INDEX alert_order_final ON alert_order (analytic, final_ms);

-- How each analytic stands to its published limits. `charter` is the one that it was last looked at under; `leaf_hash`
-- is of the record that says how it stands.
CREATE TABLE judged (
    analytic       TEXT PRIMARY KEY,
    state          TEXT    NOT NULL CHECK (state IN ('trial', 'within', 'unknown', 'suspended')),
    why            TEXT    NOT NULL,
    since_ms       INTEGER NOT NULL,
    trial_ends_ms  INTEGER,
    trusted_ms     INTEGER,
    epoch          INTEGER NOT NULL,
    charter        BLOB    NOT NULL CHECK (length(charter) = 32),
    leaf_hash      BLOB    NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT, WITHOUT ROWID;

-- The tests, as far as they have come; `cursor` is the number of the last alert that was considered.
CREATE TABLE judged_test (
    analytic    TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    cursor      INTEGER NOT NULL,
    testing     TEXT    NOT NULL CHECK (json_valid(testing)),
    first_leaf  BLOB,
    last_leaf   BLOB,
    PRIMARY KEY (analytic, name)
) STRICT, WITHOUT ROWID;

-- Analytics that a limit stopped. `resumed` is the record by which oversight lets it run again; `over_ms` is when that
-- took effect.
CREATE TABLE limit_stop (
    leaf_hash   BLOB PRIMARY KEY CHECK (length(leaf_hash) = 32),
    analytic    TEXT    NOT NULL,
    why         TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    stopped_ms  INTEGER NOT NULL,
    obeyed_ms   INTEGER,
    resumed     BLOB,
    resumed_ms  INTEGER,
    over_ms     INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE resumption (
    leaf_hash     BLOB PRIMARY KEY CHECK (length(leaf_hash) = 32),
    stop          BLOB    NOT NULL REFERENCES limit_stop (leaf_hash),
    what_changed  TEXT    NOT NULL,
    proposed_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO alert_order (alert, analytic, epoch) SELECT id, analytic, 0 FROM alert ORDER BY raised_ms, rowid;
