# Installs the missing Debian packages that segue needs: build (the default), test (adds what the
# test suite needs), interop (adds what tests/interop/run.sh needs to create its Python environment),
# bench (adds the programs that tests/bench/performance.sh compares), or browser (adds the browser
# and driver of tests/browser/run.sh). Sourced or run by quickstart.sh and tests/run.sh.
set -eu

build="gcc pkg-config meson ninja-build libglib2.0-dev libyaml-dev libjansson-dev nettle-dev libopenblas-dev
  libdnnl-dev libkissfft-dev libseccomp-dev libsoxr-dev libsndfile1-dev libcurl4-openssl-dev libmicrohttpd-dev
  libpango1.0-dev libgstreamer1.0-dev
  libgstreamer-plugins-base1.0-dev gstreamer1.0-plugins-base gstreamer1.0-plugins-good
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav
  libavformat-dev libavcodec-dev libavutil-dev"
test="$build clang-format-14 python3 git abigail-tools"
interop="$test python3-venv"
bench="$interop ffmpeg g++"
browser="$test chromium chromium-driver python3-selenium fonts-noto-cjk fonts-noto-color-emoji fonts-dejavu-core"

case "${1:-build}" in
build) wanted=$build ;;
test) wanted=$test ;;
interop) wanted=$interop ;;
bench) wanted=$bench ;;
browser) wanted=$browser ;;
*) echo "usage: sh examples/dependencies.sh [build|test|interop|bench|browser]" >&2; exit 64 ;;
esac

missing=
for package in $wanted; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || {
    echo "segue needs these packages; please install them as root:" >&2
    echo "  apt-get install$missing" >&2
    exit 69
  }
  as_root=sudo
fi
echo "Installing:$missing" >&2
$as_root apt-get update -qq
# shellcheck disable=SC2086  # a list of package names
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
