# shellcheck shell=bash
# shellcheck disable=SC2034 # the lists are read by whoever sources this
# What has to be on a Debian machine, and how it gets there. Sourced, after say.sh.
#
# A need is `command:package`. Only what is missing is installed, and nothing without root's rights.

# The C libraries under rdkafka, OpenSSL and aws-lc are built from source.
build_needs=(cc:build-essential c++:build-essential make:build-essential cmake:cmake perl:perl git:git)
kafka_needs=(java:default-jre-headless mvn:maven openssl:openssl)
postgres_needs=(initdb:postgresql openssl:openssl)
browser_needs=(chromium:chromium node:nodejs npm:npm)
# What counts the instructions of a judgement.
count_needs=(valgrind:valgrind)
# What tests signal processes with.
signal_needs=(kill:procps)
# What reads the files of deploy/; the rest of it comes from PyPI and npm, by scripts/deploy-check.
deploy_needs=(ensurepip:python3-venv node:nodejs npm:npm systemd-analyze:systemd)
# What the peers of scripts/bench are built with, as far as Debian has it: its Go is too old. Node's peer brings a newer Node.js than Debian's.
peer_needs=(javac:default-jdk-headless mvn:maven node:nodejs npm:npm ensurepip:python3-venv)

# Where Debian's PostgreSQL is told how clusters are made.
no_cluster=/etc/postgresql-common/createcluster.d/attrsync.conf

# Debian keeps PostgreSQL's server programs off the PATH, one folder a version; sorted, the newest last.
postgres_bins() { printf '%s\n' /usr/lib/postgresql/*/bin | sort -V; }

have() {
  case $1 in
    initdb) [[ -x $(postgres_bins | tail -n 1)/initdb ]] ;;
    # Every Debian has a perl, but without the modules that OpenSSL's build uses.
    perl) perl -MIPC::Cmd -e 1 2>/dev/null ;;
    # Nor does every Python make environments.
    ensurepip) python3 -m ensurepip --version >/dev/null 2>&1 ;;
    # A file: the shell's own `kill` is none that a test could start.
    *) type -P "$1" >/dev/null ;;
  esac
}

# need COMMAND:PACKAGE…: installs the packages whose commands are missing, or says how to and ends.
need() {
  local want packages=()
  for want in "$@"; do
    have "${want%%:*}" || packages+=("${want#*:}")
  done
  # One that was interrupted may have left it.
  ((EUID != 0)) || rm -f "$no_cluster"
  ((${#packages[@]})) || return 0
  mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
  local install=(apt-get install -y --no-install-recommends "${packages[@]}") log
  ((EUID == 0)) || die "missing here: ${packages[*]}. Install with: sudo apt-get update && sudo ${install[*]}"
  log=$(mktemp)
  say "installing ${packages[*]} (log: $log)"
  logged "$log" apt-get update </dev/null
  # Debian's PostgreSQL makes a cluster when it is installed, and starts it on the port that everybody uses. Its programs alone are
  # wanted; what is installed later, by whomever, makes one again.
  if [[ " ${packages[*]} " == *' postgresql '* ]]; then
    mkdir -p "${no_cluster%/*}"
    printf 'create_main_cluster = false\n' >"$no_cluster"
  fi
  # In a shell of its own: what fails ends that one alone.
  local status=0
  (logged "$log" env DEBIAN_FRONTEND=noninteractive "${install[@]}" </dev/null) || status=$?
  rm -f "$no_cluster"
  ((status == 0)) || exit "$status"
  rm -f "$log"
}

# unpack PACKAGE PROGRAM FOLDER: one program out of a Debian package, without installing it: no service comes with it that would be
# started, and nobody has to be root, unless the machine's lists of packages have to be fetched first.
unpack() {
  local part=$3/$1.part
  [[ ! -x $3/$2 ]] || return 0
  say "unpacking $2 out of $1 into $3"
  rm -rf "$part" && mkdir -p "$part" || return
  if ! (cd "$part" && apt-get download "$1" </dev/null >log 2>&1); then
    ((EUID != 0)) || shown "$part/log" apt-get update </dev/null || return
    (cd "$part" && shown log apt-get download "$1" </dev/null) || return
  fi
  dpkg-deb -x "$part"/*.deb "$part" && mv "$part/usr/bin/$2" "$3/" && rm -rf "$part"
}
