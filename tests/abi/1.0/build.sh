#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the cookbooks of this directory as an author does, against an installed spicerack:
#
#     PKG_CONFIG_PATH=PREFIX/lib/pkgconfig tests/abi/1.0/build.sh
#
# The files were built once, with the headers of version 1.0 by gcc 12.2 on x86-64, and stay as they are: a later
# version must still run them. They are built again only while 1.0 is not released.
set -eu

cd "$(dirname "$0")"
for source in *.c; do
	# shellcheck disable=SC2046
	${CC:-gcc} $(pkg-config --variable=moduleflags spicerack) "-ffile-prefix-map=$PWD=." \
		"-ffile-prefix-map=$(pkg-config --variable=prefix spicerack)=/usr" -o "${source%.c}.so" \
		"$source" $(pkg-config --cflags --libs spicerack)
done
