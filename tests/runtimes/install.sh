#!/usr/bin/env bash
# Installs the WebAssembly runtimes that the end-to-end tests run, at pinned versions, into a cache
# outside the tree, and prints the folder. What is already there is left as it is.
#
#   tests/runtimes/install.sh [NAME...]      default: all of them
#   EWAPA_RUNTIMES=DIR                       the cache; default: ~/.cache/ewapa/runtimes
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${EWAPA_RUNTIMES:-$HOME/.cache/ewapa/runtimes}
log() { printf 'runtimes: %s\n' "$*" >&2; }

WASMTIME=48.0.8       # the newest that rustc 1.95 builds
LIBWASMTIME=50.0.1    # the Python wheel, prebuilt
WASMI=2.0.0
WASMER=7.4.2          # the newest that rustc 1.95 builds
NODE=22.23.3          # the npm package carries a whole prebuilt node
NODE_NEW=24.21.0
BUF=1.75.0            # the npm package has a Go program with wazero 1.12.0, stripped
BUF_SUM=fad1e38d6909bbb583a4da81d8c02a01046e2cd663bde7e337dd24277393764b
WAMR_SYS=0.1.1        # carries the source of iwasm with its command line
WAMRX_SYS=0.3.0       # carries the source of WAMR 2.4.3 without a command line
WASM3_SYS=0.3.0       # carries the source of wasm3 0.4.7

need() { # need COMMAND PACKAGE: installs a Debian package whose command is missing
  command -v "$1" >/dev/null || { log "installing $2"; apt-get install -y --no-install-recommends "$2" >&2; }
}

# Builds go to a folder of their own and are moved into place when they are whole: a run that was
# interrupted leaves nothing that looks installed.
finish() { mkdir -p "$(dirname "$root/$2")"; rm -rf "${root:?}/$2"; mv "$1" "$root/$2"; }

cargo_cli() { # cargo_cli PACKAGE VERSION BINARY [OPTION...]
  local to=$3-$2
  [ -e "$root/$to/bin/$3" ] && return
  log "building $1 $2"
  CARGO_TARGET_DIR="$root/build-$3" cargo install "$1@$2" "${@:4}" --locked --no-track --root "$root/part-$3" >&2
  finish "$root/part-$3" "$to"
  rm -rf "$root/build-$3"
}

crate_source() { # crate_source CRATE VERSION: prints the folder with the crate's source
  local dir=$root/source/$1-$2
  if [ ! -d "$dir" ]; then
    local work; work=$(mktemp -d)
    mkdir -p "$work/src" "$root/source"
    : >"$work/src/lib.rs"
    printf '[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n%s = "=%s"\n' "$1" "$2" >"$work/Cargo.toml"
    (cd "$work" && cargo vendor --versioned-dirs vendor >/dev/null 2>&1)
    mv "$work/vendor/$1-$2" "$dir"
    rm -rf "$work"
  fi
  printf '%s\n' "$dir"
}

wasmtime() { cargo_cli wasmtime-cli "$WASMTIME" wasmtime; }
wasmi() { cargo_cli wasmi_cli "$WASMI" wasmi; }

libwasmtime() {
  local to=libwasmtime-$LIBWASMTIME
  [ -d "$root/$to/wasmtime" ] && return
  python3 -m pip --version >/dev/null 2>&1 || need pip3 python3-pip
  log "installing the Python package wasmtime $LIBWASMTIME"
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --target "$root/part-libwasmtime" "wasmtime==$LIBWASMTIME" >&2
  finish "$root/part-libwasmtime" "$to"
}

# Its default features have no compiler.
wasmer() { cargo_cli wasmer-cli "$WASMER" wasmer --features cranelift; }

node() { npm_node "$NODE"; }
node_new() { npm_node "$NODE_NEW"; }

