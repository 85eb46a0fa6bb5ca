/* SPDX-License-Identifier: Apache-2.0 */
#include "peek.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "../../runtime/trust.h"
#include "peekfield.h"
#include "runpath.h"

/* The sizes in version 1.0, which stay when the structures grow. */
#define COOKBOOK_1_0 PEEK_END_OF(struct spk_cookbook, rollback)
#define RULE_1_0 PEEK_END_OF(struct spk_rule, value)

/* What one file may make us copy, so that tables which share their strings do not multiply. */
#define BUDGET (4u << 20)
#define SYMBOL "spk_cookbook"

static const struct arg_spec *find_arg(const struct arg_spec *args, size_t count, uint64_t offset)
{
	for (size_t i = 0; i < count; i++)
		if (args[i].offset == offset)
			return &args[i];
	return NULL;
}

/* The argument held at `offset`: the cookbook's own, else that of the only subcommand that has one.
 */
static int resolve_field(struct peek_reader *reader, const struct cookbook_spec *spec,
			 uint64_t offset, const struct arg_spec **ret_arg)
{
	const struct arg_spec *arg = find_arg(spec->args, spec->arg_count, offset);
	const struct arg_spec *other;

	for (size_t i = 0; !arg && i < spec->subcommand_count; i++) {
		const struct subcommand_spec *subcommand = &spec->subcommands[i];

		arg = find_arg(subcommand->args, subcommand->arg_count, offset);
		for (size_t k = i + 1; arg && k < spec->subcommand_count; k++) {
			subcommand = &spec->subcommands[k];
			other = find_arg(subcommand->args, subcommand->arg_count, offset);
			if (other)
				return peek_bad(reader, "a field that several subcommands share");
		}
	}
	if (!arg)
		return peek_bad(reader, "a field that no argument fills in");
	*ret_arg = arg;
	return 0;
}

static int read_rules(struct peek_reader *reader, uint64_t table, struct cookbook_spec *spec)
{
	struct rule_spec *rules;
	struct peek_rows rows;

	if (peek_read_table(reader, table, RULE_1_0, PEEK_ROWS_MAX, &rows) < 0)
		return -1;
	if (rows.count == 0)
		return 0;
	rules = pool_alloc(reader->pool, rows.count, sizeof(*rules));
	spec->rules = rules;
	spec->rule_count = rows.count;
	for (uint32_t i = 0; i < rows.count; i++) {
		uint64_t address = rows.address + (uint64_t)i * rows.size;
		unsigned char raw[sizeof(struct spk_rule)];
		struct spk_rule row;

		snprintf(reader->place, sizeof(reader->place), "rule %u", i + 1);
		if (peek_adopt(reader, address, rows.size, raw, sizeof(raw), RULE_1_0) < 0 ||
		    peek_check_reserved(reader, raw, offsetof(struct spk_rule, reserved), 4) < 0)
			return -1;
		memcpy(&row, raw, sizeof(row));
		if (row.kind < SPK_RULE_REQUIRES || row.kind > SPK_RULE_REQUIRED_UNLESS)
			return peek_bad(reader, "an unknown kind");
		rules[i].kind = row.kind;
		if (resolve_field(reader, spec, row.first, &rules[i].first) < 0 ||
		    resolve_field(reader, spec, row.second, &rules[i].second) < 0 ||
		    peek_read_text(reader, address + offsetof(struct spk_rule, value), "value",
				   TEXT_VALUE, &rules[i].value) < 0)
			return -1;
		if (rules[i].first == rules[i].second)
			return peek_bad(reader, "an argument and itself");
		if (!rules[i].value && row.kind >= SPK_RULE_REQUIRED_IF)
			return peek_bad(reader, "no value to compare with");
	}
	reader->place[0] = '\0';
	return 0;
}

