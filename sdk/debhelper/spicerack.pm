# SPDX-License-Identifier: Apache-2.0
# The debhelper sequence "spicerack": cookbooks are put in their place before anything is stripped.
use strict;
use warnings;

insert_after('dh_install', 'dh_spicerack');

1;
