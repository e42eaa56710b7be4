#!/usr/bin/env bash
# All that roman-db needs on this machine: the virtual environment, then PostgreSQL with q3c.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
setup/python.sh
setup/postgresql.sh
