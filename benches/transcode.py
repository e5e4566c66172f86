#!/usr/bin/env python3
"""The transcode bench: the `ladder` example against what one would type into a shell instead.

    benches/transcode.py LADDER [--clips DIR] [--work DIR] [--runs 3] [MODE...]

Modes, all but the last by default:
    natural   60 s of 1080p: wall, CPU seconds, peak memory and bytes against three ffmpeg yardsticks
    slides    the same for 60 s of pages
    quality   BD-rate of each rung against the one command, over three CRFs
    pages     how sharp slides are on each rung, beside the one command's
    long      10 minutes and 4 hours of 640x360: wall for a minute of video, peak memory
    sources   HEVC, 4K and an hour of 640x360: the same

The yardsticks make the same ladder of H.264 (veryfast, capped CRF) and AAC as HLS:
    one       one ffmpeg command for all renditions
    turn      a command for each rendition, one after the other
    copy+3    the source's packets as best rendition, the others in one command

Clips that are missing are made first, of footage in ../shared/media where there is some.
FFMPEG names another ffmpeg; FFMPEG_VMAF one with libvmaf, which then judges quality too.
Commands take turns, and medians are given, as other work on the machine hits all alike.
"""

import argparse
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

FFMPEG = os.environ.get("FFMPEG", "ffmpeg")
VMAF = os.environ.get("FFMPEG_VMAF")
FOOTAGE = Path(__file__).resolve().parents[2] / "shared" / "media"

# Width, height, kbit/s; the cap is 7 % above, the buffer half as much again.
LADDER = [(1920, 1080, 5000), (1280, 720, 2800), (854, 480, 1400), (640, 360, 800)]
CRFS = [21, 23, 25]
MODES = ["natural", "slides", "quality", "pages", "long", "sources"]


def main():
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("ladder", help="the example's program")
    arguments.add_argument("modes", nargs="*", metavar="MODE", help=", ".join(MODES))
    arguments.add_argument("--clips", type=Path, default=Path("target/bench/clips"))
    arguments.add_argument("--work", type=Path, default=Path("target/bench/work"))
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--cases", help="only these of a comparison, with commas between")
    arguments.add_argument("--quality-seconds", type=int, default=20)
    arguments = arguments.parse_args()
    if unknown := set(arguments.modes) - set(MODES):
        sys.exit(f"unknown: {', '.join(unknown)}; there are {', '.join(MODES)}")
    bench = Bench(arguments)
    for mode in arguments.modes or MODES[:-1]:
        print(f"\n## {mode}", flush=True)
        getattr(bench, mode)()


