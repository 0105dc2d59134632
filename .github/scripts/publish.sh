#!/usr/bin/env bash
# Publishes the tarballs of prebuilt/: publish.sh VERSION
#
# The root package goes last, so that nobody can install it while a platform's package is still missing.
# What is published already is passed over, so that a run that broke off can be started again.
set -euo pipefail

version=$1
platforms=(npm/*/)
tag=latest
if [[ "$version" == *-* ]]; then
  tag=next
fi

tarballs=()
for platform in "${platforms[@]}"; do
  tarballs+=("prebuilt/isolane-$(basename "$platform")-$version.tgz")
done
tarballs+=("prebuilt/isolane-$version.tgz")

for tarball in "${tarballs[@]}"; do
  [[ -f "$tarball" ]] || { echo "missing: $tarball" >&2; exit 1; }
done

for tarball in "${tarballs[@]}"; do
  name="$(basename "$tarball" "-$version.tgz")"
  if [[ -n "$(npm view "$name@$version" version 2>/dev/null || true)" ]]; then
    echo "already published: $name@$version"
  else
    npm publish "$tarball" --access public --provenance --tag "$tag"
  fi
done
