# shellcheck shell=bash
# Processes found again by their pid files. Sourced, after say.sh.
#
# A pid file outlives a crash, and its number may be another program's by now. So a process counts as ours only while
# its command line carries MARK, a path that only we pass; nothing else is ever signalled.

# pid_in FILE: prints the number on its first line, or fails.
pid_in() {
  local pid
  { read -r pid <"$1"; } 2>/dev/null && [[ $pid =~ ^[0-9]+$ ]] && printf '%s\n' "$pid"
}

# running_pid FILE MARK: prints the pid of our process, or fails.
running_pid() {
  local pid arguments argument
  pid=$(pid_in "$1") || return 1
  { mapfile -d '' -t arguments <"/proc/$pid/cmdline"; } 2>/dev/null || return 1
  for argument in "${arguments[@]}"; do
    [[ $argument != "$2" ]] || { printf '%s\n' "$pid" && return; }
  done
  return 1
}

# ended PID: it is gone, or a zombie that only its parent can clear away.
ended() { ! grep -qs '^State:[[:space:]]*[^Z]' "/proc/$1/status"; }

# stop_process FILE MARK SIGNAL: signals and waits; what hasn't ended after 30 s is killed.
stop_process() {
  local pid
  pid=$(running_pid "$1" "$2") || return 0
  kill -s "$3" "$pid"
  wait_until 30 ended "$pid" && return
  say "process $pid did not end within 30 s of SIG$3: killing it"
  kill -s KILL "$pid"
  wait_until 10 ended "$pid"
}

# Whether nobody listens on a loopback port.
port_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
