#!/usr/bin/env bash
# Builds what is published, into dist/: a static binary, a .deb with manual pages, completions and documentation, the
# licences of what is in it, and their checksums. The same commit gives the same binary on the same toolchain.
#
#   ./release.sh            all of it
#   ./release.sh --check    the same, and tries it out as root: in an empty root folder, and installed by dpkg
#
# Needs libelf.a and zlib.a (Debian: libelf-dev, zlib1g-dev), cargo-deb and cargo-deny (`cargo install --locked`).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

target=x86_64-unknown-linux-gnu
for tool in cargo-deb cargo-deny; do
  command -v $tool >/dev/null || { echo "release: $tool is missing: cargo install --locked $tool" >&2; exit 1; }
done
libraries=$(dirname "$(cc -print-file-name=libelf.a)")
[ -e "$libraries/libelf.a" ] && [ -e "$(dirname "$(cc -print-file-name=libz.a)")/libz.a" ] ||
  { echo "release: no libelf.a or libz.a: apt-get install libelf-dev zlib1g-dev" >&2; exit 1; }

if commit=$(git rev-parse --verify -q HEAD 2>/dev/null); then
  [ -z "$(git status --porcelain --untracked-files=no)" ] || commit="$commit with changes"
  export EWAPA_COMMIT=$commit SOURCE_DATE_EPOCH
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
fi
export LIBBPF_SYS_LIBRARY_PATH=$libraries
# Paths of the machine that builds are no part of the binary.
export RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=$PWD=ewapa --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
cargo build --release --locked --target $target --features static
built=${CARGO_TARGET_DIR:-target}/$target/release/ewapa

rm -rf dist
mkdir -p dist/man dist/completions
cp "$built" dist/ewapa
dist/ewapa man dist/man
dist/ewapa completions bash >dist/completions/ewapa
dist/ewapa completions zsh >dist/completions/_ewapa
dist/ewapa completions fish >dist/completions/ewapa.fish

cargo deny --offline check licenses bans sources
{
  echo "# What is in the binary"
  echo
  echo "Licences of the crates that ewapa is linked with, as they declare them. Besides, libbpf (LGPL-2.1 or BSD-2-Clause, used"
  echo "under the latter), and with a static binary libelf (LGPL-3.0-or-later or GPL-2.0-or-later), zlib (Zlib) and the GNU C"
  echo "library (LGPL-2.1-or-later); ./release.sh links them again from the sources of this project."
  echo
  cargo tree --locked --edges normal --prefix none --target $target --format '{p} - {l}' |
    sed -E 's/ \(\/[^)]*\)//; s/ \(proc-macro\)//; s/ \(\*\)//; /^\s*$/d' | LC_ALL=C sort -u | sed 's/^/- /'
} >dist/THIRD-PARTY.md
{
  echo "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
  echo "Upstream-Name: ewapa"
  echo
  echo "Files: *"
  echo "Copyright: The ewapa authors"
  echo "License: MIT or Apache-2.0"
  echo "Comment: The licences of what is linked in are in THIRD-PARTY.md."
  echo
  echo "License: MIT"
  sed 's/^$/./; s/^/ /' LICENSE-MIT
  echo
  echo "License: Apache-2.0"
  echo " On Debian systems its text is in /usr/share/common-licenses/Apache-2.0."
} >dist/copyright

cargo deb --no-build --no-strip --target $target --output dist/
(cd dist && sha256sum ewapa ./*.deb >SHA256SUMS)

if ldd dist/ewapa >/dev/null 2>&1 && ldd dist/ewapa | grep -q '=>'; then
  echo "release: the binary needs libraries:" >&2
  ldd dist/ewapa >&2
  exit 1
fi
dist/ewapa --version
(cd dist && ls -l ewapa ./*.deb)

[ "${1:-}" = --check ] || exit 0
# A root folder with nothing in it but the binary: what it needs of the system it says.
empty=$(mktemp -d)
trap 'umount "$empty/proc" "$empty/sys" 2>/dev/null || true; rm -rf --one-file-system "$empty"' EXIT
mkdir -p "$empty"/{proc,sys,tmp,dev}
mount --bind /proc "$empty/proc"
mount --bind /sys "$empty/sys"
: >"$empty/dev/null"
cp dist/ewapa "$empty/"
chroot "$empty" /ewapa demo
umount "$empty/proc" "$empty/sys"

if dpkg -s ewapa >/dev/null 2>&1; then
  echo "release: ewapa is installed here already: not trying the package" >&2
  exit 1
fi
dpkg -i dist/*.deb
man -w ewapa
ewapa script wasi_summary --help >/dev/null
ewapa demo
dpkg -P ewapa
echo "release: the package installs, runs and goes without a trace"