static int read_functions(struct peek_reader *reader, uint64_t address, struct cookbook_spec *spec)
{
	const struct {
		size_t offset;
		bool *present;
	} functions[] = {
		{offsetof(struct spk_cookbook, check), &spec->has_check},
		{offsetof(struct spk_cookbook, prepare), &spec->has_prepare},
		{offsetof(struct spk_cookbook, describe), &spec->has_describe},
		{offsetof(struct spk_cookbook, lock), &spec->has_lock},
		{offsetof(struct spk_cookbook, run), &spec->has_run},
		{offsetof(struct spk_cookbook, rollback), &spec->has_rollback},
	};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (peek_presence(reader, address + functions[i].offset, functions[i].present) < 0)
			return -1;
	return spec->has_run ? 0 : peek_bad(reader, "it has no run function");
}

/* The descriptor itself, without its tables. */
static int read_descriptor(struct peek_reader *reader, uint64_t address, struct cookbook_spec *spec)
{
	unsigned char raw[sizeof(struct spk_cookbook)];
	struct spk_cookbook theirs;
	uint32_t head[2];

	if (peek_read_bytes(reader, address, head, sizeof(head)) < 0)
		return -1;
	if (head[1] != SPK_ABI)
		return peek_fail(reader, FINDING_OTHER_ABI, "needs ABI %u, this host has ABI %u",
				 head[1], SPK_ABI);
	if (peek_adopt(reader, address, head[0], raw, sizeof(raw), COOKBOOK_1_0) < 0 ||
	    peek_check_bools(reader, raw, offsetof(struct spk_cookbook, skip_start),
			     offsetof(struct spk_cookbook, skip_start)) < 0 ||
	    peek_check_reserved(reader, raw, offsetof(struct spk_cookbook, reserved), 3) < 0)
		return -1;
	/* The reserved flags are zero and skip_start is judged: every bool below is one. */
	memcpy(&theirs, raw, sizeof(theirs));
	spec->address = address;
	spec->state_size = theirs.state_size;
	spec->subcommand_offset = theirs.subcommand_offset;
	spec->task_id = theirs.task_id;
	spec->reason = theirs.reason;
	spec->max_concurrency = theirs.max_concurrency;
	spec->skip_start = theirs.skip_start;
	spec->lock_ttl = theirs.lock_ttl;
	spec->timeout = theirs.timeout;
	spec->has_calls = theirs.calls.count > 0;
	if (spec->state_size > PEEK_STATE_MAX)
		return peek_bad(reader, "a structure larger than 64 MiB");
	if (spec->task_id > SPK_REQUIRED || spec->reason > SPK_REQUIRED)
		return peek_bad(reader, "an unknown presence of a ready-made argument");
	if (spec->max_concurrency < SPK_UNLIMITED || spec->lock_ttl.ns < 0 || spec->timeout.ns < 0)
		return peek_bad(reader, "a lock or a timeout with negative numbers");
	reader->changed = false;
	if (peek_read_text(reader, address + offsetof(struct spk_cookbook, title), "title",
			   TEXT_LINE, &spec->title) < 0)
		return -1;
	spec->title_changed = reader->changed;
	reader->changed = false;
	if (peek_read_text(reader, address + offsetof(struct spk_cookbook, owner), "owner",
			   TEXT_LINE, &spec->owner) < 0)
		return -1;
	spec->owner_changed = reader->changed;
	if (peek_read_text(reader, address + offsetof(struct spk_cookbook, description),
			   "description", TEXT_PROSE, &spec->description) < 0)
		return -1;
	return read_functions(reader, address, spec);
}

static void take_flaw(void *data, enum finding_kind kind, const struct arg_spec *arg,
		      const char *text)
{
	struct peek_reader *reader = data;

	findings_add(reader->findings, kind, NULL, arg ? arg->row_address : reader->descriptor,
		     "%s", text);
	if (!reader->failed)
		err_set(reader->err, "%s: %s%sbad %s: %s", peek_shown_path(reader),
			reader->cookbook, *reader->cookbook ? ": " : "", reader->table, text);
	reader->failed = true;
}

static int read_cookbook(struct peek_reader *reader, const struct elf_symbol *symbol,
			 struct cookbook_spec *spec)
{
	struct group_spec *groups;

