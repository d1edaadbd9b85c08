# shellcheck shell=bash
# What the builds of the peers share. Sourced.

# at_least WANTED HERE: whether a version is as new; none is not.
at_least() { printf '%s\n' "$1" "$2" | sort -VC; }
