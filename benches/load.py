#!/usr/bin/env python3
"""How the server bears many clients and bad ones.

  load.py DUOKU [--rows idle,slow,bad,viewers,uploads,large] [--seconds N] [--share F] [--out FOLDER]

Starts `DUOKU serve` on an empty folder for each row, all on this machine, and prints a table:
  idle     10,000 kept-alive connections that ask for nothing
  slow     10,000 clients that read a large file at 16 kB/s
  bad      1,000 heads and 1,000 bodies that come byte by byte, 1,000 connections that say nothing
  viewers  3,000 clients that take a range of 750 kB every 6 s: 1 Mbit/s each
  uploads  100 uploads of 32 MiB at once, each cut now and then and resumed; every hash is compared
  large    one video of 8 GiB is uploaded and made ready; `children` are the processes that look into it
Meanwhile one good client asks for /healthz 20 times a second. With --share 0.1 there are a tenth of the clients.
FOLDER gets RSS, the kernel's TCP memory and the latency of every half second as load.csv and load.svg. Every client has
the address 127.0.0.1, so `max_connections_per_address` is raised. The clients take a core: times are upper bounds."""

import argparse
import base64
import concurrent.futures
import csv
import hashlib
import http.client
import json
import multiprocessing
import os
import pathlib
import random
import resource
import select
import socket
import subprocess
import tempfile
import time
import urllib.request
import wave

PASSWORD = "a password for benches"
GET_HEALTH = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
SEGMENT = 750_000
SEGMENT_S = 6.0
# Seconds after which bad clients must be gone.
GONE_S = 65


