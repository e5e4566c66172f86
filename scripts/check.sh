#!/usr/bin/env bash
# Format, lints, fuzz targets, documentation, licences and origins of dependencies, TypeScript.
. "$(dirname "$0")/lib.sh"

main() {
    timed "cargo fmt" cargo fmt --all --check
    timed "clippy" cargo clippy --quiet --workspace --all-targets --locked -- -D warnings
    timed "fuzz targets" env RUSTFLAGS="--cfg fuzzing" cargo check --quiet --manifest-path fuzz/Cargo.toml --locked
    timed "cargo doc" env RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps --locked
    timed "TypeScript" scripts/web.sh check
    timed "licences and origins" cargo deny --log-level error --locked check licenses bans sources
    advisories
}

# Known vulnerabilities: needs the advisory database, so only where it can be had.
advisories() {
    local log
    log=$(mktemp)
    if timeout 60 cargo deny --log-level error check advisories >"$log" 2>&1; then
        say "advisories: none that matter"
    elif grep -qE 'failed to (fetch|open|load) advisory database' "$log"; then
        say "advisories: not checked, the advisory database cannot be reached from here"
    else
        cat "$log" >&2
        rm -f "$log"
        die "a dependency has a known vulnerability (or the check timed out)"
    fi
    rm -f "$log"
}

main
