# shellcheck shell=bash
# How the scripts talk, wait and give up. Sourced, never run.

# Two services start at the same time: what is said of one carries its name.
say() { printf '%s%s\n' "${speaker:+$speaker: }" "$*"; }

die() {
  say "$*" >&2
  exit 1
}

# alone: whoever stops at its end the services that it started holds this until then: the first of two to end would stop the other's.
alone() {
  mkdir -p target
  exec 8>target/alone.lock
  flock --nonblock 8 || die "another scripts/test or scripts/bench runs in this checkout: wait for its end"
}

# show_log FILE: what was written last, and where the rest is.
show_log() {
  say "the last lines of $1:" >&2
  tail -n 20 "$1" >&2
}

# shown FILE COMMAND…: its output goes to the file, and is shown when it fails.
shown() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 && return
  show_log "$log"
  say "failed: $*" >&2
  return 1
}

# logged FILE COMMAND…: the same, and a failure ends the script.
logged() { shown "$@" || exit 1; }

# wait_until SECONDS COMMAND…: tries until the command succeeds; fails at the deadline.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
