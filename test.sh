#!/usr/bin/env bash
# All tests: installs the runtimes that they run (cached outside the tree), then cargo test. As root the
# end-to-end tests run; without, they say that they are skipped, and with CI=true they fail.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

packages=()
command -v strace >/dev/null || packages+=(strace)
command -v bpftrace >/dev/null || packages+=(bpftrace)
command -v clang >/dev/null || packages+=(clang)
command -v make >/dev/null || packages+=(make)
# Runtimes are built in many ways.
command -v gcc >/dev/null || packages+=(gcc libc6-dev)
command -v musl-gcc >/dev/null || packages+=(musl-tools)
command -v ld.lld >/dev/null || packages+=(lld)
command -v xz >/dev/null || packages+=(xz-utils)
command -v pkg-config >/dev/null || packages+=(pkg-config)
# The report's page is looked at in a real browser, which needs a font.
command -v chromium >/dev/null || command -v google-chrome >/dev/null || packages+=(chromium fonts-dejavu-core)
[ -e /usr/include/libelf.h ] || packages+=(libelf-dev)
[ -e /usr/include/zlib.h ] || packages+=(zlib1g-dev)
# Other kernels run in an emulator.
[ -x /usr/bin/qemu-system-x86_64 ] || packages+=(qemu-system-x86)
[ -x /bin/busybox ] || packages+=(busybox-static)
# The modules of the workloads are built again and compared where their compiler is the one of Debian 12.
if clang --version 2>/dev/null | grep -q 'Debian clang version 14\.0\.6'; then
  command -v wasm-ld >/dev/null || packages+=(lld)
  [ -e /usr/include/wasm32-wasi/wasi/api.h ] || packages+=(wasi-libc libclang-rt-dev-wasm32)
fi
if [ ${#packages[@]} -gt 0 ] && [ "$(id -u)" = 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
fi
if [ "$(id -u)" = 0 ] && ! grep -q ' tracefs ' /proc/mounts; then
  mount -t tracefs tracefs /sys/kernel/tracing
fi

tests/runtimes/install.sh >/dev/null
tests/kernels/install.sh >/dev/null
# What the tests start is root's, as what they look at is.
unset SUDO_UID
# Release: the end-to-end tests resolve binaries of 67 MB again and again.
exec cargo test --release --workspace --locked --no-fail-fast "$@"
