# shellcheck shell=bash
# What there is to read, for a package.

# repository COMMAND…: git in this checkout, whoever it belongs to. Somebody else's is refused as "dubious ownership": in a container
# it is that of the user outside.
repository() { git -c safe.directory="$PWD" "$@"; }

# pages FOLDER: README.md, docs/ and what lies beside them, and whatever these pages link to, in the places where the links look for it.
pages() {
  local page link
  local -a wanted=(README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md LICENSE config.default.toml settings.example.toml docs)
  while IFS= read -r page; do
    while IFS= read -r link; do
      wanted+=("$(realpath --canonicalize-missing --relative-to=. "$(dirname "$page")/$link")")
    done < <(grep -oP '\]\(\K[^)#:\s]+(?=[)#])' "$page")
  done < <(repository ls-files -- '*.md' ':!bench' ':!tests')
  repository ls-files -z -- "${wanted[@]}" | xargs -0 cp --parents --target-directory "$1"
}
