/* SPDX-License-Identifier: Apache-2.0 */
/* The program that opens cookbooks: it is linked to the library that they are linked to. */
#include "../runner.h"

int main(void)
{
	return spk_private_runner_main();
}
