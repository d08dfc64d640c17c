#!/usr/bin/env bash
# Everything that a fresh Debian or Ubuntu machine needs to build and run ewapa: packages, tracefs, the
# release build; then the demonstration. What is there already is left as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

[ "$(uname -m)" = x86_64 ] || { echo "setup: ewapa runs on x86-64, and this is $(uname -m)" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# command or file -> package
packages=()
command -v clang >/dev/null || packages+=(clang)
command -v cc >/dev/null || packages+=(gcc libc6-dev)
command -v make >/dev/null || packages+=(make)
command -v pkg-config >/dev/null || packages+=(pkg-config)
[ -e /usr/include/libelf.h ] || packages+=(libelf-dev)
[ -e /usr/include/zlib.h ] || packages+=(zlib1g-dev)
if ! command -v cargo >/dev/null && [ ! -x "$HOME/.cargo/bin/cargo" ]; then
  # Debian has rustup since 13. Before, its own program fetches it.
  if [ -n "$(apt-cache search --names-only '^rustup$' 2>/dev/null)" ]; then
    packages+=(rustup)
  else
    fetch_rustup=yes
    command -v curl >/dev/null || packages+=(curl ca-certificates)
  fi
fi
if [ ${#packages[@]} -gt 0 ]; then
  echo "setup: installing ${packages[*]}" >&2
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" || {
    echo "setup: apt-get could not install ${packages[*]}; install them by hand (Rust: https://rustup.rs) and run this again" >&2
    exit 1
  }
fi
if [ -n "${fetch_rustup:-}" ]; then
  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal || {
    echo "setup: Rust could not be installed; install it by hand (https://rustup.rs) and run this again" >&2
    exit 1
  }
fi
command -v cargo >/dev/null || export PATH="$HOME/.cargo/bin:$PATH"
cargo --version >/dev/null 2>&1 || rustup default stable

# System call tables of other tools and some probes of the tests read it; ewapa itself does not.
if ! grep -q ' tracefs ' /proc/mounts; then
  as_root mount -t tracefs tracefs /sys/kernel/tracing || echo "setup: tracefs could not be mounted; go on without" >&2
fi

cargo build --release --locked
built=${CARGO_TARGET_DIR:-target}/release/ewapa
as_root "$built" doctor
as_root "$built" demo
