-- Changes of many resources at once: seen first, then made. See docs/administration.md.

CREATE TABLE batch (
  id              TEXT PRIMARY KEY,       -- UUID version 7
  account         TEXT NOT NULL REFERENCES account (id),  -- whose rights it is made with
  act             TEXT NOT NULL CHECK (act IN ('edit', 'publish', 'withdraw')),
  name            TEXT NOT NULL,          -- of the table that it comes from; empty: chosen in a list
  reason          TEXT NOT NULL,          -- of a withdrawal
  state           TEXT NOT NULL CHECK (state IN ('seen', 'applying', 'done')),
  total           BIGINT NOT NULL,        -- rows read
  unchanged       BIGINT NOT NULL,        -- of them those that say what is so already; they have no batch_row
  notes           TEXT NOT NULL,          -- codes of sentences about all of it, JSON
  created_ms      BIGINT NOT NULL,
  leased_until_ms BIGINT NOT NULL,        -- until then a process makes it; 0: none does
  ended_ms        BIGINT                  -- when all of it was tried
);
CREATE INDEX batch_account ON batch (account, created_ms);
CREATE INDEX batch_state ON batch (state);

CREATE TABLE batch_row (
  batch    TEXT NOT NULL REFERENCES batch (id),
  number   BIGINT NOT NULL,               -- row of the table, 1 being its heading; or the place in the list, from 1
  resource TEXT NOT NULL,                 -- as it was named, which may be no id
  title    TEXT NOT NULL,                 -- as it was then
  since    BIGINT NOT NULL,               -- resource.changed as it was then
  changes  TEXT NOT NULL,                 -- column, before and after, JSON
  hands_in BIGINT NOT NULL,               -- 1: it goes to the review of its library
  outcome  TEXT NOT NULL CHECK (outcome IN ('planned', 'refused', 'done', 'handed_in', 'failed')),
  problems TEXT NOT NULL,                 -- column, value and code of a sentence, JSON
  PRIMARY KEY (batch, number)
);
CREATE INDEX batch_row_outcome ON batch_row (batch, outcome, number);