	reader->cookbook = symbol->name + strlen(SYMBOL);
	if (*reader->cookbook)
		reader->cookbook++;
	reader->place[0] = '\0';
	reader->row_address = 0;
	reader->descriptor = symbol->address;
	reader->group_count = 0;
	reader->table = "descriptor";
	if (reader->findings)
		findings_cookbook(reader->findings, reader->cookbook);
	spec->symbol = pool_text(reader->pool, symbol->name, strlen(symbol->name));
	if (read_descriptor(reader, symbol->address, spec) < 0)
		return -1;
	reader->table = "argument table";
	if (peek_read_args(reader, symbol->address + offsetof(struct spk_cookbook, arguments), 0,
			   &spec->args, &spec->arg_count) < 0)
		return -1;
	if (peek_read_subcommands(
		    reader, symbol->address + offsetof(struct spk_cookbook, subcommands), spec) < 0)
		return -1;
	if (reader->group_count) {
		groups = pool_alloc(reader->pool, reader->group_count, sizeof(*groups));
		memcpy(groups, reader->groups, reader->group_count * sizeof(*groups));
		spec->groups = groups;
		spec->group_count = reader->group_count;
	}
	if (spec_check(spec, take_flaw, reader) < 0)
		return -1;
	reader->table = "rule table";
	if (read_rules(reader, symbol->address + offsetof(struct spk_cookbook, rules), spec) < 0)
		return -1;
	if (!spec->has_calls)
		return 0;
	reader->table = "table of calls";
	return peek_read_calls(reader, symbol->address + offsetof(struct spk_cookbook, calls),
			       spec);
}

/* With findings collected, what makes sense stays in `peek` also when the rest condemns the file.
 */
static int read_cookbooks(struct peek_reader *reader, struct peek *peek)
{
	struct elf_symbol *symbols = NULL;
	struct err cause;
	size_t count;
	int rc = -1;

	if (elf_symbols(&reader->elf, SYMBOL, &symbols, &count, &cause) < 0) {
		peek_fail(reader, FINDING_BROKEN_FILE, "%s", cause.text);
		goto out;
	}
	if (count == 0) {
		peek_fail(reader, FINDING_NO_COOKBOOK, "no cookbook in it");
		goto out;
	}
	if (count > PEEK_ROWS_MAX / 4) {
		peek_fail(reader, FINDING_BAD_DESCRIPTOR, "too many cookbooks in it");
		goto out;
	}
	peek->cookbooks = pool_alloc(reader->pool, count, sizeof(*peek->cookbooks));
	for (size_t i = 0; i < count; i++) {
		struct cookbook_spec *spec = &peek->cookbooks[peek->count];

		if (read_cookbook(reader, &symbols[i], spec) == 0)
			peek->count++;
		else if (reader->findings)
			memset(spec, 0, sizeof(*spec));
		else
			goto out;
	}
	rc = reader->failed ? -1 : 0;
out:
	free(symbols);
	return rc;
}

struct peek_reader *peek_reader_new(void)
{
	struct peek_reader *reader = xcalloc(1, sizeof(*reader));

	reader->scratch = pool_new(0);
	return reader;
}

void peek_reader_collect(struct peek_reader *reader, struct findings *findings,
			 peek_inspect *inspect, void *data)
{
	reader->findings = findings;
	reader->inspect = inspect;
	reader->inspect_data = data;
}

void peek_reader_free(struct peek_reader *reader)
{
	if (!reader)
		return;
	elf_close(&reader->elf);
	free(reader->args);
	pool_free(reader->scratch);
	free(reader);
}

static const enum finding_kind file_faults[] = {
	[ELF_BROKEN] = FINDING_BROKEN_FILE,
	[ELF_FOREIGN] = FINDING_FOREIGN_MACHINE,
	[ELF_NOT_SHARED] = FINDING_NOT_SHARED_OBJECT,
};

static void judge_runpath(struct peek_reader *reader)
{
	struct err cause;

	if (runpath_check(&reader->elf, reader->path, reader->findings, &cause) < 0) {
		if (!reader->failed)
			*reader->err = cause;
		reader->failed = true;
	}
}