class Server:
    """A server of its own with one large file, ended with the block."""

    def __init__(self, duoku, arguments=()):
        self.duoku, self.arguments = duoku, arguments
        self.folder = tempfile.TemporaryDirectory(prefix="duoku-load-")
        self.env = dict(os.environ, DUOKU_DATA=self.folder.name + "/data", DUOKU_LISTEN="127.0.0.1:0",
                        DUOKU_ADMIN_PASSWORD=PASSWORD, DUOKU_LOG_LEVEL="error",
                        DUOKU_SERVER_MAX_CONNECTIONS_PER_ADDRESS="20000", DUOKU_UPLOAD_KEEP_FREE_BYTES="0")

    def __enter__(self):
        file = pathlib.Path(self.folder.name, "noise.wav")
        with wave.open(str(file), "wb") as sound:
            sound.setparams((2, 2, 48000, 0, "NONE", ""))
            sound.writeframes(os.urandom(64_000_000))
        subprocess.run([self.duoku, "import", file, "--library", "main", "--wait"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.process = subprocess.Popen([self.duoku, "serve", *self.arguments], env=self.env, stdout=subprocess.PIPE, text=True)
        address = self.process.stdout.readline().split("://")[1].strip()
        host, port = address.rsplit(":", 1)
        self.address = (host, int(port))
        with urllib.request.urlopen(f"http://{address}/api/resources?library=main") as answer:
            self.path = json.load(answer)["items"][0]["links"]["original"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()

    def status_kb(self, name, process=None):
        try:
            text = pathlib.Path(f"/proc/{process or self.process.pid}/status").read_text()
        except OSError:
            return 0
        return next((int(line.split()[1]) for line in text.splitlines() if line.startswith(name + ":")), 0)

    def children_kb(self):
        """RSS of the processes that it has started."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return sum(self.status_kb("VmRSS", child) for path in children for child in path.read_text().split())

    def token(self):
        said = subprocess.run([self.duoku, "token", "create", "--user", "admin"], env=self.env, check=True,
                              capture_output=True, text=True)
        return said.stdout.split()[-1]


def tcp_memory_kb():
    """What the kernel holds for all TCP sockets of this machine."""
    for line in pathlib.Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            return int(line.split()[-1]) * os.sysconf("SC_PAGESIZE") // 1024
    return 0


def good_client(address, stop, answers):
    """Asks for /healthz 20 times a second until `stop`; puts (time, milliseconds or None) into `answers`."""
    while not stop.is_set():
        begun = time.monotonic()
        try:
            with socket.create_connection(address, 10) as connection:
                connection.sendall(GET_HEALTH)
                good = connection.recv(4096).startswith(b"HTTP/1.1 200")
            answers.put((begun, (time.monotonic() - begun) * 1000 if good else None))
        except OSError:
            answers.put((begun, None))
        stop.wait(max(0.0, begun + 0.05 - time.monotonic()))


class Watch:
    """Samples memory and the good client's latency during a row."""

    def __init__(self, server, row):
        self.server, self.row, self.samples, self.latencies = server, row, [], []
        self.answers, self.stop = multiprocessing.Queue(), multiprocessing.Event()
        self.begun = time.monotonic()
        self.next = self.begun
        self.client = multiprocessing.Process(target=good_client, args=(server.address, self.stop, self.answers))
        self.client.start()

    def look(self):
        """To be called often: takes a sample each half second."""
        now = time.monotonic()
        if now < self.next:
            return
        self.next = now + 0.5
        recent = []
        while not self.answers.empty():
            recent.append(self.answers.get()[1])
        self.latencies += recent
        known = [ms for ms in recent if ms is not None]
        self.samples.append({
            "row": self.row, "second": round(now - self.begun, 1), "rss_mb": self.server.status_kb("VmRSS") / 1024,
            "anonymous_mb": self.server.status_kb("RssAnon") / 1024, "tcp_mb": tcp_memory_kb() / 1024,
            "latency_ms": max(known) if known else 0.0, "failed": len(recent) - len(known)})

    def end(self):
        self.next = 0
        self.look()
        self.stop.set()
        while not self.answers.empty():
            self.answers.get()
        self.client.join(15)

    def told(self):
        known = sorted(ms for ms in self.latencies if ms is not None)
        peak = {name: max(sample[name] for sample in self.samples) for name in ("rss_mb", "anonymous_mb", "tcp_mb")}
        return {"rss MiB": f"{peak['rss_mb']:.0f}", "own MiB": f"{peak['anonymous_mb']:.0f}",
                "tcp MiB": f"{peak['tcp_mb']:.0f}", "health p50 ms": f"{quantile(known, 0.5):.1f}",
                "p99 ms": f"{quantile(known, 0.99):.1f}", "failed": str(len(self.latencies) - len(known))}


def quantile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def connect(address, request=b"", buffer=None):
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.connect(address)
    if request:
        connection.sendall(request)
    connection.setblocking(False)
    return connection


def many(watch, address, count, request=b"", buffer=None):
    connections = []
    for number in range(count):
        connections.append(connect(address, request, buffer))
        if number % 100 == 0:
            watch.look()
    return connections


def idle(server, watch, share, seconds):
    connections = many(watch, server.address, int(10_000 * share), GET_HEALTH)
    pause(watch, seconds)
    alive = 0
    for connection in connections:
        connection.setblocking(True)
        connection.settimeout(10)
        answer = connection.recv(4096)
        connection.sendall(GET_HEALTH)
        alive += answer.startswith(b"HTTP/1.1 200") and connection.recv(4096).startswith(b"HTTP/1.1 200")
        watch.look()
    return {"clients": str(len(connections)), "note": f"{alive} answered afterwards"}


def slow(server, watch, share, seconds):
    request = f"GET {server.path} HTTP/1.1\r\nhost: x\r\n\r\n".encode()
    readers = many(watch, server.address, int(10_000 * share), request, 65536)
    begun, step, cut = time.monotonic(), 0, 0
    while time.monotonic() - begun < seconds:
        step += 1
        for number, reader in enumerate(readers):
            try:
                cut += not reader.recv(16384)
            except BlockingIOError:
                pass
            except OSError:
                cut += 1
            if number % 500 == 0:
                watch.look()
        pause(watch, begun + step - time.monotonic())
    return {"clients": str(len(readers)), "note": f"{cut} cut"}


def bad(server, watch, share, seconds):
    count = int(1000 * share)
    head = b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: "
    body = b"POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n"
    kinds = {"heads": many(watch, server.address, count, head), "bodies": many(watch, server.address, count, body),
             "silent": many(watch, server.address, count)}
    begun, gone = time.monotonic(), {}
    while any(kinds.values()) and time.monotonic() - begun < 2 * GONE_S + seconds:
        for kind, connections in kinds.items():
            kinds[kind] = [connection for connection in connections if lives(connection, kind)]
            if not kinds[kind]:
                gone.setdefault(kind, time.monotonic() - begun)
        pause(watch, 1.0)
    late = [kind for kind in kinds if gone.get(kind, GONE_S) >= GONE_S]
    note = ", ".join(f"{kind} gone after {at:.0f} s" for kind, at in gone.items())
    return {"clients": str(3 * count), "note": note + (f", LATE: {late}" if late else "")}


def lives(connection, kind):
    """Whether a bad client is still connected; sends its next byte."""
    try:
        if kind != "silent":
            connection.send(b"a")
        while connection.recv(4096):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def viewers(server, watch, share, seconds):
    count = int(3000 * share)
    poll, buffer = select.epoll(), bytearray(1 << 20)
    clients, due, first, stalls, failed, bytes_read = {}, [], [], 0, 0, 0
    for number, connection in enumerate(many(watch, server.address, count, buffer=262144)):
        clients[connection.fileno()] = client = {"connection": connection, "left": 0, "fresh": False, "late": False}
        poll.register(connection, select.EPOLLIN)
        due.append((time.monotonic() + 1 + number * SEGMENT_S / count, client))
    begun = time.monotonic()
    while (now := time.monotonic()) - begun < seconds:
        while due and due[0][0] <= now:
            at, client = due.pop(0)
            due.append((at + SEGMENT_S, client))
            if client["left"] > 0:
                continue  # It stalls already; it asks again in its next turn.
            start = int.from_bytes(os.urandom(4), "big") % 60_000_000
            request = f"GET {server.path} HTTP/1.1\r\nhost: x\r\nrange: bytes={start}-{start + SEGMENT - 1}\r\n\r\n"
            client.update(left=SEGMENT, fresh=True, asked=now, head=b"")
            client["connection"].send(request.encode())
        for number, _ in poll.poll(0.01, 256):
            client = clients[number]
            try:
                count_read = client["connection"].recv_into(buffer)
            except OSError:
                count_read = 0
            if not count_read:
                failed += 1
                poll.unregister(number)
                continue
            bytes_read += count_read
            if client["fresh"]:
                client["fresh"] = False
                first.append((time.monotonic() - client["asked"]) * 1000)
                count_read -= bytes(buffer[:2048]).index(b"\r\n\r\n") + 4
            client["left"] -= count_read
            if client["left"] <= 0 and time.monotonic() - client["asked"] > SEGMENT_S + 2:
                stalls += 1
        watch.look()
    first.sort()
    stalls += sum(client["left"] > 0 and now - client["asked"] > SEGMENT_S + 2 for client in clients.values())
    rate = bytes_read * 8 / seconds / 1e9
    note = f"first byte p50 {quantile(first, .5):.1f} p99 {quantile(first, .99):.1f} ms, {stalls} stalls over 2 s"
    return {"clients": str(count), "note": f"{note}, {failed} failed, {rate:.2f} Gbit/s"}


class Uploader:
    """Speaks tus 1.0.0 with the server, one request a connection."""

    def __init__(self, server, token):
        self.address, self.token = server.address, token

    def ask(self, method, path, fields, body=None):
        connection = http.client.HTTPConnection(*self.address, timeout=120)
        fields = {"Authorization": f"Bearer {self.token}", "Tus-Resumable": "1.0.0", **fields}
        try:
            connection.request(method, path, body, fields)
        except (BrokenPipeError, ConnectionResetError):
            pass  # It is refused before all of it came; the answer says why.
        answer = connection.getresponse()
        answer.said = answer.read()
        connection.close()
        return answer

    def begin(self, name, length):
        metadata = f"filename {base64.b64encode(name.encode()).decode()}"
        answer = self.ask("POST", "/api/uploads", {"Upload-Length": str(length), "Upload-Metadata": metadata})
        assert answer.status == 201, answer.status
        return answer.headers["Location"]

    def offset(self, path):
        return int(self.ask("HEAD", path, {}).headers["Upload-Offset"])

    def send(self, path, offset, body, length):
        fields = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream", "Content-Length": str(length)}
        return self.ask("PATCH", path, fields, body)

    def cut(self, path, offset, piece, length):
        """Promises `length` bytes, sends `piece` and goes."""
        head = (f"PATCH {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.token}\r\ntus-resumable: 1.0.0\r\n"
                f"content-type: application/offset+octet-stream\r\nupload-offset: {offset}\r\ncontent-length: {length}\r\n\r\n")
        with socket.create_connection(self.address, 60) as connection:
            try:
                connection.sendall(head.encode())
                connection.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                pass  # It is refused: what was cut before brought something after we asked.


def uploads(server, watch, share, seconds):
    count, length, uploader = int(100 * share), 32 << 20, Uploader(server, server.token())
    head = bytes(4) + b"ftypisom" + bytes(4)
    noise, wrong, cuts = os.urandom(length), [], []

    def one(number):
        chance = random.Random(number)
        begin = (16).to_bytes(4, "big") + head[4:] + number.to_bytes(16, "big")
        bytes_ = begin + noise[len(begin):]
        path, offset = uploader.begin(f"{number}.mp4", length), 0
        while offset < length:
            if chance.random() < 0.6:
                cuts.append(number)
                uploader.cut(path, offset, bytes_[offset:offset + chance.randrange(length - offset + 1)], length - offset)
            else:
                answer = uploader.send(path, offset, memoryview(bytes_)[offset:], length - offset)
                # The request that was cut may still have brought something after we asked.
                assert answer.status in (204, 409), answer.said
            offset = uploader.offset(path)
        file = pathlib.Path(server.folder.name, "data/uploads", path.rsplit("/", 1)[1])
        if hashlib.sha256(file.read_bytes()).digest() != hashlib.sha256(bytes_).digest():
            wrong.append(number)

    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        running = [pool.submit(one, number) for number in range(count)]
        while not all(each.done() for each in running):
            pause(watch, 0.5)
    [each.result() for each in running]
    took = time.monotonic() - begun
    return {"clients": str(count), "note": f"{len(cuts)} cuts, {len(wrong)} wrong, {count * length / took / 1e6:.0f} MB/s"}


def large(server, watch, share, seconds):
    clip = pathlib.Path(server.folder.name, "large.mp4")
    subprocess.run(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=60", "-c:v", "libx264",
                    "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", str(clip)], check=True)
    size = int(8 * share * (1 << 30))
    with clip.open("ab") as file:
        free = size - file.tell()
        # A box of more than 4 GiB (ISO/IEC 14496-12 section 4.2).
        file.write((1).to_bytes(4, "big") + b"free" + free.to_bytes(8, "big"))
        file.truncate(size)
    uploader, before = Uploader(server, server.token()), server.status_kb("RssAnon")
    path, begun, children, own = uploader.begin("large.mp4", size), time.monotonic(), 0, 0
    with clip.open("rb") as file, concurrent.futures.ThreadPoolExecutor(1) as pool:
        sending = pool.submit(uploader.send, path, 0, file, size)
        while not sending.done():
            pause(watch, 0.2)
            own = max(own, server.status_kb("RssAnon"))
    answer, took = sending.result(), time.monotonic() - begun
    assert answer.status == 204, answer.status
    resource_, stage = answer.headers["Duoku-Resource"], ""
    while stage not in ("ready", "published", "failed"):
        pause(watch, 0.2)
        children, own = max(children, server.children_kb()), max(own, server.status_kb("RssAnon"))
        request = urllib.request.Request(f"http://{server.address[0]}:{server.address[1]}/api/resources/{resource_}",
                                         headers={"Authorization": f"Bearer {uploader.token}"})
        with urllib.request.urlopen(request) as answer:
            stage = json.load(answer)["stage"]
    note = f"{stage}; own memory +{(own - before) / 1024:.0f} MiB, children {children / 1024:.0f} MiB, {size / took / 1e6:.0f} MB/s"
    return {"clients": "1", "note": note}


def pause(watch, seconds):
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        watch.look()
        time.sleep(min(left, 0.1))


def plot(samples, path):
    """One panel a row: RSS (blue, MiB) and the good client's slowest answer (red, ms) over time."""
    rows = list(dict.fromkeys(sample["row"] for sample in samples))
    width, height, margin = 720, 180, 50
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height * len(rows)}" '
             'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>']
    for number, row in enumerate(rows):
        own = [sample for sample in samples if sample["row"] == row]
        end = max(sample["second"] for sample in own) or 1
        top, bottom = number * height + 24, number * height + height - 26
        parts.append(f'<text x="{margin}" y="{top - 8}" font-weight="bold">{row}</text>')
        parts.append(f'<path d="M{margin} {top}V{bottom}H{width - margin}V{top}" fill="none" stroke="#999"/>')
        for name, colour, x, anchor, unit in [("rss_mb", "#0057b7", margin - 4, "end", "MiB"),
                                              ("latency_ms", "#c8102e", width - margin + 4, "start", "ms")]:
            most = max(sample[name] for sample in own) or 1
            points = " ".join(f"{margin + sample['second'] / end * (width - 2 * margin):.1f},"
                              f"{bottom - sample[name] / most * (bottom - top):.1f}" for sample in own)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
            parts.append(f'<text x="{x}" y="{top + 8}" text-anchor="{anchor}" fill="{colour}">{most:.0f}</text>')
            parts.append(f'<text x="{x}" y="{bottom}" text-anchor="{anchor}" fill="{colour}">0 {unit}</text>')
        parts.append(f'<text x="{width - margin}" y="{bottom + 14}" text-anchor="end">{end:.0f} s</text>')
    path.write_text("\n".join(parts) + "</svg>\n")


def main():
    rows = {"idle": idle, "slow": slow, "bad": bad, "viewers": viewers, "uploads": uploads, "large": large}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("duoku")
    parser.add_argument("--rows", default=",".join(rows))
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--share", type=float, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    arguments = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    arguments.out.mkdir(parents=True, exist_ok=True)
    samples, table = [], []
    for row in arguments.rows.split(","):
        # Uploads are compared where they land; nobody is to take them up.
        with Server(arguments.duoku, ["--no-work"] if row == "uploads" else []) as server:
            watch = Watch(server, row)
            try:
                told = rows[row](server, watch, arguments.share, arguments.seconds)
            finally:
                watch.end()
            table.append({"row": row, "clients": told["clients"], **watch.told(), "what": told["note"]})
            samples += watch.samples
            print(" | ".join(f"{name} {value}" for name, value in table[-1].items()), flush=True)
    with (arguments.out / "load.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, samples[0].keys())
        writer.writeheader()
        writer.writerows({k: round(v, 1) if isinstance(v, float) else v for k, v in s.items()} for s in samples)
    plot(samples, arguments.out / "load.svg")


if __name__ == "__main__":
    main()
