#!/usr/bin/env python3
"""How well duoku finds what is the same: benches/twins.py [FOLDER]

Makes variants of real clips and images (../shared/media) with ffmpeg, has `duoku duplicates --compare`
compare all of them with each other, and prints recall by variant, false pairs, and the time it took.
FOLDER (default: a temporary one) keeps the variants, and those that it has are not made again.
DUOKU names the program, SHARED the folder of the media."""

import collections
import itertools
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("SHARED", ROOT.parent / "shared"))
DUOKU = os.environ.get("DUOKU", str(ROOT / "target/release/duoku"))

# Clips with something to see or hear. Those of one family show the same slide or have the same sound
# (their samples correlate by 0.8 to 0.999); pairs within a family are not counted, neither for nor
# against.
VIDEOS = {
    "video/bbb-720p-vp8-30s.webm": "bunny",
    "odd/bbb_800x640_768kbps_30fps_avc_2b_firstpts_10_sec.mp4": "bunny",
    "video/car-detection-768x432.mp4": "cars",
    "video/corridor-768x432-10fps-139s.mp4": "corridor",
    "video/flower-540p.mp4": "flower",
    "video/friday-480p-4x3.mp4": "friday",
    "video/nasa-multistream.mp4": "nasa",
    "video/tears-of-steel-800x332-vp8.webm": "steel",
    "lecture/speech-720p-42s.mp4": "timecode",
    "lecture/slides-vfr-640x480.mov": "lecture",
    "lecture/slides-sar4x3.mov": "lecture",
    "lecture/segment_0.mp4": "lecture",
    "lecture/segment_1.mp4": "lecture",
    "lecture/scene-change-mjpeg.mov": "scenes",
    "lecture/slides-444-1fps.mp4": "slides",
    "odd/smpte-2997.mp4": "card",
    "odd/iibbibb_editlist_videoonly.mp4": "iibbibb",
    "odd/trim_optimization_failure.mp4": "screen",
    "odd/sample_with_increasing_timestamps_320w_240h_5s.mp4": "numbers",
    "odd/transparent.webm": "transparent",
}
SOUNDS = {
    "audio/guitar.ogg": "guitar",
    "audio/voices-around-a-fire.mp3": "fire",
    "audio/mandarin-aishell-4s.wav": "aishell",
    "audio/mandarin-mid-5s.wav": "mandarin5",
    "audio/mandarin-long-8s.wav": "mandarin8",
    "lecture/speech-8s.mp4": "speech8",
    "lecture/speech-silence-8k-60s.mp4": "silence",
    "odd/test-cbr-info-header-trailing-garbage.mp3": "cbr",
    "odd/alac.m4a": "alac",
    "odd/mono.mp3": "alac",
}
IMAGES = {
    "image/london.jpg": "london",
    "image/pixel-motion-photo-shortened.jpg": "pixel",
    "image/zh-en-num-ocr.jpg": "poster",
    "image/zh-multiline-ocr.png": "print",
}
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"


def has(path, kind):
    asked = ["ffprobe", "-v", "error", "-select_streams", kind, "-show_entries", "stream=index", "-of", "csv=p=0", path]
    return bool(subprocess.run(asked, capture_output=True, text=True).stdout.strip())


def length(path):
    asked = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path]
    return float(subprocess.run(asked, capture_output=True, text=True).stdout)


def make(out, *arguments):
    if out.exists():
        return
    part = out.with_name("part-" + out.name)
    made = subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments), str(part)], capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"{out.name}: {made.stderr}")
    part.rename(out)


def of_video(source, name, folder):
    """Variants of a video by their names."""
    sound = has(source, "a")
    audio = ["-map", "0:a:0?", "-c:a", "aac", "-b:a", "96k"]
    picture = ["-map", "0:v:0"]

    def one(variant, *arguments, ending="mp4"):
        out = folder / f"{name}--{variant}.{ending}"
        make(out, "-i", source, *arguments)
        return variant, out

    def filtered(variant, filters):
        return one(variant, *picture, *audio, "-vf", f"{filters},{EVEN}", *X264, "-crf", "26")

    long = length(source)
    begin, lasts = long * 0.3, min(10.0, long * 0.6)
    yield one("codec", *picture, *audio, "-vf", EVEN, "-c:v", "mpeg4", "-q:v", "9", "-g", "77", ending="mkv")
    yield filtered("rate", "null")
    yield filtered("scaled", "scale=iw*0.6:ih*0.6")
    yield filtered("letterbox", "pad=iw:ih*4/3:0:(oh-ih)/2")
    yield filtered("logo", "drawbox=x=iw*0.84:y=ih*0.05:w=iw*0.12:h=ih*0.1:color=red:t=fill,drawbox=x=iw*0.86:y=ih*0.07:w=iw*0.08:h=ih*0.06:color=white:t=fill")
    yield filtered("cropped", "crop=iw*0.95:ih*0.95")
    # Two seconds of a blue card before it, silent.
    delay = ["-af", "adelay=2000:all=1"] if sound else []
    yield one("title", *picture, *audio, *delay, "-vf", f"tpad=start_duration=2:color=navy,{EVEN}", *X264)
    yield one("cut", "-ss", f"{begin:.2f}", "-t", f"{lasts:.2f}", *picture, *audio, "-vf", EVEN, *X264)
    if sound:
        yield one("quiet", *picture, *audio, "-af", "volume=-14dB", "-vf", EVEN, *X264)
        yield one("sound-only", "-vn", "-map", "0:a:0", "-c:a", "aac", "-b:a", "64k", ending="m4a")


