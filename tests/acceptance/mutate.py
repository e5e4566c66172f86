#!/usr/bin/env python3
"""Feeds damaged files to one running server and shows that nothing but their own jobs suffers.

mutate.py DUOKU FOLDER [--per-file N] [--seed S] [--limit-mb M] [--seconds L] [--only TEXT]

Every file of ../shared/media of up to M megabytes is damaged N times (bits turned, pieces cut, put in, repeated,
shuffled, filled with 0xff; the same seed gives the same bytes) and uploaded by a `duoku import --wait`, captions
by the API. Then: the server is the same process and answered /healthz all the while, every resource is ready or
failed with a sentence, no media child is left, no file outside FOLDER has changed, nothing was answered with 500,
no job ended for a reason that is ours (`internal`), memory stayed within bounds, and `duoku check` is clean.
What is found is printed; the damaged file of it is kept in FOLDER/damaged. The exit code says whether all held.
"""
import argparse, hashlib, json, os, pathlib, random, re, shutil, signal, subprocess, sys, threading, time
import urllib.error, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
MEDIA = HERE.parents[2] / "shared" / "media"
URL = os.environ.get("DUOKU_URL", "http://127.0.0.1:8191")
PASSWORD = "acceptance-tests"
CAPTIONS = {".srt", ".vtt", ".ass", ".ssa"}
# Memory of the server and of a media child with its helpers, bytes.
SERVER_BYTES, CHILD_BYTES = 400 << 20, 2 << 30


def mutated(data, rng):
    """The bytes with one to four kinds of damage."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if not data:
            break
        # Heads are where parsers are.
        reach = len(data) if rng.random() < 0.5 else min(len(data), 4096)
        at, length = rng.randrange(reach), min(len(data), int(2 ** rng.uniform(0, 16)))
        piece = bytes(data[at:at + length])
        kind = rng.randrange(9)
        if kind == 0:
            for _ in range(rng.randint(1, 64)):
                data[rng.randrange(reach)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at:at + length]
        elif kind == 2:
            data[at:at] = rng.randbytes(length)
        elif kind == 3:
            data[at:at] = piece * rng.randint(1, 8)
        elif kind == 4:
            data[at:at + len(piece)] = b"\xff" * len(piece)
        elif kind == 5:
            data[at:at + len(piece)] = bytes(len(piece))
        elif kind == 6:
            blocks = [piece[i:i + 64] for i in range(0, len(piece), 64)]
            rng.shuffle(blocks)
            data[at:at + len(piece)] = b"".join(blocks)
        elif kind == 7:
            del data[rng.randrange(len(data)):]
        else:
            # A length or a count at its limits.
            number = rng.choice([0, 1, 0x7F, 0x7FFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000])
            size = rng.choice([1, 2, 4, 8])
            data[at:at + size] = (number & (256 ** size - 1)).to_bytes(size, rng.choice(["big", "little"]))
    return bytes(data)


def get(path, timeout=10):
    with urllib.request.urlopen(URL + path, timeout=timeout) as answer:
        return answer.status, answer.read()


def rss(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmRSS:\s+(\d+)", text)
    return int(found[1]) * 1024 if found else 0


def below(pid):
    """Processes that pid started, and those that they started."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    found, more = set(), {pid}
    while more:
        more = {child for child, parent in parents.items() if parent in more} - found
        found |= more
    return found


def outside(folder):
    """What could be changed outside: names, sizes and times around the folder and in /tmp, /etc, /root."""
    state = {}
    for root in [folder.parent, pathlib.Path("/etc"), pathlib.Path.home(), pathlib.Path("/dev/shm"), MEDIA]:
        for path in root.iterdir() if root.is_dir() else []:
            # Logs of this very run, and what other programs on the machine do all the time.
            if path.name.startswith((folder.name, "bash_jobs", "PostgreSQL.", ".")) or root == folder.parent:
                continue
            facts = path.lstat()
            if path.is_file():
                state[str(path)] = (facts.st_size, facts.st_mtime_ns)
    return state


