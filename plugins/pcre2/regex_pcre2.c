/* SPDX-License-Identifier: Apache-2.0 */
/* The regex driver: PCRE2 on UTF-8. Bytes that are no UTF-8 match nothing, and are no error. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <string.h>

#include <spicerack/plugin.h>

/*
 * How much work one match may be: about a second. Without a limit a pattern like (a+)+b keeps
 * a run busy for years. PCRE2's own limits are per place where a match may start; the steps,
 * seen by a callout before each item of the pattern, are over all of the text.
 */
#define MATCH_LIMIT 1000000
#define HEAP_LIMIT_KIB 65536
#define STEPS 20000000
#define STEPS_PER_BYTE 64

SPK_API extern const struct spk_regex_driver spk_driver;

static int explain(struct spk_reason_buffer *reason, int error)
{
	if (error == PCRE2_ERROR_MATCHLIMIT || error == PCRE2_ERROR_HEAPLIMIT ||
	    error == PCRE2_ERROR_DEPTHLIMIT || error == PCRE2_ERROR_CALLOUT)
		snprintf(reason->text, sizeof(reason->text),
			 "it takes too many steps on this text");
	else
		pcre2_get_error_message(error, (PCRE2_UCHAR *)reason->text, sizeof(reason->text));
	return -1;
}

static void *compile(const char *pattern, size_t length, struct spk_reason_buffer *reason)
{
	PCRE2_UCHAR message[200];
	PCRE2_SIZE place = 0;
	pcre2_code *code;
	int error = 0;

	code = pcre2_compile((PCRE2_SPTR)pattern, length,
			     PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
				     PCRE2_AUTO_CALLOUT,
			     &error, &place, NULL);
	if (!code) {
		pcre2_get_error_message(error, message, sizeof(message));
		snprintf(reason->text, sizeof(reason->text), "%s at byte %zu",
			 (const char *)message, (size_t)place);
	}
	return code;
}

static int count_step(pcre2_callout_block *block, void *data)
{
	uint64_t *steps = data;

	return (*steps)-- ? 0 : PCRE2_ERROR_CALLOUT;
}

/* Sets *steps for a text of this length; it must stay as long as the context is used. */
static pcre2_match_context *new_context(size_t length, uint64_t *steps)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);

	*steps = STEPS + STEPS_PER_BYTE * (uint64_t)length;
	if (context) {
		pcre2_set_match_limit(context, MATCH_LIMIT);
		pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
		pcre2_set_callout(context, count_step, steps);
	}
	return context;
}

static int match(void *compiled, const char *text, size_t length, size_t start, bool whole,
		 size_t *offsets, size_t pairs, struct spk_reason_buffer *reason)
{
	uint32_t options = whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : 0;
	uint64_t steps;
	pcre2_match_context *context = new_context(length, &steps);
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(compiled, NULL);
	int rc = PCRE2_ERROR_NOMEMORY;
	uint32_t groups = 0;

	if (context && data)
		rc = pcre2_match(compiled, (PCRE2_SPTR)text, length, start, options, data, context);
	if (rc > 0) {
		const PCRE2_SIZE *found = pcre2_get_ovector_pointer(data);

		pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &groups);
		for (size_t i = 0; i <= groups && i < pairs; i++) {
			offsets[2 * i] = found[2 * i] == PCRE2_UNSET ? SIZE_MAX : found[2 * i];
			offsets[2 * i + 1] = found[2 * i] == PCRE2_UNSET ? SIZE_MAX
									 : found[2 * i + 1];
		}
		rc = (int)groups + 1;
	} else if (rc == PCRE2_ERROR_NOMATCH) {
		rc = 0;
	} else {
		rc = explain(reason, rc);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return rc;
}

static int group(void *compiled, const char *name)
{
	PCRE2_SPTR first, last;

	if (pcre2_substring_nametable_scan(compiled, (PCRE2_SPTR)name, &first, &last) < 0)
		return -1;
	return first[0] << 8 | first[1];
}

static int substitute(void *compiled, const char *text, size_t length, const char *replacement,
		      char *out, size_t *out_length, struct spk_reason_buffer *reason)
{
	uint64_t steps;
	pcre2_match_context *context = new_context(length, &steps);
	PCRE2_SIZE size = *out_length;
	int rc = PCRE2_ERROR_NOMEMORY;

	if (context)
		rc = pcre2_substitute(compiled, (PCRE2_SPTR)text, length, 0,
				      PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY |
					      PCRE2_SUBSTITUTE_OVERFLOW_LENGTH,
				      NULL, context, (PCRE2_SPTR)replacement, PCRE2_ZERO_TERMINATED,
				      (PCRE2_UCHAR *)out, &size);
	pcre2_match_context_free(context);
	if (rc == PCRE2_ERROR_NOMEMORY && size > *out_length) {
		*out_length = size;
		return 1;
	}
	return rc < 0 ? explain(reason, rc) : 0;
}

const struct spk_regex_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_regex_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "regex",
		   .name = "pcre2"},
	.compile = compile,
	.match = match,
	.group = group,
	.substitute = substitute,
};
