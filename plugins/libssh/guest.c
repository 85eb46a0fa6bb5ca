/* SPDX-License-Identifier: Apache-2.0 */
#include "guest.h"

void guests_add(struct guests *guests, struct guest *guest)
{
	guest->next = NULL;
	guest->before = guests->last;
	if (guests->last)
		guests->last->next = guest;
	else
		guests->first = guest;
	guests->last = guest;
	guests->count++;
}

void guests_remove(struct guests *guests, struct guest *guest)
{
	if (guest->before)
		guest->before->next = guest->next;
	else
		guests->first = guest->next;
	if (guest->next)
		guest->next->before = guest->before;
	else
		guests->last = guest->before;
	guest->next = guest->before = NULL;
	guests->count--;
}
