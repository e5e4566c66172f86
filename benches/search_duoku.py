"""duoku for search.py: rows put into its database while no duoku runs, its index, its server."""

import contextlib
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import time
import urllib.parse

import deliver
import search_measure as measure
import search_peers as peers
import search_texts as texts

PORT = 18083
LIBRARIES = 50
KINDS = {"document": "application/pdf", "video": "video/mp4", "audio": "audio/mpeg", "image": "image/png"}
TOPICS = ["culture-arts", "health", "vocational-skills", "science", "law", "civility", "values", "technology-extension",
          "entrepreneurship"]
AUDIENCES = ["elders", "youth", "workers", "children", "farmers", "disabled"]
LANGUAGES = ["zh", "zh-Hans", None, "zh-Hant", "en"]
# Resources that are ready, to be published while searches go on.
READY = 20_000
YEARS_MS = 5 * 365 * 86_400_000
BEGAN_MS = 1_600_000_000_000
COLUMNS = ("id", "library", "kind", "stage", "title", "description", "language", "author", "licence", "topics", "audiences",
           "uploaded_by", "file_name", "media_type", "size_bytes", "pages", "doing", "progress", "jobs_left", "warnings", "derived",
           "ticket_epoch", "changed", "created_ms", "updated_ms", "published_ms")


class Duoku(deliver.Server):
    """The server over one data folder, without workers. `answers` in bytes: None for the default."""

    ready, has_server = "/readyz", True
    url = f"http://127.0.0.1:{PORT}"

    def __init__(self, program, data, answers=None):
        self.program, self.data, self.answers = program, data, answers
        self.name = "duoku" if answers is None else "duoku, no answers kept"

    def env(self):
        rates = {f"DUOKU_RATES_{kind}_PER_MINUTE": "0" for kind in ("MEDIA", "PAGE", "SEARCH", "WRITE", "LOGIN")}
        kept = {} if self.answers is None else {"DUOKU_SEARCH_ANSWERS_BYTES": str(self.answers)}
        return dict(os.environ, **rates, **kept, DUOKU_DATA=str(self.data), DUOKU_LISTEN=f"127.0.0.1:{PORT}",
                    DUOKU_ADMIN_PASSWORD=deliver.PASSWORD, DUOKU_LOG_LEVEL="warn", DUOKU_UPLOAD_KEEP_FREE_BYTES="0",
                    DUOKU_WORK_KEEP_FREE_BYTES="0")

    def command(self):
        return [self.program, "serve", "--no-work"]

    def __enter__(self):
        super().__enter__()
        deadline = time.monotonic() + 300
        while json.loads(deliver.get(self, "/api/search?per_page=1"))["titles_only"]:
            assert time.monotonic() < deadline, "the index does not answer"
            time.sleep(0.1)
        # The words that typing completes to are read when they are first asked for; an answer before that is kept.
        for attempt in range(200):
            if any(one["resource"] is None for one in json.loads(deliver.get(self, f"/api/suggest?q=sh&attempt={attempt}"))):
                break
            time.sleep(0.1)
        return self

    def run(self, *arguments):
        return subprocess.run([self.program, *arguments], env=self.env(), check=True, capture_output=True, text=True).stdout

    # --- as a peer ---

    def open(self):
        self.connection = measure.Connection(PORT)

    def request(self, kind, q):
        return get("/api/search", q=f'"{q}"' if kind == "phrase" else q, per_page=peers.TOP)

    def suggestion(self, kind, q):
        return get("/api/suggest", q=q)

    def ask(self, request):
        return self.connection.ask(request)

    def hits(self, answer):
        answer = json.loads(answer)
        return len(answer["hits"] if isinstance(answer, dict) else answer)

    def resident_bytes(self):
        """All of it, and what is its own (not pages of files)."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        whole = int(re.search(r"^VmRSS:\s+(\d+)", text, re.M)[1]) * 1024
        return whole, measure.own_bytes([self.process.pid])

    # --- the index ---

    def reindex(self):
        """What `duoku reindex` takes, and the bytes of what it makes."""
        shutil.rmtree(self.data / "index", ignore_errors=True)
        process = subprocess.Popen([self.program, "reindex"], env=self.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took = measure.measured(process.pid, process.wait)
        name = (self.data / "index" / "current").read_text().strip()
        return {**took, "size": peers.bytes_of(self.data / "index" / name)}


def get(path, **values):
    """The bytes of a request."""
    return f"GET {path}?{urllib.parse.urlencode(values)} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\n\r\n".encode()


def post(path, token):
    return (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n").encode()


# --- rows ---


def seed_records(duoku, path):
    """An installation with the records of `path`, spread over libraries, kinds, topics, audiences, languages and years, each
    with its text as page 1; and READY more that are not published, whose titles have a word of their own."""
    chance = random.Random(14)
    records = ((record["title"], record["author"], [record["text"]], True) for record in peers.records(path))
    waiting = ((f"待发布的课程 {waiting_word(number)}", "", [], False) for number in range(READY))

    def one(resource, libraries):
        topics = some(chance, TOPICS, 2 if chance.random() < 0.3 else 1)
        return {**resource, "library": some(chance, libraries, 1)[0], "kind": some(chance, list(KINDS), 1)[0],
                "topics": json.dumps(topics), "audiences": json.dumps(some(chance, AUDIENCES, 1)),
                "language": some(chance, LANGUAGES, 1)[0]}

    seed(duoku, itertools.chain(records, waiting), one, chance)


def seed_documents(duoku, documents):
    """An installation with documents in one library, their bodies in pages; gives the documents' ids by resource."""
    order, ids = [], []

    def rows():
        for document in documents:
            order.append(document["id"])
            yield document["title"], document.get("author") or "", texts.pages(document["body"]), True

    def one(resource, libraries):
        ids.append(resource["id"])
        return {**resource, "library": libraries[0]}

    seed(duoku, rows(), one, random.Random(15))
    return dict(zip(ids, order))


