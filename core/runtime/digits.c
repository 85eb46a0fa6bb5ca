/* SPDX-License-Identifier: Apache-2.0 */
#include "digits.h"

static const uint64_t powers[DIGITS_MAX + 1] = {
	1ULL,
	10ULL,
	100ULL,
	1000ULL,
	10000ULL,
	100000ULL,
	1000000ULL,
	10000000ULL,
	100000000ULL,
	1000000000ULL,
	10000000000ULL,
	100000000000ULL,
	1000000000000ULL,
	10000000000000ULL,
	100000000000000ULL,
	1000000000000000ULL,
	10000000000000000ULL,
	100000000000000000ULL,
	1000000000000000000ULL,
};

size_t digits_span(const char *at, const char *end)
{
	size_t length = 0;

	while (at + length < end && at[length] >= '0' && at[length] <= '9')
		length++;
	return length;
}

uint64_t digits_power(size_t length)
{
	return powers[length];
}

/* How many strings are shorter: 10 + 100 + ... */
static uint64_t shorter(size_t length)
{
	return (powers[length] - 10) / 9;
}

uint64_t digits_of_value(uint64_t value, size_t length)
{
	return shorter(length) + value;
}

uint64_t digits_number(const char *text, size_t length)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	return digits_of_value(value, length);
}

size_t digits_length(uint64_t number)
{
	size_t length = 1;

	while (length < DIGITS_MAX && number >= shorter(length + 1))
		length++;
	return length;
}

uint64_t digits_value(uint64_t number)
{
	return number - shorter(digits_length(number));
}

size_t digits_text(uint64_t number, char out[static DIGITS_MAX])
{
	size_t length = digits_length(number);
	uint64_t value = number - shorter(length);

	for (size_t i = length; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	return length;
}