class Bench:
    """What is measured with what, and where."""

    def __init__(self, arguments):
        self.ladder = arguments.ladder
        self.clips = Clips(arguments.clips)
        self.work = arguments.work
        self.runs = arguments.runs
        self.only = arguments.cases and arguments.cases.split(",")
        self.quality_seconds = arguments.quality_seconds

    def natural(self):
        self.compare(self.clips.natural())

    def slides(self):
        self.compare(self.clips.slides())

    def compare(self, clip):
        """Ours in turn with the yardsticks."""
        cases = {
            "one": lambda out: one(clip, out),
            "turn": lambda out: turn(clip, out),
            "copy+3": lambda out: copy_and_three(clip, out),
            "duoku": lambda out: self.ours(clip, out, "--no-copy"),
            "duoku+copy": lambda out: self.ours(clip, out),
        }
        cases = {name: case for name, case in cases.items() if name in (self.only or cases)}
        runs = {name: [] for name in cases}
        for _ in range(self.runs):
            for name, commands in cases.items():
                out = self.fresh(name)
                runs[name].append(measure(commands(out)) | {"bytes": size(out)})
        print_runs(runs)

    def quality(self):
        """BD-rate of each rung: bytes needed for equal quality, against the one command."""
        clip = self.clips.head(self.clips.natural(), self.quality_seconds)
        points = {}
        for crf in CRFS:
            theirs, ours = self.fresh("one"), self.fresh("duoku")
            check(one(clip, theirs, crf))
            check(self.ours(clip, ours, "--no-copy", "--crf", str(crf)))
            for n, (_, height, _) in enumerate(LADDER):
                points.setdefault((height, "one"), []).append(rate(clip, theirs, f"{n}"))
                points.setdefault((height, "duoku"), []).append(rate(clip, ours, f"{height}p"))
        for (height, name), curve in points.items():
            cells = (f"{p['bytes'] / 1000:9.0f} kB {p['SSIM']:6.2f} {p['PSNR']:6.2f}" for p in curve)
            print(f"{height:>5}p {name:6} " + " ".join(cells))
        print(f"{'rung':>6} " + " ".join(f"{'BD-rate ' + m:>14}" for m in METRICS))
        for _, height, _ in LADDER:
            pair = points[height, "one"], points[height, "duoku"]
            rates = (f"{bd_rate(*pair, metric):+14.2f}" for metric in METRICS)
            print(f"{height:>5}p " + " ".join(rates) + " %", flush=True)

    def pages(self):
        """Likeness to slides, every frame of the source with what is shown then."""
        clip = self.clips.head(self.clips.slides(), self.quality_seconds)
        theirs, ours = self.fresh("one"), self.fresh("duoku")
        check(one(clip, theirs))
        check(self.ours(clip, ours, "--no-copy"))
        for n, (_, height, _) in enumerate(LADDER):
            for name, (out, rung) in {"one": (theirs, f"{n}"), "duoku": (ours, f"{height}p")}.items():
                point = rate(clip, out, rung)
                cells = (f"{metric} {point[metric]:6.2f}" for metric in METRICS)
                print(f"{height:>5}p {name:6} {point['bytes'] / 1000:9.0f} kB ", *cells, flush=True)

    def long(self):
        small = {"10 min 360p": self.clips.small(10), "4 h 360p": self.clips.small(240)}
        self.per_minute(small, {"copied": []})

    def sources(self):
        clips = {"HEVC": self.clips.hevc(), "4K": self.clips.four_k(), "1 h 360p": self.clips.small(60)}
        self.per_minute(clips, {"encoded": ["--no-copy"]})

    def per_minute(self, clips, cases):
        print(f"{'source':12} {'':10} {'wall s/min':>10} {'CPU s/min':>10} {'peak MiB':>9}")
        for name, clip in clips.items():
            for what, options in cases.items():
                run = measure(self.ours(clip, self.fresh("duoku"), *options))
                minutes = seconds(clip) / 60
                print(
                    f"{name:12} {what:10} {run['wall'] / minutes:10.2f}"
                    f" {run['cpu'] / minutes:10.2f} {run['memory'] / 2**20:9.0f}",
                    flush=True,
                )

    def ours(self, clip, out, *options):
        rungs = ",".join(f"{height}:{cap(kbps) * 1000}" for _, height, kbps in LADDER)
        # The heap as the worker sets it for the media child.
        heap = ["env", "MALLOC_MMAP_THRESHOLD_=262144", "MALLOC_ARENA_MAX=1"]
        return [[*heap, self.ladder, clip, out, "--only-streams", "--rungs", rungs, *options]]

    def fresh(self, name):
        out = self.work / re.sub(r"\W+", "-", name)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        return out


# The yardsticks: lists of commands that run one after the other.


def one(clip, out, crf=23):
    labels = [f"[v{n}]" for n in range(len(LADDER))]
    graph = "[0:v]split=4" + "".join(f"[s{n}]" for n in range(len(LADDER))) + ";[s0]null[v0]"
    for n, (width, height, _) in enumerate(LADDER[1:], 1):
        graph += f";[s{n}]scale={width}:{height}:flags=bicubic[v{n}]"
    return [[*FF, "-i", clip, "-filter_complex", graph, *renditions(out, labels, LADDER, crf)]]


def turn(clip, out):
    commands = []
    for n, (width, height, kbps) in enumerate(LADDER):
        caps = ["-maxrate", f"{cap(kbps)}k", "-bufsize", f"{kbps * 3 // 2}k"]
        command = [*FF, "-i", clip, "-vf", f"scale={width}:{height}:flags=bicubic"]
        command += ["-map", "0:v", "-map", "0:a", *x264(23), *caps, *AAC, *HLS]
        commands.append([*command, *files(out, n)])
    return commands


def copy_and_three(clip, out):
    graph = (
        "[0:v]scale=1280:720:flags=bicubic,split=2[v0][a];"
        "[a]scale=854:480:flags=bicubic,split=2[v1][b];[b]scale=640:360:flags=bicubic[v2]"
    )
    best = ["-map", "0:v", "-map", "0:a", "-c", "copy", *HLS, *files(out, "best")]
    three = renditions(out, ["[v0]", "[v1]", "[v2]"], LADDER[1:], 23)
    return [[*FF, "-i", clip, "-filter_complex", graph, *three, *best]]


