#!/usr/bin/env python3
"""slow_clients.py URL PATH N SECONDS: N connections that each ask for PATH and then take 16 kB a second."""

import resource
import socket
import sys
import time

url, path, count, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
host, port = url.removeprefix("http://").split(":")
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
clients, failed, got = [], 0, 0
for _ in range(count):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    try:
        client.connect((host, int(port)))
        client.sendall(request)
        client.setblocking(False)
        clients.append(client)
    except OSError:
        failed += 1
        client.close()
began = time.monotonic()
for second in range(1, int(seconds) + 1):
    for client in clients:
        try:
            got += len(client.recv(16384))
        except BlockingIOError:
            pass
        except OSError:
            failed += 1
    time.sleep(max(0, second - (time.monotonic() - began)))
print(f"{len(clients)} connected, {failed} failed, {got / 1e6:.0f} MB read")
