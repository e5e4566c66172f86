#!/usr/bin/env python3
"""Resumable uploads beside others: the same bytes over loopback, in turn, medians.

  upload.py DUOKU [--streams 1 8] [--size-mb 256] [--chunk-mb 64] [--runs N] [--work DIR]

Peers are @tus/server with @tus/file-store on Node, which npm puts into DIR, and nginx with `dav_methods PUT` (not resumable,
one request a file). SIZE megabytes in all are sent from the page cache in so many streams, each a connection of its own:
to the tus servers in requests of CHUNK megabytes (0: in one). duoku makes every request's bytes durable before it answers,
and has the SHA-256 at the end; the others leave the bytes to the kernel and hash nothing. It runs with --no-work on an
empty folder; afterwards, and not measured, it takes the uploads into its store, and the SHA-256 it tells and the stored
bytes must be those that were sent.

MB/s are of 1,000,000 bytes; CPU is the server's for a GB of all its threads and processes; `peak` is the most it had
resident, `more` how much of that came with the uploads. `spread` is that of MB/s."""

import argparse
import base64
import hashlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import subprocess
import threading
import time
import urllib.request
import zlib

import deliver

TUS = ["@tus/server@2.4.5", "@tus/file-store@2.1.1"]
TUS_SERVER = """
import { createServer } from "node:http";
import { Server } from "@tus/server";
import { FileStore } from "@tus/file-store";
const [folder, port] = process.argv.slice(2);
const tus = new Server({ path: "/files", datastore: new FileStore({ directory: folder }) });
const answer = (request, response) => request.url === "/ready" ? response.end("ok") : tus.handle(request, response);
createServer(answer).listen(Number(port), "127.0.0.1");
"""
NGINX = """worker_processes {cores}; daemon off; pid {work}/nginx.pid; error_log {work}/nginx.err error; user root;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_max_body_size 0; client_body_buffer_size 256k; client_body_temp_path {folder}/temp;
  proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3; uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
  server {{
    listen 127.0.0.1:18082 reuseport; root {folder}; location /files/ {{ dav_methods PUT; create_full_put_path on; }}
    location = /ready {{ return 200; }}
  }}
}}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("duoku")
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--size-mb", type=int, default=256)
    parser.add_argument("--chunk-mb", type=int, default=64)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("target/bench/upload"))
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    duoku = str(pathlib.Path(options.duoku).resolve())
    servers = [NginxPut(work), Tus(work), Duoku(duoku, work)]
    for streams in options.streams:
        files = make_files(work, streams, options.size_mb * 1_000_000 // streams)
        compare(servers, files, options)
    shutil.rmtree(work / "received", ignore_errors=True)


class Receiver(deliver.Server):
    """A server with an empty folder for what it receives."""

    ready, resumable = "/ready", True

    def __init__(self, work):
        self.work, self.folder = work, work / "received"

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        # What earlier runs wrote must not be written out during this one.
        os.sync()
        return super().__enter__()

    def resident_mb(self, most):
        field = "VmHWM" if most else "VmRSS"
        texts = [pathlib.Path(f"/proc/{process}/status").read_text() for process in self.processes()]
        return sum(int(re.search(rf"^{field}:\s+(\d+)", text, re.M)[1]) for text in texts) / 1024

    def headers(self):
        return {}

    def check(self, files):
        received = sorted(path.stat().st_size for path in self.folder.rglob("*") if path.stat().st_size > 4096)
        assert received == [path.stat().st_size for path in files], f"{self.name} has {received}"


class NginxPut(Receiver):
    name, url, path, resumable = "nginx PUT", "http://127.0.0.1:18082", "/files/", False

    def command(self):
        conf = self.work / "nginx.conf"
        conf.write_text(NGINX.format(work=self.work, folder=self.folder, cores=os.cpu_count()))
        return ["nginx", "-p", str(self.work), "-e", str(self.work / "nginx.err"), "-c", str(conf)]


class Tus(Receiver):
    name, url, path = "@tus/server", "http://127.0.0.1:18084", "/files"

    def __init__(self, work):
        super().__init__(work)
        self.program = work / "tus" / "server.mjs"
        self.program.parent.mkdir(exist_ok=True)
        self.program.write_text(TUS_SERVER)
        if not (self.program.parent / "node_modules").exists():
            subprocess.run(["npm", "install", "--silent", *TUS], cwd=self.program.parent, check=True)

    def command(self):
        return ["node", str(self.program), str(self.folder), self.url.rsplit(":", 1)[1]]


class Duoku(Receiver):
    name, url, path, ready = "duoku", "http://127.0.0.1:18083", "/api/uploads", "/readyz"
    work_too = False

    def __init__(self, duoku, work):
        super().__init__(work)
        self.duoku = duoku

    def __enter__(self):
        super().__enter__()
        self.new_token()
        return self

    def new_token(self):
        made = subprocess.run([self.duoku, "token", "create", "--user", "admin"], env=self.env(), check=True,
                              capture_output=True, text=True)
        self.token = made.stdout.split()[-1]

    def env(self):
        return dict(os.environ, DUOKU_DATA=str(self.folder), DUOKU_LISTEN="127.0.0.1:18083",
                    DUOKU_ADMIN_PASSWORD=deliver.PASSWORD, DUOKU_UPLOAD_KEEP_FREE_BYTES="0", DUOKU_WORK_KEEP_FREE_BYTES="0")

    def command(self):
        return [self.duoku, "serve"] + ([] if self.work_too else ["--no-work"])

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"}

    def check(self, files):
        """With workers: each source arrives in the store, under its SHA-256."""
        self.process.terminate()
        self.process.wait()
        self.work_too = True
        deliver.Server.__enter__(self)
        self.work_too = False
        self.new_token()
        for path in files:
            wanted = sha256_of(path)
            deadline = time.monotonic() + 120
            while (told := self.told(path)) is None:
                assert time.monotonic() < deadline, f"{path.name} does not arrive in the store"
                time.sleep(0.2)
            assert told == wanted, f"duoku says {told} of {path.name}, which has {wanted}"
            stored = sha256_of(self.folder / "store" / "source" / wanted[:2] / wanted)
            assert stored == wanted, f"what is stored of {path.name} has {stored}"

    def told(self, path):
        """The SHA-256 that the server tells of the file."""
        for item in self.json("/api/resources?per_page=100")["items"]:
            if item["title"] == path.stem:
                return self.json(f"/api/resources/{item['id']}")["sha256"]
        raise AssertionError(f"there is no {path.stem}")

    def json(self, path):
        request = urllib.request.Request(self.url + path, headers=self.headers())
        return json.load(urllib.request.urlopen(request, timeout=60))


def make_files(work, streams, size_bytes):
    """Pictures of one point with so many bytes that mean nothing: a file that duoku takes, and that is soon looked into."""
    paths = [work / f"{streams}-{number}.png" for number in range(streams)]
    for number, path in enumerate(paths):
        if not path.exists() or path.stat().st_size != size_bytes:
            write_png(path, size_bytes, random.Random(number))
        with open(path, "rb") as file:
            while file.read(1 << 20):
                pass
    return paths


def write_png(path, size_bytes, source):
    head = [chunk(b"IHDR", (1).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])), chunk(b"IDAT", zlib.compress(b"\0\0"))]
    start, end = b"\x89PNG\r\n\x1a\n" + b"".join(head), chunk(b"IEND", b"")
    # A private chunk that readers pass over.
    path.write_bytes(start + chunk(b"duKu", source.randbytes(size_bytes - len(start) - len(end) - 12)) + end)


def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compare(servers, files, options):
    runs = {server.name: [] for server in servers}
    for _ in range(options.runs):
        for server in servers:
            with server:
                runs[server.name].append(measure(server, files, options.chunk_mb * 1_000_000))
                server.check(files)
    print(f"\n{len(files)} streams, {sum(path.stat().st_size for path in files) / 1e6:.0f} MB in all")
    print(f"{'':14}{'MB/s':>8}{'x':>6}{'CPU s/GB':>10}{'x':>6}{'peak MB':>9}{'more MB':>9}{'spread':>8}")
    rows = {name: [statistics.median(column) for column in zip(*each)] for name, each in runs.items()}
    base = rows["@tus/server"]
    for name, (rate, cpu, peak, more) in rows.items():
        rates = [run[0] for run in runs[name]]
        print(f"{name:14}{rate:8.0f}{rate / base[0]:6.2f}{cpu:10.2f}{cpu / base[1]:6.2f}{peak:9.0f}{more:9.0f}"
              f"{(max(rates) - min(rates)) / rate * 100:7.0f}%", flush=True)


def measure(server, files, chunk_bytes):
    failed = []

    def one(path):
        try:
            send(server, path, chunk_bytes)
        except Exception as error:
            failed.append(f"{server.name}: {error!r}")

    memory, cpu, began = server.resident_mb(most=False), server.cpu_s(), time.monotonic()
    threads = [threading.Thread(target=one, args=[path]) for path in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    assert not failed, failed
    gb = sum(path.stat().st_size for path in files) / 1e9
    peak = server.resident_mb(most=True)
    return gb * 1000 / took, (server.cpu_s() - cpu) / gb, peak, peak - memory


def send(server, path, chunk_bytes):
    address = server.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(*address, timeout=120)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    size = path.stat().st_size
    with open(path, "rb") as file:
        if not server.resumable:
            ask(connection, "PUT", server.path + path.name, {}, (201, 204), file, 0, size)
            return
        headers = {"Tus-Resumable": "1.0.0", **server.headers()}
        metadata = {"filename": path.name, "library": "main", "title": path.stem}
        text = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
        created = ask(connection, "POST", server.path, {**headers, "Upload-Length": str(size), "Upload-Metadata": text}, (201,))
        place = re.sub(r"^\w+://[^/]+", "", created.headers["Location"])
        offset = 0
        while offset < size:
            length = min(chunk_bytes or size, size - offset)
            piece = {**headers, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            sent = ask(connection, "PATCH", place, piece, (204,), file, offset, length)
            offset += length
            assert sent.headers["Upload-Offset"] == str(offset), sent.headers["Upload-Offset"]


def ask(connection, method, path, headers, wanted, file=None, offset=0, length=0):
    connection.putrequest(method, path)
    for name, value in {**headers, "Content-Length": str(length)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    if file:
        connection.sock.sendfile(file, offset, length)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status in wanted, f"{method} {path}: {answer.status} {body[:200]}"
    return answer


if __name__ == "__main__":
    main()
