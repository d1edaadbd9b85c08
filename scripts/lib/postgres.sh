# shellcheck shell=bash
# shellcheck disable=SC2034 # scripts/services reads some of these by the service's name: ${1}_port
# One PostgreSQL cluster of Debian's programs. Sourced by scripts/services, after process.sh.
#
# PostgreSQL refuses to run as root: root hands its work to the user postgres, anybody else does it himself.

postgres_port=${ATTRSYNC_POSTGRES_PORT:-25432}
# The password keeps out nobody who reads this file. It is there so that tests log in as a deployment does.
postgres_address=postgres://attrsync:attrsync@127.0.0.1:$postgres_port/attrsync

# A checkout in a closed home folder is out of reach of the user postgres: the data then lies in his own home.
postgres_locate() {
  postgres_dir=$services_dir/postgres
  if ((EUID == 0)) && [[ -d $services_dir && -d ~postgres ]] && ! as_postgres test -x "$services_dir"; then
    postgres_dir=~postgres/attrsync-$(cksum <<<"$services_dir" | cut -d ' ' -f 1)
  fi
  postgres_data=$postgres_dir/data
  postgres_authority=$postgres_dir/authority.pem
  postgres_log=$postgres_dir/log
  postgres_pid=$postgres_data/postmaster.pid
}

as_postgres() {
  local as=()
  ((EUID != 0)) || as=(runuser -u postgres --)
  (cd / && "${as[@]}" "$@" 8>&- 9>&-)
}

postgres_locate

postgres_running() { running_pid "$postgres_pid" "$postgres_data"; }

# What runs is what would be started.
postgres_current() { as_postgres grep -qs ssl=on "$postgres_data/postmaster.opts"; }

postgres_answers() { PGCONNECT_TIMEOUT=2 "$(postgres_bin)/psql" -Xq "$postgres_address" -c 'select 1' >/dev/null 2>&1; }

postgres_start() {
  # The user postgres may have come with the package a moment ago.
  postgres_locate
  postgres_init
  certificate "$postgres_dir"
  ((EUID != 0)) || chown postgres: "$postgres_dir"/{key,certificate}.pem
  local bin tls="-c ssl=on -c ssl_key_file='$postgres_dir/key.pem' -c ssl_cert_file='$postgres_dir/certificate.pem'"
  bin=$(postgres_bin)
  # -l, or the server keeps our output open and whoever reads it never sees its end. -F, no fsync: tests may lose a disk.
  as_postgres "$bin/pg_ctl" -s -w -t 60 -D "$postgres_data" -l "$postgres_log" \
    -o "-h 127.0.0.1 -p $postgres_port -k '' -F $tls" start || start_failed postgres
  wait_until 10 postgres_answers || start_failed postgres
}

# postgres_stop SIGNAL: a TERM is its fast shutdown, a KILL its immediate one, after which the log is replayed as after a
# crash; a SIGKILL proper would leave its children behind for a moment, and they bar the next start.
postgres_stop() {
  local -A signals=([TERM]=INT [KILL]=QUIT)
  stop_process "$postgres_pid" "$postgres_data" "${signals[$1]}"
}

postgres_purge() { rm -rf "$postgres_dir"; }

# The cluster with its one role and the database `attrsync`, made aside and moved into place when it is whole.
postgres_init() {
  [[ ! -e $postgres_data ]] || return 0
  local part=$postgres_dir/data.part bin
  bin=$(postgres_bin)
  mkdir -p "$postgres_dir"
  ((EUID != 0)) || chown postgres: "$postgres_dir"
  as_postgres rm -rf "$part"
  as_postgres tee "$postgres_dir/password" <<<attrsync >/dev/null
  logged "$postgres_dir/init.log" as_postgres "$bin/initdb" -D "$part" -U attrsync --pwfile="$postgres_dir/password" \
    -A scram-sha-256 -E UTF8 --no-locale --no-sync
  logged "$postgres_dir/init.log" as_postgres "$bin/postgres" --single -D "$part" postgres <<<'create database attrsync'
  as_postgres mv "$part" "$postgres_data"
}

# The newest programs, or those of the version that made the data.
postgres_bin() {
  local bin version
  bin=$(postgres_bins | tail -n 1)
  if [[ -e $postgres_data/PG_VERSION ]]; then
    version=$(<"$postgres_data/PG_VERSION")
    bin=$(postgres_bins | grep "/$version/bin$") ||
      die "the data is PostgreSQL $version's, which isn't here any more: scripts/services down --purge postgres"
  fi
  printf '%s\n' "$bin"
}
