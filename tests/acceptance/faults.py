#!/usr/bin/env python3
"""Ends the server like `kill -9` at every fail point of the way, and shows that nothing is lost or made twice.

faults.py DUOKU FOLDER [--runs N] [--first N] [--seed S] [--only TEXT]

DUOKU is built with `cargo build --features failpoints`; the points are the names in `fault::at` of src/. A run
uploads a video, a document and a picture by tus, in pieces, deletes the picture once it is ready, and goes on where
it was when the server dies at its point (the n-th time that it is passed) and is started again. Every third run the
media child is killed at random times too. At the end of each run:

I1 the source in the store has the SHA-256 of what was uploaded; I2 `duoku check` is clean and the video plays;
I3 no job is left; I4 one resource for each upload, each rendition and part once, `process` audited once;
I7 files in the store = rows, both ways, and the scratch folder is empty.
"""
import argparse, base64, hashlib, json, os, pathlib, random, re, shutil, signal, sqlite3, subprocess, sys, time
import urllib.error, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1] / "src"
MEDIA = HERE.parents[2] / "shared" / "media"
PASSWORD = "acceptance-tests"
PORT = int(os.environ.get("DUOKU_PORT", "8192"))
URL = f"http://127.0.0.1:{PORT}"
DEADLINE_S = 300


def points():
    found = set()
    for path in SOURCE.rglob("*.rs"):
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

    def __init__(self, name, data, delete=False):
        self.name, self.data, self.delete = name, data, delete
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


def look(server, jobs):
    """The invariants."""
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
        salt = rng.randbytes(8).hex().encode()
        # Each run has its own bytes, behind the end of the file: for MP4 a box that means nothing.
        salt = (len(salt) + 8).to_bytes(4, "big") + b"free" + salt
        jobs = [Job(name, data + salt, delete) for name, data, delete in files]
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("duoku")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="to go on with a run that was cut")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    video = options.folder / "video.mp4"
    subprocess.run(
        ["ffmpeg", "-y", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=10:d=3", "-f", "lavfi",
         "-i", "sine=440:d=3", "-c:v", "libx264", "-preset", "veryfast", "-g", "10", "-pix_fmt", "yuv420p",
         "-c:a", "aac", "-shortest", "-movflags", "+faststart", video], check=True)
    files = [("a.mp4", video.read_bytes(), False), ("b.pdf", (MEDIA / "doc/pdf-crazyones-pdfa.pdf").read_bytes(), False),
             ("c.png", min((MEDIA / "image").glob("*.png"), key=lambda path: path.stat().st_size).read_bytes(), True)]
    names = [point for point in points() if options.only in point]
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
