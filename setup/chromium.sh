#!/usr/bin/env bash
# Chromium, in which the tests look at the portal. Where it cannot be installed they are skipped, and say so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source setup/packages.sh

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then
        exit 0
    fi
done
# shellcheck disable=SC2046  # env, or sudo -n
if has_apt && elevation >/dev/null && refresh_lists $(elevation) && is_known chromium; then
    install_packages chromium || true
fi
command -v chromium >/dev/null || say "there is no Chromium, and it cannot be installed here: its tests are skipped"
