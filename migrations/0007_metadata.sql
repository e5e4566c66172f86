-- More of what is said about resources, and who vouches for what is local about them. Times are
-- Unix milliseconds (_ms).

ALTER TABLE resource ADD COLUMN particulars TEXT NOT NULL DEFAULT '{}'; -- JSON: keywords, contributors, rights and so on (catalogue::Particulars), without the local mark
ALTER TABLE resource ADD COLUMN local_mark TEXT; -- JSON: what is local about it (catalogue::LocalMark); null: nothing

CREATE TABLE voucher (
  id           TEXT PRIMARY KEY,
  resource     TEXT NOT NULL REFERENCES resource (id),
  organisation TEXT NOT NULL REFERENCES organisation (id), -- in whose name
  level        TEXT NOT NULL CHECK (level IN ('city', 'district', 'township', 'community')), -- that the organisation had then
  account      TEXT NOT NULL REFERENCES account (id), -- who did it
  at_ms        BIGINT NOT NULL,
  note         TEXT NOT NULL,             -- why, for everybody; may be empty
  mark         TEXT NOT NULL,             -- the resource's local_mark as it was then: it stands while they are equal
  withdrawn_ms BIGINT,                    -- null: it was not
  withdrawn_by TEXT REFERENCES account (id)
);
CREATE INDEX voucher_resource ON voucher (resource, at_ms);
CREATE UNIQUE INDEX voucher_once ON voucher (resource, organisation) WHERE withdrawn_ms IS NULL;
