#!/usr/bin/env bash
# A long run: a host makes WASI calls at a steady rate, and ewapa keeps a table of them that it writes every ten
# seconds. At the end: whether as many calls were counted as were made, and what memory ewapa took meanwhile.
#   benches/endurance.sh [SECONDS] [CALLS A SECOND]      default: 3600 100000; a rate of 0 is as fast as it goes
# Needs root, clang and a release build; EWAPA=FILE is another executable.
set -euo pipefail
seconds=${1:-3600}
rate=${2:-100000}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ewapa=${EWAPA:-$here/target/release/ewapa}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

clang -O1 -o "$work/tinyrt" "$here/tests/hosts/faults.c"
awk '/^```toml/ { on = 1; next } /^```/ && on { exit } on' "$here/docs/RUNTIMES.md" >"$work/tinyrt.toml"

"$ewapa" script --catalogue "$work" --strict -f csv -o "$work/out" -e \
  'table t from wasi:* by func { calls = count(), p99 = p99(duration), all = sum(duration) } every 10s' \
  -- "$work/tinyrt" rate "$rate" "$seconds" >"$work/made" 2>"$work/said" &
tracer=$!

# Resident memory in KiB: of all pages, and of those that are not files.
resident() { awk '/^VmRSS/ { all = $2 } /^RssAnon/ { own = $2 } END { print all, own }' "/proc/$tracer/status" 2>/dev/null || true; }
: >"$work/memory"
while kill -0 "$tracer" 2>/dev/null; do
  sleep 5
  resident >>"$work/memory"
done
code=0
wait "$tracer" || code=$?

# With csv what stands above and below tables goes to the standard error.
grep -v '^t · ' "$work/said" || true
made=$(cat "$work/made")
counted=$(awk -F, '$1 == "sched_yield" { calls = $2 } END { print calls }' "$work/out")
# What is sampled while it ends is no state of it.
sed -i '/^ *$/d' "$work/memory"
samples=$(wc -l <"$work/memory")
at() { sed -n "$(($1 > 0 ? $1 : 1))p" "$work/memory" | awk '{ print $1 " KiB (" $2 " KiB of its own)" }'; }
echo "seconds        $seconds"
echo "calls made     $made ($(awk -v made="$made" -v seconds="$seconds" 'BEGIN { printf "%.0f", made / seconds }') a second)"
echo "calls counted  $counted"
echo "exit code      $code (0: nothing lost)"
# Behind the first table: to read one takes buffers.
echo "memory, start  $(at 4)"
echo "memory, middle $(at $((samples / 2)))"
echo "memory, end    $(at "$samples")"
[ "$made" = "$counted" ] && [ "$code" = 0 ]
