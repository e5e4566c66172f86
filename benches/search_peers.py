"""The peers of search.py: SQLite FTS5, PostgreSQL, and Meilisearch where there is a program of it.

FTS5 is asked in the process of the client, PostgreSQL over its socket, Meilisearch over HTTP. Each has two shapes: records
for `index`, `speed` and `suggest` (a row is a record), documents for `quality` (titles weighted)."""

import contextlib
import io
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import urllib.request

import deliver
import search_measure as measure
import search_texts as texts

TOP = 10
# How titles, authors and bodies count for the peers: of what was tried on these sets the best over all.
BM25 = "bm25(q, 3.0, 2.0, 1.0, 1.0, 1.0)"
WEIGHTS = "{0.3,0.4,0.6,1.0}"


class Peer:
    """A program that is built over records and asked."""

    name = ""
    has_server = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def start(self):
        """Before it is built."""

    def build(self, path):
        """The index of the records."""

    def build_suggestions(self, path):
        """What completions need besides."""

    def size(self):
        """Bytes of the index."""

    def remove(self):
        """What it has of the records."""

    def open(self):
        """Before anything is asked, in the process that asks."""

    def request(self, kind, q):
        """What asks for it, made before time is taken; None: it cannot be asked for."""

    def suggestion(self, kind, q):
        """The same for what is being typed."""

    def ask(self, request):
        """The answer, whole. This is what is measured."""

    def hits(self, answer):
        return len(answer)

    def processes(self):
        """Of the server."""
        return []

    def cpu_s(self):
        return measure.cpu_s(self.processes())


def records(path):
    with open(path) as file:
        for line in file:
            yield json.loads(line)


def bytes_of(folder):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())


