#!/usr/bin/env bash
# Builds the module of this folder. It wants npm's packages here:
#   npm install --no-save assemblyscript@0.28.20 @assemblyscript/wasi-shim@0.1.0
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
npx asc files.ts --config node_modules/@assemblyscript/wasi-shim/asconfig.json -O \
  --disable bulk-memory --disable sign-extension --disable nontrapping-f2i --disable mutable-globals -o files.wasm
