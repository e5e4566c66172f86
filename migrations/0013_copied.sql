-- Copies of what was harvested. Times are Unix milliseconds (_ms).

ALTER TABLE harvested ADD COLUMN file TEXT;   -- address of the file itself, http or https; null: only `home` is known

CREATE TABLE copied (
  resource  TEXT PRIMARY KEY REFERENCES resource (id), -- the copy
  origin    TEXT NOT NULL REFERENCES resource (id),    -- the harvested record that it was made of
  name      TEXT NOT NULL,                -- of the repository whose it is, as it was called then
  home      TEXT NOT NULL,                -- where it is opened there
  file      TEXT,                         -- address of the file; null: what `home` answers with
  account   TEXT NOT NULL REFERENCES account (id),     -- who copied it
  at_ms     BIGINT NOT NULL
);
CREATE INDEX copied_origin ON copied (origin);