def renditions(out, labels, ladder, crf):
    """The output half of a command with several renditions, each with its own sound."""
    arguments = []
    for n, (label, (_, _, kbps)) in enumerate(zip(labels, ladder)):
        arguments += ["-map", label]
        arguments += [f"-maxrate:v:{n}", f"{cap(kbps)}k", f"-bufsize:v:{n}", f"{kbps * 3 // 2}k"]
    arguments += ["-map", "0:a"] * len(labels)
    arguments += [*x264(crf), *AAC, *HLS, "-master_pl_name", "master.m3u8"]
    pairs = " ".join(f"v:{n},a:{n}" for n in range(len(labels)))
    return [*arguments, "-var_stream_map", pairs, *files(out, "%v")]


def x264(crf):
    keys = ["-g", "60", "-keyint_min", "60", "-sc_threshold", "0"]
    quality = ["-preset", "veryfast", "-crf", str(crf), "-pix_fmt", "yuv420p"]
    return ["-c:v", "libx264", *quality, *keys]


def files(out, name):
    segments = ["-hls_segment_filename", out / f"{name}_%03d.m4s"]
    return [*segments, "-hls_fmp4_init_filename", f"init_{name}.mp4", out / f"{name}.m3u8"]


def cap(kbps):
    return kbps * 107 // 100


FF = [FFMPEG, "-nostdin", "-hide_banner", "-v", "error", "-y"]
AAC = ["-c:a", "aac", "-b:a", "128k"]
HLS = ["-f", "hls", "-hls_time", "6", "-hls_playlist_type", "vod"]
HLS += ["-hls_segment_type", "fmp4", "-hls_flags", "independent_segments"]


# Measuring.


def measure(commands):
    """Wall and CPU seconds of the commands and the peak of their resident memory, in bytes."""
    began, before = time.monotonic(), os.times()
    peak = 0
    for command in commands:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as child:
            watch = Watch(child.pid)
            if child.wait() != 0:
                sys.exit(f"failed: {' '.join(map(str, command))}")
            peak = max(peak, watch.stop())
    after = os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return {"wall": time.monotonic() - began, "cpu": cpu, "memory": peak}


class Watch(threading.Thread):
    """Samples the resident memory of all processes of a session."""

    def __init__(self, session):
        super().__init__()
        self.session, self.peak, self.stopped = session, 0, threading.Event()
        self.start()

    def run(self):
        while not self.stopped.wait(0.05):
            self.peak = max(self.peak, self.resident())

    def resident(self):
        pages = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == self.session:
                pages += int(fields[21])
        return pages * os.sysconf("SC_PAGESIZE")

    def stop(self):
        self.stopped.set()
        self.join()
        return self.peak


def check(commands):
    for command in commands:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def size(out):
    return sum(file.stat().st_size for file in out.glob("*.m4s"))


def seconds(clip):
    probe = subprocess.run([FFMPEG, "-i", clip], capture_output=True, text=True, check=False)
    hours, minutes, rest = re.search(r"Duration: (\d+):(\d+):([\d.]+)", probe.stderr).groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def print_runs(runs):
    columns = {"wall": ("wall s", 1), "cpu": ("CPU s", 1), "memory": ("peak MiB", 2**20)}
    columns["bytes"] = ("MB out", 1e6)
    titles = " ".join(f"{title:>9} {'x':>5}" for title, _ in columns.values())
    print(f"{'medians':12} {titles}")
    first = next(iter(runs.values()))
    for name, measured in runs.items():
        cells = []
        for key, (_, unit) in columns.items():
            value = statistics.median(run[key] for run in measured)
            base = statistics.median(run[key] for run in first)
            cells.append(f"{value / unit:9.2f} {value / base:5.2f}")
        print(f"{name:12} {' '.join(cells)}", flush=True)


# Quality.

METRICS = ["SSIM", "PSNR"] + (["VMAF"] if VMAF else [])


