-- One text for SQLite and PostgreSQL. Times are Unix milliseconds (_ms), sizes bytes (_bytes).

CREATE TABLE setting (
  name  TEXT PRIMARY KEY,                 -- what is set
  value TEXT NOT NULL                     -- its value; secrets are base64url
);

CREATE TABLE counter (
  name  TEXT PRIMARY KEY,                 -- 'change': numbers every change of a resource; 'claim': of a job
  value BIGINT NOT NULL                   -- the last number given
);
INSERT INTO counter (name, value) VALUES ('change', 0), ('claim', 0), ('audit', 0);

CREATE TABLE organisation (
  id          TEXT PRIMARY KEY,
  level       TEXT NOT NULL CHECK (level IN ('city', 'district', 'township', 'community')),
  code        TEXT UNIQUE,                -- administrative division (GB/T 2260, extended): 6, 9 or 12 digits; null: it is none
  name        TEXT NOT NULL,
  parent      TEXT REFERENCES organisation (id),  -- null: nobody is above it
  path        TEXT NOT NULL,              -- ids from the top down to its own, each followed by /
  contact     TEXT NOT NULL,              -- whom to ask and how, for people
  place       TEXT NOT NULL,              -- address, for people
  longitude   DOUBLE PRECISION,           -- WGS 84, degrees
  latitude    DOUBLE PRECISION,
  created_ms  BIGINT NOT NULL,
  closed_ms   BIGINT,                     -- since when it is no more; null: it is
  merged_into TEXT REFERENCES organisation (id)   -- who took over what it had
);
CREATE INDEX organisation_parent ON organisation (parent);

CREATE TABLE organisation_place (
  organisation TEXT NOT NULL REFERENCES organisation (id),
  parent       TEXT REFERENCES organisation (id), -- under whom it was
  from_ms      BIGINT NOT NULL,
  until_ms     BIGINT,                    -- null: still
  PRIMARY KEY (organisation, from_ms)
);

CREATE TABLE account (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL UNIQUE,     -- login name, lower case
  display_name  TEXT NOT NULL,            -- shown to people
  phone         TEXT UNIQUE,              -- a second name to log in with, normalised (catalogue::Phone)
  email         TEXT,                     -- for people who write to them
  home          TEXT REFERENCES organisation (id),  -- where they belong: its administrators look after them
  password_hash TEXT,                     -- argon2id, PHC string; null: cannot log in by password
  role          TEXT NOT NULL CHECK (role IN ('administrator', 'learner')),  -- over the whole net
  created_ms    BIGINT NOT NULL,
  disabled_ms   BIGINT                    -- null: may log in
);
CREATE INDEX account_home ON account (home);

CREATE TABLE session (
  token_hash TEXT PRIMARY KEY,            -- SHA-256 of the cookie's token, hex
  id         TEXT NOT NULL UNIQUE,        -- names it to its owner
  account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  address    TEXT NOT NULL,               -- from where it was begun
  agent      TEXT NOT NULL,               -- User-Agent of the browser that began it
  created_ms BIGINT NOT NULL,
  seen_ms    BIGINT NOT NULL,             -- when it was last used, to ten minutes
  expires_ms BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account);

CREATE TABLE token (
  id         TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,        -- SHA-256 of the bearer token, hex
  account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  label      TEXT NOT NULL,               -- what it is for
  scopes     TEXT NOT NULL,               -- what it may be used for: read, upload, manage, with spaces between
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT                       -- null: until it is revoked
);

