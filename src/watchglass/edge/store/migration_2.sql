-- From schema 1 to 2: notices to destinations outside.

-- What destinations outside are told: a row for each destination of each alert, verdict or withdrawal that concerns it.
-- `body` is exactly what is sent. `since_ms` is when the time for delivery began; `due_ms` is when the next attempt may be.
CREATE TABLE notice (
    seq          INTEGER PRIMARY KEY,
    id           TEXT    NOT NULL UNIQUE,
    event        TEXT    NOT NULL,
    destination  TEXT    NOT NULL,
    analytic     TEXT    NOT NULL,
    alert        TEXT    REFERENCES alert (id) ON DELETE CASCADE,
    status       TEXT    NOT NULL,
    body         BLOB    NOT NULL,
    made_ms      INTEGER NOT NULL,
    since_ms     INTEGER NOT NULL,
    due_ms       INTEGER NOT NULL,
    tries        INTEGER NOT NULL DEFAULT 0,
    cause        TEXT    NOT NULL DEFAULT '',
    outcome      TEXT,
    settled_ms   INTEGER,
    UNIQUE (event, destination),
    CHECK ((outcome IS NULL) = (settled_ms IS NULL))
) STRICT;
CREATE INDEX notice_alert ON notice (alert);
CREATE INDEX notice_open ON notice (destination, seq) WHERE outcome IS NULL;