def rate(clip, out, name):
    """Bytes of a rendition and its likeness to the clip, at the rendition's own size, every
    frame: this is about the encoder, not about enlarging."""
    whole = out / f"{name}-whole.mp4"
    with whole.open("wb") as file:
        init = out / f"{name}-init.mp4"
        init = init if init.exists() else out / f"init_{name}.mp4"
        file.write(init.read_bytes())
        for part in sorted([*out.glob(f"{name}_*.m4s"), *out.glob(f"{name}-*.m4s")]):
            file.write(part.read_bytes())
    width, height = picture_size(whole)
    tests = ["ssim", "psnr"] + (["libvmaf=n_threads=2"] if VMAF else [])
    split = f"split={len(tests)}"
    made = "".join(f"[m{n}]" for n in range(len(tests)))
    asked = "".join(f"[a{n}]" for n in range(len(tests)))
    # What one file says of its colours and the other does not, a new ffmpeg converts.
    alike = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709,"
    # A frame that lasts is compared with all that are shown meanwhile.
    alike += "settb=1/90000,setpts=PTS-STARTPTS,fps=30"
    graph = f"[0:v]{alike},{split}{made};"
    graph += f"[1:v]{alike},scale={width}:{height}:flags=bicubic,format=yuv420p,{split}{asked}"
    graph += "".join(f";[m{n}][a{n}]{test}" for n, test in enumerate(tests))
    command = [VMAF or FFMPEG, "-nostdin", "-i", whole, "-i", clip, "-lavfi", graph]
    run = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True)
    # The yardstick's files hold sound too.
    picture = [FFMPEG, "-v", "error", "-i", whole, "-map", "0:v", "-c", "copy"]
    picture += ["-f", "rawvideo", "-"]
    ssim = float(re.search(r"SSIM.*All:([\d.]+)", run.stderr)[1])
    point = {
        "bytes": len(subprocess.run(picture, capture_output=True, check=True).stdout),
        "SSIM": -10 * math.log10(1 - ssim),
        "PSNR": float(re.search(r"PSNR.*average:([\d.]+)", run.stderr)[1]),
    }
    if VMAF:
        point["VMAF"] = float(re.search(r"VMAF score: ([\d.]+)", run.stderr)[1])
    whole.unlink()
    return point


def picture_size(file):
    probe = subprocess.run([FFMPEG, "-i", file], capture_output=True, text=True, check=False)
    return re.search(r"Video:.*? (\d{2,5})x(\d{2,5})", probe.stderr).groups()


def bd_rate(theirs, ours, metric):
    """Bjontegaard's difference: by how many per cent more bytes ours needs at equal quality,
    on average over the qualities that both reach."""
    curves = []
    for points in (theirs, ours):
        points = sorted((p[metric], math.log(p["bytes"])) for p in points)
        curves.append(([x for x, _ in points], [y for _, y in points]))
    low = max(xs[0] for xs, _ in curves)
    high = min(xs[-1] for xs, _ in curves)
    means = [mean_of_curve(xs, ys, low, high) for xs, ys in curves]
    return (math.exp(means[1] - means[0]) - 1) * 100


def mean_of_curve(xs, ys, low, high, steps=1000):
    """The mean of the monotone piecewise cubic (Fritsch and Carlson) through three points."""
    widths = [b - a for a, b in zip(xs, xs[1:])]
    slopes = [(b - a) / w for a, b, w in zip(ys, ys[1:], widths)]
    tangents = [end_tangent(widths, slopes), middle_tangent(widths, slopes)]
    tangents.append(end_tangent(widths[::-1], slopes[::-1]))
    total = 0
    for step in range(steps):
        x = low + (high - low) * (step + 0.5) / steps
        i = 0 if x < xs[1] else 1
        u = (x - xs[i]) / widths[i]
        total += (1 + 2 * u) * (1 - u) ** 2 * ys[i] + u * u * (3 - 2 * u) * ys[i + 1]
        total += widths[i] * u * (1 - u) * ((1 - u) * tangents[i] - u * tangents[i + 1])
    return total / steps


def middle_tangent(widths, slopes):
    if slopes[0] * slopes[1] <= 0:
        return 0
    a, b = 2 * widths[1] + widths[0], widths[1] + 2 * widths[0]
    return (a + b) / (a / slopes[0] + b / slopes[1])


def end_tangent(widths, slopes):
    (w, v), (s, t) = widths, slopes
    tangent = ((2 * w + v) * s - w * t) / (w + v)
    if tangent * s <= 0:
        return 0
    return 3 * s if s * t < 0 and abs(tangent) > 3 * abs(s) else tangent


# Clips.


