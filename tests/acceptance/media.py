#!/usr/bin/env python3
"""Imports every file of ../shared/media into a fresh installation and tells what became of each.

media.py DUOKU FOLDER > TABLE.md

Starts DUOKU on FOLDER (kept, so that the players can go on with it) and imports with `--wait`. A row is
marked `?` where the duration differs by more than 100 ms from what ffprobe reads in the source's header and,
since headers lie, from what ffmpeg decodes.
"""
import json, os, pathlib, re, subprocess, sys, time, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
MEDIA = HERE.parents[2] / "shared" / "media"
URL = os.environ.get("DUOKU_URL", "http://127.0.0.1:8190")
PASSWORD = "acceptance-tests"


def get(path):
    with urllib.request.urlopen(URL + path) as answer:
        return json.load(answer)


def probe(path):
    """Seconds of the longest playable stream, None when FFmpeg cannot tell; number of streams by type."""
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", path],
        capture_output=True, text=True)
    try:
        found = json.loads(out.stdout)
    except ValueError:
        return None, {}
    kinds = {}
    for stream in found.get("streams", []):
        kinds[stream.get("codec_type")] = kinds.get(stream.get("codec_type"), 0) + 1
    seconds = found.get("format", {}).get("duration")
    return (float(seconds) if seconds else None), kinds


def decoded(path):
    """Seconds of picture and sound that ffmpeg can decode."""
    out = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-stats", "-i", path, "-map", "0:v?", "-map", "0:a?", "-f", "null", "-"],
        capture_output=True, text=True)
    times = re.findall(r"time=(\d+):(\d+):([\d.]+)", out.stderr)
    return sum(float(n) * unit for n, unit in zip(times[-1], (3600, 60, 1))) if times else 0


def made(resource):
    """What was made of a resource, in a few words."""
    kind = resource["kind"]
    if kind in ("video", "audio"):
        names = [r["name"] for r in resource["renditions"]]
        captions = [c["language"] for c in resource.get("captions", [])]
        return f"{' '.join(names)}" + (f"; captions {' '.join(captions)}" if captions else "")
    if kind == "document":
        return f"{resource['pages']} pages"
    return f"{resource.get('width')}x{resource.get('height')}"


def main():
    duoku, folder = sys.argv[1:3]
    env = os.environ | {
        "DUOKU_DATA": folder, "DUOKU_LISTEN": URL.split("//")[1], "DUOKU_ADMIN_PASSWORD": PASSWORD}
    log = open(folder + ".log", "w")
    server = subprocess.Popen([duoku, "serve"], env=env, stdout=log, stderr=log)
    try:
        for _ in range(100):
            try:
                get("/readyz")
                break
            except OSError:
                time.sleep(0.1)
        report = folder + ".json"
        began = time.time()
        subprocess.run(
            [duoku, "import", MEDIA, "--library", "main", "--wait", "--report", report],
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        print(f"imported in {time.time() - began:.0f} s", file=sys.stderr)
        lines = json.load(open(report))
        print("| file | outcome | what was made, or why not | duration s | source s | |\n|---|---|---|---|---|---|")
        for line in sorted(lines, key=lambda line: line["file"]):
            row(line)
        check = subprocess.run([duoku, "check", "--json"], env=env, capture_output=True, text=True)
        print(f"\ncheck: exit {check.returncode} {check.stdout.strip()[:400]}")
    finally:
        server.terminate()
        server.wait()


def row(line):
    path = pathlib.Path(line["file"])
    name = path.relative_to(MEDIA) if path.is_relative_to(MEDIA) else path
    words, ours, theirs, mark = line["detail"], "", "", ""
    if line["resource"] and line["outcome"] not in ("captions",):
        resource = get(f"/api/resources/{line['resource']}") if line["outcome"] != "failed" else None
        if resource:
            words = made(resource) + (f" ({'; '.join(resource['warnings'])})" if resource.get("warnings") else "")
            if resource["duration_ms"]:
                ours = resource["duration_ms"] / 1000
                theirs, kinds = probe(path)
                if theirs is None or abs(ours - theirs) > 0.1:
                    mark = "as decoded" if abs(ours - decoded(path)) <= 0.1 else "?"
                theirs = f"{theirs:.3f} {kinds}" if theirs else "unknown"
    print(f"| {name} | {line['outcome']} | {words} | {ours} | {theirs} | {mark} |", flush=True)


main()
