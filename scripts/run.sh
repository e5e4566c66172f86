#!/usr/bin/env bash
# run.sh DUOKU: serves with data in .data/, imports samples/ the first time, until Ctrl-C.
. "$(dirname "$0")/lib.sh"

duoku=${1:?the program to run}
export DUOKU_DATA="${DUOKU_DATA:-$PWD/.data}"
export DUOKU_LISTEN="${DUOKU_LISTEN:-127.0.0.1:8080}"
imported="$DUOKU_DATA/.samples-imported"

[[ -z $(http_status "$DUOKU_LISTEN" /healthz) ]] || die "somebody already listens on $DUOKU_LISTEN; choose another with DUOKU_LISTEN"
mkdir -p "$DUOKU_DATA"

"$duoku" serve &
server=$!
trap 'kill -TERM "$server" 2>/dev/null' INT TERM EXIT
wait_ready "$server" "$DUOKU_LISTEN" || die "duoku did not start; its messages are above"

if [[ ! -e $imported ]]; then
    say "importing samples/ (once)"
    if "$duoku" import samples --library main --manifest samples/samples.csv --wait; then
        touch "$imported"
    else
        say "the samples could not all be imported; the server goes on without"
    fi
fi

say "duoku is at http://$DUOKU_LISTEN (Ctrl-C stops it)"
wait "$server" || true
# The first wait ends when Ctrl-C comes, the second when the server has finished its work.
wait "$server" 2>/dev/null || true
trap - EXIT