class Clips:
    """Makes what is not in the folder yet."""

    def __init__(self, folder):
        self.folder = folder

    def natural(self):
        """60 s of footage with grain, cut every 5 s; of test pictures where there is none."""
        film = sorted(FOOTAGE.rglob("*.mp4")) if FOOTAGE.is_dir() else []
        film = [file for file in film if has_frames(file)][:6]
        return self.make("natural-60.mp4", lambda to: natural(film, to))

    def slides(self):
        """60 s of 12 pages of text."""
        return self.make("slides-60.mp4", slides)

    def small(self, minutes):
        """A minute of 640x360 again and again."""
        codec = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-g", "60", "-sc_threshold", "0"]
        scale = ["-vf", "scale=640:360:flags=bicubic"]

        def repeat(to):
            once = ["-stream_loop", str(minutes - 1), "-i", minute]
            check([[*FF, *once, "-c", "copy", "-movflags", "+faststart", to]])

        minute = self.again("natural-360p-60.mp4", [*scale, *codec])
        return self.make(f"natural-360p-{minutes}-min.mp4", repeat)

    def head(self, clip, length):
        def cut(to):
            check([[*FF, "-i", clip, "-t", str(length), "-c", "copy", to]])

        return self.make(f"{clip.stem}-first-{length}.mp4", cut)

    def hevc(self):
        codec = ["-c:v", "libx265", "-preset", "ultrafast", "-crf", "22", "-x265-params"]
        return self.again("natural-hevc-60.mp4", [*codec, "log-level=none", "-tag:v", "hvc1"])

    def four_k(self):
        scale = ["-vf", "scale=3840:2160:flags=bicubic,noise=alls=4:allf=t"]
        codec = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20"]
        return self.again("natural-4k-60.mp4", [*scale, *codec])

    def again(self, name, arguments):
        def encode(to):
            check([[*FF, "-i", self.natural(), *arguments, "-c:a", "copy", to]])

        return self.make(name, encode)

    def make(self, name, make):
        clip = self.folder / name
        if not clip.exists():
            print(f"making {clip}", flush=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            unfinished = clip.with_name(f"unfinished-{name}")
            make(unfinished)
            unfinished.rename(clip)
        return clip


def has_frames(file):
    command = [FFMPEG, "-v", "error", "-t", "1", "-i", file, "-map", "0:v:0", "-f", "null", "-"]
    run = subprocess.run(command, capture_output=True, check=False)
    return run.returncode == 0 and not run.stderr


def natural(film, to):
    shots = film or ["testsrc2", "mandelbrot", "gradients"]
    inputs, graph = [], ""
    for n in range(12):
        shot = shots[n % len(shots)]
        if film:
            inputs += ["-stream_loop", "-1", "-t", "60", "-i", shot]
        else:
            inputs += ["-f", "lavfi", "-i", f"{shot}=s=1920x1080:r=30"]
        graph += (
            f"[{n}:v]setpts=N/30/TB,scale=1920:1080:force_original_aspect_ratio=increase:"
            f"flags=lanczos,crop=1920:1080,{'hflip,' if n % 2 else ''}noise=alls=5:allf=t,"
            f"trim=end_frame=150,setsar=1,format=yuv420p[p{n}];"
        )
    graph += "".join(f"[p{n}]" for n in range(12)) + "concat=n=12,fps=30[v]"
    encode(inputs, graph, "21", to)


def slides(to):
    """Pages of words: each is drawn once and stands for 5 s."""
    graph = "color=0xfafaf8:s=1920x1080:r=30:d=60,format=yuv420p"
    for page in range(12):
        when = f"enable='between(t,{page * 5},{page * 5 + 4.99})'"
        lines = "\n".join(line(page, n) for n in range(16))
        graph += f",drawbox=h=120:c=0x1e3c8c:t=fill:{when}"
        graph += f",drawtext=text='Page {page + 1}':x=60:y=25:fontsize=64:fontcolor=white:{when}"
        graph += f",drawtext=text='{lines}':x=100:y=170:fontsize=36:line_spacing=16:{when}"
    encode([], graph + "[v]", "18", to)


def line(page, n):
    words = "light water field motion number circle energy proof river method".split()
    return " ".join(words[(page * 7 + n * 3 + k * (page + 1)) % len(words)] for k in range(9))


def encode(inputs, graph, crf, to):
    sound = "anoisesrc=c=pink:a=0.3:d=60:r=48000:seed=7,tremolo=f=4:d=0.8,"
    sound += "aformat=channel_layouts=stereo[a]"
    keys = ["-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-bf", "2"]
    codec = ["-c:v", "libx264", "-preset", "fast", "-crf", crf, *keys, "-pix_fmt", "yuv420p"]
    command = [*FF, *inputs, "-filter_complex", f"{graph};{sound}", "-map", "[v]", "-map", "[a]"]
    command += ["-t", "60", *codec, "-x264-params", "open-gop=0", *AAC]
    check([[*command, "-movflags", "+faststart", to]])


if __name__ == "__main__":
    main()
