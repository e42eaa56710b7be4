#!/usr/bin/env bash
# PostgreSQL 15 or newer with q3c, unless roman-db finds one already. Needs .venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source setup/packages.sh

found() { .venv/bin/python -m roman_db.cluster programs >/dev/null; }

# Print the packages of the first major version that the distribution has with q3c.
packages() {
    local major
    for major in 15 16 17 18; do
        if is_known "postgresql-$major" && is_known "postgresql-$major-q3c"; then
            echo "postgresql-$major postgresql-client-$major postgresql-$major-q3c"
            return
        fi
    done
    return 1
}

# shellcheck disable=SC2046,SC2086  # lists of words
install_postgresql() {
    local names
    elevation >/dev/null || return 1
    say "PostgreSQL 15 or newer with q3c is missing; looking for its packages"
    refresh_lists $(elevation)
    names=$(packages) && install_packages $names
}

# shellcheck disable=SC2086  # a list of words
unpack_postgresql() {
    local names folder scratch
    folder=$(.venv/bin/python -c 'from roman_db.settings import settings; print(settings().home)')/postgresql
    scratch=$(mktemp -d)
    # shellcheck disable=SC2064  # the folder of now
    trap "rm -rf '$scratch'" EXIT
    use_private_apt "$scratch"
    names=$(packages) || fail "this distribution has no package of PostgreSQL 15 or newer with q3c. Add the apt" \
        "repository of the PostgreSQL project, or name the folder of its programs with ROMAN_DB_PG_BIN"
    say "unpacking $names into $folder, since they cannot be installed here without root"
    mkdir -p "$(dirname "$folder")"
    unpack "$folder" $names
}

if found 2>/dev/null; then
    exit 0
fi
has_apt || fail "PostgreSQL 15 or newer with the extension q3c is needed: install it (macOS: brew install" \
    "postgresql@15, then build q3c, github.com/segasai/q3c, with its pg_config; Fedora: postgresql-server q3c)," \
    "and name the folder of its programs with ROMAN_DB_PG_BIN where roman-db does not find it"
install_postgresql || unpack_postgresql
found
