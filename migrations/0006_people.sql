-- People: how they come in, and how wrong attempts are counted.

CREATE TABLE invitation (
  id           TEXT PRIMARY KEY,
  code_hash    TEXT NOT NULL UNIQUE,      -- SHA-256 of what its link ends with, hex
  role         TEXT NOT NULL CHECK (role IN ('administrator', 'librarian', 'reviewer', 'author', 'teacher', 'learner')),
  organisation TEXT REFERENCES organisation (id), -- where the role is: this or a library
  library      TEXT REFERENCES library (id) ON DELETE CASCADE,
  note         TEXT NOT NULL,             -- for whom it is, in words
  uses         BIGINT NOT NULL,           -- how many people it was made for
  uses_left    BIGINT NOT NULL,           -- how many may still come
  made_by      TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  created_ms   BIGINT NOT NULL,
  expires_ms   BIGINT NOT NULL,
  revoked_ms   BIGINT,                    -- null: it was not taken back
  CHECK ((organisation IS NULL) <> (library IS NULL))
);
CREATE INDEX invitation_organisation ON invitation (organisation);
CREATE INDEX invitation_library ON invitation (library);

CREATE TABLE start_link (
  code_hash  TEXT PRIMARY KEY,            -- SHA-256 of the link's end or of the code read out, hex
  account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE, -- who chooses a password with it, once
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL
);
CREATE INDEX start_link_account ON start_link (account);

CREATE TABLE login_failure (
  key   TEXT NOT NULL,                    -- SHA-256 of the address, the name or the way that it is counted for, hex
  at_ms BIGINT NOT NULL
);
CREATE INDEX login_failure_key ON login_failure (key, at_ms);
CREATE INDEX login_failure_at ON login_failure (at_ms);
