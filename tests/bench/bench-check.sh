#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench-check.sh BUILD_DIR: checks trees of 30 and 1,000 cookbooks, and compares with the floor, which only
# opens the same files and reads all of their bytes, and with a peer, `readelf -d` of each file, which
# looks at a small part of what a check does. Prints the medians of 5 runs, the ratio to the floor and the
# largest memory.
set -eu

build=${1:?usage: bench-check.sh BUILD_DIR}
measure=$(find "$build" -name bench-measure -type f -perm -u+x | head -n 1)
command=$(find "$build/core" -name spicerack -type f -perm -u+x | head -n 1)
cookbook=$(find "$build/cookbooks" -name important-cookbook.so | head -n 1)
umask 022
trees=$(mktemp -d)
trap 'rm -rf "$trees"' EXIT
printf 'cookbooks_base_dirs = ["%s"];\n' "$trees" >"$trees/configuration.cfg"

make_tree() { # directory, number of cookbooks
	left=$2
	group=0
	while [ "$left" -gt 0 ]; do
		at="$1/group$group"
		mkdir -p "$at"
		printf 'title = "Group %d";\nowner = "team%d";\n' "$group" $((group % 7)) >"$at/group.cfg"
		i=0
		while [ "$i" -lt 50 ] && [ "$left" -gt 0 ]; do
			cp "$cookbook" "$at/cookbook-$i.so"
			i=$((i + 1))
			left=$((left - 1))
		done
		group=$((group + 1))
	done
}

compare() { # number of cookbooks, name to print, command...
	count=$1
	name=$2
	shift 2
	"$measure" 5 "$@" -- sh -c "find '$trees/$count' -name '*.so' -exec cat {} + >/dev/null" |
		tr '\n' ' ' | awk -v n="$count" -v name="$name" '{
			printf "%9d  %-15s %9.1f ms %9.1f ms %7.2f %5.1f MiB\n",
				n, name, $1 / 1000, $3 / 1000, $1 / $3, $2 / 1024 }'
}

printf '%9s  %-15s %12s %12s %7s %9s\n' cookbooks command time floor ratio memory
for count in 30 1000; do
	make_tree "$trees/$count" "$count"
	compare "$count" "spicerack check" "$command" check -c "$trees/configuration.cfg" "$trees/$count"
	compare "$count" "readelf -d" sh -c \
		"find '$trees/$count' -name '*.so' -exec readelf -d {} \; >/dev/null"
done
