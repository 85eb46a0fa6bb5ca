/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/configtext.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"

/* One entry of the file. Texts belong to `config`. */
struct answer {
	const char *cookbook, *prompt;
	const config_setting_t *value; /* a text or a list of texts */
	int used;
};

struct answers {
	bool yes;
	char *file; /* NULL: none; printable */
	config_t config;
	struct answer *items;
	size_t count;
};

/* `FILE:LINE: ` and the message. */
static int wrong(const struct answers *answers, const config_setting_t *where, struct err *err,
		 const char *message)
{
	return err_set(err, "%s:%d: %s", answers->file, config_setting_source_line(where), message);
}

static bool is_text(const config_setting_t *value)
{
	return value && config_setting_type(value) == CONFIG_TYPE_STRING;
}

/* A text, or a list of at least one. */
static bool is_value(const config_setting_t *value)
{
	if (is_text(value))
		return true;
	if (!value || !(config_setting_is_array(value) || config_setting_is_list(value)))
		return false;
	for (int i = 0; i < config_setting_length(value); i++)
		if (!is_text(config_setting_get_elem(value, (unsigned int)i)))
			return false;
	return config_setting_length(value) > 0;
}

static int read_entry(struct answers *answers, const config_setting_t *entry, struct err *err)
{
	static const char *const keys[] = {"cookbook", "prompt", "answer"};
	const config_setting_t *found[3] = {NULL};
	struct answer *answer = &answers->items[answers->count];

	if (!config_setting_is_group(entry))
		return wrong(answers, entry, err,
			     "an answer is a group of 'cookbook', 'prompt' and 'answer'");
	for (int i = 0; i < config_setting_length(entry); i++) {
		const config_setting_t *member = config_setting_get_elem(entry, (unsigned int)i);
		size_t key = 0;

		while (key < 3 && strcmp(config_setting_name(member), keys[key]) != 0)
			key++;
		if (key == 3)
			return err_set(err, "%s:%d: unknown key '%s' of an answer", answers->file,
				       config_setting_source_line(member),
				       config_setting_name(member));
		found[key] = member;
	}
	for (size_t key = 0; key < 3; key++) {
		if (!found[key])
			return err_set(err, "%s:%d: an answer without '%s'", answers->file,
				       config_setting_source_line(entry), keys[key]);
		if (key < 2 ? !is_text(found[key]) : !is_value(found[key]))
			return err_set(err, "%s:%d: '%s' must be a string%s", answers->file,
				       config_setting_source_line(found[key]), keys[key],
				       key < 2 ? "" : " or a list of strings");
	}
	*answer = (struct answer){
		.cookbook = config_setting_get_string(found[0]),
		.prompt = config_setting_get_string(found[1]),
		.value = found[2],
	};
	for (size_t i = 0; i < answers->count; i++)
		if (strcmp(answers->items[i].cookbook, answer->cookbook) == 0 &&
		    strcmp(answers->items[i].prompt, answer->prompt) == 0)
			return wrong(answers, entry, err,
				     "a second answer to the same prompt: give a list of answers");
	answers->count++;
	return 0;
}

static int read_entries(struct answers *answers, struct err *err)
{
	const config_setting_t *root = config_root_setting(&answers->config);
	const config_setting_t *list;

	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *member = config_setting_get_elem(root, (unsigned int)i);

		if (strcmp(config_setting_name(member), "answers") != 0)
			return err_set(err, "%s:%d: unknown key '%s'", answers->file,
				       config_setting_source_line(member),
				       config_setting_name(member));
	}
	list = config_setting_get_member(root, "answers");
	if (!list)
		return err_set(err, "%s: there is no list 'answers' in it", answers->file);
	if (!config_setting_is_list(list))
		return wrong(answers, list, err, "'answers' must be a list of groups");
	answers->items = xcalloc((size_t)config_setting_length(list), sizeof(*answers->items));
	for (int i = 0; i < config_setting_length(list); i++)
		if (read_entry(answers, config_setting_get_elem(list, (unsigned int)i), err) < 0)
			return -1;
	return 0;
}

