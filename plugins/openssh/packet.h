/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of SSH and of OpenSSH's control socket: numbers, texts, and bytes on their way. */
#ifndef OPENSSH_PACKET_H
#define OPENSSH_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that are added behind and taken from the front. Zero is empty. */
struct bytes {
	unsigned char *data;
	size_t first, length, capacity; /* `length` bytes from `first` on */
};

void bytes_add(struct bytes *bytes, const void *data, size_t length);
void bytes_take(struct bytes *bytes, size_t length);
void bytes_free(struct bytes *bytes);

void bytes_put_number(struct bytes *bytes, uint32_t number);
/* A length and the bytes. */
void bytes_put_text(struct bytes *bytes, const void *text, size_t length);

/* A message that is read. Zeros and empty texts come behind its end, and `bad` is set. */
struct reader {
	const unsigned char *at;
	size_t left;
	bool bad;
};

uint8_t reader_byte(struct reader *reader);
uint32_t reader_number(struct reader *reader);
const char *reader_text(struct reader *reader, size_t *ret_length);

/* Memory that is not there ends the process, as elsewhere in the host. */
void *memory(void *old, size_t size);

#endif
