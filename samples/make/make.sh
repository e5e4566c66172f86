#!/usr/bin/env bash
# make.sh FLOWER.mp4: makes the samples of the folder above again. Not part of `make`; the results are committed.
#
# FLOWER.mp4 is videos/flower.mp4 of the repository mdn/shared-assets (CC0).
# Needs `make web`, and Debian's chromium, ffmpeg, bc, python3 and fonts-noto-cjk. About ten minutes on two cores.
set -euo pipefail
clip=$(realpath "${1:?videos/flower.mp4 of mdn/shared-assets}")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The options that every film shares.
h264=(-c:v libx264 -preset slow -profile:v high -pix_fmt yuv420p -movflags +faststart -map_metadata -1)

python3 music.py 7 84 "$work/jianzhi.wav"
node frames.mjs jianzhi.html 1280 720 25 84 |
    ffmpeg -v error -y -f mjpeg -framerate 25 -i - -i "$work/jianzhi.wav" -vf "fade=in:d=0.5,fade=out:st=83:d=1" -t 84 \
        "${h264[@]}" -tune animation -crf 28 -g 50 -c:a aac -b:a 56k -metadata title="剪纸入门：团花" ../jianzhi-tuanhua.mp4

python3 music.py 33 108 "$work/shouji.wav"
node frames.mjs shouji.html 1920 1080 stills "$work/slide-%02d.png"
ffmpeg -v error -y -framerate 1/9 -i "$work/slide-%02d.png" -i "$work/shouji.wav" -vf fps=5 -t 108 \
    "${h264[@]}" -tune stillimage -crf 30 -g 45 -keyint_min 45 -c:a aac -ac 1 -b:a 36k -metadata title="老年人智能手机使用教程" ../shouji-jiaocheng.mp4

python3 music.py 21 44 "$work/huarui.wav"
./huarui.sh "$clip" "$work/huarui.wav" ../yangtai-huarui.mp4

chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
    --generate-pdf-document-outline --no-pdf-header-footer --print-to-pdf="$(realpath ..)/bianwang-jiangyi.pdf" bianwang.html 2>/dev/null

node frames.mjs taiji.html 1200 1600 stills "$work/taiji.png"
ffmpeg -v error -y -i "$work/taiji.png" -q:v 4 ../taijiquan-guatu.jpg