npm_node() { # npm_node VERSION
  local to=node-$1
  [ -x "$root/$to/bin/node" ] && return
  need npm npm
  log "installing the npm package node $1"
  local work; work=$(mktemp -d)
  npm install --silent --no-audit --no-fund --prefix "$work" "node@$1" >&2
  mkdir -p "$work/part/bin"
  cp -L "$work/node_modules/node/bin/node" "$work/part/bin/node"
  finish "$work/part" "$to"
  rm -rf "$work"
}

# wazero itself is in no registry but Go's.
buf() {
  local to=buf-$BUF
  [ -x "$root/$to/bin/buf" ] && return
  need npm npm
  log "installing the npm package @bufbuild/buf-linux-x64 $BUF"
  local work; work=$(mktemp -d)
  npm install --silent --no-audit --no-fund --prefix "$work" "@bufbuild/buf-linux-x64@$BUF" >&2
  local binary=$work/node_modules/@bufbuild/buf-linux-x64/bin/buf
  echo "$BUF_SUM  $binary" | sha256sum --check --quiet >&2
  mkdir -p "$work/part/bin"
  cp "$binary" "$work/part/bin/buf"
  finish "$work/part" "$to"
  rm -rf "$work"
}

# The compiler of tests/hosts/wazero.
golang() { need go golang-go; }

iwasm() {
  local to=iwasm-$WAMR_SYS
  [ -x "$root/$to/bin/iwasm" ] && return
  need cmake cmake
  local src; src=$(crate_source wamr-sys "$WAMR_SYS")
  log "building iwasm of wamr-sys $WAMR_SYS"
  local work=$root/build-iwasm
  rm -rf "$work"
  cmake -S "$src/wasm-micro-runtime/product-mini/platforms/linux" -B "$work" -DCMAKE_BUILD_TYPE=Release >&2
  cmake --build "$work" --target iwasm -j"$(nproc)" >&2
  mkdir -p "$root/part-iwasm/bin"
  cp "$work/iwasm" "$root/part-iwasm/bin/iwasm"
  finish "$root/part-iwasm" "$to"
  rm -rf "$work"
}

wamr() {
  local to=wamr-2.4.3
  [ -x "$root/$to/bin/iwasm" ] && return
  need cmake cmake
  local src; src=$(crate_source wamrx-sys "$WAMRX_SYS")/wasm-micro-runtime
  log "building WAMR 2.4.3 of wamrx-sys $WAMRX_SYS"
  local work=$root/build-wamr
  rm -rf "$work"
  cmake -S "$src" -B "$work" -DCMAKE_BUILD_TYPE=Release -DWAMR_BUILD_SIMD=0 -DWAMR_BUILD_LIBC_WASI=1 >&2
  cmake --build "$work" --target vmlib -j"$(nproc)" >&2
  mkdir -p "$root/part-wamr/bin"
  gcc -O2 -I "$src/core/iwasm/include" "$here/iwasm_main.c" "$work"/lib*.a -lm -ldl -lpthread -o "$root/part-wamr/bin/iwasm"
  finish "$root/part-wamr" "$to"
  rm -rf "$work"
}

wasm3() {
  local to=wasm3-$WASM3_SYS
  [ -x "$root/$to/bin/wasm3" ] && return
  local src; src=$(crate_source wasm3-sys "$WASM3_SYS")/wasm3/source
  log "building wasm3 of wasm3-sys $WASM3_SYS"
  mkdir -p "$root/part-wasm3/bin"
  gcc -O2 -w -Dd_m3HasWASI -I "$src" "$here/wasm3_main.c" "$src"/*.c -lm -o "$root/part-wasm3/bin/wasm3"
  finish "$root/part-wasm3" "$to"
}

mkdir -p "$root"
# One installer at a time: two test runs may start together.
exec 9>"$root/.lock"
flock 9
[ $# -gt 0 ] || set -- node node_new buf golang libwasmtime wasm3 iwasm wamr wasmi wasmtime wasmer
for name in "$@"; do "$name"; done
printf '%s\n' "$root"
