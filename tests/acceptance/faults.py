#!/usr/bin/env python3
"""Ends the server like `kill -9` at every fail point of the way, and shows that nothing is lost or made twice.

faults.py DUOKU FOLDER [--files play|read] [--runs N] [--first N] [--seed S] [--only TEXT]

DUOKU is built with `cargo build --features failpoints`; the points are the names in `fault::at` of src/. A run
uploads a video, a document and a picture by tus, in pieces, deletes the picture once it is ready, and goes on where
it was when the server dies at its point (the n-th time that it is passed) and is started again. Every third run the
media child is killed at random times too. With `--files read` it uploads instead what is read (an office document, a
book, a scan, a PDF of many pages, a lecture with slides and speech), and dies at the points of the jobs that read:
then everything is found, once. At the end of each run:

I1 the source in the store has the SHA-256 of what was uploaded; I2 `duoku check` is clean and the video plays;
I3 no job is left; I4 one resource for each upload, each rendition and part once, `process` audited once;
I7 files in the store = rows, both ways, and the scratch folder is empty.
"""
import argparse, base64, hashlib, io, json, os, pathlib, random, re, shutil, signal, sqlite3, subprocess, sys, time
import urllib.error, urllib.parse, urllib.request, zipfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src"
MEDIA = HERE.parents[2] / "shared" / "media"
PASSWORD = "acceptance-tests"
PORT = int(os.environ.get("DUOKU_PORT", "8192"))
URL = f"http://127.0.0.1:{PORT}"
DEADLINE_S = 300


# Where the points of `--files read` are.
READING = ["document", "office", "book", "recognise", "slides", "listen", "finish", "index"]


def points(files):
    found = set()
    for path in SOURCE.rglob("*.rs"):
        if files == "read" and path.stem not in READING:
            continue
        for call in re.findall(r"fault::at\(([^)]*)\)", path.read_text()):
            found |= set(re.findall(r'"([a-z-]+)"', call))
    return sorted(found)


class Died(Exception):
    """The server is gone, or was while it was asked."""


