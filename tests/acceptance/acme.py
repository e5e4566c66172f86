#!/usr/bin/env python3
"""acme.py DUOKU: fetches and renews a certificate from Pebble, Let's Encrypt's ACME server for
tests (Debian: apt-get install pebble), by TLS-ALPN-01.

Looks: a certificate of that CA for our name is served; a restart fetches no other; before its end
another one is fetched while connections go on; a CA that cannot be reached does not stop the server.
"""

import hashlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

NAME = "localhost"
# Seconds; a third of them before its end it is renewed.
VALIDITY = 45


def main():
    duoku = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="duoku-acme-") as folder:
        folder = pathlib.Path(folder)
        directory, tls, management = (free_port() for _ in range(3))
        make_authority(folder)
        environment = dict(
            os.environ,
            SSL_CERT_FILE=str(folder / "ca.pem"),
            DUOKU_DATA=str(folder / "data"),
            DUOKU_LISTEN=f"127.0.0.1:{tls}",
            DUOKU_ADMIN_PASSWORD="for this test only",
            DUOKU_SERVER_ACME_DOMAINS=NAME,
            DUOKU_SERVER_ACME_CONTACT="admin@example.cn",
            DUOKU_SERVER_ACME_DIRECTORY=f"https://127.0.0.1:{directory}/dir",
        )
        pebble = start_pebble(folder, directory, tls, management)
        try:
            server = serve(duoku, folder, environment)
            first = eventually("a certificate is served", 30, lambda: served(tls))
            stop(server)
            server = serve(duoku, folder, environment)
            again = eventually("it is served after a restart", 10, lambda: served(tls))
            same("a restart fetches no other", again, first)
            eventually("it is renewed", VALIDITY, lambda: changed(served(tls), first))
            modes = {file.stat().st_mode & 0o777 for file in (folder / "data" / "acme").iterdir()}
            same("account and key are ours alone", modes, {0o600})
            stop(pebble)
            stop(server)
            shutil.rmtree(folder / "data" / "acme")
            server = serve(duoku, folder, environment)
            eventually("the failure is told", 20, lambda: "no new certificate" in log(folder))
            same("the server goes on without the CA", server.poll(), None)
            stop(server)
        except BaseException:
            print(log(folder))
            raise
        finally:
            pebble.kill()
    print("ok")


def make_authority(folder):
    """A root, and the certificate that Pebble's own HTTPS has."""
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    root = ["-subj", "/CN=root", "-keyout", folder / "ca.key", "-out", folder / "ca.pem"]
    leaf = ["-subj", "/CN=pebble", "-keyout", folder / "pebble.key", "-out", folder / "pebble.pem"]
    leaf += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    leaf += ["-CA", folder / "ca.pem", "-CAkey", folder / "ca.key"]
    for arguments in (root, leaf):
        subprocess.run([*new, "-days", "2", *arguments], check=True, capture_output=True)


def start_pebble(folder, directory, tls, management):
    settings = {
        "listenAddress": f"127.0.0.1:{directory}",
        "managementListenAddress": f"127.0.0.1:{management}",
        "certificate": str(folder / "pebble.pem"),
        "privateKey": str(folder / "pebble.key"),
        "httpPort": free_port(),
        "tlsPort": tls,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        "certificateValidityPeriod": VALIDITY,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))
    pebble = subprocess.Popen(
        ["pebble", "-config", folder / "pebble.json"],
        # Without a pause, and with some refused nonces, as real CAs have them.
        env=dict(os.environ, PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT="20"),
        stdout=(folder / "pebble.log").open("a"),
        stderr=subprocess.STDOUT,
    )
    eventually("pebble listens", 10, lambda: listens(directory))
    return pebble


def serve(duoku, folder, environment):
    server = subprocess.Popen(
        [duoku, "serve"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "duoku.log").open("a"),
    )
    port = int(environment["DUOKU_LISTEN"].rsplit(":")[1])
    eventually("duoku listens", 20, lambda: listens(port))
    return server


def served(port):
    """Hash of the certificate that is served, when it is one of Pebble for our name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as plain:
            with context.wrap_socket(plain, server_hostname=NAME) as secure:
                der = secure.getpeercert(binary_form=True)
                secure.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
                if not secure.recv(100).startswith(b"HTTP/1.1 200"):
                    return None
    except OSError:
        return None
    text = subprocess.run(
        ["openssl", "x509", "-inform", "der", "-noout", "-issuer", "-ext", "subjectAltName"],
        input=der,
        check=True,
        capture_output=True,
    ).stdout.decode()
    assert "Pebble" in text and f"DNS:{NAME}" in text, text
    return hashlib.sha256(der).hexdigest()


def changed(now, before):
    return now if now != before else None


def stop(process):
    process.terminate()
    process.wait(20)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def log(folder):
    return "".join((folder / name).read_text() for name in ("duoku.log", "pebble.log"))


def same(what, found, wanted):
    assert found == wanted, f"{what}: {found}, not {wanted}"
    print(f"{what}: yes")


def eventually(what, seconds, look):
    begun = time.monotonic()
    while not (found := look()):
        assert time.monotonic() - begun < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.2)
    print(f"{what}: after {time.monotonic() - begun:.1f} s")
    return found


if __name__ == "__main__":
    main()
