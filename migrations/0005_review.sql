-- Review, withdrawals, complaints and appeals. Times are Unix milliseconds (_ms).

CREATE TABLE review_chain (
  library    TEXT PRIMARY KEY REFERENCES library (id) ON DELETE CASCADE,
  steps      TEXT NOT NULL,               -- JSON array of steps, in order (catalogue::Chain); no row: nothing is reviewed
  changed_ms BIGINT NOT NULL
);

CREATE TABLE review (
  id           TEXT PRIMARY KEY,
  resource     TEXT NOT NULL REFERENCES resource (id),
  library      TEXT NOT NULL REFERENCES library (id),
  version      BIGINT NOT NULL,           -- from 1, by resource
  state        TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'returned', 'taken_back')),
  steps        TEXT NOT NULL,             -- JSON: the chain as it was when this was handed in
  step         BIGINT NOT NULL,           -- index of the step that has it, or had it last
  due_ms       BIGINT NOT NULL,           -- until when that step is to decide
  snapshot     TEXT NOT NULL,             -- JSON: what was handed in (catalogue::Snapshot)
  is_update    BIGINT NOT NULL,           -- 1: the resource is published as it was before, until this is accepted
  handed_in_by TEXT NOT NULL REFERENCES account (id),
  handed_in_ms BIGINT NOT NULL,
  ended_ms     BIGINT,                    -- null: a step has it
  UNIQUE (resource, version)
);
CREATE UNIQUE INDEX review_one_open ON review (resource) WHERE state = 'open';
CREATE INDEX review_open ON review (state, due_ms);

CREATE TABLE review_decision (
  review   TEXT NOT NULL REFERENCES review (id) ON DELETE CASCADE,
  number   BIGINT NOT NULL,               -- order within the review, from 0
  step     BIGINT NOT NULL,               -- index of the step
  verdict  TEXT NOT NULL CHECK (verdict IN ('accept', 'return')),
  reason   TEXT NOT NULL,                 -- may be empty where it was accepted
  account  TEXT NOT NULL REFERENCES account (id),
  at_ms    BIGINT NOT NULL,
  appealed BIGINT NOT NULL,               -- 1: decided above, on appeal
  PRIMARY KEY (review, number)
);

CREATE TABLE review_comment (
  id          TEXT PRIMARY KEY,
  resource    TEXT NOT NULL REFERENCES resource (id),
  answers     TEXT REFERENCES review_comment (id), -- the comment that this one answers
  account     TEXT NOT NULL REFERENCES account (id),
  start_ms    BIGINT,                     -- the moment of video or audio that it is about, media time
  page        BIGINT,                     -- the page or chapter that it is about, from 1
  words       TEXT NOT NULL,
  created_ms  BIGINT NOT NULL,
  resolved_ms BIGINT                      -- null: still to be looked at
);
CREATE INDEX review_comment_resource ON review_comment (resource, created_ms);

CREATE TABLE review_delegation (
  id         TEXT PRIMARY KEY,
  library    TEXT NOT NULL REFERENCES library (id) ON DELETE CASCADE,
  step       TEXT NOT NULL,               -- name of the step
  account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE, -- who decides in it meanwhile, too
  given_by   TEXT NOT NULL REFERENCES account (id),
  created_ms BIGINT NOT NULL,
  ends_ms    BIGINT NOT NULL
);
CREATE INDEX review_delegation_account ON review_delegation (account, ends_ms);

CREATE TABLE withdrawal (
  id        TEXT PRIMARY KEY,
  resource  TEXT NOT NULL REFERENCES resource (id),
  account   TEXT NOT NULL REFERENCES account (id),
  reason    TEXT NOT NULL,                -- may be empty where the author did it
  ordered   BIGINT NOT NULL,              -- 1: by somebody else than the author, who alone cannot undo it
  office    TEXT REFERENCES organisation (id), -- for which it was done; null: the net
  at_ms     BIGINT NOT NULL,
  lifted_ms BIGINT                        -- null: it counts
);
CREATE INDEX withdrawal_resource ON withdrawal (resource, at_ms);

CREATE TABLE complaint (
  number      TEXT PRIMARY KEY,           -- case number, such as 2026-000123
  resource    TEXT NOT NULL REFERENCES resource (id),
  library     TEXT NOT NULL REFERENCES library (id),
  reason      TEXT NOT NULL,              -- a code (catalogue::COMPLAINT_REASONS)
  words       TEXT NOT NULL,
  contact     TEXT NOT NULL,              -- may be empty
  account     TEXT REFERENCES account (id) ON DELETE SET NULL, -- who, when they were logged in
  state       TEXT NOT NULL CHECK (state IN ('open', 'upheld', 'rejected')),
  answer      TEXT NOT NULL,              -- what the public is told
  created_ms  BIGINT NOT NULL,
  answered_ms BIGINT,
  answered_by TEXT REFERENCES account (id)
);
CREATE INDEX complaint_resource ON complaint (resource, state);
CREATE INDEX complaint_state ON complaint (state, created_ms);

CREATE TABLE appeal (
  id          TEXT PRIMARY KEY,
  resource    TEXT NOT NULL REFERENCES resource (id),
  library     TEXT NOT NULL REFERENCES library (id),
  withdrawal  TEXT REFERENCES withdrawal (id), -- from what: this or a return
  review      TEXT REFERENCES review (id),
  judge       TEXT REFERENCES organisation (id), -- whose people decide; null: administrators of the net
  against     TEXT NOT NULL REFERENCES account (id), -- who decided before
  account     TEXT NOT NULL REFERENCES account (id), -- who appeals
  words       TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('open', 'upheld', 'rejected')),
  answer      TEXT NOT NULL,
  created_ms  BIGINT NOT NULL,
  answered_ms BIGINT,
  CHECK ((withdrawal IS NULL) <> (review IS NULL))
);
CREATE UNIQUE INDEX appeal_withdrawal ON appeal (withdrawal);
CREATE UNIQUE INDEX appeal_review ON appeal (review);
CREATE INDEX appeal_resource ON appeal (resource);
