# shellcheck shell=bash
# Sourced by the other scripts: messages, the tools' folder, ports, and starting a server to try things on.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Node, cargo-deny and cargo-nextest, when the machine has none of its own.
TOOLS="$HOME/.cache/duoku/tools"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/duoku/target}"
export PATH="$PATH:$HOME/.cargo/bin:$TOOLS/bin"

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# timed WHAT COMMAND...: runs the command and says how long it took.
timed() {
    local what=$1 began=$SECONDS status=0
    shift
    say "$what"
    "$@" || status=$?
    if ((status == 0)); then
        say "$what: ok, $((SECONDS - began)) s"
    else
        say "$what: FAILED after $((SECONDS - began)) s"
    fi
    return "$status"
}

# A TCP port of this machine that nobody listens on.
free_port() {
    local port
    for _ in {1..50}; do
        port=$((20000 + RANDOM % 20000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    die "no free port found between 20000 and 40000"
}

# http_status HOST:PORT PATH: the status code, or nothing when nobody answers.
http_status() {
    local host=${1%:*} port=${1##*:} code=""
    host=${host#[}
    host=${host%]}
    {
        printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
        IFS=' ' read -r -t 5 -u 3 _ code _
        timeout 5 cat <&3 >/dev/null
    } 2>/dev/null 3<>"/dev/tcp/$host/$port" || true
    printf '%s' "$code"
}

# wait_ready PID HOST:PORT: until /readyz answers 200; fails when the process ends or after 30 s.
wait_ready() {
    for _ in {1..150}; do
        kill -0 "$1" 2>/dev/null || { say "duoku ended before it was ready"; return 1; }
        [[ $(http_status "$2" /readyz) == 200 ]] && return
        sleep 0.2
    done
    say "duoku is not ready after 30 s"
    return 1
}
