-- From schema 9 to 10: every look at a clip has its own record, not only the first of each person.
ALTER TABLE clip_view RENAME TO clip_view_9;
CREATE TABLE clip_view (
    alert     TEXT    NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    account   INTEGER NOT NULL REFERENCES account (id),
    at_ms     INTEGER NOT NULL,
    leaf_hash BLOB,
    PRIMARY KEY (alert, account, at_ms)
) STRICT, WITHOUT ROWID;
INSERT INTO clip_view (alert, account, at_ms, leaf_hash) SELECT alert, account, first_ms, leaf_hash FROM clip_view_9;
DROP TABLE clip_view_9;
