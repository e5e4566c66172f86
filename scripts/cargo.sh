#!/usr/bin/env bash
# Runs cargo with the shared target folder and says clearly when it is missing or too old.
. "$(dirname "$0")/lib.sh"

command -v cargo >/dev/null || die "cargo is not installed: Rust is the one thing that make cannot install by itself"
exec cargo "$@"
