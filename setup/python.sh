#!/usr/bin/env bash
# The virtual environment .venv with exactly the requirements of requirements.lock, and roman-db itself in it.
# PYTHON names another interpreter than the first fitting one of the PATH.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source setup/packages.sh

stamp=.venv/roman-db.stamp
wanted=$(cat requirements.lock pyproject.toml setup/python.sh | cksum)

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if fits "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# Debian keeps what makes a virtual environment in a package of its own.
makes_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

install_python() {
    has_apt && elevation >/dev/null || return 1
    install_packages python3 python3-venv && find_python >/dev/null && return
    install_packages python3.11 python3.11-venv
}

# Where nobody may install packages, pip comes out of Debian's package of it.
make_environment_without_ensurepip() {
    has_apt || fail "$1 lacks the modules venv and ensurepip: install them"
    local scratch
    scratch=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder of now
    trap "rm -rf '$scratch'" EXIT
    say "unpacking pip, since python3-venv is missing and cannot be installed"
    use_private_apt "$scratch"
    unpack "$scratch/pip" python3-pip-whl
    "$1" -m venv --without-pip .venv
    local wheels=("$scratch"/pip/usr/share/python-wheels/pip-*.whl)
    .venv/bin/python "${wheels[0]}/pip" install --quiet --no-index "${wheels[0]}"
}

make_environment() {
    local python
    python=$(find_python) || { install_python && python=$(find_python); } ||
        fail "Python 3.11, 3.12 or 3.13 is needed: install it (Debian and Ubuntu: python3 and python3-venv;" \
            "macOS: brew install python@3.12), or name it with: make PYTHON=/path/to/python"
    if ! makes_environments "$python" && has_apt; then
        install_packages "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" || true
    fi
    rm -rf .venv
    if makes_environments "$python"; then
        "$python" -m venv .venv
    else
        make_environment_without_ensurepip "$python"
    fi
}

install_requirements() {
    local pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input install --quiet)
    say "installing the requirements into .venv; the first time this takes some minutes"
    "${pip[@]}" --require-hashes --requirement requirements.lock
    "${pip[@]}" --no-deps --no-build-isolation --editable .
}

if fits .venv/bin/python && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
if ! { fits .venv/bin/python && .venv/bin/python -c 'import pip' 2>/dev/null; }; then
    make_environment
fi
install_requirements
echo "$wanted" >"$stamp"
