/* SPDX-License-Identifier: Apache-2.0 */
#include "../../core/host/peek/elf.h"

#include <elf.h>

#include "scratch.h"

START_TEST(decodes_packed_relocations)
{
	/* An address, then a bitmap of the 63 words behind it, then the 63 behind those. */
	static const uint64_t words[] = {0x1000, 1 | 1ull << 1 | 1ull << 63, 1 | 1ull << 2, 0x3000};
	static const uint64_t expected[] = {0x1000, 0x1008, 0x1008 + 62 * 8, 0x1008 + 64 * 8,
					    0x3000};
	static const uint64_t headless[] = {3};
	static const uint64_t beyond[] = {UINT64_MAX - 1};
	static const uint64_t wrapping[] = {UINT64_MAX - 15, UINT64_MAX};
	uint64_t *where = NULL;
	size_t count;
	struct err err;

	ck_assert_int_eq(elf_decode_relr(words, 4, 100, &where, &count, &err), 0);
	ck_assert_uint_eq(count, 5);
	ck_assert_mem_eq(where, expected, sizeof(expected));
	free(where);
	ck_assert_int_eq(elf_decode_relr(words, 4, 4, &where, &count, &err), -1);
	ck_assert_int_eq(elf_decode_relr(headless, 1, 100, &where, &count, &err), -1);
	ck_assert_int_eq(elf_decode_relr(beyond, 1, 100, &where, &count, &err), -1);
	ck_assert_int_eq(elf_decode_relr(wrapping, 2, 100, &where, &count, &err), -1);
}
END_TEST

static void refused(const void *bytes, size_t length, const char *reason)
{
	struct elf *elf = calloc(1, sizeof(*elf));
	struct err err = {{0}};

	ck_assert_ptr_nonnull(elf);
	ck_assert_int_eq(elf_open_memory(elf, bytes, length, &err), -1);
	ck_assert_msg(strstr(err.text, reason), "'%s' does not say '%s'", err.text, reason);
	elf_close(elf);
	free(elf);
}

START_TEST(refuses_what_is_no_shared_object_of_ours)
{
	size_t length;
	unsigned char *bytes = read_whole(PEEK_FIXTURES "/plain.so", &length);
	Elf64_Ehdr header;

	refused(bytes, 0, "empty");
	refused("#!/bin/sh\n", 10, "not a shared object");
	memcpy(&header, bytes, sizeof(header));
	refused(bytes, length / 8, "broken");
	bytes[EI_CLASS] = ELFCLASS32;
	refused(bytes, length, "foreign");
	bytes[EI_CLASS] = ELFCLASS64;
	bytes[offsetof(Elf64_Ehdr, e_machine)]++;
	refused(bytes, length, "foreign");
	bytes[offsetof(Elf64_Ehdr, e_machine)]--;
	bytes[offsetof(Elf64_Ehdr, e_type)] = ET_EXEC;
	refused(bytes, length, "not a shared object");
	free(bytes);
	bytes = read_whole("/proc/self/exe", &length);
	refused(bytes, length, "not a shared object");
	free(bytes);
}
END_TEST

START_TEST(finds_symbols_by_stem)
{
	size_t length, count;
	unsigned char *bytes = read_whole(PEEK_FIXTURES "/several.so", &length);
	struct elf *elf = calloc(1, sizeof(*elf));
	struct elf_symbol *symbols;
	struct err err;

	ck_assert_ptr_nonnull(elf);
	ck_assert_int_eq(elf_open_memory(elf, bytes, length, &err), 0);
	ck_assert_int_eq(elf_symbols(elf, "spk_cookbook", &symbols, &count, &err), 0);
	ck_assert_uint_eq(count, 2);
	ck_assert_str_eq(symbols[0].name, "spk_cookbook_CookbookA");
	ck_assert_str_eq(symbols[1].name, "spk_cookbook_CookbookB");
	free(symbols);
	ck_assert_int_eq(elf_symbols(elf, "spk_cook", &symbols, &count, &err), 0);
	ck_assert_uint_eq(count, 0);
	free(symbols);
	elf_close(elf);
	free(elf);
	free(bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf");
	TCase *tcase = tcase_create("elf");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, decodes_packed_relocations);
	tcase_add_test(tcase, refuses_what_is_no_shared_object_of_ours);
	tcase_add_test(tcase, finds_symbols_by_stem);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