CREATE TABLE library (
  id          TEXT PRIMARY KEY,
  slug        TEXT NOT NULL UNIQUE,       -- its name in URLs
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  visibility  TEXT NOT NULL CHECK (visibility IN ('public', 'internal')),   -- internal: only its people
  publishing  TEXT NOT NULL CHECK (publishing IN ('automatic', 'manual')),  -- automatic: published when ready
  quota_bytes BIGINT,                     -- of its sources; null: no limit
  media       TEXT NOT NULL,              -- JSON: how its videos and audios are made (catalogue::MediaPolicy)
  owner       TEXT REFERENCES organisation (id),  -- whose it is; null: of the whole net
  host        TEXT UNIQUE,                -- at this host name its front page is the front page
  licence     TEXT NOT NULL,              -- of what is uploaded without one; may be empty
  topics      TEXT NOT NULL,              -- JSON array of topic codes, of what is uploaded without any
  retention_days BIGINT,                  -- what was withdrawn or failed is removed after so many; null: never
  look        TEXT NOT NULL,              -- JSON: how its front page looks (catalogue::Look)
  created_ms  BIGINT NOT NULL
);
CREATE INDEX library_owned ON library (owner);

CREATE TABLE library_owner (
  library      TEXT NOT NULL REFERENCES library (id),
  organisation TEXT REFERENCES organisation (id), -- whose it was
  from_ms      BIGINT NOT NULL,
  until_ms     BIGINT,                    -- null: still
  PRIMARY KEY (library, from_ms)
);

CREATE TABLE team (
  id           TEXT PRIMARY KEY,
  name         TEXT NOT NULL,
  organisation TEXT REFERENCES organisation (id), -- who looks after it; null: administrators of the net
  created_ms   BIGINT NOT NULL
);

CREATE TABLE team_member (
  team    TEXT NOT NULL REFERENCES team (id) ON DELETE CASCADE,
  account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  PRIMARY KEY (team, account)
);
CREATE INDEX team_member_account ON team_member (account);

CREATE TABLE role_grant (
  id           TEXT PRIMARY KEY,
  account      TEXT REFERENCES account (id) ON DELETE CASCADE,      -- to whom: this or a team
  team         TEXT REFERENCES team (id) ON DELETE CASCADE,
  role         TEXT NOT NULL CHECK (role IN ('administrator', 'librarian', 'reviewer', 'author', 'teacher', 'learner')),
  organisation TEXT REFERENCES organisation (id), -- where, and below: this or a library
  library      TEXT REFERENCES library (id) ON DELETE CASCADE,
  created_ms   BIGINT NOT NULL,
  ends_ms      BIGINT,                    -- null: until it is taken away
  CHECK ((account IS NULL) <> (team IS NULL)),
  CHECK ((organisation IS NULL) <> (library IS NULL))
);
CREATE INDEX role_grant_account ON role_grant (account);
CREATE INDEX role_grant_team ON role_grant (team);
CREATE INDEX role_grant_organisation ON role_grant (organisation);
CREATE INDEX role_grant_library ON role_grant (library);

CREATE TABLE traffic (
  library TEXT NOT NULL REFERENCES library (id) ON DELETE CASCADE,
  day     TEXT NOT NULL,                  -- 2026-11-25, in the zone of the site
  answers BIGINT NOT NULL,                -- of media
  bytes   BIGINT NOT NULL,                -- of their bodies
  PRIMARY KEY (library, day)
);

