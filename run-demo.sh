#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds spicerack, installs it below build/demo and shows what it does, without any configuration.
set -eu

source=$(cd "$(dirname "$0")" && pwd)
build=$source/build/demo
prefix=$build/prefix
app=$build/app

"$source/tools/install-packages.sh" gcc libc6-dev cmake ninja-build pkg-config \
	libconfig-dev libpcre2-dev libdw-dev libedit-dev libsqlite3-dev \
	libcurl4-openssl-dev libc-ares-dev libcjson-dev libyaml-dev libircclient-dev libssl-dev libssh-dev

mkdir -p "$build"
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_C_COMPILER=gcc -DCMAKE_INSTALL_PREFIX="$prefix" \
	-DSPICERACK_TESTS=OFF -Wno-dev >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
cmake --build "$build" >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
cmake --install "$build" >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }

PATH=$prefix/bin:$PATH
# What belongs to the user goes below the build directory, too.
export XDG_DATA_HOME="$build/home/share" XDG_STATE_HOME="$build/home/state"
export XDG_CONFIG_HOME="$build/home/config"
rm -rf "${build:?}/home" "$app"
mkdir -p "$XDG_DATA_HOME/spicerack/cookbooks/demo"

# An application of three releases, the last of which does not work.
for release in v1 v2 v3; do
	mkdir -p "$app/releases/$release"
	printf '#!/bin/sh\ntest %s != v3 || { echo "cannot reach the database" >&2; exit 1; }\n' \
		"$release" >"$app/releases/$release/check-health"
	chmod +x "$app/releases/$release/check-health"
done

# A cookbook of the user's own: the sample, with a bug in the place of its health check.
# shellcheck disable=SC2046
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name spicerack.pc)") \
	sh -c 'gcc $(pkg-config --variable=moduleflags spicerack) -o "$1" "$2" $(pkg-config --cflags --libs spicerack)' \
	sh "$XDG_DATA_HOME/spicerack/cookbooks/demo/crash-after-switch.so" \
	"$source/tests/demo/crash-after-switch.c"

failed=0

# show EXPECTED-EXIT-CODE COMMAND...
show() {
	expected=$1
	shift
	printf '\n$ %s\n' "$*"
	code=0
	"$@" || code=$?
	if [ "$code" -ne "$expected" ]; then
		printf '*** exit code %s, expected %s\n' "$code" "$expected"
		failed=1
	elif [ "$code" -ne 0 ]; then
		printf '(exit code %s)\n' "$code"
	fi
}

# current EXPECTED-RELEASE
current() {
	printf '\n$ readlink %s\n' "$app/current"
	readlink "$app/current"
	[ "$(readlink "$app/current")" = "releases/$1" ] || {
		printf '*** expected releases/%s\n' "$1"
		failed=1
	}
}

show 0 cookbook -l
show 0 cookbook -lv deploy
show 0 cookbook deploy.switch-release --help
show 2 cookbook deploy.switch-release "$app"

printf '\n# A release that is healthy.\n'
show 0 cookbook deploy.switch-release "$app" v1 current/check-health
current v1

printf '\n# What would another switch do?\n'
show 0 cookbook --dry-run deploy.switch-release "$app" v2 current/check-health
current v1

printf '\n# A release whose health check fails: back to the one before.\n'
show 99 cookbook deploy.switch-release "$app" v3 --timeout 5s current/check-health
current v1

printf '\n# A cookbook that crashes after the switch: back all the same.\n'
show 92 cookbook demo.crash-after-switch "$app" v2 current/check-health
current v1

printf '\n$ cat %s\n' "$XDG_STATE_HOME/spicerack/logs/demo/crash-after-switch.log"
cat "$XDG_STATE_HOME/spicerack/logs/demo/crash-after-switch.log"

[ "$failed" -eq 0 ] && printf '\nThe demo went as expected.\n'
exit "$failed"