/* `bytes` NULL: the file is read from `fd`. `shared` as in peek_file_at(). */
static int peek_object(struct peek_reader *shared, int fd, const void *bytes, uint64_t size,
		       const char *path, enum peek_depth depth, struct peek *ret, struct err *err)
{
	struct peek_reader *reader = shared ? shared : peek_reader_new();
	struct err cause;
	int rc;

	reader->path = path;
	reader->err = err;
	reader->failed = false;
	reader->budget = BUDGET;
	reader->table = "";
	reader->cookbook = "";
	reader->descriptor = reader->row_address = 0;
	if (shared)
		pool_clear(reader->scratch);
	else
		ret->pool = pool_new(0);
	reader->pool = shared ? reader->scratch : ret->pool;
	if (reader->findings)
		findings_file(reader->findings, path);
	rc = bytes ? elf_open_memory(&reader->elf, bytes, (size_t)size, &cause)
		   : elf_open(&reader->elf, fd, size, &cause);
	if (rc < 0) {
		peek_fail(reader, file_faults[reader->elf.fault], "%s", cause.text);
		goto out;
	}
	ret->identity.build_id_length = reader->elf.build_id_length;
	memcpy(ret->identity.build_id, reader->elf.build_id, reader->elf.build_id_length);
	rc = read_cookbooks(reader, ret);
	if (reader->findings)
		findings_cookbook(reader->findings, "");
	if ((rc == 0 && depth == PEEK_ALL) || reader->findings)
		judge_runpath(reader);
	if (reader->inspect)
		reader->inspect(reader->inspect_data, &reader->elf, fd, ret);
	if (reader->failed)
		rc = -1;
out:
	if (!shared)
		peek_reader_free(reader);
	if (rc < 0)
		peek_free(ret);
	return rc;
}

int peek_memory(struct peek_reader *reader, const void *bytes, size_t size, const char *path,
		enum peek_depth depth, struct peek *ret, struct err *err)
{
	memset(ret, 0, sizeof(*ret));
	return peek_object(reader, -1, bytes ? bytes : "", size, path, depth, ret, err);
}

int peek_file_at(struct peek_reader *reader, int directory, const char *name, int flags,
		 const char *path, enum peek_depth depth, struct peek *ret, struct err *err)
{
	struct findings *findings = reader ? reader->findings : NULL;
	char shown[PRINTABLE_PATH_SIZE];
	int missing = 0;
	struct stat st;
	int rc = -1;
	int fd;

	memset(ret, 0, sizeof(*ret));
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	if (fd < 0) {
		missing = errno == ENOENT;
		err_errno(err, "%s: cannot open", printable_path(path, shown));
		goto bad;
	}
	if (fstat(fd, &st) < 0) {
		err_errno(err, "%s: cannot examine", printable_path(path, shown));
		goto bad;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, "%s: not a regular file", printable_path(path, shown));
		goto bad;
	}
	if (trust_check_stat(path, &st, err) < 0) {
		findings_add_reason(findings, FINDING_UNTRUSTED, path, err->text);
		if (!findings) /* a check reads on: no decision depends on it */
			goto out;
	}
	rc = peek_object(reader, fd, NULL, (uint64_t)st.st_size, path, depth, ret, err);
	if (rc < 0)
		goto out;
	ret->identity.device = st.st_dev;
	ret->identity.inode = st.st_ino;
	ret->identity.size = (uint64_t)st.st_size;
	ret->identity.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	goto out;
bad:
	findings_add_reason(findings, FINDING_UNREADABLE_FILE, path, err->text);
out:
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		errno = missing ? ENOENT : EINVAL;
	return rc;
}

int peek_file(const char *path, enum peek_depth depth, struct peek *ret, struct err *err)
{
	return peek_file_at(NULL, AT_FDCWD, path, 0, path, depth, ret, err);
}

void peek_free(struct peek *peek)
{
	pool_free(peek->pool);
	memset(peek, 0, sizeof(*peek));
}
