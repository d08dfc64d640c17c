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
# assemblyscript.wasm is built only where its compiler is: npm install assemblyscript@0.28.20 @assemblyscript/wasi-shim@0.1.0
if [ -d node_modules/assemblyscript ]; then
  npx asc assemblyscript.ts --config node_modules/@assemblyscript/wasi-shim/asconfig.json -O \
    --disable bulk-memory --disable sign-extension --disable nontrapping-f2i --disable mutable-globals -o "$to/assemblyscript.wasm"
fi