def of_sound(source, name, folder):
    for variant, ending, arguments in [
        ("codec", "mp3", ["-b:a", "64k"]),
        ("quiet", "m4a", ["-af", "volume=-14dB", "-b:a", "96k"]),
        ("cut", "ogg", ["-ss", f"{length(source) * 0.25:.2f}", "-t", f"{min(10.0, length(source) * 0.6):.2f}"]),
    ]:
        out = folder / f"{name}--{variant}.{ending}"
        make(out, "-i", source, "-vn", "-map", "0:a:0", *arguments)
        yield variant, out


def of_image(source, name, folder):
    for variant, ending, arguments in [
        ("scaled", "png", ["-vf", "scale=iw*0.4:-1"]),
        ("recompressed", "jpg", ["-q:v", "16"]),
        ("cropped", "jpg", ["-vf", "crop=iw*0.95:ih*0.95", "-q:v", "4"]),
        ("cropped-one-side", "jpg", ["-vf", "crop=iw*0.95:ih:0:0", "-q:v", "4"]),
    ]:
        out = folder / f"{name}--{variant}.{ending}"
        make(out, "-i", source, *arguments)
        yield variant, out


def main():
    kept = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="twins-")
    folder = pathlib.Path(kept)
    folder.mkdir(parents=True, exist_ok=True)
    family, kind_of, variants = {}, {}, []
    for kind, sources, ways in [("video", VIDEOS, of_video), ("sound", SOUNDS, of_sound), ("image", IMAGES, of_image)]:
        for path, of in sources.items():
            source = SHARED / "media" / path
            name = pathlib.Path(path).stem
            whole = folder / f"{name}--original{source.suffix}"
            if not whole.exists():
                whole.write_bytes(source.read_bytes())
            family[whole.name] = of
            for variant, out in ways(str(source), name, folder):
                family[out.name] = of
                variants.append((kind, variant, whole.name, out.name))
    begun = time.time()
    asked = subprocess.run([DUOKU, "duplicates", "--compare", *(str(folder / name) for name in family)], capture_output=True, text=True)
    took = time.time() - begun
    if asked.returncode:
        sys.exit(asked.stderr)
    print(asked.stderr, file=sys.stderr, end="")
    found = collections.defaultdict(set)
    for line in asked.stdout.splitlines():
        one, other, likeness, *_ = line.split("\t")
        found[frozenset(pathlib.Path(path).name for path in (one, other))].add(likeness)
    table = collections.defaultdict(lambda: [0, 0, []])
    for kind, variant, whole, out in variants:
        row = table[kind, variant]
        row[1] += 1
        if found.get(frozenset((whole, out))):
            row[0] += 1
        else:
            row[2].append(pathlib.Path(out).name.split("--")[0])
    print("| what | variant | found | of | missed |\n|---|---|--:|--:|---|")
    for (kind, variant), (hits, all_of, missed) in table.items():
        print(f"| {kind} | {variant} | {hits} | {all_of} | {', '.join(missed)} |")
    # Two variants of one clip may share nothing: another cut, only the sound.
    apart = [pair for pair in itertools.combinations(family, 2) if family[pair[0]] != family[pair[1]]]
    false = [pair for pair in apart if found.get(frozenset(pair))]
    hits = sum(row[0] for row in table.values())
    print(f"\n{len(family)} files; {hits} of {len(variants)} variants found; "
          f"{len(false)} false pairs among {len(apart)} pairs of different clips; {took:.0f} s")
    for pair in false:
        print("false:", *pair, *found[frozenset(pair)])


if __name__ == "__main__":
    main()
