#!/usr/bin/env bash
# web.sh build: web/dist from web/, when the sources changed since the last time.
# web.sh check: the TypeScript compiler over them.
. "$(dirname "$0")/lib.sh"
cd web || exit

main() {
    dependencies
    case ${1:-} in
        build) bundle ;;
        check) node_modules/.bin/tsc --noEmit ;;
        *) die "web.sh build or web.sh check" ;;
    esac
}

dependencies() {
    local now
    now=$(sha256sum package.json package-lock.json)
    [[ $(cat node_modules/.duoku-dependencies 2>/dev/null) == "$now" ]] && return
    say "npm ci"
    npm ci --no-audit --no-fund --loglevel=error >/dev/null
    echo "$now" >node_modules/.duoku-dependencies
}

bundle() {
    local now
    now=$(find . \( -name node_modules -o -name dist -o -name tests \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
    [[ -d dist && $(cat node_modules/.duoku-bundle 2>/dev/null) == "$now" ]] && return
    say "vite build"
    node_modules/.bin/vite build --logLevel warn >&2
    echo "$now" >node_modules/.duoku-bundle
}

main "$@"
