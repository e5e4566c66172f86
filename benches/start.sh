#!/usr/bin/env bash
# start.sh DUOKU [RUNS]: from the start of the program on an empty installation to the first
# answer of /readyz (milliseconds, median), and its resident memory when idle for 5 s (MiB).
set -euo pipefail
duoku=${1:?the program to measure}
runs=${2:-5}
port=${PORT:-8199}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

times=()
for run in $(seq "$runs"); do
    data="$scratch/$run"
    begun=$(milliseconds)
    DUOKU_DATA="$data" DUOKU_LISTEN="127.0.0.1:$port" DUOKU_ADMIN_PASSWORD=administrator \
        "$duoku" serve >"$scratch/log" 2>&1 &
    server=$!
    until curl -sf "http://127.0.0.1:$port/readyz" >/dev/null; do sleep 0.005; done
    times+=($(($(milliseconds) - begun)))
    if ((run == runs)); then
        sleep 5
        memory=$(awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$server/status")
    fi
    kill -TERM "$server"
    wait "$server" || true
done
median=$(printf '%s\n' "${times[@]}" | sort -n | sed -n "$((runs / 2 + 1))p")
echo "start to ready: $median ms (median of ${times[*]})"
echo "idle memory: $memory MiB"
