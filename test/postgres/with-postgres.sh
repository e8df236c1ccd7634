#!/usr/bin/env bash
# Runs a command with TEST_POSTGRES_URL naming a PostgreSQL of its own: a data directory in a temporary folder, a Unix
# socket and no port, stopped and deleted when the command ends. Where there is none, the command runs without; with
# --install, apt-get is asked for it first, if this is root.
#
#   test/postgres/with-postgres.sh npm test
set -uo pipefail

install=no
if [ "${1:-}" = --install ]; then
  install=yes
  shift
fi

without() {
  echo "with-postgres: $1; going on without" >&2
  exec "${command[@]}"
}

command=("$@")
[ -n "${TEST_POSTGRES_URL:-}" ] && exec "${command[@]}"

find_bin() {
  local candidate
  for candidate in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -rn); do
    [ -x "$candidate/initdb" ] && echo "$candidate" && return
  done
  candidate=$(command -v initdb) && dirname "$candidate"
}

bin=$(find_bin)
if [ -z "$bin" ] && [ "$install" = yes ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  # postgresql-common alone first, so that the package makes and starts no cluster of its own.
  timeout 300 bash -c 'apt-get update && apt-get install -y --no-install-recommends postgresql-common &&
    { sed -i "s/^#*create_main_cluster.*/create_main_cluster = false/" /etc/postgresql-common/createcluster.conf; } &&
    apt-get install -y --no-install-recommends postgresql' >/dev/null 2>&1
  bin=$(find_bin)
fi
[ -n "$bin" ] || without 'there is no PostgreSQL here'

# initdb refuses root.
user=$(id -un)
as_user=()
if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 && user=postgres || user=nobody
  if command -v setpriv >/dev/null; then
    as_user=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
  elif command -v runuser >/dev/null; then
    as_user=(runuser -u "$user" --)
  else
    without "there is no way to become $user"
  fi
fi

folder=$(mktemp -d) || without 'there is no temporary folder'
clean_up() {
  [ -f "$folder/data/postmaster.pid" ] &&
    (cd / && "${as_user[@]}" "$bin/pg_ctl" --pgdata "$folder/data" stop -m immediate >/dev/null 2>&1)
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start() {
  cd /
  [ "$(id -u)" = 0 ] && chown "$user" "$folder"
  "${as_user[@]}" "$bin/initdb" --pgdata "$folder/data" --username postgres --auth trust \
    --encoding UTF8 --locale C --no-sync &&
    "${as_user[@]}" "$bin/pg_ctl" --pgdata "$folder/data" --log "$folder/log" --wait --timeout 60 start \
      -o "-c listen_addresses='' -c unix_socket_directories='$folder' -c fsync=off -c shared_buffers=32MB"
}

if ! said=$( (start) 2>&1); then
  echo "$said" >&2
  clean_up
  trap - EXIT
  without 'PostgreSQL did not start'
fi

TEST_POSTGRES_URL="postgresql://postgres@${folder//\//%2F}/postgres" "${command[@]}"
exit $?