class Watch(threading.Thread):
    """Asks after the server's health and looks at its memory, all the while."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.stop = server, threading.Event()
        self.problems, self.asked, self.slowest, self.server_bytes, self.child_bytes = [], 0, 0.0, 0, 0

    def run(self):
        while not self.stop.wait(0.5):
            began = time.time()
            try:
                status, _ = get("/healthz")
                if status != 200:
                    self.problems.append(f"/healthz answered {status}")
            except OSError as error:
                self.problems.append(f"/healthz: {error}")
            self.asked += 1
            self.slowest = max(self.slowest, time.time() - began)
            self.server_bytes = max(self.server_bytes, rss(self.server.pid))
            self.child_bytes = max(self.child_bytes, sum(map(rss, below(self.server.pid))))


def damaged(options, into):
    """Writes the damaged files; captions by themselves."""
    files = sorted(path for path in MEDIA.rglob("*") if path.is_file() and path.parent != MEDIA)
    media, captions = [], []
    for path in files:
        name = str(path.relative_to(MEDIA))
        if options.only not in name or path.stat().st_size > options.limit_mb << 20:
            continue
        data = path.read_bytes()
        for number in range(options.per_file):
            rng = random.Random(f"{options.seed} {number} {name}")
            to = into / f"{path.stem[:40]}-{hashlib.sha256(name.encode()).hexdigest()[:6]}-{number}{path.suffix}"
            to.write_bytes(mutated(data, rng))
            (captions if path.suffix.lower() in CAPTIONS else media).append(to)
    return media, captions


def add_captions(resource, files, token):
    """Each as captions of a resource; gives what was answered by status."""
    answers = {}
    for path in files:
        request = urllib.request.Request(
            f"{URL}/api/resources/{resource}/captions/zh?filename=a{path.suffix}", path.read_bytes(), method="PUT",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        answers.setdefault(status, []).append(path.name)
    return answers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("duoku")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--per-file", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit-mb", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=6, help="what lasts longer is refused after its probe")
    parser.add_argument("--only", default="", help="part of the names of the files")
    options = parser.parse_args()
    folder = options.folder.resolve()
    data, into = folder / "data", folder / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    into.mkdir(parents=True)
    media, captions = damaged(options, into)
    # One that is well, for captions to be added to.
    whole = (MEDIA / "odd/bear-id3.mp3").resolve()
    env = {name: value for name, value in os.environ.items() if not name.startswith("DUOKU_")} | {
        "DUOKU_DATA": str(data), "DUOKU_LISTEN": URL.split("//")[1], "DUOKU_ADMIN_PASSWORD": PASSWORD,
        "DUOKU_WORK_BACKOFF_MS": "100", "DUOKU_WORK_MAX_ATTEMPTS": "2", "DUOKU_WORK_WORKERS": "2",
        "DUOKU_WORK_STALL_MS": "60000", "DUOKU_MEDIA_CPU_BASE_MS": "60000", "DUOKU_UPLOAD_KEEP_FREE_BYTES": "0",
        # What is long or has many pages goes the same way as what is short.
        "DUOKU_MEDIA_MAX_PAGES": "8",
        "DUOKU_MEDIA_MAX_DURATION_MS": str(options.seconds * 1000)}
    run = lambda *words: subprocess.run([options.duoku, *words], env=env, capture_output=True, text=True)
    log_path = folder / "log"
    log = open(log_path, "w")
    before, began = outside(folder), time.time()
    server = subprocess.Popen([options.duoku, "serve"], env=env, stdout=log, stderr=log)
    for _ in range(200):
        try:
            get("/readyz")
            break
        except OSError:
            time.sleep(0.1)
    watch = Watch(server)
    watch.start()
    problems, kinds = [], {}
    try:
        report = folder / "report.json"
        run("import", str(whole), *map(str, media), "--library", "main", "--wait", "--report", str(report))
        lines = json.loads(report.read_text()) if report.exists() else []
        everything = lines
        lines = [line for line in lines if line["file"] != str(whole)]
        problems += [] if len({line["file"] for line in lines}) == len(media) else [
            f"{len(lines)} outcomes of {len(media)} files"]
        for line in lines:
            kinds[line["outcome"]] = kinds.get(line["outcome"], 0) + 1
            if line["outcome"] not in ("imported", "failed", "refused", "exists"):
                problems.append(f"{line['file']}: {line['outcome']}")
            if line["outcome"] in ("failed", "refused") and not line["detail"].strip():
                problems.append(f"{line['file']}: failed without a sentence")
        if captions:
            made = next((line["resource"] for line in everything if line["file"] == str(whole)), None)
            token = run("token", "create", "--user", "admin", "--label", "mutations").stdout.strip().split()[-1:]
            if made and token:
                answers = add_captions(made, captions, token[0])
                kinds |= {f"captions {status}": len(names) for status, names in answers.items()}
                problems += [f"captions {status}: {names}" for status, names in answers.items()
                             if status not in (200, 201, 204, 400, 413, 415, 422)]
            else:
                problems.append("no resource to add captions to")
    finally:
        watch.stop.set()
        watch.join()
        for _ in range(100):
            # One that has said its last word is still ending.
            left = below(server.pid)
            if not left:
                break
            time.sleep(0.1)
        if server.poll() is not None:
            problems.append(f"the server ended: {server.returncode}")
        if left:
            problems.append(f"left over: {left}")
        time.sleep(1)
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    check = run("check", "--json")
    if check.returncode:
        problems.append(f"duoku check: {check.stdout[:2000]}")
    text = re.sub(r"\x1b\[[0-9;]*m", "", log_path.read_text())
    for line in text.splitlines():
        ours = re.search(r"panicked|status=5\d\d|\bERROR\b|code=\"?internal|code=\"?crashed|child ended early|"
                         r"got no further|answer cannot be used|tried again", line)
        if ours:
            problems.append(line[:600])
    problems += watch.problems
    if watch.server_bytes > SERVER_BYTES:
        problems.append(f"the server took {watch.server_bytes >> 20} MiB")
    if watch.child_bytes > CHILD_BYTES:
        problems.append(f"the media children took {watch.child_bytes >> 20} MiB")
    after = outside(folder)
    problems += [f"changed outside: {name}" for name in before if before[name] != after.get(name)]
    problems += [f"new outside: {name}" for name in after if name not in before]
    for problem in dict.fromkeys(problems):
        print("PROBLEM", problem)
    print(f"{len(media)} files and {len(captions)} captions in {time.time() - began:.0f} s: {kinds}; "
          f"/healthz {watch.asked} times, at most {watch.slowest * 1000:.0f} ms; "
          f"server {watch.server_bytes >> 20} MiB, children {watch.child_bytes >> 20} MiB; {len(problems)} problems")
    sys.exit(bool(problems))


main()
