#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds with gcc, and with clang and sanitizers, and runs the tests of both builds.
# --long adds what takes longer than a quarter of an hour.
set -eu

source=$(cd "$(dirname "$0")" && pwd)
long=OFF
case "${1:-}" in
"") ;;
--long) long=ON ;;
*)
	echo "usage: run-tests.sh [--long]" >&2
	exit 2
	;;
esac

"$source/tools/install-packages.sh" gcc libc6-dev clang clang-format libclang-rt-14-dev cmake make ninja-build \
	pkg-config binutils libconfig-dev libpcre2-dev libdw-dev libedit-dev libsqlite3-dev \
	libcurl4-openssl-dev libc-ares-dev libldns-dev libcjson-dev libyaml-dev libircclient-dev libssl-dev libssh-dev \
	ngircd etcd-server etcd-client dnsmasq-base gdnsd bind9 openssl iproute2 nftables check python3 procps \
	openssh-server openssh-client python3-paramiko python3-clustershell cumin nginx prometheus \
	mandoc abigail-tools gdb valgrind libc6-dbg sudo systemd tmux bash-completion zsh fish mksh busybox debhelper
[ "$long" = OFF ] || "$source/tools/install-packages.sh" debootstrap lintian autopkgtest puppetdb postgresql

# Most of what a run of nothing takes is to wait for the disk: files of tests are in memory where there
# is room for them and programs may lie.
roomy_memory() {
	probe=$(mktemp /dev/shm/spicerack-XXXXXX 2>/dev/null) || return 1
	cp /bin/true "$probe" && chmod 700 "$probe" && "$probe" && usable=yes || usable=no
	rm -f "$probe"
	[ "$usable" = yes ] && [ "$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')" -gt 4194304 ]
}
if [ -z "${TMPDIR:-}" ] && roomy_memory; then
	export TMPDIR=/dev/shm
fi

# configure NAME COMPILER [CMAKE-OPTION...]
configure() {
	name=$1
	compiler=$2
	shift 2
	# Debian's Python has the modules that were installed above, and starts at once.
	cmake -S "$source" -B "$source/build/test-$name" -G Ninja -DCMAKE_C_COMPILER="$compiler" \
		-DPython3_EXECUTABLE=/usr/bin/python3 -DCMAKE_INSTALL_PREFIX="$source/build/test-$name/prefix" \
		-DSPICERACK_LONG_TESTS="$long" "$@" -Wno-dev >/dev/null
}

# run_tests NAME LABELS: without the tests of these labels, but for --long
run_tests() {
	left_out=$2
	# Harnesses that look for an hour each do so side by side.
	[ "$long" = OFF ] || left_out=fuzz
	# ctest by itself waits for ever, for what a test left behind, too.
	(cd "$source/build/test-$1" && ctest --output-on-failure --timeout 900 -j 6 -LE "^($left_out)\$")
	[ "$long" = OFF ] || (cd "$source/build/test-$1" && ctest --output-on-failure -j 8 -L fuzz)
	# How far the harnesses came; none in a build without them.
	grep -E '^[a-z]+: [0-9]+ executions, ' "$source/build/test-$1/Testing/Temporary/LastTest.log" || true
}

# What is not optimized is built in half the time, and has more for sanitizers to see. The harnesses
# get further in an hour when it is.
[ "$long" = ON ] && kind=RelWithDebInfo || kind=Debug
configure gcc gcc
configure sanitized clang -DCMAKE_BUILD_TYPE=$kind -DSPICERACK_FUZZ=ON
printf '\n=== gcc\n'
cmake --build "$source/build/test-gcc"

# Tests wait for much: the other build takes what they leave.
nice -n 19 ninja -C "$source/build/test-sanitized" >"$source/build/test-sanitized/build.log" 2>&1 &
building=$!
trap 'kill $building 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM HUP
run_tests gcc none

printf '\n=== sanitized\n'
wait $building || {
	cat "$source/build/test-sanitized/build.log"
	exit 1
}
trap - EXIT
# `once`: what sanitizers would not see, or what takes them long.
run_tests sanitized once
