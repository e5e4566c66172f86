-- What other programs are told (OAI-PMH, sitemaps). Times are Unix milliseconds (_ms).

-- The last change that was taken into `record`.
INSERT INTO counter (name, value) VALUES ('record', 0);

CREATE TABLE record (
  resource TEXT PRIMARY KEY REFERENCES resource (id),
  stamp_ms BIGINT NOT NULL,               -- its datestamp: moves with every change; later ones are always greater
  public   BIGINT NOT NULL                -- 1: everybody may see it; 0: it is told as deleted
);                                        -- what never was public has no row
CREATE INDEX record_stamp ON record (stamp_ms, resource);
CREATE INDEX record_public ON record (public, resource, stamp_ms);

CREATE TABLE record_set (
  spec     TEXT NOT NULL,                 -- setSpec: library.SLUG, topic.CODE
  stamp_ms BIGINT NOT NULL,               -- of its record
  resource TEXT NOT NULL REFERENCES record (resource),
  PRIMARY KEY (spec, stamp_ms, resource)
);
CREATE INDEX record_set_resource ON record_set (resource);

CREATE TABLE harvest_source (
  id              TEXT PRIMARY KEY,
  name            TEXT NOT NULL,          -- shown as the home of its records
  url             TEXT NOT NULL,          -- base URL of its OAI-PMH
  host            TEXT NOT NULL,          -- host and port of it: one request at a time to each
  prefix          TEXT NOT NULL,          -- metadataPrefix: oai_dc or lom
  set_spec        TEXT,                   -- of this set only; null: of all
  library         TEXT NOT NULL REFERENCES library (id),  -- where its records are shown
  account         TEXT NOT NULL REFERENCES account (id),  -- who added it: whose its records are
  mapping         TEXT NOT NULL,          -- JSON: what is put in where a record says nothing (catalogue::Mapping)
  every_ms        BIGINT NOT NULL,        -- from one harvest's end to the next; 0: only when asked
  run_at_ms       BIGINT,                 -- not before; null: only when asked
  lease           TEXT,                   -- fencing token of who harvests it
  leased_until_ms BIGINT NOT NULL,
  round           BIGINT NOT NULL,        -- how many harvests were begun
  whole           BIGINT NOT NULL,        -- 1: the harvest under way takes all records, so those not met are gone
  since           TEXT,                   -- `from` of the next harvest; null: all records
  begun           TEXT,                   -- what `since` becomes when the harvest under way ends; null: none is
  token           TEXT,                   -- resumption token of the harvest under way
  failures        BIGINT NOT NULL,        -- since it last went well
  error           TEXT,                   -- code of the last failure
  error_info      TEXT,                   -- the value in question
  ended_ms        BIGINT,                 -- when it last went well to its end
  created_ms      BIGINT NOT NULL
);

CREATE TABLE harvested (
  resource   TEXT PRIMARY KEY REFERENCES resource (id),
  source     TEXT NOT NULL REFERENCES harvest_source (id),
  identifier TEXT NOT NULL,               -- at its home, in OAI-PMH
  home       TEXT NOT NULL,               -- where it is opened, http or https
  round      BIGINT NOT NULL,             -- of the source, when it was last met
  UNIQUE (source, identifier)
);
