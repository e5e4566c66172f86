#!/usr/bin/env python3
"""Shows which system calls the media child makes, and that its sandbox refuses none of them.

strace.py DUOKU FOLDER

Imports a few files of ../shared/media, so that every step runs (probe, copy, encode, sound, pictures, subtitles,
captions, PDF, picture), under `strace -ff`. Of each media child, its threads and helpers, everything after the
sandbox was entered is looked at: a call that was answered with ENOSYS or EPERM, or that killed, is a problem (a few
that glibc only tries are known). Calls on the list of src/media/sandbox/calls.rs that nobody made are named too.
The exit code says whether there was no problem; `duoku media --selftest-escape` must also refuse everything.
"""
import pathlib, re, shutil, subprocess, sys, os

HERE = pathlib.Path(__file__).resolve().parent
MEDIA = HERE.parents[2] / "shared" / "media"
LIST = (HERE.parents[1] / "src/media/sandbox/calls.rs").read_text()
FILES = ["derived/第01讲 课程导论（双语）.mkv", "video/flower-540p.mp4", "odd/alac.m4a", "doc/pdf-pdflatex-outline.pdf",
         "derived/scan-zh-3pages.pdf", "image/london.jpg", "lecture/slides-sar4x3.mov"]
# glibc tries these first and then takes the older way: what a kernel without them would answer too.
TRIED = {"clone3"}


def main():
    duoku, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "in").mkdir(parents=True)
    (folder / "trace").mkdir()
    for name in FILES:
        shutil.copy(MEDIA / name, folder / "in")
    for picture in sorted((MEDIA / "image").iterdir()):
        if picture.stat().st_size < 300_000:
            shutil.copy(picture, folder / "in")
    (folder / "in/flower-540p.zh.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\n花\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("DUOKU_")} | {
        "DUOKU_DATA": str(folder / "data"), "DUOKU_ADMIN_PASSWORD": "acceptance-tests",
        "DUOKU_UPLOAD_KEEP_FREE_BYTES": "0"}
    done = subprocess.run(
        ["strace", "-ff", "--quiet=all", "-o", folder / "trace/t", duoku, "import", folder / "in", "--library", "main",
         "--wait", "--report", folder / "report.json"], env=env, capture_output=True, text=True)
    traces = {int(path.suffix[1:]): path.read_text(errors="replace").splitlines()
              for path in (folder / "trace").iterdir()}
    call = re.compile(r"^(\w+)\((.*)$")
    started = re.compile(r"^(?:clone3?|vfork|fork)\(.*= (\d+)$")
    problems, made, kinds = {}, {}, set()

    def read(pid, lines):
        """Calls of a process inside the sandbox, and of those that it starts."""
        for line in lines:
            if "+++ killed by SIGSYS" in line or "SIGSYS" in line:
                problems.setdefault(line[:200], pid)
            found = call.match(line)
            if not found:
                continue
            name = found[1]
            made[name] = made.get(name, 0) + 1
            if re.search(r"= -1 (ENOSYS|EPERM)\b", line) and name not in TRIED:
                problems.setdefault(f"{name}: {line[:200]}", pid)
            child = started.match(line)
            if child and int(child[1]) in traces:
                read(int(child[1]), traces[int(child[1])])

    children = 0
    for pid, lines in traces.items():
        begins = next((n for n, line in enumerate(lines)
                       if line.startswith("execve(") and '"media", "child"]' in line), None)
        if begins is None:
            continue
        entered = next((n for n, line in enumerate(lines) if n > begins and line.startswith("seccomp(")
                        and "= 0" in line), None)
        if entered is None:
            problems[f"{pid} never entered the sandbox"] = pid
            continue
        children += 1
        read(pid, lines[entered + 1:])
    allowed = set(re.findall(r"libc::SYS_(\w+)", LIST))
    outside = {name: count for name, count in made.items() if name not in allowed}
    never = sorted(allowed - set(made))
    print(f"{children} media children, {sum(made.values())} calls of {len(made)} kinds; import: exit {done.returncode}")
    print("made:", ", ".join(f"{name} {count}" for name, count in sorted(made.items(), key=lambda pair: -pair[1])))
    print("not on the list:", outside or "none")
    print("on the list and never made:", " ".join(never))
    for problem, pid in problems.items():
        print(f"PROBLEM {pid}: {problem}")
    test = subprocess.run([duoku, "media", "--selftest-escape"], capture_output=True, text=True)
    print("selftest:", test.returncode, test.stdout.strip().splitlines()[-1:])
    bad = problems or test.returncode or done.returncode not in (0, 2) or set(outside) - TRIED
    sys.exit(bool(bad))


main()
