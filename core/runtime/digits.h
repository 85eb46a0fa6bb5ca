/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings of digits as numbers: all strings of 1 to 18 digits are numbered in the order of their
 * length, then of their value: "0" is 0, "9" is 9, "00" is 10, "99" is 109, "000" is 110. So "7"
 * and "07" are two, and strings of one length that follow each other have numbers that do.
 */
#ifndef SPICERACK_CORE_DIGITS_H
#define SPICERACK_CORE_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#define DIGITS_MAX 18

/* How many digits stand at `at`. */
size_t digits_span(const char *at, const char *end);
/* The number of a string of `length` digits, 1 to DIGITS_MAX. */
uint64_t digits_number(const char *text, size_t length);
/* The number of the string of `length` digits that has a value. */
uint64_t digits_of_value(uint64_t value, size_t length);
/* 10 to the power of `length`. */
uint64_t digits_power(size_t length);
/* How many digits the string has. */
size_t digits_length(uint64_t number);
/* What its digits are worth. */
uint64_t digits_value(uint64_t number);
/* Writes the string, without a NUL, and returns its length. */
size_t digits_text(uint64_t number, char out[static DIGITS_MAX]);

#endif
