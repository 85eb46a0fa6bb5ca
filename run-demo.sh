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
	libcurl4-openssl-dev libc-ares-dev libldns-dev libcjson-dev libyaml-dev libircclient-dev libssl-dev libssh-dev

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

# Cookbooks of the user's own: the samples, one with a bug in the place of its health check, one with a
# failure where it tells that all went well.
for name in crash-after-switch fail-after-route; do
	# shellcheck disable=SC2046
	PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name spicerack.pc)") \
		sh -c 'gcc $(pkg-config --variable=moduleflags spicerack) -o "$1" "$2" $(pkg-config --cflags --libs spicerack)' \
		sh "$XDG_DATA_HOME/spicerack/cookbooks/demo/$name.so" "$source/tests/demo/$name.c"
done

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

# A service of two datacenters, kept by conftool in a file below the build directory.
config=$build/home/demo.cfg
cat >"$build/home/schema.yaml" <<'END'
discovery:
  path: discovery
  tags: [dnsdisc]
  schema:
    pooled: {type: bool, default: false}
    ttl: {type: int, default: 300}
END
cat >"$config" <<END
instance_params = { conftool_schema = "$build/home/schema.yaml"; };
kv = { store = "sqlite"; directory = "$build/home/kv"; };
sites = { core = ["codfw", "eqiad"]; };
END

# pooled EXPECTED-IN-CODFW EXPECTED-IN-EQIAD
pooled() {
	printf '\n$ spicerack kv list -c %s\n' "$config"
	spicerack kv list -c "$config"
	for datacenter in codfw eqiad; do
		spicerack kv get -c "$config" "/conftool/v1/discovery/search/$datacenter" |
			grep -q "\"pooled\": *$1" || {
			printf '*** expected %s in %s\n' "$1" "$datacenter"
			failed=1
		}
		shift
	done
}

printf '\n# A service that is pooled in two datacenters.\n'
for datacenter in codfw eqiad; do
	show 0 spicerack kv set -c "$config" "/conftool/v1/discovery/search/$datacenter" \
		'{"pooled": true, "ttl": 300}'
done
pooled true true

printf '\n# What would it mean to depool it in one?\n'
show 0 cookbook -c "$config" --dry-run discovery.service-route search codfw depool
pooled true true

printf '\n# Depool it, and try to take away what is left.\n'
show 0 cookbook -c "$config" discovery.service-route search codfw depool
pooled false true
show 99 cookbook -c "$config" discovery.service-route search eqiad depool
pooled false true

printf '\n# Pool it again.\n'
show 0 cookbook -c "$config" discovery.service-route search codfw pool
pooled true true

printf '\n# A failure in the middle, after it was depooled: back to what it was.\n'
show 99 cookbook -c "$config" demo.fail-after-route search codfw depool
pooled true true

[ "$failed" -eq 0 ] && printf '\nThe demo went as expected.\n'
exit "$failed"
