#!/bin/sh
# What a newcomer sees: clone this repository into an empty folder with an empty home, run `make demo ONCE=1` and
# `make test` there, then both again with the network gone. Prints the time of each. Argument: `demo` or `test` alone.
set -eu
unset AUTOMATE_TEST_REQUIRE_SERVICES || true
cd "$(dirname "$0")/.."

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/home"
git clone --quiet . "$scratch/clone"
cd "$scratch/clone"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

newcomer() { # newcomer COMMAND...: in an empty home
    begin="$(date +%s)"
    printf '\n$ %s\n' "$*"
    (
        export HOME="$scratch/home"
        "$@"
    )
    printf '(%s s)\n' "$(($(date +%s) - begin))"
}

offline() { # offline COMMAND...: in a network namespace that has the loopback interface alone
    unshare --net --map-root-user sh -c 'ip link set lo up && exec "$@"' offline "$@"
}

make_wanted() { # make_wanted [offline]
    case "$wanted" in *demo*) newcomer "$@" make demo ONCE=1 "PORT=$(free_port)" ;; esac
    case "$wanted" in *test*) newcomer "$@" make test ;; esac
}

wanted="${*:-demo test}"
make_wanted
if offline true 2>/dev/null; then
    printf '\nThe network is gone\n'
    make_wanted offline
else
    printf '\nThis machine lets nobody make a network namespace (unshare --net): not tried without a network\n'
fi
# pip's cache may be in the home; and pip asks rustc for its version, whose rustup, where there is one, makes a folder
left="$(git status --short; find "$scratch/home" -mindepth 1 -maxdepth 1 ! -name .cache ! -name .rustup ! -name .gunicorn)"
[ -z "$left" ] || { printf 'error: this was left behind\n%s\n' "$left" >&2; exit 1; }
