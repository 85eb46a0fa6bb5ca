#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench-list.sh BUILD_DIR [COMMAND...]: lists trees of 30, 1,000 and 10,000 cookbooks with COMMAND
# (a %TREE in it is the tree; without COMMAND: bench-list %TREE) and with the floor, a program that
# only opens and reads the same files. Prints the median of 15 runs, the ratio and the largest
# memory.
set -eu

build=${1:?usage: bench-list.sh BUILD_DIR [COMMAND...]}
shift
bench=$(find "$build" -name bench-list -type f -perm -u+x | head -n 1)
measure=$(find "$build" -name bench-measure -type f -perm -u+x | head -n 1)
floor=$(find "$build" -name bench-floor -type f -perm -u+x | head -n 1)
cookbook=$(find "$build" -name plain.so | head -n 1)
[ $# -gt 0 ] || set -- "$bench" %TREE
umask 022
trees=$(mktemp -d)
trap 'rm -rf "$trees"' EXIT

make_tree() { # directory, number of cookbooks
	left=$2
	group=0
	while [ "$left" -gt 0 ]; do
		at="$1/group$((group / 20))/sub$group"
		mkdir -p "$at"
		printf 'title = "Group %d";\nowner = "team%d";\n' "$group" $((group % 7)) \
			>"$at/group.cfg"
		i=0
		while [ "$i" -lt 30 ] && [ "$left" -gt 0 ]; do
			cp "$cookbook" "$at/cookbook-$i.so"
			i=$((i + 1))
			left=$((left - 1))
		done
		group=$((group + 1))
	done
}

printf '%9s %12s %12s %7s %9s\n' cookbooks command floor ratio memory
for count in 30 1000 10000; do
	tree="$trees/$count"
	make_tree "$tree" "$count"
	words=""
	for word in "$@"; do
		case $word in *%TREE*) word=${word%%%TREE*}$tree${word#*%TREE} ;; esac
		words="$words '$word'"
	done
	ours=$(eval "'$measure' 15 $words")
	least=$("$measure" 15 "$floor" "$tree")
	awk -v n="$count" -v a="${ours% *}" -v kib="${ours#* }" -v b="${least% *}" \
		'BEGIN { printf "%9d %9.1f ms %9.1f ms %7.2f %5.1f MiB\n", n, a / 1000, b / 1000, a / b, kib / 1024 }'
done
