#!/usr/bin/env bash
# huarui.sh FLOWER.mp4 MUSIC.wav OUT.mp4: the lesson 阳台养花：认识花蕊 from the CC0 clip flower.mp4 (5 s):
# four times slower with the frames between made up, then held while its parts are named.
set -euo pipefail
clip=$(realpath "$1") music=$(realpath "$2") out=$(realpath -m "$3")
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

node frames.mjs huarui.html 960 540 stills "$work/label-%02d.png"
nice ffmpeg -v error -y -i "$clip" -vf "setpts=4*PTS,minterpolate=fps=25:mi_mode=mci:mc_mode=aobmc:vsbmc=1,tpad=stop_mode=clone:stop_duration=24" \
    -an -t 44 -c:v libx264 -preset veryfast -crf 12 "$work/slow.mp4"

filter="[0:v]null[v0]"
shows=(0.5:5.5 6.5:12.5 13.5:19.5 21:26 26.5:32 32.5:38 38.5:43.6)
for i in "${!shows[@]}"; do
    from=${shows[$i]%:*} to=${shows[$i]#*:}
    filter+=";[$((i + 1)):v]format=rgba,fade=in:st=$from:d=0.4:alpha=1,fade=out:st=$(bc <<<"$to-0.4"):d=0.4:alpha=1[l$i]"
    filter+=";[v$i][l$i]overlay=enable='between(t,$from,$to)'[v$((i + 1))]"
done
labels=()
for n in 1 2 3 4 5 6 7; do labels+=(-loop 1 -framerate 25 -t 44 -i "$work/label-0$n.png"); done

nice ffmpeg -v error -y -i "$work/slow.mp4" "${labels[@]}" -i "$music" \
    -filter_complex "$filter;[v7]fade=in:d=0.6,fade=out:st=43.2:d=0.8[v]" -map "[v]" -map 8:a -t 44 \
    -c:v libx264 -preset slow -crf 29 -profile:v high -pix_fmt yuv420p -g 50 \
    -c:a aac -b:a 64k -movflags +faststart -map_metadata -1 -metadata title="阳台养花：认识花蕊" "$out"