def waiting_word(number):
    return f"xz{number:06d}"


def some(chance, values, count):
    """Different ones, the first the most often."""
    found = []
    while len(found) < count:
        value = values[min(int(chance.paretovariate(0.8)) - 1, len(values) - 1)] if len(values) > 1 else values[0]
        if value not in found:
            found.append(value)
    return found


def seed(duoku, rows, one, chance):
    """Rows are (title, author, pages, published); `one` finishes a resource."""
    shutil.rmtree(duoku.data, ignore_errors=True)
    duoku.data.mkdir(parents=True)
    duoku.run("migrate")
    deliver.Server.__enter__(duoku).__exit__()  # makes the first library and account
    connection = sqlite3.connect(duoku.data / "duoku.db")
    connection.execute("PRAGMA synchronous=off")
    with connection:
        account = connection.execute("SELECT id FROM account").fetchone()[0]
        libraries = add_libraries(connection, chance)
        change = connection.execute("SELECT value FROM counter WHERE name = 'change'").fetchone()[0]
        insert = f"INSERT INTO resource ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
        numbered = enumerate(rows, change + 1)
        while batch := list(itertools.islice(numbered, 5_000)):
            resources, passages = [], []
            for change, (title, author, pages, published) in batch:
                resource = one(plain_resource(title, author, len(pages), published, change, account, chance), libraries)
                resource["media_type"] = KINDS[resource["kind"]]
                resources.append([resource[column] for column in COLUMNS])
                passages += [(resource["id"], f"page:{page}", 0, page, text) for page, text in enumerate(pages, 1) if text.strip()]
            connection.executemany(insert, resources)
            connection.executemany("INSERT INTO passage (resource, origin, number, page, text) VALUES (?, ?, ?, ?, ?)", passages)
        connection.execute("UPDATE counter SET value = ? WHERE name = 'change'", (change,))
    connection.execute("PRAGMA wal_checkpoint(truncate)")
    connection.close()


def add_libraries(connection, chance):
    names = [row[1] for row in connection.execute("PRAGMA table_info(library)")]
    main = dict(zip(names, connection.execute("SELECT * FROM library WHERE slug = 'main'").fetchone()))
    added = [{**main, "id": uuid7(main["created_ms"], chance), "slug": f"town-{number}", "name": f"第{number}镇资源库"}
             for number in range(1, LIBRARIES)]
    connection.executemany(f"INSERT INTO library VALUES ({', '.join('?' * len(names))})",
                           [[library[name] for name in names] for library in added])
    return [main["id"], *(library["id"] for library in added)]


def plain_resource(title, author, pages, published, change, account, chance):
    made_ms = BEGAN_MS + chance.randrange(YEARS_MS)
    return {"id": uuid7(made_ms, chance), "kind": "document", "stage": "published" if published else "ready", "title": title,
            "description": "", "language": "zh", "author": author, "licence": "CC-BY-4.0", "topics": "[]", "audiences": "[]",
            "uploaded_by": account, "file_name": f"{change}.pdf", "size_bytes": 100_000, "pages": pages or None, "doing": "",
            "progress": 1.0, "jobs_left": 0, "warnings": "[]", "derived": "{}", "ticket_epoch": 0, "changed": change,
            "created_ms": made_ms, "updated_ms": made_ms, "published_ms": made_ms if published else None}


def uuid7(ms, chance):
    """RFC 9562 section 5.7, as duoku writes it."""
    return f"{ms << 80 | 7 << 76 | chance.getrandbits(12) << 64 | 2 << 62 | chance.getrandbits(62):032x}"


def waiting_ids(data):
    """The resources that are ready, in order; no duoku may run."""
    with contextlib.closing(sqlite3.connect(data / "duoku.db")) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM resource WHERE stage = 'ready' ORDER BY changed")]