class Server:
    def __init__(self, duoku, folder):
        self.duoku, self.folder, self.process, self.starts = duoku, folder, None, 0
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("DUOKU_", "FAIL"))} | {
            "DUOKU_DATA": str(folder / "data"), "DUOKU_LISTEN": URL.split("//")[1],
            "DUOKU_ADMIN_PASSWORD": PASSWORD, "DUOKU_UPLOAD_KEEP_FREE_BYTES": "0", "DUOKU_WORK_LEASE_MS": "3000",
            "DUOKU_WORK_POLL_MS": "100", "DUOKU_WORK_BACKOFF_MS": "100", "DUOKU_WORK_MAX_ATTEMPTS": "12"}
        hears = folder / "hears.sh"
        hears.write_text("echo '{\"start\":0.5,\"end\":1.5,\"text\":\"' 今天听到的话 '\"}'\n")
        self.env |= {"DUOKU_SPEECH_ENGINE": "command", "DUOKU_SPEECH_COMMAND": f"/bin/sh,{hears}",
                     "DUOKU_SPEECH_READABLE": str(hears), "DUOKU_SPEECH_PIECE_SECONDS": "30"}
        self.log = open(folder / "log", "a")
        self.token = None

    def start(self, faults=None):
        env = self.env | ({"FAILPOINTS": faults} if faults else {})
        self.process = subprocess.Popen([self.duoku, "serve"], env=env, stdout=self.log, stderr=self.log)
        self.starts += 1
        until = time.time() + 90
        while time.time() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(URL + "/readyz", timeout=5).read()
                return
            except OSError:
                time.sleep(0.03)
        if self.process.poll() is None:
            raise AssertionError("not ready within 90 s")

    def ask(self, method, path, headers=None, body=None):
        request = urllib.request.Request(URL + path, body, method=method, headers={
            "Authorization": f"Bearer {self.token}", "Tus-Resumable": "1.0.0", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()
        except (OSError, EOFError, ValueError) as error:
            time.sleep(0.1)
            if self.process.poll() is None:
                time.sleep(0.4)
            raise Died(str(error)) from error
        except Exception as error:  # http.client: half an answer
            raise Died(str(error)) from error

    def run(self, *words):
        return subprocess.run([self.duoku, *words], env=self.env, capture_output=True, text=True)

    def children(self):
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                    line = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if int(fields[1]) == self.process.pid and fields[0] != "Z" and b"media\0child" in line:
                    found.append(int(entry.name))
        return found


class Job:
    """A file on its way: uploaded in pieces, ready, and perhaps deleted."""

    def __init__(self, name, data, delete=False, says=None):
        self.name, self.data, self.delete, self.says = name, data, delete, says
        self.location = self.resource = None
        self.acknowledged, self.done, self.deleting = 0, False, False

    def step(self, server):
        if self.location is None:
            encode = lambda text: base64.b64encode(text.encode()).decode()
            status, headers, body = server.ask("POST", "/api/uploads", {
                "Upload-Length": str(len(self.data)),
                "Upload-Metadata": f"filename {encode(self.name)},library {encode('main')},title {encode(self.name)}"})
            assert status == 201, body
            self.location = headers["Location"]
        elif self.resource is None:
            status, headers, body = server.ask("HEAD", self.location)
            assert status == 200, (status, body)
            offset = int(headers["Upload-Offset"])
            assert offset >= self.acknowledged, f"I1: {offset} of {self.acknowledged} acknowledged bytes"
            self.resource = headers.get("Duoku-Resource")
            if self.resource is None:
                piece = self.data[offset:offset + max(1, len(self.data) // 3)]
                status, headers, body = server.ask("PATCH", self.location, {
                    "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}, piece)
                assert status == 204, (status, body)
                self.acknowledged = int(headers["Upload-Offset"])
                self.resource = headers.get("Duoku-Resource")
        else:
            status, _, body = server.ask("GET", f"/api/resources/{self.resource}")
            if self.deleting and status in (404, 410):
                self.done = True
                return
            assert status == 200, (status, body)
            stage = json.loads(body)["stage"]
            assert stage != "failed", body
            if stage not in ("ready", "published"):
                time.sleep(0.05)
            elif self.delete:
                self.deleting = True
                status, _, body = server.ask("DELETE", f"/api/resources/{self.resource}")
                assert status in (200, 202, 204, 404), (status, body)
            else:
                self.done = True


def drive(server, jobs, rng, kill_children):
    """Until all is done; starts the server again when it died."""
    until, next_kill, kills = time.time() + DEADLINE_S, time.time() + rng.uniform(0.2, 1.5), 0
    deaths = 0
    while not all(job.done for job in jobs):
        assert time.time() < until, f"I3: not done: {[job.name for job in jobs if not job.done]}"
        if server.process.poll() is not None:
            deaths += 1
            server.start()
        if kill_children and kills < 3 and time.time() > next_kill:
            for child in server.children():
                os.kill(child, signal.SIGKILL)
                kills += 1
            next_kill = time.time() + rng.uniform(0.2, 1.0)
        for job in jobs:
            if not job.done:
                try:
                    job.step(server)
                except Died:
                    break
    return deaths


def rows(server, statement):
    """From a copy of the database, so that the server's SQLite stays the only one that opens it."""
    copy = server.folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for path in (server.folder / "data").glob("duoku.db*"):
        if not path.name.endswith("-shm"):
            shutil.copy(path, copy)
    with sqlite3.connect(copy / "duoku.db") as db:
        return db.execute(statement).fetchall()


def settle(server):
    """Until no job is left; sweeps wait for a lease."""
    until = time.time() + 90
    while True:
        if server.process.poll() is not None:
            server.start()
        left = rows(server, "SELECT kind, state FROM job WHERE state IN ('queued', 'running')")
        if not left:
            return
        assert time.time() < until, f"I3: left: {left}"
        time.sleep(0.2)


def look_for(server, job):
    """Its text is found, and nothing else is; nothing was read twice."""
    until = time.time() + 20
    while True:
        found = json.loads(server.ask("GET", "/api/search?q=" + urllib.parse.quote(job.says))[2])
        hits = [hit["resource"] for hit in found["hits"]]
        if hits == [job.resource]:
            break
        assert time.time() < until, f"I6: {job.says} of {job.name} is found in {hits}"
        time.sleep(0.2)
    twice = rows(server, f"SELECT origin, number, COUNT(*) FROM passage WHERE resource = '{job.resource}' "
                         "GROUP BY origin, number HAVING COUNT(*) > 1")
    assert not twice, f"I4: {job.name} says twice {twice}"
    if job.name.endswith(".mp4"):
        for table, most in [("caption", 1), ("slide", 2)]:
            count = rows(server, f"SELECT COUNT(*) FROM {table} WHERE resource = '{job.resource}'")
            assert count == [(most,)], f"I4: {count} in {table}"
    bare = rows(server, "SELECT COUNT(*) FROM page WHERE large IS NULL")
    assert bare == [(0,)], f"I3: {bare} pages without pictures"


def look(server, jobs):
    """The invariants."""
    for job in jobs:
        if job.says:
            look_for(server, job)
    video = next(job for job in jobs if job.name.endswith(".mp4"))
    link = json.loads(server.ask("GET", f"/api/resources/{video.resource}")[2])["links"]["hls"]
    played = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", URL + link, "-f", "null", "-"], capture_output=True, text=True)
    assert played.returncode == 0 and not played.stderr.strip(), f"I2: {played.stderr[:500]}"
    until = time.time() + 15
    while True:
        check = server.run("check", "--json")
        if check.returncode == 0 or time.time() > until:
            break
        time.sleep(0.3)
    assert check.returncode == 0, f"I2: {check.stdout[:2000]}"
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    store = server.folder / "data/store"
    for job in jobs:
        digest = hashlib.sha256(job.data).hexdigest()
        path = store / "source" / digest[:2] / digest
        if job.deleting:
            assert not path.exists(), f"I7: the source of {job.name} is still there"
        else:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, f"I1: {job.name}"
            audited = rows(server, f"SELECT COUNT(*) FROM audit WHERE subject = '{job.resource}' AND action = 'process'")
            assert audited == [(1,)], f"I4: {job.name} processed {audited} times"
    kept = rows(server, "SELECT id, stage FROM resource WHERE stage <> 'deleted'")
    assert len(kept) == sum(not job.deleting for job in jobs), f"I4: {kept}"
    twice = rows(server, "SELECT resource, name FROM rendition GROUP BY resource, name HAVING COUNT(*) > 1")
    assert not twice, f"I4: {twice}"
    named = {key for key, in rows(server, "SELECT key FROM object")}
    stored = {str(path.relative_to(store)) for top in ("source", "derived")
              for path in (store / top).rglob("*") if path.is_file()}
    assert named == stored, f"I7: without a row {stored - named}, without a file {named - stored}"
    scratch = list((server.folder / "data/scratch").iterdir())
    assert not scratch, f"scratch: {scratch}"


def once(options, number, point, times, rng, files):
    folder = options.folder / f"run-{number:03}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    server = Server(options.duoku, folder)
    try:
        server.start()
        server.token = server.run("token", "create", "--user", "admin").stdout.split()[-1]
        server.process.kill()
        server.process.wait()
        server.start(f"{point}={f'{times - 1}*off->' if times > 1 else ''}return")
        jobs = files(rng.randbytes(8).hex())
        deaths = drive(server, jobs, rng, number % 3 == 2)
        settle(server)
        deaths = server.starts - 2
        look(server, jobs)
        shutil.rmtree(folder)
        return deaths, None
    except AssertionError as error:
        return server.starts - 2, str(error)
    finally:
        server.process.kill()
        server.process.wait()


def free(salt):
    """Bytes behind the end of a file that make it another: for MP4 a box that means nothing."""
    return (len(salt) + 8).to_bytes(4, "big") + b"free" + salt.encode()


def ffmpeg(target, *arguments):
    subprocess.run(["ffmpeg", "-y", "-nostdin", "-v", "error", *arguments, target], check=True)
    return target.read_bytes()


def to_play(folder):
    video = ffmpeg(
        folder / "video.mp4", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=10:d=3", "-f", "lavfi", "-i", "sine=440:d=3",
        "-c:v", "libx264", "-preset", "veryfast", "-g", "10", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest",
        "-movflags", "+faststart")
    document = (MEDIA / "doc/pdf-crazyones-pdfa.pdf").read_bytes()
    picture = min((MEDIA / "image").glob("*.png"), key=lambda path: path.stat().st_size).read_bytes()
    return lambda salt: [Job("a.mp4", video + free(salt)), Job("b.pdf", document + free(salt)),
                         Job("c.png", picture + free(salt), True)]


def to_read(folder):
    font = "fontfile=/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc:fontsize=56:fontcolor=black:x=60"
    slide = lambda text, when: f"drawtext={font}:y=60:text={text}:enable='{when}',drawtext={font}:y=200:text=编网技艺:enable='{when}'"
    lecture = ffmpeg(
        folder / "lecture.mp4", "-f", "lavfi", "-i", "color=white:s=640x360:r=10:d=14", "-f", "lavfi", "-i",
        "sine=330:d=14", "-vf", slide("社区教育公开课", "lt(t,6)") + "," + slide("材料是尼龙线", "gte(t,6)"),
        "-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest")
    scan = (MEDIA / "derived/scan-zh-3pages.pdf").read_bytes()
    many = folder / "many.pdf"
    subprocess.run(["pdfunite", *[MEDIA / "doc/pdf-crazyones-pdfa.pdf"] * 9, many], check=True)
    many = many.read_bytes()
    book = (MEDIA / "doc/georgia-pls-ssml.epub").read_bytes()
    return lambda salt: [
        Job("d.docx", docx(f"渔网的编法 {salt}"), says="渔网的编法"), Job("e.epub", book + free(salt)),
        Job("f.txt", f"第一章 潮水\n\n退潮以后去赶海 {salt}\n".encode(), says="退潮以后去赶海"),
        Job("g.pdf", many + free(salt), says="crazy ones"), Job("h.pdf", scan + free(salt)),
        Job("i.mp4", lecture + free(salt), says="今天听到的话")]


def docx(text):
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application'
        '/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" '
        f'ContentType="{word}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}" '
        'Target="word/document.xml"/></Relationships>',
        "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("duoku")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--files", choices=["play", "read"], default="play")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="to go on with a run that was cut")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    files = to_play(options.folder) if options.files == "play" else to_read(options.folder)
    names = [point for point in points(options.files) if options.only in point]
    problems, never, began = 0, {}, time.time()
    for number in range(options.first, options.runs):
        point, times = names[number % len(names)], 1 + number // len(names)
        rng = random.Random(f"{options.seed} {number}")
        deaths, problem = once(options, number, point, times, rng, files)
        if deaths == 0:
            never.setdefault(point, []).append(times)
        problems += problem is not None
        print(f"{number:3} {point} ({times}): died {deaths}" + (f" PROBLEM {problem}" if problem else ""), flush=True)
    print(f"{options.runs} runs over {len(names)} points in {time.time() - began:.0f} s; {problems} problems; "
          f"not passed so often: {never}")
    sys.exit(bool(problems))


main()
