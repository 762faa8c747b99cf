-- The database of one deployment. Times are milliseconds since 1970-01-01 UTC; booleans are 0 or 1; JSON is text.
-- A change here raises SCHEMA_VERSION in database.py and brings a migration.

-- ---- records ------------------------------------------------------------------------------------------------------

-- Leaves that are not yet in a published checkpoint, each with its sealed opening. `idx` is the place in the log, once
-- the sequencer has given it. Rows are only appended, so that a group of acts touches few pages; once its leaf is in
-- the log, a row's parts move to `entry` and `opening`.
CREATE TABLE outbox (
    seq          INTEGER PRIMARY KEY,
    lane         TEXT    NOT NULL CHECK (lane IN ('prompt', 'batch')),
    act          TEXT    NOT NULL,
    analytic     TEXT,
    hour         TEXT    NOT NULL,
    leaf         BLOB    NOT NULL,
    leaf_hash    BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    created_ms   INTEGER NOT NULL,
    merge_by_ms  INTEGER NOT NULL,
    key_id       BLOB,
    sealed       BLOB,
    idx          INTEGER,
    CHECK ((key_id IS NULL) = (sealed IS NULL))
) STRICT;
CREATE UNIQUE INDEX outbox_idx ON outbox (idx) WHERE idx IS NOT NULL;

-- Sealed openings of leaves that are in the log. Destroying a row here, or the key of its hour (which needs no row
-- here to go first), is how retention and erasure destroy salts.
CREATE TABLE opening (
    idx        INTEGER PRIMARY KEY,
    leaf_hash  BLOB NOT NULL UNIQUE CHECK (length(leaf_hash) = 32),
    key_id     BLOB NOT NULL,
    sealed     BLOB NOT NULL
) STRICT;

