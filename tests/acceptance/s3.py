#!/usr/bin/env python3
"""duoku with its objects in a bucket of S3 servers that nobody here wrote.

s3.py DUOKU FOLDER SERVER...

SERVER is a command with {port}, and perhaps {key} and {secret}, such as 'moto_server -p {port}' or
'rclone serve s3 --addr 127.0.0.1:{port} --auth-key {key},{secret} FOLDER'. For each: a bucket is made, files of
../shared/media are imported into it, every media playlist is read by ffmpeg, the original is compared, the server is
stopped and started while somebody watches, `duoku check` reads all objects back, and `duoku store copy` takes them into
a folder, from which they are delivered again. The exit code says whether all held.
"""
import hashlib, json, os, pathlib, shutil, subprocess, sys, time, urllib.error, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
MEDIA = HERE.parents[2] / "shared" / "media"
PASSWORD = "acceptance-tests"
PORT, BUCKET_PORT = 8195, 8196
URL = f"http://127.0.0.1:{PORT}"
# Of the form that Garage wants.
KEY, SECRET = "GK" + "5d" * 12, "7c" * 32
KEYS = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{BUCKET_PORT}", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}


def wait(url):
    deadline = time.monotonic() + 30
    while True:
        try:
            return urllib.request.urlopen(url, timeout=2).status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)


class Running:
    def __init__(self, command, ready, log, env=None):
        self.process = subprocess.Popen(command, env=env, stdout=open(log, "a"), stderr=subprocess.STDOUT)
        wait(ready)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def make_bucket(folder):
    """By duoku's own tools there is no way to make one: an operator does it."""
    import datetime, hmac
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    host, empty = f"127.0.0.1:{BUCKET_PORT}", hashlib.sha256(b"").hexdigest()
    signed = "host;x-amz-content-sha256;x-amz-date"
    canonical = f"PUT\n/media\n\nhost:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:{now}\n\n{signed}\n{empty}"
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + KEYS["AWS_SECRET_ACCESS_KEY"].encode()
    for step in (now[:8], "us-east-1", "s3", "aws4_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    authorization = f"AWS4-HMAC-SHA256 Credential={KEYS['AWS_ACCESS_KEY_ID']}/{scope}, SignedHeaders={signed}, Signature={signature}"
    request = urllib.request.Request(f"http://{host}/media", method="PUT", headers={
        "x-amz-date": now, "x-amz-content-sha256": empty, "Authorization": authorization})
    deadline = time.monotonic() + 30
    while True:
        try:
            return urllib.request.urlopen(request).read()
        except urllib.error.HTTPError as error:
            # It may still be learning the key.
            assert time.monotonic() < deadline, error.read()
            time.sleep(0.5)


def get(path):
    return urllib.request.urlopen(URL + path, timeout=60).read()


def look(resources, sources):
    """Every resource's original and, where there is one, its presentation as a whole."""
    wrong = 0
    for resource in resources:
        base = f"/media/{resource['id']}"
        if hashlib.sha256(get(base + "/original")).digest() not in sources:
            print(f"  {resource['title']}: the original is another")
            wrong += 1
        if resource["kind"] in ("video", "audio"):
            played = subprocess.run(["ffmpeg", "-v", "error", "-i", f"{URL}{base}/master.m3u8", "-f", "null", "-"],
                                    capture_output=True, text=True, timeout=300)
            if played.returncode or played.stderr.strip():
                print(f"  {resource['title']}: {played.stderr.strip()[:300]}")
                wrong += 1
    return wrong


def run(duoku, folder, command):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    name, wrong = pathlib.Path(command.split()[0]).name, 0
    arguments = command.format(port=BUCKET_PORT, key=KEY, secret=SECRET).split()
    bucket = Running(arguments, KEYS["AWS_ENDPOINT_URL"], folder / "bucket.log")
    make_bucket(folder)
    env = dict(os.environ, **KEYS, DUOKU_DATA=str(folder / "data"), DUOKU_LISTEN=f"127.0.0.1:{PORT}", DUOKU_STORE="s3://media/net",
               DUOKU_ADMIN_PASSWORD=PASSWORD, DUOKU_UPLOAD_KEEP_FREE_BYTES="0", DUOKU_WORK_KEEP_FREE_BYTES="0",
               DUOKU_STORAGE_S3_BLOCK_BYTES="262144")
    server = Running([duoku, "serve"], URL + "/readyz", folder / "log", env)
    wanted = [path for path in sorted(MEDIA.rglob("*")) if path.suffix in (".mp4", ".webm", ".mp3", ".pdf", ".jpg")
              and 100_000 < path.stat().st_size < 12_000_000]
    paths = list({path.stem: path for path in wanted}.values())[::max(1, len(wanted) // 12)]
    for path in paths:
        subprocess.run([duoku, "import", str(path), "--library", "main", "--wait"], env=env, stdout=open(folder / "import.log", "a"), stderr=subprocess.STDOUT)
    resources = [one for one in json.loads(get("/api/resources?per_page=100"))["items"] if one["stage"] == "published"]
    sources = {hashlib.sha256(path.read_bytes()).digest() for path in paths}
    print(f"{name}: {len(resources)} of {len(paths)} published", flush=True)
    wrong += look(resources, sources)
    # The cache begins empty, so all comes from the bucket.
    server.stop()
    server = Running([duoku, "serve"], URL + "/readyz", folder / "log", env)
    wrong += look(resources, sources)
    check = subprocess.run([duoku, "check"], env=env, capture_output=True, text=True)
    print("  check:", check.stdout.strip().splitlines()[-1])
    wrong += check.returncode != 0
    copied = subprocess.run([duoku, "store", "copy", str(folder / "copy")], env=env, capture_output=True, text=True)
    print("  copy:", copied.stdout.strip().splitlines()[0])
    wrong += copied.returncode != 0
    server.stop()
    bucket.stop()
    env["DUOKU_STORE"] = str(folder / "copy")
    server = Running([duoku, "serve"], URL + "/readyz", folder / "log", env)
    wrong += look(resources, sources)
    server.stop()
    print(f"{name}: {wrong} problems", flush=True)
    return wrong


def main():
    duoku, folder, commands = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
    sys.exit(1 if sum(run(duoku, folder / str(number), command) for number, command in enumerate(commands)) else 0)


if __name__ == "__main__":
    main()
