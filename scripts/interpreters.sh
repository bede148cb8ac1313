#!/bin/sh
# Print a PATH on which tox finds the Pythons of this machine, pyenv's included.
path="$PATH"
for bin in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[1-9]*/bin; do
    [ -x "$bin/python3" ] && path="$bin:$path"
done
echo "$path"