CREATE TABLE opening_key (
    key_id   BLOB PRIMARY KEY CHECK (length(key_id) = 16),
    hour     TEXT NOT NULL,
    wrapped  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What is in the published log: for look-ups, and to notice a ledger directory that is not this database's.
CREATE TABLE entry (
    idx        INTEGER PRIMARY KEY,
    leaf_hash  BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    act        TEXT NOT NULL,
    analytic   TEXT,
    hour       TEXT NOT NULL
) STRICT;
CREATE INDEX entry_leaf_hash ON entry (leaf_hash);
CREATE INDEX entry_act ON entry (act, idx);

-- ---- people -------------------------------------------------------------------------------------------------------

CREATE TABLE account (
    id             INTEGER PRIMARY KEY,
    name           TEXT    NOT NULL UNIQUE,
    roles          TEXT    NOT NULL CHECK (json_valid(roles)),
    password_hash  TEXT    NOT NULL,
    opened_ms      INTEGER NOT NULL,
    closed_ms      INTEGER
) STRICT;

CREATE TABLE session (
    token_hash  BLOB PRIMARY KEY,
    account     INTEGER NOT NULL REFERENCES account (id),
    csrf        TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    seen_ms     INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account);

CREATE TABLE pseudonym (
    account  INTEGER NOT NULL REFERENCES account (id),
    month    TEXT    NOT NULL,
    value    TEXT    NOT NULL UNIQUE,
    PRIMARY KEY (account, month)
) STRICT, WITHOUT ROWID;

-- ---- the charter --------------------------------------------------------------------------------------------------

CREATE TABLE charter_version (
    sha256        BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    version       INTEGER NOT NULL,
    text          BLOB    NOT NULL,
    published_ms  INTEGER NOT NULL,
    leaf_hash     BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE charter_approval (
    sha256     BLOB NOT NULL,
    as_role    TEXT NOT NULL CHECK (as_role IN ('authority', 'oversight')),
    statement  BLOB NOT NULL,
    leaf_hash  BLOB NOT NULL,
    PRIMARY KEY (sha256, as_role)
) STRICT, WITHOUT ROWID;

CREATE TABLE suspension (
    leaf_hash         BLOB PRIMARY KEY CHECK (length(leaf_hash) = 32),
    scope             TEXT    NOT NULL CHECK (scope IN ('all', 'analytic')),
    analytic          TEXT,
    ordered_ms        INTEGER NOT NULL,
    obeyed_ms         INTEGER,
    lifted_leaf_hash  BLOB,
    lifted_ms         INTEGER,
    CHECK ((scope = 'analytic') = (analytic IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- ---- sources ------------------------------------------------------------------------------------------------------

CREATE TABLE backdrop (
    id            INTEGER PRIMARY KEY,
    source        TEXT    NOT NULL,
    png           BLOB    NOT NULL,
    made_ms       INTEGER NOT NULL,
    confirmed_ms  INTEGER,
    withdrawn_ms  INTEGER,
    account       INTEGER REFERENCES account (id),
    scene         TEXT    NOT NULL DEFAULT 'day'
) STRICT;
CREATE INDEX backdrop_source ON backdrop (source, id);

CREATE TABLE source_state (
    name     TEXT PRIMARY KEY,
    health   TEXT    NOT NULL CHECK (json_valid(health)),
    seen_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How each source fared, minute by minute for a day; then day by day for two months, on which published costs rest.
-- `heard_ms` is how long the source was heard, `fault_ms` how long of that with a fault; counters are what the minute
-- added. Times of the processor are milliseconds of one core, of which the machine has `cores`.
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

-- ---- alerts -------------------------------------------------------------------------------------------------------

CREATE TABLE alert (
    id                TEXT PRIMARY KEY,
    source            TEXT    NOT NULL,
    analytic          TEXT    NOT NULL,
    kind              TEXT    NOT NULL,
    zone              TEXT,
    purpose           TEXT    NOT NULL,
    charter           TEXT    NOT NULL,
    at_ms             INTEGER NOT NULL,
    raised_ms         INTEGER NOT NULL,
    due_ms            INTEGER NOT NULL,
    score_per_mille   INTEGER,
    why               TEXT    NOT NULL,
    facts             TEXT    NOT NULL CHECK (json_valid(facts)),
    boxes             TEXT    NOT NULL CHECK (json_valid(boxes)),
    still             BLOB    NOT NULL,
    state             TEXT    NOT NULL,
    claimed_by        INTEGER REFERENCES account (id),
    claimed_until_ms  INTEGER,
    leaf_hash         BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    probability_per_mille INTEGER,
    seen TEXT,
    calibration       BLOB
) STRICT;
CREATE INDEX alert_state ON alert (state, raised_ms);
CREATE INDEX alert_raised ON alert (raised_ms);

CREATE TABLE verdict (
    id            INTEGER PRIMARY KEY,
    alert         TEXT    NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    account       INTEGER NOT NULL REFERENCES account (id),
    value         TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    decided_ms    INTEGER NOT NULL,
    final_ms      INTEGER NOT NULL,
    withdrawn_ms  INTEGER,
    leaf_hash     BLOB    NOT NULL CHECK (length(leaf_hash) = 32),
    drawn         INTEGER,
    drawn_below   INTEGER,
    waiting       INTEGER
) STRICT;
-- Two people never decide the same alert unknowingly: one standing verdict at most.
CREATE UNIQUE INDEX verdict_standing ON verdict (alert) WHERE withdrawn_ms IS NULL;
CREATE INDEX verdict_decided ON verdict (decided_ms);

CREATE TABLE handover (
    alert            TEXT PRIMARY KEY REFERENCES alert (id) ON DELETE CASCADE,
    state            TEXT    NOT NULL,
    handed_ms        INTEGER NOT NULL,
    acknowledged_ms  INTEGER,
    on_the_way_ms    INTEGER,
    arrived_ms       INTEGER,
    closed_ms        INTEGER,
    outcome          TEXT,
    note             TEXT    NOT NULL DEFAULT '',
    leaf_hash        BLOB    NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT, WITHOUT ROWID;
CREATE INDEX handover_state ON handover (state, handed_ms);

CREATE TABLE clip (
    id                INTEGER PRIMARY KEY,
    alert             TEXT    NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    path              TEXT    NOT NULL UNIQUE,
    key               BLOB,
    nonce             BLOB,
    bytes             INTEGER NOT NULL,
    seconds           REAL    NOT NULL,
    masked_per_mille  INTEGER NOT NULL,
    sha256            BLOB    NOT NULL CHECK (length(sha256) = 32),
    made_ms           INTEGER NOT NULL,
    destroyed_ms      INTEGER,
    withheld_per_mille INTEGER NOT NULL DEFAULT 0,
    withheld_why      TEXT    NOT NULL DEFAULT '',
    CHECK ((destroyed_ms IS NULL) = (key IS NOT NULL))
) STRICT;
CREATE INDEX clip_alert ON clip (alert);
CREATE INDEX clip_made ON clip (made_ms) WHERE destroyed_ms IS NULL;

-- Who has looked at which clip, and when: a row for each look. What is fetched within minutes of it is the same look.
CREATE TABLE clip_view (
    alert     TEXT    NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    account   INTEGER NOT NULL REFERENCES account (id),
    at_ms     INTEGER NOT NULL,
    leaf_hash BLOB,
    PRIMARY KEY (alert, account, at_ms)
) STRICT, WITHOUT ROWID;

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

-- ---- published limits ---------------------------------------------------------------------------------------------

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

-- ---- notices ------------------------------------------------------------------------------------------------------

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

-- ---- signed on people's own machines ------------------------------------------------------------------------------

-- A statement is accepted once; its signature tells it again.
CREATE TABLE statement (
    sig          BLOB PRIMARY KEY CHECK (length(sig) = 64),
    accepted_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolled_key (
    vkey       TEXT PRIMARY KEY,
    role       TEXT NOT NULL,
    month      TEXT NOT NULL,
    person     TEXT NOT NULL,
    leaf_hash  BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    UNIQUE (person, month)
) STRICT, WITHOUT ROWID;

-- ---- sealed originals ---------------------------------------------------------------------------------------------

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

-- ---- signals of misuse --------------------------------------------------------------------------------------------

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

-- ---- heartbeats -----------------------------------------------------------------------------------------------------

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

-- ---- conditions of sources -----------------------------------------------------------------------------------------

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

-- ---- samples of what was not alerted --------------------------------------------------------------------------------

-- What people are asked to look at: a moment that came near an alert, one whatever was
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

-- ---- recalibration ------------------------------------------------------------------------------------------------

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

-- ---- staged drills ----

-- Staged drills. `told` says who gave the times: somebody on the spot in that moment, or afterwards. `charter` is the
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

-- ---- reports from outside --------------------------------------------------------------------------------------------

-- Of each row of a log that others keep: its minute, the source, and the rule that would have
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

-- ---- the rest -----------------------------------------------------------------------------------------------------

CREATE TABLE setting (
    key    TEXT PRIMARY KEY,
    value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
