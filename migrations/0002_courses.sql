-- Courses: ordered lessons in sections, each a reference to a resource. Collections: resources under a title.
-- As in 0001: times are Unix milliseconds (_ms).

CREATE TABLE course (
  id           TEXT PRIMARY KEY,
  library      TEXT NOT NULL REFERENCES library (id),
  stage        TEXT NOT NULL CHECK (stage IN ('draft', 'published', 'withdrawn', 'deleted')),
  title        TEXT NOT NULL,
  description  TEXT NOT NULL,
  teachers     TEXT NOT NULL,             -- who teaches, as shown; may be empty
  topics       TEXT NOT NULL,             -- JSON array of topic codes
  audiences    TEXT NOT NULL,             -- JSON array of audience codes
  language     TEXT,                      -- BCP 47
  licence      TEXT NOT NULL,             -- SPDX id or words, of the course as a whole; may be empty
  hours        DOUBLE PRECISION,          -- of learning, as its teachers count them; null: not said
  cover        TEXT REFERENCES resource (id), -- whose poster is the cover; null: the first lesson's that has one
  made_by      TEXT NOT NULL REFERENCES account (id),
  changed      BIGINT NOT NULL,           -- number of its last change, from counter, as those of resources
  created_ms   BIGINT NOT NULL,
  updated_ms   BIGINT NOT NULL,
  published_ms BIGINT                     -- since when it is published; null: it is not
);
CREATE INDEX course_library ON course (library, published_ms);
CREATE UNIQUE INDEX course_changed ON course (changed);
CREATE INDEX course_published ON course (published_ms);

CREATE TABLE section (
  course TEXT NOT NULL REFERENCES course (id) ON DELETE CASCADE,
  number BIGINT NOT NULL,                 -- from 0
  title  TEXT NOT NULL,                   -- of the first it may be empty
  PRIMARY KEY (course, number)
);

CREATE TABLE lesson (
  id       TEXT PRIMARY KEY,              -- stays when lessons are put in another order
  course   TEXT NOT NULL REFERENCES course (id) ON DELETE CASCADE,
  number   BIGINT NOT NULL,               -- from 1, through the whole course
  section  BIGINT NOT NULL,               -- number of its section
  resource TEXT NOT NULL REFERENCES resource (id),
  title    TEXT NOT NULL,                 -- its own title; empty: that of its resource
  was      TEXT NOT NULL,                 -- title of the resource when it was taken in, told when it is gone
  UNIQUE (course, number)
);
CREATE INDEX lesson_resource ON lesson (resource);

CREATE TABLE listing (
  course    TEXT NOT NULL REFERENCES course (id) ON DELETE CASCADE,
  library   TEXT NOT NULL REFERENCES library (id) ON DELETE CASCADE, -- which shows it beside its own
  listed_ms BIGINT NOT NULL,
  PRIMARY KEY (course, library)
);
CREATE INDEX listing_library ON listing (library, listed_ms);

CREATE TABLE collection (
  id          TEXT PRIMARY KEY,
  library     TEXT NOT NULL REFERENCES library (id),
  title       TEXT NOT NULL,
  description TEXT NOT NULL,
  ordering    TEXT NOT NULL CHECK (ordering IN ('hand', 'newest')), -- of its resources: as listed, or the newest first
  made_by     TEXT NOT NULL REFERENCES account (id),
  version     BIGINT NOT NULL,            -- raised by every change, so that editors notice each other
  created_ms  BIGINT NOT NULL,
  updated_ms  BIGINT NOT NULL
);
CREATE INDEX collection_library ON collection (library, updated_ms);

CREATE TABLE collected (
  collection TEXT NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
  number     BIGINT NOT NULL,             -- from 1
  resource   TEXT NOT NULL REFERENCES resource (id),
  PRIMARY KEY (collection, number),
  UNIQUE (collection, resource)
);
CREATE INDEX collected_resource ON collected (resource);
