#!/usr/bin/env bash
# Runs a command with TEST_SQLITE_NODE naming a Node that has node:sqlite: this one if it has, else one from the registry, in a
# temporary folder that is deleted when the command ends. Where none can be had, the command runs without.
#
#   test/sqlite/with-node.sh npm test
set -uo pipefail

command=("$@")
[ -n "${TEST_SQLITE_NODE:-}" ] && exec "${command[@]}"

if node --eval 'require("node:sqlite")' 2>/dev/null; then
  TEST_SQLITE_NODE=$(command -v node) exec "${command[@]}"
fi

folder=$(mktemp -d) || exec "${command[@]}"
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The package `node` fetches this one by a script.
name=$(node --print '`node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`')
if npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --loglevel=error "$name@24" >/dev/null 2>&1 &&
  found="$folder/node_modules/$name/bin/node" && "$found" --eval 'require("node:sqlite")' 2>/dev/null; then
  export TEST_SQLITE_NODE=$found
else
  echo 'with-node: no Node with node:sqlite could be had; going on without' >&2
fi

"${command[@]}"
exit $?
