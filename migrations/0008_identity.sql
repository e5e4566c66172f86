-- Logins by an account from elsewhere (OpenID Connect).

CREATE TABLE identity (
  id         TEXT PRIMARY KEY,
  account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE, -- who logs in by it
  issuer     TEXT NOT NULL,               -- who vouches: the `iss` of its tokens
  subject    TEXT NOT NULL,               -- who they are there: `sub`, which never changes
  provider   TEXT NOT NULL,               -- key of the provider in the settings when it was last used
  label      TEXT NOT NULL,               -- name or address there, for people
  created_ms BIGINT NOT NULL,
  used_ms    BIGINT,                      -- last login; null: none yet
  UNIQUE (issuer, subject)
);
CREATE INDEX identity_account ON identity (account);

CREATE TABLE login_flow (
  state_hash   TEXT PRIMARY KEY,          -- SHA-256 of what the provider sends back as `state`, hex
  browser_hash TEXT NOT NULL,             -- SHA-256 of the cookie of the browser that began it, hex
  provider     TEXT NOT NULL,             -- key in the settings
  nonce        TEXT NOT NULL,             -- what the token must repeat
  verifier     TEXT NOT NULL,             -- of PKCE
  next         TEXT NOT NULL,             -- path of this site to go to
  account      TEXT REFERENCES account (id) ON DELETE CASCADE, -- who links; null: somebody logs in
  expires_ms   BIGINT NOT NULL
);
CREATE INDEX login_flow_expires ON login_flow (expires_ms);

-- By which identity a session was begun; null: by a password or a link.
ALTER TABLE session ADD COLUMN identity TEXT REFERENCES identity (id) ON DELETE SET NULL;
-- The session at the provider (`sid`), with which it ends this one; null: it told none.
ALTER TABLE session ADD COLUMN provider_session TEXT;
CREATE INDEX session_identity ON session (identity);
