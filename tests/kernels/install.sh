#!/usr/bin/env bash
# Fetches kernels of Debian that are older than those which ewapa is at home on, into a cache outside the tree, and
# prints the folder: `6.1` and `6.12` in it are the kernels' images. Debian keeps only the newest build of each series,
# so the series is pinned. What is there already is left as it is.
#
#   tests/kernels/install.sh             EWAPA_KERNELS=DIR: the cache; default: ~/.cache/ewapa/kernels
set -euo pipefail

root=${EWAPA_KERNELS:-$HOME/.cache/ewapa/kernels}
mkdir -p "$root"
exec 9>"$root/.lock"
flock 9

missing=()
for series in 6.1 6.12; do
  [ -s "$root/$series" ] || missing+=("$series")
done
if [ ${#missing[@]} -gt 0 ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  # A list of sources of its own: the machine's stays as it is.
  key=/usr/share/keyrings/debian-archive-keyring.gpg
  for suite in bookworm bookworm-backports; do
    echo "deb [signed-by=$key] http://deb.debian.org/debian $suite main"
  done >"$work/sources.list"
  mkdir -p "$work/lists/partial"
  apt=(-qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists"
    -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o APT::Sandbox::User=root)
  apt-get "${apt[@]}" update >&2
  for series in "${missing[@]}"; do
    package=$(apt-cache "${apt[@]}" search --names-only "^linux-image-${series//./\\.}[.][.0-9+a-z-]*-cloud-amd64-unsigned$" |
      cut -d' ' -f1 | sort -V | tail -1)
    [ -n "$package" ] || { echo "kernels: Debian has no kernel $series for the cloud" >&2; exit 1; }
    echo "kernels: fetching $package" >&2
    (cd "$work" && apt-get "${apt[@]}" download "$package" >&2)
    dpkg-deb --fsys-tarfile "$work/$package"_*.deb | tar -x -C "$work" --wildcards './boot/vmlinuz-*'
    mv "$work"/boot/vmlinuz-* "$root/$series"
    rm -r "$work/boot" "$work/$package"_*.deb
  done
fi
printf '%s\n' "$root"
