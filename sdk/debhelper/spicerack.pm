# SPDX-License-Identifier: Apache-2.0
# The debhelper sequence "spicerack": cookbooks are put in their place before anything is stripped.
use strict;
use warnings;

insert_after('dh_install', 'dh_spicerack');
# A library that the cookbooks of a bundle share is nobody else's: it is found beside them.
add_command_options('dh_makeshlibs', '-Xspicerack/cookbooks');

1;
