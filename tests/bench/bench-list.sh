#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bench-list.sh BUILD_DIR [COMMAND...]: lists trees of 30, 1,000 and 10,000 cookbooks and compares
# with the floor, a program that only opens and reads the same files. Without COMMAND both what
# reads and prints the tree (bench-list) and the real command are measured; %TREE in a word of it is
# the tree, %TREE.cfg a configuration file with that tree. Prints the medians of 41 runs, their ratio
# and the largest memory.
set -eu

build=${1:?usage: bench-list.sh BUILD_DIR [COMMAND...]}
shift
bench=$(find "$build" -name bench-list -type f -perm -u+x | head -n 1)
measure=$(find "$build" -name bench-measure -type f -perm -u+x | head -n 1)
floor=$(find "$build" -name bench-floor -type f -perm -u+x | head -n 1)
command=$(find "$build/core" -name cookbook -type f -perm -u+x | head -n 1)
cookbook=$(find "$build" -name plain.so | head -n 1)
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
	printf 'cookbooks_base_dirs = ["%s"];\n' "$1" >"$1.cfg"
}

compare() { # number of cookbooks, name to print, command...
	count=$1
	name=$2
	shift 2
	words=""
	for word in "$@"; do
		case $word in
		*%TREE*) word=${word%%%TREE*}$trees/$count${word#*%TREE} ;;
		esac
		words="$words '$word'"
	done
	eval "'$measure' 41 $words -- '$floor' '$trees/$count'" | tr '\n' ' ' |
		awk -v n="$count" -v name="$name" '{
			printf "%9d  %-12s %9.1f ms %9.1f ms %7.2f %5.1f MiB\n",
				n, name, $1 / 1000, $3 / 1000, $1 / $3, $2 / 1024 }'
}

printf '%9s  %-12s %12s %12s %7s %9s\n' cookbooks command time floor ratio memory
for count in 30 1000 10000; do
	make_tree "$trees/$count" "$count"
	if [ $# -gt 0 ]; then
		compare "$count" "$(basename "$1")" "$@"
	else
		compare "$count" bench-list "$bench" %TREE
		compare "$count" "cookbook -l" "$command" -c %TREE.cfg -l
	fi
done
