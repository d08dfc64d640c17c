#!/usr/bin/env bash
# Builds the modules of this folder from their sources, into this folder or into the one that is given. Those of the
# repository are made with the packages of Debian 12, as those of the workloads are.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
to=${1:-$here}
to=$(cd "$to" && pwd)
cd "$here"
for source in *.c; do
  clang --target=wasm32-wasi -O1 -Wall -Wextra -Werror -Wl,--strip-all "$source" -o "$to/${source%.c}.wasm"
done