class Fts5(Peer):
    """SQLite: words that jieba has cut, or trigrams."""

    def __init__(self, work, trigram):
        self.trigram = trigram
        self.name = "FTS5 trigram" if trigram else "FTS5 words"
        self.path = work / f"fts5-{'trigram' if trigram else 'words'}.db"

    def build(self, path):
        connection = self.fresh()
        tokens = "tokenize='trigram'" if self.trigram else "tokenize='unicode61', prefix='3 4'"
        connection.execute(f"CREATE VIRTUAL TABLE d USING fts5(body, pinyin, title UNINDEXED, {tokens})")
        body = (lambda r: f"{r['title']} {r['author']} {r['text']}") if self.trigram else (lambda r: r["seg"])
        rows = ((r["id"], body(r), r["pinyin"], r["title"]) for r in records(path))
        self.fill(connection, "INSERT INTO d(rowid, body, pinyin, title) VALUES(?, ?, ?, ?)", rows)

    def build_suggestions(self, path):
        """Titles, their pinyin and initials, as one word each."""
        if self.trigram:
            return
        connection = self.connected()
        connection.execute("CREATE VIRTUAL TABLE s USING fts5(characters, letters, initials, tokenize='unicode61', prefix='1 2 3 4')")
        rows = ((r["id"], r["title"], r["pinyin"], r["initials"]) for r in records(path))
        self.fill(connection, "INSERT INTO s(rowid, characters, letters, initials) VALUES(?, ?, ?, ?)", rows)

    def remove(self):
        for end in ("", "-wal", "-shm"):
            pathlib.Path(f"{self.path}{end}").unlink(missing_ok=True)

    def fresh(self):
        self.remove()
        return self.connected()

    def connected(self):
        connection = sqlite3.connect(self.path)
        for pragma in ("journal_mode=wal", "synchronous=normal", "cache_size=-200000"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def fill(self, connection, statement, rows):
        with connection:
            connection.executemany(statement, rows)
        connection.execute("PRAGMA wal_checkpoint(truncate)")
        connection.close()

    def size(self):
        return self.path.stat().st_size

    def open(self):
        self.connection = sqlite3.connect(self.path)
        self.connection.execute("PRAGMA mmap_size=8000000000")

    def request(self, kind, q):
        if kind == "pinyin":
            match = f'pinyin:"{q}"' if self.trigram else f"pinyin:{q}*"
        elif self.trigram:
            if any(len(word) < 3 for word in q.split(" ")):
                return None
            match = " AND ".join(f'body:"{word}"' for word in q.split(" "))
        elif kind == "phrase":
            match = f'body:"{" ".join(texts.words(q))}"'
        else:
            match = " AND ".join(f'body:"{word}"' for word in (texts.words(q) if kind == "typed" else q.split(" ")))
        return (f"SELECT rowid, title FROM d WHERE d MATCH ? ORDER BY rank LIMIT {TOP}", (match,))

    def suggestion(self, kind, q):
        if self.trigram:
            return None
        return ("SELECT rowid, characters FROM s WHERE s MATCH ? ORDER BY rank LIMIT 8", (f'{kind}:"{q}"*',))

    def ask(self, request):
        return self.connection.execute(*request).fetchall()

    # --- documents ---

    def build_documents(self, documents):
        connection = self.fresh()
        self.numbers = []
        tokens = "trigram" if self.trigram else "unicode61"
        connection.execute(f"CREATE VIRTUAL TABLE q USING fts5(title, author, body, pinyin, sounds, tokenize='{tokens}')")
        prepare = texts.simplified if self.trigram else (lambda text: " ".join(texts.words(texts.simplified(text), search=True)))

        def rows():
            for document in documents:
                self.numbers.append(document["id"])
                title, author, body = (document.get(part) or "" for part in ("title", "author", "body"))
                read = [texts.syllables(title), texts.syllables(body)] if document["spelled"] else [[], []]
                yield (len(self.numbers) - 1, prepare(title), prepare(author), prepare(body), "".join(read[0]),
                       " ".join(read[0] + read[1]))

        self.fill(connection, "INSERT INTO q(rowid, title, author, body, pinyin, sounds) VALUES(?, ?, ?, ?, ?, ?)", rows())

    def find_documents(self, q, most):
        """Ids: what has all words, then, when that is little, what has any of them."""
        letters = spelled(q)
        if letters:
            syllables = " ".join(letters)
            matches = [f'sounds:"{syllables}"' if len(letters) > 1 else f'pinyin:"{syllables}"' + ("" if self.trigram else "*")]
        elif self.trigram:
            folded = texts.simplified(q).replace('"', " ")
            runs = [part for part in folded.split() if len(part) > 2]
            grams = {part[at:at + 3] for part in runs for at in range(len(part) - 2)}
            matches = [" AND ".join(f'"{part}"' for part in runs), " OR ".join(f'"{gram}"' for gram in sorted(grams))]
        else:
            asked = [f'"{word}"' for word in asked_words(q)]
            matches = [" AND ".join(asked), " OR ".join(asked)]
        found = []
        for match in filter(None, matches):
            if len(found) < TOP:
                match = match if letters else f"{{title author body}} : ({match})"
                rows = self.ask((f"SELECT rowid FROM q WHERE q MATCH ? ORDER BY {BM25} LIMIT {most}", (match,)))
                found += [number for number, in rows if number not in found]
        return [self.numbers[number] for number in found[:most]]


def spelled(q):
    """The syllables, or the letters, of a query of pinyin."""
    return q.split() if re.fullmatch("[a-z ]+", q) else []


def asked_words(q):
    """The words of a query; without those that mean nothing, unless there are no others."""
    cut = list(dict.fromkeys(word.replace('"', "") for word in texts.words(texts.simplified(q))))
    return [word for word in cut if word not in texts.STOP_WORDS] or cut


class Postgres(Peer):
    """PostgreSQL: `tsvector` of words that jieba has cut, GIN, ranked by `ts_rank`. Its cluster lives as long as the bench,
    in TMPDIR, without durability."""

    name = "PostgreSQL"
    has_server = True

    def __init__(self):
        programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        assert programs, "PostgreSQL is not installed"
        self.programs = programs[-1]
        self.version = self.programs.parent.name
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="duoku-bench-pg."))
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.run("initdb", "--pgdata", self.folder / "data", "--username", "duoku", "--auth", "trust", "--encoding", "UTF8",
                 "--locale", "C.UTF-8", "--no-sync", "--no-instructions")
        options = {"listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off", "synchronous_commit": "off",
                   "full_page_writes": "off", "shared_buffers": "512MB", "work_mem": "64MB", "maintenance_work_mem": "1GB",
                   "max_wal_size": "1GB", "jit": "off"}
        self.run("pg_ctl", "start", "--pgdata", self.folder / "data", "--wait", "--silent", "--log", self.folder / "log",
                 "--options", " ".join(f"-c {name}={value}" for name, value in options.items()))
        self.main = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def run(self, program, *arguments):
        command = [str(self.programs / program), *map(str, arguments)]
        if os.geteuid() == 0:  # which PostgreSQL refuses
            command = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", *command]
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL)

    def remove(self):
        self.open()
        self.cursor.execute("DROP TABLE IF EXISTS d, s, q")

    def end(self):
        self.run("pg_ctl", "stop", "--pgdata", self.folder / "data", "--mode", "immediate", "--silent")
        shutil.rmtree(self.folder)

    def processes(self):
        return [self.main, *measure.children(self.main)]

    def open(self):
        import psycopg2
        connection = psycopg2.connect(host=str(self.folder), user="duoku", dbname="postgres")
        connection.autocommit = True
        self.cursor = connection.cursor()

    def build(self, path):
        self.open()
        self.cursor.execute("DROP TABLE IF EXISTS d; CREATE TABLE d(id int PRIMARY KEY, title text, body text, pinyin text, "
                            "ts tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED)")
        self.copy("d", ("id", "title", "body", "pinyin"), ((r["id"], r["title"], r["seg"], r["pinyin"]) for r in records(path)))
        self.cursor.execute("CREATE INDEX ON d USING gin(ts); CREATE INDEX ON d(pinyin text_pattern_ops)")
        self.cursor.execute("VACUUM ANALYZE d")

    def build_suggestions(self, path):
        self.open()
        self.cursor.execute("DROP TABLE IF EXISTS s; CREATE TABLE s(id int, characters text, letters text, initials text)")
        rows = ((r["id"], r["title"], r["pinyin"], r["initials"]) for r in records(path))
        self.copy("s", ("id", "characters", "letters", "initials"), rows)
        for column in texts.TYPED:
            self.cursor.execute(f"CREATE INDEX ON s({column} text_pattern_ops)")
        self.cursor.execute("VACUUM ANALYZE s")

    def copy(self, table, columns, rows):
        """COPY, some thousand rows at a time."""
        escape = str.maketrans({"\\": "\\\\", "\t": " ", "\n": " ", "\r": " ", "\0": " "})
        part = io.StringIO()
        for row in rows:
            part.write("\t".join(str(value).translate(escape) for value in row) + "\n")
            if part.tell() > 8_000_000:
                self.flush(part, table, columns)
                part = io.StringIO()
        self.flush(part, table, columns)

    def flush(self, part, table, columns):
        part.seek(0)
        self.cursor.copy_from(part, table, columns=columns)

    def size(self):
        self.open()
        self.cursor.execute("SELECT pg_total_relation_size('d')")
        return self.cursor.fetchone()[0]

    def request(self, kind, q):
        if kind == "pinyin":
            return (f"SELECT id, title FROM d WHERE pinyin LIKE %s ORDER BY pinyin LIMIT {TOP}", (q + "%",))
        make = "phraseto_tsquery" if kind == "phrase" else "plainto_tsquery"
        asked = " ".join(texts.words(q)) if kind in ("phrase", "typed") else q
        return (f"SELECT id, title FROM d, {make}('simple', %s) t WHERE ts @@ t ORDER BY ts_rank(ts, t) DESC LIMIT {TOP}", (asked,))

    def suggestion(self, kind, q):
        return (f"SELECT id, characters FROM s WHERE {kind} LIKE %s ORDER BY {kind} LIMIT 8", (q + "%",))

    def ask(self, request):
        self.cursor.execute(*request)
        return self.cursor.fetchall()

    # --- documents ---

    def build_documents(self, documents):
        self.open()
        self.numbers = []
        self.cursor.execute("DROP TABLE IF EXISTS q; CREATE TABLE q(id int, title text, author text, body text, pinyin text, "
                            "sounds text)")

        def rows():
            for document in documents:
                self.numbers.append(document["id"])
                parts = [document.get(part) or "" for part in ("title", "author", "body")]
                cut = (" ".join(texts.words(texts.simplified(part), search=True)) for part in parts)
                read = [texts.syllables(parts[0]), texts.syllables(parts[2])] if document["spelled"] else [[], []]
                yield (len(self.numbers) - 1, *cut, "".join(read[0]), " ".join(read[0] + read[1]))

        self.copy("q", ("id", "title", "author", "body", "pinyin", "sounds"), rows())
        self.cursor.execute("""
            ALTER TABLE q ADD ts tsvector GENERATED ALWAYS AS (setweight(to_tsvector('simple', title), 'A')
                || setweight(to_tsvector('simple', author), 'B') || setweight(to_tsvector('simple', left(body, 400000)), 'D')) STORED,
                ADD heard tsvector GENERATED ALWAYS AS (to_tsvector('simple', left(sounds, 400000))) STORED;
            CREATE INDEX ON q USING gin(ts); CREATE INDEX ON q USING gin(heard); CREATE INDEX ON q(pinyin text_pattern_ops)""")
        self.cursor.execute("VACUUM ANALYZE q")

    def find_documents(self, q, most):
        """Ids: what has all words, then, when that is little, what has any of them."""
        letters = spelled(q)
        if len(letters) == 1:
            rows = self.ask((f"SELECT id FROM q WHERE pinyin LIKE %s ORDER BY pinyin LIMIT {most}", (q + "%",)))
            return [self.numbers[number] for number, in rows]
        if letters:
            rows = self.ask(("SELECT id FROM q, phraseto_tsquery('simple', %s) t WHERE heard @@ t "
                             f"ORDER BY ts_rank(heard, t) DESC LIMIT {most}", (q,)))
            return [self.numbers[number] for number, in rows]
        found = []
        asked = ["'" + word.replace("'", "").replace("\\", "") + "'" for word in asked_words(q)]
        for join in (" & ", " | "):
            if asked and len(found) < TOP:
                rows = self.ask((f"SELECT id FROM q, to_tsquery('simple', %s) t WHERE ts @@ t "
                                 f"ORDER BY ts_rank('{WEIGHTS}', ts, t, 1) DESC LIMIT {most}", (join.join(asked),)))
                found += [number for number, in rows if number not in found]
        return [self.numbers[number] for number in found[:most]]


