#!/usr/bin/env bash
# All that roman-db needs on this machine: the virtual environment, PostgreSQL with q3c, what browsers load.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
setup/python.sh
setup/postgresql.sh
setup/portal.sh
