"""For search.py: requests over HTTP without the cost of a library, what processes take, tables."""

import contextlib
import multiprocessing
import os
import pathlib
import re
import resource
import socket
import threading
import time


class Connection:
    """HTTP/1.1 without the cost of a library: requests are bytes, answers have a Content-Length."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request):
        """The body of the answer, which must be 200."""
        self.socket.sendall(request)
        got = self.socket.recv(1 << 18)
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self.more()
        head = got[:end].lower()
        at = head.index(b"content-length:") + 15
        line = head.find(b"\r", at)
        whole = end + 4 + int(head[at:line if line > 0 else end])
        while len(got) < whole:
            got += self.more()
        assert head.startswith(b"http/1.1 200"), got[:300]
        return got[end + 4:whole]

    def more(self):
        part = self.socket.recv(1 << 18)
        assert part, "the connection broke off"
        return part


def measured(pid, wait, servers=lambda: []):
    """Wall and CPU seconds until `wait` gives the exit code of the process, and the most memory of their own (not pages of
    files) that it, what it started and the processes of `servers` had together."""
    peak, ended = 0, threading.Event()

    def look():
        nonlocal peak
        while not ended.wait(0.1):
            peak = max(peak, own_bytes([pid, *children(pid), *servers()]))

    watcher = threading.Thread(target=look)
    watcher.start()
    used, at_servers, began = children_cpu_s(), cpu_s(servers()), time.monotonic()
    code = wait()
    took = time.monotonic() - began
    ended.set()
    watcher.join()
    assert code == 0, f"a build ended with {code}"
    return {"wall": took, "cpu": children_cpu_s() - used + cpu_s(servers()) - at_servers, "peak": peak}


def measured_task(task, *arguments, servers=lambda: []):
    """The same of a function, in a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=task, args=arguments)
    process.start()
    return measured(process.pid, lambda: process.join() or process.exitcode, servers)


def children(parent):
    found = []
    for path in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, path.read_text().split())
    return found


def children_cpu_s():
    """Of this process's children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def own_bytes(processes):
    kb = 0
    for process in processes:
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
            kb += sum(map(int, re.findall(r"^Pss_(?:Anon|Shmem):\s+(\d+)", text, re.M)))
    return kb * 1024


def cpu_s(processes):
    """Of all, and of what the first of them has waited for."""
    ticks = 0
    for place, process in enumerate(processes):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(map(int, fields[11:13 if place else 15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def percentiles(times):
    times = sorted(times)
    return {"p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)]}


def print_table(title, head, rows):
    print(f"\n{title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)
