# shellcheck shell=bash
# What has to be on a Debian machine, and how it gets there. Sourced, after say.sh.
#
# A need is `command:package`. Only what is missing is installed, and nothing without root's rights.

# Debian keeps PostgreSQL's server programs off the PATH, one folder a version; sorted, the newest last.
postgres_bins() { printf '%s\n' /usr/lib/postgresql/*/bin | sort -V; }

have() {
  if [[ $1 == initdb ]]; then
    [[ -x $(postgres_bins | tail -n 1)/initdb ]]
  else
    command -v "$1" >/dev/null
  fi
}

# need COMMAND:PACKAGE…: installs the packages whose commands are missing, or says how to and ends.
need() {
  local want packages=()
  for want in "$@"; do
    have "${want%%:*}" || packages+=("${want#*:}")
  done
  ((${#packages[@]})) || return 0
  mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
  local install=(apt-get install -y --no-install-recommends "${packages[@]}") log
  ((EUID == 0)) || die "missing here: ${packages[*]}. Install with: sudo apt-get update && sudo ${install[*]}"
  log=$(mktemp)
  say "installing ${packages[*]} (log: $log)"
  logged "$log" apt-get update </dev/null
  logged "$log" env DEBIAN_FRONTEND=noninteractive "${install[@]}" </dev/null
}
