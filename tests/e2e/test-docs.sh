#!/bin/sh
# Checks README and docs with the program: every YAML block that is a whole pipeline is checked, every `segue …`
# line has an existing verb, and commands that work without music are run. Prints TAP.
#
#   sh test-docs.sh SEGUE SOURCE_ROOT
set -u
segue=$1 root=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
n=0

report () { # status, name, output file
  n=$((n + 1))
  if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$3"; fi
}

blocks () { # language, document → $scratch/block.N
  rm -f "$scratch"/block.*
  awk -v language="$1" -v to="$scratch/block." '
    !inside && $0 == "```" language { inside = 1; n++; next }
    inside && $0 == "```" { inside = 0 }
    inside { print > (to n) }' "$2"
}

for document in "$root"/README.md "$root"/CONTRIBUTING.md "$root"/docs/*.md "$root"/plugins/*/README.md; do
  [ -e "$document" ] || continue
  name=${document#"$root"/}

  blocks yaml "$document"
  for block in "$scratch"/block.*; do
    grep -q '^segue: 1' "$block" 2>/dev/null || continue
    mv "$block" "$scratch/example.yaml"
    "$segue" check "$scratch/example.yaml" >"$scratch/out" 2>&1
    report $? "$name: a pipeline checks" "$scratch/out"
  done

  blocks sh "$document"
  cat "$scratch"/block.* 2>/dev/null | grep -oE '(^|[ /])segue [a-z]+.*' | sed 's/^[ /]*//' | sort -u >"$scratch/commands"
  while IFS= read -r command; do
    verb=$(echo "$command" | cut -d' ' -f2)
    "$segue" "$verb" --help >"$scratch/out" 2>&1
    report $? "$name: ‘$command’ is a command" "$scratch/out"
    preset=$(echo "$command" | sed -n 's/.*--preset \([a-z-]*\).*/\1/p')
    [ -z "$preset" ] || {
      "$segue" presets "$preset" >"$scratch/out" 2>&1
      report $? "$name: preset ‘$preset’ exists" "$scratch/out"
    }
    case "$command" in
    'segue inspect'* | 'segue presets'*)
      # shellcheck disable=SC2046  # words of a documented command, without redirections
      "$segue" $(echo "$command" | cut -d' ' -f2- | sed 's/[>|#].*//') >"$scratch/out" 2>&1
      case "$command" in
      *level) ;; # the example plugin is not built here
      *) report $? "$name: ‘$command’ works" "$scratch/out" ;;
      esac ;;
    esac
  done <"$scratch/commands"
done
echo "1..$n"
