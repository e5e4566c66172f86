#!/usr/bin/env python3
"""How soon a video can be played after the last byte of its upload.

  first.py DUOKU FILE... [--runs N] [--whole]

Starts `DUOKU serve` on an empty folder for every run, uploads the file by tus, and asks for the multivariant playlist,
the first media playlists of picture and sound and their first segments until all are there. The time counts from the
moment before the last 64 KiB are sent to the moment after the last of these answers. With --whole it also waits until
the resource is published, and tells how long that took and the peak memory of the server with its children."""

import argparse
import base64
import http.client
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import threading
import time

PASSWORD = "a password for benches"
TAIL = 64 * 1024
STEP = 8 << 20


class Server:
    """A server of its own, ended with the block."""

    def __init__(self, duoku):
        self.duoku = duoku
        self.folder = tempfile.TemporaryDirectory(prefix="duoku-first-")
        self.env = dict(os.environ, DUOKU_DATA=self.folder.name, DUOKU_LISTEN="127.0.0.1:0",
                        DUOKU_ADMIN_PASSWORD=PASSWORD, DUOKU_UPLOAD_KEEP_FREE_BYTES="0", DUOKU_LOG_LEVEL="error")

    def __enter__(self):
        self.process = subprocess.Popen([self.duoku, "serve"], env=self.env, stdout=subprocess.PIPE, text=True)
        address = self.process.stdout.readline().split("http://")[1].strip()
        token = subprocess.check_output([self.duoku, "token", "create", "--user", "admin"], env=self.env, text=True)
        self.headers = {"Authorization": "Bearer " + token.split()[-1], "Tus-Resumable": "1.0.0"}
        self.connection = http.client.HTTPConnection(address)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def ask(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, {**self.headers, **headers})
        answer = self.connection.getresponse()
        return answer, answer.read()

    def upload(self, path):
        """Sends all but the tail; gives the upload's path, what is left and where it goes."""
        size = path.stat().st_size
        facts = {"filename": path.name, "library": "main", "title": path.stem}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in facts.items())
        answer, _ = self.ask("POST", "/api/uploads", Upload_Length=str(size), Upload_Metadata=metadata)
        upload, offset = answer.getheader("location"), 0
        with open(path, "rb") as file:
            while offset < max(0, size - TAIL):
                piece = file.read(min(STEP, size - TAIL - offset))
                self.patch(upload, offset, piece)
                offset += len(piece)
            return upload, offset, file.read()

    def patch(self, upload, offset, piece):
        answer, body = self.ask("PATCH", upload, piece, Upload_Offset=str(offset),
                                Content_Type="application/offset+octet-stream")
        assert answer.status == 204, (answer.status, body)

    def is_playable(self, resource):
        base = f"/media/{resource}/"
        answer, body = self.ask("GET", base + "master.m3u8")
        if answer.status != 200:
            return False
        text = body.decode()
        playlists = [line for line in text.splitlines() if line and line[0] != "#"][:1]
        playlists += re.findall(r'TYPE=AUDIO.*URI="([^"]+)"', text)[:1]
        for playlist in playlists:
            answer, body = self.ask("GET", base + playlist)
            segment = [line for line in body.decode().splitlines() if line and line[0] != "#"][0]
            answer, body = self.ask("GET", base + playlist.rsplit("/", 1)[0] + "/" + segment)
            if answer.status != 200 or not body:
                return False
        return True


def memory_mb(process):
    """Resident memory of a process and those it started."""
    total, wanted = 0, {process}
    for entry in sorted(pathlib.Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(entry.name) in wanted or int(fields[1]) in wanted:
                wanted.add(int(entry.name))
                # Shared pages of libraries and of the program count once: only what is anonymous.
                status = (entry / "status").read_text()
                total += int(re.search(r"RssAnon:\s+(\d+)", status)[1]) / 1024
        except (OSError, IndexError, TypeError):
            pass
    return total


def run(duoku, path, whole):
    with Server(duoku) as server:
        upload, offset, tail = server.upload(path)
        began = time.monotonic()
        server.patch(upload, offset, tail)
        resource = json.loads(server.ask("GET", upload)[1])["resource"]
        while not server.is_playable(resource):
            assert time.monotonic() - began < 120, "not playable within two minutes"
            time.sleep(0.01)
        first, peak = time.monotonic() - began, 0.0
        if not whole:
            return first, 0.0, 0.0
        done = threading.Event()

        def watch():
            nonlocal peak
            while not done.wait(0.2):
                peak = max(peak, memory_mb(server.process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        while (stage := json.loads(server.ask("GET", f"/api/resources/{resource}")[1])["stage"]) == "processing":
            time.sleep(0.2)
        done.set()
        watcher.join()
        assert stage == "published", stage
        return first, time.monotonic() - began, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("duoku")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    for path in options.files:
        runs = [run(options.duoku, path, options.whole) for _ in range(options.runs)]
        first = [first for first, _, _ in runs]
        line = (f"{path.name}: {path.stat().st_size / 1e6:.0f} MB, playable after "
                f"{statistics.median(first) * 1000:.0f} ms ({min(first) * 1000:.0f} to {max(first) * 1000:.0f})")
        if options.whole:
            line += f", published after {statistics.median(whole for _, whole, _ in runs):.1f} s"
            line += f", {max(peak for _, _, peak in runs):.0f} MiB at most"
        print(line, flush=True)


if __name__ == "__main__":
    main()
