#!/bin/sh
# Races: every test of the core, the plugins and the pool under ThreadSanitizer.
#
#   sh tests/torture/races.sh [TEST …]
#
# A distribution's GLib is built without the sanitizer, which then reports everything guarded by its mutexes and
# reference counts as a race. So GLib is built with it first, from the distribution's own source package, into
# build-tsan/glib.
set -eu
cd "$(dirname "$0")/../.."
build=$PWD/build-tsan
glib=$build/glib
mkdir -p "$build"

fetch_glib () { # the source of the GLib that is installed, whether or not apt is set up for sources
  mkdir -p "$build/apt/sources.list.d" "$build/apt/lists/partial"
  for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [ ! -f "$list" ] || sed -e 's/^Types: deb$/Types: deb-src/' -e 's/^deb /deb-src /' "$list" \
      >"$build/apt/sources.list.d/$(basename "$list")"
  done
  set -- -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$build/apt/sources.list.d" \
    -o Dir::State::Lists="$build/apt/lists"
  apt-get "$@" -qq update
  (cd "$build" && apt-get "$@" -qq --download-only source glib2.0)
  rm -rf "$glib"
  mkdir "$glib"
  tar -xf "$build"/glib2.0_*.orig.tar.* -C "$glib" --strip-components 1
}

if [ ! -f "$glib/b/gio/libgio-2.0.so.0" ]; then
  [ -f "$glib/meson.build" ] || fetch_glib
  meson setup "$glib/b" "$glib" -Db_sanitize=thread -Db_lundef=false -Dtests=false -Dnls=disabled \
    -Dlibmount=disabled -Dselinux=disabled -Dglib_debug=disabled >"$build/glib-setup.log"
  ninja -C "$glib/b" >"$build/glib-ninja.log" || { tail -n 40 "$build/glib-ninja.log"; exit 70; }
fi
if [ ! -f "$build/b/build.ninja" ]; then
  meson setup "$build/b" -Db_sanitize=thread -Db_lundef=false -Donednn=disabled >"$build/setup.log"
fi
ninja -C "$build/b" >"$build/ninja.log" || { tail -n 40 "$build/ninja.log"; exit 70; }

LD_LIBRARY_PATH=$glib/b/glib:$glib/b/gobject:$glib/b/gio:$glib/b/gmodule:$glib/b/gthread
export LD_LIBRARY_PATH
[ $# -gt 0 ] || set -- --suite unit --suite plugin
exec meson test -C "$build/b" --no-rebuild --num-processes 1 --timeout-multiplier 10 "$@"
