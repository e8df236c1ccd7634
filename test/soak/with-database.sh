#!/usr/bin/env bash
# Runs the soak with its database: with `--sqlite` on a Node that has node:sqlite, else beside a PostgreSQL of its own.
set -uo pipefail
cd "$(dirname "$0")/../.."

for argument in "$@"; do
  if [ "$argument" = --sqlite ]; then
    exec test/sqlite/with-node.sh bash -c 'exec "${TEST_SQLITE_NODE:-node}" --no-warnings --import tsx test/soak/main.ts "$@"' soak "$@"
  fi
done
exec test/postgres/with-postgres.sh tsx test/soak/main.ts "$@"
