-- What is the same in several resources. See docs/duplicates.md.

INSERT INTO counter (name, value) VALUES ('print', 0);

CREATE TABLE twin_print (
  number   BIGINT PRIMARY KEY,            -- from counter: stands for the resource in twin_key
  resource TEXT NOT NULL UNIQUE REFERENCES resource (id),
  version  BIGINT NOT NULL,               -- how it was made: prints of another version are made anew
  looks    TEXT NOT NULL,                 -- what a video shows, for each look start, length (ms) and 255 bits; base64
  image    TEXT NOT NULL,                 -- what an image looks like, as it is and with its edges cropped; base64
  sound    TEXT NOT NULL,                 -- Chromaprint's items, 32 bits for each 124 ms; base64
  text     TEXT NOT NULL,                 -- the smallest hashes of its shingles, with their pages; base64
  made_ms  BIGINT NOT NULL
);

CREATE TABLE twin_key (
  key   BIGINT NOT NULL,                  -- a number that is likely the same in what is alike; its highest byte says of what
  print BIGINT NOT NULL REFERENCES twin_print (number),
  PRIMARY KEY (key, print)
);
CREATE INDEX twin_key_print ON twin_key (print);

CREATE TABLE twin_pair (
  first       TEXT NOT NULL REFERENCES resource (id),  -- the smaller id
  second      TEXT NOT NULL REFERENCES resource (id),
  likeness    TEXT NOT NULL CHECK (likeness IN ('file', 'picture', 'sound', 'text')),  -- what is the same
  share       DOUBLE PRECISION NOT NULL,  -- how much of the shorter one it is, 0 to 1
  first_from  BIGINT NOT NULL,            -- where: ms of media time; of texts pages, from 1; 0 for images and files
  first_to    BIGINT NOT NULL,
  second_from BIGINT NOT NULL,
  second_to   BIGINT NOT NULL,
  found_ms    BIGINT NOT NULL,
  PRIMARY KEY (first, second, likeness)
);
CREATE INDEX twin_pair_second ON twin_pair (second);

CREATE TABLE twin_verdict (
  first   TEXT NOT NULL REFERENCES resource (id),      -- the smaller id
  second  TEXT NOT NULL REFERENCES resource (id),
  account TEXT NOT NULL REFERENCES account (id),       -- who says that they are not the same
  reason  TEXT NOT NULL,
  at_ms   BIGINT NOT NULL,
  PRIMARY KEY (first, second)
);
CREATE INDEX twin_verdict_second ON twin_verdict (second);