CREATE TABLE object (
  key        TEXT PRIMARY KEY,            -- where the store keeps it
  size_bytes BIGINT NOT NULL,
  sha256     TEXT NOT NULL,               -- hex
  resource   TEXT,                        -- whose it is (of a piece: the upload's id); null: a source, which several may share
  created_ms BIGINT NOT NULL
);
CREATE INDEX object_resource ON object (resource);

CREATE TABLE resource (
  id           TEXT PRIMARY KEY,
  library      TEXT NOT NULL REFERENCES library (id),
  kind         TEXT NOT NULL CHECK (kind IN ('video', 'audio', 'document', 'image', 'package')),
  stage        TEXT NOT NULL CHECK (stage IN ('draft', 'processing', 'ready', 'submitted', 'published', 'withdrawn', 'failed', 'deleted')),
  title        TEXT NOT NULL,
  description  TEXT NOT NULL,
  language     TEXT,                      -- BCP 47
  author       TEXT NOT NULL,             -- who made it, as shown
  licence      TEXT NOT NULL,             -- SPDX id or words; may be empty
  topics       TEXT NOT NULL,             -- JSON array of topic codes
  audiences    TEXT NOT NULL,             -- JSON array of audience codes
  uploaded_by  TEXT NOT NULL REFERENCES account (id),
  file_name    TEXT NOT NULL,             -- as uploaded
  media_type   TEXT NOT NULL,             -- of the source, by its content
  size_bytes   BIGINT NOT NULL,           -- of the source
  source       TEXT,                      -- SHA-256 of the source, hex; null until it is stored
  duration_ms  BIGINT,                    -- of video and audio
  pages        BIGINT,                    -- of documents
  width        BIGINT,                    -- of video and images as shown, pixels
  height       BIGINT,
  plan         TEXT,                      -- JSON: what is made of it (transcode::Plan or the like)
  doing        TEXT NOT NULL,             -- what the pipeline does now, a code
  progress     DOUBLE PRECISION NOT NULL, -- 0 to 1
  jobs_left    BIGINT NOT NULL,           -- jobs to be done before it is ready
  urgency      BIGINT NOT NULL DEFAULT 0, -- added to the priority of its jobs: lower sooner
  failure      TEXT,                      -- code of what went wrong
  failure_info TEXT,                      -- the value in question
  warnings     TEXT NOT NULL,             -- JSON array of codes: played, but with something left out
  poster       TEXT,                      -- key of the chosen poster
  derived      TEXT NOT NULL,             -- JSON: posters, storyboard, chapters, outline
  ticket_epoch BIGINT NOT NULL,           -- raised to end the tickets given so far
  changed      BIGINT NOT NULL,           -- number of its last change, from counter; no two are the same
  created_ms   BIGINT NOT NULL,
  updated_ms   BIGINT NOT NULL,
  published_ms BIGINT                     -- since when it is public; null: it is not
);
CREATE INDEX resource_library ON resource (library, published_ms);
CREATE UNIQUE INDEX resource_changed ON resource (changed);
CREATE INDEX resource_published ON resource (published_ms);
CREATE INDEX resource_source ON resource (source);
CREATE INDEX resource_stage ON resource (stage, created_ms);
CREATE INDEX resource_told ON resource (stage, library, kind, topics, audiences, duration_ms);

CREATE TABLE upload (
  id           TEXT PRIMARY KEY,
  account      TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  library      TEXT NOT NULL REFERENCES library (id),
  state        TEXT NOT NULL CHECK (state IN ('receiving', 'complete', 'ended')),
  concat       TEXT,                      -- Upload-Concat as it was sent: partial, or final;URL URL; null: neither
  file_name    TEXT NOT NULL,
  metadata     TEXT NOT NULL,             -- Upload-Metadata as it was sent
  length_bytes BIGINT NOT NULL,
  offset_bytes BIGINT NOT NULL,           -- bytes that are safe
  piece_bytes  BIGINT NOT NULL DEFAULT 0, -- the first of them, which are pieces in the bucket
  hashed       TEXT,                      -- state of SHA-256 over them, base64; null: hashed when all are there
  resource     TEXT REFERENCES resource (id),
  created_ms   BIGINT NOT NULL,
  expires_ms   BIGINT NOT NULL
);
CREATE INDEX upload_expires ON upload (state, expires_ms);
CREATE INDEX upload_resource ON upload (resource);

CREATE TABLE rendition (
  id          TEXT PRIMARY KEY,
  resource    TEXT NOT NULL REFERENCES resource (id),
  name        TEXT NOT NULL,              -- as in the plan: 720p, audio-0-128k
  kind        TEXT NOT NULL CHECK (kind IN ('video', 'audio')),
  position    BIGINT NOT NULL,            -- order in manifests
  track       BIGINT NOT NULL,            -- of the source
  language    TEXT,                       -- BCP 47
  label       TEXT NOT NULL,              -- of the track, as shown
  role        TEXT NOT NULL CHECK (role IN ('main', 'original', 'dub', 'commentary', 'description')), -- what sound is for
  selected    BIGINT NOT NULL,            -- 1: the track to play unless another is chosen
  bitrate_bps BIGINT NOT NULL,            -- planned peak
  codecs      TEXT,                       -- RFC 6381; null until the first part is there
  width       BIGINT,
  height      BIGINT,
  frame_rate  DOUBLE PRECISION,
  sample_rate BIGINT,
  channels    BIGINT,
  time_scale  BIGINT,                     -- ticks a second
  init        TEXT,                       -- key of the init segment
  whole_parts BIGINT,                     -- how many parts make it whole; null: as many as its one job makes
  preview     BIGINT NOT NULL,            -- 1: a copy that is played only until the others are whole
  spare       BIGINT NOT NULL,            -- 1: may be dropped when nobody watches; it is made again when somebody does
  state       TEXT NOT NULL CHECK (state IN ('absent', 'making', 'complete', 'retired')),
                                          -- absent: planned, made when somebody plays the resource; retired: no manifest names it
  made_ms     BIGINT,                     -- since when it is complete
  asked_ms    BIGINT,                     -- when somebody last asked for some of it, to the minute; null: nobody did
  retired_ms  BIGINT,                     -- since when; its objects go when no player can still need them
  had_bytes   BIGINT,                     -- what it took in the store when it was last dropped; null: it never was
  UNIQUE (resource, name)
);

CREATE TABLE part (
  rendition  TEXT NOT NULL REFERENCES rendition (id) ON DELETE CASCADE,
  number     BIGINT NOT NULL,             -- from 0
  key        TEXT NOT NULL,
  segments   TEXT NOT NULL,               -- JSON array of [offset, length, bytes up to the end of the first sample, start, duration]; bytes, ticks
  PRIMARY KEY (rendition, number)
);

CREATE TABLE caption (
  resource   TEXT NOT NULL REFERENCES resource (id),
  name       TEXT NOT NULL,               -- in URLs: a language, or language-2
  language   TEXT NOT NULL,               -- BCP 47
  label      TEXT NOT NULL,
  origin     TEXT NOT NULL CHECK (origin IN ('uploaded', 'embedded', 'automatic')), -- automatic: recognised speech
  forced     BIGINT NOT NULL,             -- 1: only what everybody needs (foreign dialogue, signs)
  hearing_impaired BIGINT NOT NULL,       -- 1: tells sounds, for people who are hard of hearing
  key        TEXT NOT NULL,               -- of the WebVTT object
  PRIMARY KEY (resource, name)
);

CREATE TABLE heard (
  resource TEXT NOT NULL REFERENCES resource (id),
  number   BIGINT NOT NULL,               -- of the piece of sound, from 0
  from_ms  BIGINT NOT NULL,               -- media time
  end_ms   BIGINT NOT NULL,               -- media time
  language TEXT,                          -- BCP 47, as the engine told it
  cues     TEXT NOT NULL,                 -- JSON array of what was recognised; until the captions are made
  PRIMARY KEY (resource, number)
);

CREATE TABLE page (
  resource TEXT NOT NULL REFERENCES resource (id),
  number   BIGINT NOT NULL,               -- from 1
  width    BIGINT NOT NULL,               -- of the large picture, pixels
  height   BIGINT NOT NULL,
  large    TEXT,                          -- keys; null until the pictures are made
  small    TEXT,
  words    TEXT NOT NULL,                 -- key of the JSON with the places of the words
  PRIMARY KEY (resource, number)
);
CREATE INDEX page_without_pictures ON page (resource) WHERE large IS NULL;

CREATE TABLE unindexed (
  resource   TEXT PRIMARY KEY,            -- id of a resource that cannot be taken into the search index
  reason     TEXT NOT NULL,               -- why, as it was said
  noticed_ms BIGINT NOT NULL
);

CREATE TABLE chapter (
  resource TEXT NOT NULL REFERENCES resource (id),
  number   BIGINT NOT NULL,               -- from 1
  title    TEXT NOT NULL,                 -- may be empty
  html     TEXT NOT NULL,                 -- key
  PRIMARY KEY (resource, number)
);

CREATE TABLE figure (
  resource TEXT NOT NULL REFERENCES resource (id),
  number   BIGINT NOT NULL,               -- from 1: chapters name it so
  picture  TEXT NOT NULL,                 -- key
  PRIMARY KEY (resource, number)
);

CREATE TABLE slide (
  resource TEXT NOT NULL REFERENCES resource (id),
  number   BIGINT NOT NULL,               -- from 1, in the order they are shown
  start_ms BIGINT NOT NULL,               -- from when to when the video shows it
  end_ms   BIGINT NOT NULL,
  width    BIGINT NOT NULL,               -- of the picture, pixels
  height   BIGINT NOT NULL,
  image    TEXT NOT NULL,                 -- key of the picture; its text is a passage
  PRIMARY KEY (resource, number)
);

CREATE TABLE passage (
  resource TEXT NOT NULL REFERENCES resource (id),
  origin   TEXT NOT NULL,                 -- 'page:', 'chapter:' or 'slide:' and its number, 'caption:' and its name, or 'picture'
  number   BIGINT NOT NULL,
  start_ms BIGINT,                        -- of a caption or slide
  page     BIGINT,                        -- number of its page, chapter or slide; 1 for a picture
  text     TEXT NOT NULL,
  PRIMARY KEY (resource, origin, number)
);

CREATE TABLE job (
  id              TEXT PRIMARY KEY,
  kind            TEXT NOT NULL,          -- which step
  lane            TEXT NOT NULL CHECK (lane IN ('look', 'light', 'heavy')),  -- by kind: which workers take it
  resource        TEXT NOT NULL REFERENCES resource (id),
  library         TEXT NOT NULL REFERENCES library (id),  -- of the resource
  payload         TEXT NOT NULL,          -- JSON, by kind
  state           TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
  priority        BIGINT NOT NULL,        -- lower first
  turn            BIGINT NOT NULL,        -- order within its library and lane: by priority, age and length
  attempts        BIGINT NOT NULL,
  run_at_ms       BIGINT NOT NULL,        -- not before
  lease           TEXT,                   -- fencing token of the worker that has it
  leased_until_ms BIGINT,
  progress        DOUBLE PRECISION NOT NULL,
  weight          DOUBLE PRECISION NOT NULL,  -- its share of the resource's work
  error           TEXT,                   -- of the last attempt
  created_ms      BIGINT NOT NULL,
  begun_ms        BIGINT,                 -- of the last attempt; null: it was not begun
  ended_ms        BIGINT                  -- when it was done
);
CREATE INDEX job_queue ON job (state, lane, library, turn, id, weight);
CREATE INDEX job_served ON job (library, lane, begun_ms);
CREATE INDEX job_resource ON job (resource);

CREATE TABLE audit (
  number   BIGINT PRIMARY KEY,            -- from 1, without gaps, in the order of commits
  at_ms    BIGINT NOT NULL,
  account  TEXT,                          -- who; null: the pipeline or the command line
  action   TEXT NOT NULL,
  subject  TEXT NOT NULL,                 -- id of what was changed
  detail   TEXT NOT NULL,                 -- JSON
  hash     TEXT NOT NULL                  -- SHA-256 over the row before's hash and all the above, hex
);
CREATE INDEX audit_subject ON audit (subject, number);
CREATE INDEX audit_account ON audit (account, number);
