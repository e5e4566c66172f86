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