class Meili(Peer):
    """Meilisearch with its Chinese tokenizer; `program` is its binary."""

    name = "Meilisearch"
    has_server = True
    port = 18088
    head = "POST /indexes/d/search HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"

    def __init__(self, program, work):
        self.program, self.folder = program, work / "meili"
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        self.remove()
        self.folder.mkdir(parents=True)
        command = [self.program, "--no-analytics", "--db-path", str(self.folder / "db"), "--http-addr", f"127.0.0.1:{self.port}",
                   "--http-payload-size-limit", "2000000000", "--env", "development", "--log-level", "WARN"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                return deliver.get(self, "/health")
            assert time.monotonic() < deadline and self.process.poll() is None, "Meilisearch does not answer"
            time.sleep(0.05)

    def remove(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self):
        return [self.process.pid] if self.process else []

    def build(self, path):
        fields = ["title", "author", "text", "pinyin"]
        self.tell("POST", "/indexes", {"uid": "d", "primaryKey": "id"})
        self.tell("PATCH", "/indexes/d/settings", {
            "searchableAttributes": fields, "displayedAttributes": ["id", "title"],
            "localizedAttributes": [{"locales": ["cmn"], "attributePatterns": fields[:3]}]})
        part, last = [], None
        for record in records(path):
            part.append({name: record[name] for name in ("id", *fields)})
            if len(part) == 50_000:
                last = self.tell("POST", "/indexes/d/documents", part)
                part = []
        last = self.tell("POST", "/indexes/d/documents", part) if part else last
        while (state := json.loads(deliver.get(self, f"/tasks/{last['taskUid']}"))["status"]) != "succeeded":
            assert state != "failed", "Meilisearch does not take the records"
            time.sleep(0.2)

    def tell(self, method, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method)
        return json.load(urllib.request.urlopen(request, timeout=600))

    def size(self):
        return bytes_of(self.folder / "db")

    def open(self):
        self.connection = measure.Connection(self.port)

    def request(self, kind, q):
        body = json.dumps({"q": f'"{q}"' if kind == "phrase" else q, "limit": TOP, "attributesToRetrieve": ["id", "title"],
                           "matchingStrategy": "all"}).encode()
        return self.head.format(len(body)).encode() + body

    def ask(self, request):
        return self.connection.ask(request)

    def hits(self, answer):
        return len(json.loads(answer)["hits"])
