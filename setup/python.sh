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

pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input)

# pip_setting NAME LIST: what `pip config list` says of a setting; a variable PIP_… goes before files.
pip_setting() {
    local section line value=
    for section in global install :env:; do
        line=$(grep "^$section\.$1=" <<<"$2") && value=${line#*=}
    done
    value=${value#\'}
    printf '%s' "${value%\'}"
}

# Let uv look where pip is set up to look.
configure_uv() {
    local list pair value
    list=$("${pip[@]}" config list) || return
    for pair in index-url:UV_DEFAULT_INDEX extra-index-url:UV_INDEX find-links:UV_FIND_LINKS \
        cert:SSL_CERT_FILE proxy:ALL_PROXY; do
        value=$(pip_setting "${pair%:*}" "$list")
        [ -z "$value" ] || export "${pair#*:}=${value//\\n/ }"
    done
    export UV_SYSTEM_CERTS=true UV_INDEX_STRATEGY=unsafe-best-match UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-60}"
}

# uv fetches side by side, and installs and compiles on all processors, what pip does one by one in minutes.
install_by_uv() {
    awk '/^[a-z]/ { is_uv = /^uv==/ } is_uv' requirements.lock >.venv/uv.lock &&
        "${pip[@]}" install --quiet --require-hashes --requirement .venv/uv.lock &&
        configure_uv &&
        .venv/bin/python -m uv pip install --quiet --compile-bytecode --python .venv/bin/python \
            --require-hashes --requirement requirements.lock
}

install_by_pip() {
    say "uv cannot install them here; pip takes some minutes"
    "${pip[@]}" install --quiet --require-hashes --requirement requirements.lock
}

install_requirements() {
    say "installing the requirements into .venv; the first time this takes a minute or more"
    install_by_uv || install_by_pip
    "${pip[@]}" install --quiet --no-deps --no-build-isolation --editable .
}

if fits .venv/bin/python && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
if ! { fits .venv/bin/python && .venv/bin/python -c 'import pip' 2>/dev/null; }; then
    make_environment
fi
install_requirements
echo "$wanted" >"$stamp"