int answers_read(const char *file, bool yes, struct answers **ret_answers, struct err *err)
{
	struct answers *answers = xcalloc(1, sizeof(*answers));
	char shown[PRINTABLE_PATH_SIZE];

	answers->yes = yes;
	if (file && configtext_read(file, &answers->config, err) < 0) {
		free(answers);
		return -1;
	}
	if (file) {
		answers->file = xstrdup(printable_path(file, shown));
		if (read_entries(answers, err) < 0) {
			answers_free(answers);
			return -1;
		}
	}
	*ret_answers = answers;
	return 0;
}

void answers_free(struct answers *answers)
{
	if (!answers)
		return;
	if (answers->file)
		config_destroy(&answers->config);
	free(answers->items);
	free(answers->file);
	free(answers);
}

static struct answer *find(struct answers *answers, const struct question *question)
{
	for (size_t i = 0; i < answers->count; i++)
		if (strcmp(answers->items[i].cookbook, question->cookbook) == 0 &&
		    strcmp(answers->items[i].prompt, question->name) == 0)
			return &answers->items[i];
	return NULL;
}

/* The text to answer with this time; NULL: it is used up. */
static const char *take(struct answer *answer, const struct question *question)
{
	const char *text = NULL;
	bool listed = !is_text(answer->value);

	if (listed && answer->used < config_setting_length(answer->value))
		text = config_setting_get_string_elem(answer->value, answer->used);
	else if (!listed)
		text = config_setting_get_string(answer->value);
	if (text && !listed && question->kind == ASK_FAILURE && strcmp(text, "retry") == 0 &&
	    answer->used > 0)
		text = NULL;
	answer->used++;
	return text;
}

/* From the file. */
static void apply(struct answers *answers, struct answer *answer, const struct question *question,
		  struct reply *reply)
{
	int line = config_setting_source_line(answer->value);
	struct buf accepted = {0};
	const char *text;
	char by[sizeof(reply->by)];

	snprintf(by, sizeof(by), "%s:%d", answers->file, line);
	if (question->kind == ASK_SECRET) {
		reply_refuse(reply, ASK_UNANSWERED,
			     "%s: a secret cannot be answered from a file: "
			     "run it at a terminal, and take the secret out of the file",
			     by);
		return;
	}
	if (question->tries > 0) {
		reply_refuse(reply, ASK_UNANSWERED, "the answer of %s is not valid: %s", by,
			     question->complaint ? question->complaint : "it was refused");
		return;
	}
	text = take(answer, question);
	if (!text) {
		reply_refuse(reply, ASK_UNANSWERED, "the answers of %s to '%s' are used up", by,
			     question->name);
	} else if (question->kind != ASK_TEXT && !question_accepts(question, text)) {
		question_put_choices(question, &accepted);
		reply_refuse(reply, ASK_UNANSWERED, "the answer of %s must be %s", by,
			     buf_text(&accepted));
		buf_free(&accepted);
	} else if (!printable_is(text, strlen(text))) {
		reply_refuse(reply, ASK_UNANSWERED, "the answer of %s has control characters in it",
			     by);
	} else {
		reply_answer(reply, text, by);
	}
}

bool answers_apply(struct answers *answers, const struct question *question, struct reply *reply)
{
	struct answer *answer = answers ? find(answers, question) : NULL;

	if (answer)
		apply(answers, answer, question, reply);
	else if (answers && answers->yes && question->kind == ASK_CONFIRM)
		reply_answer(reply, "go", "--yes");
	else if (answers && answers->yes && question->kind == ASK_FAILURE)
		reply_answer(reply, "abort", "--yes");
	return reply->end != 0;
}

void answers_put_hint(const struct question *question, struct buf *out)
{
	if (question->kind == ASK_SECRET) {
		buf_puts(out, "secrets are typed at a terminal only");
		return;
	}
	buf_puts(out,
		 question->kind == ASK_CONFIRM ? "answer it by --yes, or by " : "answer it by ");
	buf_printf(out,
		   "{ cookbook = \"%s\"; prompt = \"%s\"; answer = \"...\"; } in the file of "
		   "--answers",
		   question->cookbook, question->name);
}
