# shellcheck shell=bash
# Debian and Ubuntu packages: installed by whoever may, unpacked into a folder of their own by everybody else.
# To be sourced. ROMAN_DB_SETUP_SUDO=no keeps sudo out of it.

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
    say "$@"
    exit 1
}

has_apt() { command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; }

# Print the command that runs others as root: env for root itself, sudo where it asks nothing or somebody is there to
# answer. Fail where there is no way.
elevation() {
    if [ "$(id -u)" = 0 ]; then
        echo env
    elif [ "${ROMAN_DB_SETUP_SUDO:-yes}" = no ] || ! command -v sudo >/dev/null; then
        return 1
    elif sudo -n true 2>/dev/null; then
        echo sudo -n
    elif [ -t 0 ] && [ -z "${CI:-}" ] && id -nG | grep -qwE 'sudo|admin|wheel'; then
        echo sudo
    else
        return 1
    fi
}

# refresh_lists COMMAND…: once, through the command in front. A repository that is out of order must not stop us,
# what is missing shows soon enough.
refresh_lists() {
    [ -z "${lists_are_fresh:-}" ] || return 0
    "$@" apt-get -qq update >/dev/null 2>&1 || say "some package lists could not be refreshed"
    lists_are_fresh=yes
}

is_known() { [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]; }

# install_packages PACKAGE…: as root or with sudo; fails where neither is possible.
install_packages() {
    local as_root
    as_root=$(elevation) || return 1
    say "installing the system packages $* (${as_root/#env/as root}: apt-get install)"
    # shellcheck disable=SC2086  # sudo -n is two words
    refresh_lists $as_root
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 install "$@" </dev/null >/dev/null
}

# Use apt without root and without the machine's package lists: its state is in the folder $1.
use_private_apt() {
    mkdir -p "$1/state/lists/partial" "$1/cache/archives/partial"
    printf '%s "%s";\n' Dir::State "$1/state" Dir::State::status /var/lib/dpkg/status Dir::Cache "$1/cache" \
        Debug::NoLocking true APT::Sandbox::User "" >"$1/apt.conf"
    export APT_CONFIG="$1/apt.conf"
    lists_are_fresh=
    refresh_lists env
}

# unpack FOLDER PACKAGE…: with the shared libraries that the machine lacks. No script of a package is run. Left out is
# what serves other programs alone: LLVM is for PostgreSQL's jit, which is off, Perl for Debian's own tools.
# Needs use_private_apt.
unpack() {
    local folder=$1 debs=$APT_CONFIG.debs deb
    shift
    # shellcheck disable=SC2016  # awk's own
    local libraries='$1 == "Inst" && $2 ~ /^lib/ && $2 !~ /^lib(llvm|z3|perl)|-perl$/ { print $2 }'
    rm -rf "$folder.unfinished"
    mkdir -p "$debs" "$folder.unfinished"
    (
        cd "$debs"
        apt-get -qq -s --no-install-recommends install "$@" | awk "$libraries" |
            xargs apt-get -qq download "$@" >&2
    ) || fail "the packages $* could not be downloaded"
    for deb in "$debs"/*.deb; do
        dpkg-deb -x "$deb" "$folder.unfinished"
    done
    rm -rf "$folder" "$debs"
    mv "$folder.unfinished" "$folder"
}
