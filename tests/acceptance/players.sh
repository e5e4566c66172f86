#!/usr/bin/env bash
# players.sh URL [FORM...]: plays every published video and audio of a running duoku from start to end with ffmpeg,
# mpv, VLC (as nobody) and GStreamer; a line each, exit 1 when one failed. Forms: hls, dash, ts (HLS over
# MPEG-TS), audio (the sound alone), download (the best picture or sound as one file); without any, all. VLC plays in
# real time: only what is shorter than VLC_SECONDS (60); where there are captions, VLC 3.0 does not find the end of
# less than 3 s. What is longer than MOST_SECONDS is left out.
set -uo pipefail
url=${1:?the server}
shift
forms=("$@")
log=$(mktemp)
failed=0

# try WHAT SECONDS COMMAND...: the command must end well within time and say nothing of an error.
try() {
    local what=$1 limit=$2
    shift 2
    if ! timeout "$limit" "$@" >"$log" 2>&1 || grep -qiE '\b(error|corrupt|invalid|non.monoton|failed to)\b' "$log"; then
        echo "FAILED $what $title: $(grep -iE 'error|corrupt|invalid|monoton|failed' "$log" | head -2 | tr '\n' ' ' | cut -c1-200)"
        failed=$((failed + 1))
        return 1
    fi
}

# hlsdemux2 of GStreamer 1.22 now and then gives up on a presentation of one segment before it has begun.
gstreamer() {
    local attempt
    for attempt in 1 2 3 4; do
        gst-launch-1.0 -q playbin3 uri="$1" video-sink='fakesink sync=false' audio-sink='fakesink sync=false' >"$log.gst" 2>&1 && break
        grep -q "Couldn't download fragments" "$log.gst" || break
    done
    cat "$log.gst"
    ! grep -q ERROR "$log.gst"
}

# Every frame of every rendition decodes, and the length is that of the resource.
whole() {
    local manifest=$1 seconds=$2 found within=0.1
    # FFmpeg reads the whole seconds of a duration in an MPD, and no more.
    [[ $manifest == *.mpd ]] && within=1
    found=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$manifest" 2>"$log")
    if ! awk -v a="$found" -v b="$seconds" -v w="$within" 'BEGIN { d = a - b; exit !(d < w && d > -w) }'; then
        echo "FAILED ffprobe $title: $found s instead of $seconds s"
        failed=$((failed + 1))
    fi
    # Frames of slides come when they come: times are kept, not counted in frames.
    try "ffmpeg ${manifest##*/}" 600 ffmpeg -nostdin -v warning -xerror -i "$manifest" -map '0:v?' -map '0:a?' -fps_mode passthrough -enc_time_base 1:90000 -f null -
}

while IFS=$'\t' read -r id seconds title addresses; do
    awk -v s="$seconds" -v most="${MOST_SECONDS:-86400}" 'BEGIN { exit !(s > most) }' && continue
    limit=$(awk -v s="$seconds" 'BEGIN { print int(s * 2 + 60) }')
    for address in $addresses; do
        manifest=$url$address
        whole "$manifest" "$seconds"
        try "gst ${manifest##*/}" "$limit" bash -c "$(declare -f gstreamer); log=$log; gstreamer $manifest"
        if awk -v s="$seconds" -v most="${VLC_SECONDS:-60}" 'BEGIN { exit !(s < most) }'; then
            try "vlc ${manifest##*/}" "$limit" runuser -u nobody -- cvlc -q -I dummy --vout dummy --aout dummy --play-and-exit "$manifest"
        fi
        [[ $manifest == *.mpd ]] ||
            try "mpv ${manifest##*/}" "$limit" mpv --no-config --really-quiet --msg-level=all=warn --vo=null --ao=null --untimed --ao-null-untimed=yes "$manifest"
    done
    echo "done   $title"
done < <(python3 - "$url" "${forms[@]}" <<'P'
import json, sys, urllib.request
forms = sys.argv[2:] or ["hls", "dash", "ts", "audio", "download"]
for kind in ("video", "audio"):
    page = 1
    while True:
        answer = json.load(urllib.request.urlopen(f"{sys.argv[1]}/api/resources?kind={kind}&stage=published&per_page=100&page={page}"))
        items = answer.get("items", answer) if isinstance(answer, dict) else answer
        for item in items:
            links = item["links"] | {"download": next((one["href"] for one in item["links"]["downloads"]), None)}
            addresses = " ".join(links[form] for form in forms if links[form])
            print(item["id"], item["duration_ms"] / 1000, item["title"], addresses, sep="\t")
        if len(items) < 100:
            break
        page += 1
P
)
echo "$failed failed"
((failed == 0))
