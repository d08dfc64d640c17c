#!/usr/bin/env bash
# Builds the modules of the workloads, into this folder or into the one that is given. The same compiler makes
# the same bytes: those of the repository are made with the packages of Debian 12,
#   apt-get install clang lld wasi-libc libclang-rt-dev-wasm32
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
to=${1:-$here}
to=$(cd "$to" && pwd)
cd "$here/source"

wraps=()
for name in $(sed -n 's/^ *F(\([a-z_]*\), (.*/\1/p' calls.c); do
  [ "$name" = name ] || wraps+=("-Wl,--wrap=__wasi_$name")
done
for source in seq-write seq-read random-rw small-writes open-stat-close readdir clock-random copy; do
  clang --target=wasm32-wasi -O2 -std=gnu11 -Wall -Wextra -Werror -Wl,--strip-all "${wraps[@]}" \
    "$source.c" workload.c calls.c -o "$to/$source.wasm"
done
