# shellcheck shell=bash
# What there is to read, for a package.

# pages FOLDER: README.md, docs/ and what lies beside them, and whatever these pages link to, in the places where the links look for it.
pages() {
  local page link
  local -a wanted=(README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md LICENSE config.default.toml settings.example.toml docs)
  while IFS= read -r page; do
    while IFS= read -r link; do
      wanted+=("$(realpath --canonicalize-missing --relative-to=. "$(dirname "$page")/$link")")
    done < <(grep -oP '\]\(\K[^)#:\s]+(?=[)#])' "$page")
  done < <(git ls-files -- '*.md' ':!bench' ':!tests')
  git ls-files -z -- "${wanted[@]}" | xargs -0 cp --parents --target-directory "$1"
}
