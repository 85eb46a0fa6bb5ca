/* SPDX-License-Identifier: Apache-2.0 */
#include "finding.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/buf.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../tree/pool.h"

#define ROW(kind_, name_, severity_, meaning_, remedy_)                                            \
	[FINDING_##kind_] = {.name = (name_),                                                      \
			     .severity = FINDING_##severity_,                                      \
			     .meaning = (meaning_),                                                \
			     .remedy = (remedy_)}

#define THROUGH_SDK "use the SDK's call, which knows dry-run"

static const struct finding_row rows[FINDING_KINDS] = {
	ROW(UNREADABLE_FILE, "unreadable-file", ERROR, "the file cannot be opened, or is no file",
	    "install a regular, readable file"),
	ROW(UNTRUSTED, "untrusted", ERROR, "others may change the file or directory",
	    "let root or the user who runs it own it, and nobody else write to it"),
	ROW(UNTRUSTED_PLACE, "untrusted-place", NOTE,
	    "others may change a directory above: cookbooks there are refused",
	    "install the tree where only root or its user may write"),
	ROW(NOT_SHARED_OBJECT, "not-shared-object", ERROR, "the file is no shared object",
	    "build it as the build helper does, and leave no other .so in the tree"),
	ROW(FOREIGN_MACHINE, "foreign-machine", ERROR, "built for another kind of machine",
	    "build it for this one"),
	ROW(BROKEN_FILE, "broken-file", ERROR, "the file is cut short or contradicts itself",
	    "build or copy it again"),

	ROW(TEXT_RELOCATIONS, "text-relocations", ERROR,
	    "its code must be made writable when it is opened", "compile with -fPIC"),
	ROW(EXECUTABLE_STACK, "executable-stack", ERROR,
	    "opening it makes the stack of the process executable",
	    "link with -Wl,-z,noexecstack; no nested functions whose address is taken, and "
	    "assembler files with a .note.GNU-stack section"),
	ROW(WRITABLE_CODE, "writable-code", ERROR, "a part of it is writable and executable",
	    "link without -N and without scripts of your own"),
	ROW(CONSTRUCTOR, "constructor", WARNING,
	    "code runs when the file is opened, before arguments are parsed, also in a dry-run",
	    "do it in .prepare or .run"),
	ROW(DESTRUCTOR, "destructor", WARNING,
	    "code that runs when the process ends, and not when it is killed or crashes",
	    "do it in a scope or in .rollback"),
	ROW(BAD_RUNPATH, "bad-runpath", ERROR,
	    "libraries are looked for where others can put theirs: the host refuses it",
	    "use $ORIGIN or an absolute path that only root can change, or none"),
	ROW(BUILD_RUNPATH, "build-runpath", WARNING,
	    "libraries are looked for in a directory that is hardly there elsewhere",
	    "link without -rpath, or with one below $ORIGIN"),
	ROW(MISSING_LIBRARY, "missing-library", ERROR, "a library that it needs is not here",
	    "install it, name it in the package's dependencies, or do not link to it"),
	ROW(MISSING_VERSION, "missing-version", ERROR,
	    "a library that it needs is here in an older version",
	    "build against the version that it is to run with, or install a newer one"),
	ROW(UNDEFINED_SYMBOL, "undefined-symbol", ERROR,
	    "no library that it needs provides the symbol: it cannot be opened",
	    "link with -Wl,-z,defs and the library"),
	ROW(EXPORTED_SYMBOL, "exported-symbol", WARNING,
	    "others can see the symbol, and another's of the same name replaces it",
	    "compile with -fvisibility=hidden, or make it static"),
	ROW(WRITABLE_GLOBAL, "writable-global", WARNING,
	    "a variable outside of the cookbook's structure: rollback after a crash does not see "
	    "it",
	    "make it const, or a member of the structure behind `self`"),
	ROW(NO_RELRO, "no-relro", WARNING, "its tables stay writable when it is open",
	    "link with -Wl,-z,relro"),
	ROW(LAZY_BINDING, "lazy-binding", WARNING,
	    "a missing function would only be noticed when it is called, by other programs",
	    "link with -Wl,-z,now"),
	ROW(NO_DEBUG_INFO, "no-debug-info", NOTE, "backtraces of a crash will show no lines",
	    "compile with -g; packages may detach it"),
	ROW(NO_BUILD_ID, "no-build-id", NOTE,
	    "neither detached debugging information nor a replaced file can be told",
	    "link with -Wl,--build-id"),

	ROW(DIRECT_COMMAND, "direct-command", WARNING,
	    "starts a process that runs in a dry-run, too",
	    "use spk_command_run() or "
	    "spk_command_read()"),
	ROW(DIRECT_CHANGE, "direct-change", WARNING,
	    "changes files or the machine, in a dry-run, too",
	    THROUGH_SDK " (spk_link_replace(), spk_command_run() ...)"),
	ROW(DIRECT_OPEN, "direct-open", NOTE, "opens files; those for writing in a dry-run, too",
	    "read with spk_file_read(), write with a command"),
	ROW(DIRECT_NETWORK, "direct-network", WARNING,
	    "talks to others, which neither dry-run nor Ctrl+C knows of",
	    "use a command of spk_command_read() or spk_command_run()"),
	ROW(DIRECT_PROCESS, "direct-process", WARNING,
	    "signals or changes processes, in a dry-run, too",
	    "use spk_command_run(); signals are the host's"),
	ROW(DIRECT_WAIT, "direct-wait", WARNING,
	    "waits in full in a dry-run, and Ctrl+C does not end it",
	    "use spk_sleep() or "
	    "spk_retry()"),
	ROW(DIRECT_END, "direct-end", WARNING,
	    "ends the process: a run without a result is a crash (92)",
	    "return from run, call spk_fail(), or spk_done() in prepare"),
	ROW(DIRECT_JUMP, "direct-jump", WARNING, "jumps over scopes, which then stay open",
	    "use spk_try() and spk_fail()"),
	ROW(DIRECT_THREAD, "direct-thread", WARNING,
	    "starts a thread: the SDK may be called by one only, and rollback does not end it",
	    "do without, or keep the SDK's calls in the first thread"),

	ROW(NO_COOKBOOK, "no-cookbook", ERROR, "there is no cookbook in the file",
	    "name it with SPK_COOKBOOK(), and keep other files out of the tree"),
	ROW(OTHER_ABI, "other-abi", ERROR, "made for another ABI than this host's",
	    "build it with this SDK"),
	ROW(TOO_NEW, "too-new", ERROR, "uses what this host does not know yet",
	    "build it with this SDK, or install a newer host"),
	ROW(UNREADABLE_TABLE, "unreadable-table", ERROR,
	    "the descriptor or a table cannot be read from the file without opening it",
	    "keep all that the tables lead to constant and in the same file"),
	ROW(BAD_DESCRIPTOR, "bad-descriptor", ERROR, "the descriptor makes no sense",
	    "correct what SPK_COOKBOOK() says"),
	ROW(NO_TITLE, "no-title", WARNING, "it is listed without a title", "set .title"),
	ROW(NO_OWNER, "no-owner", WARNING, "nobody owns it, nor its group",
	    "set .owner, or owner in the group.cfg of its directory"),
	ROW(TEXT_NOT_ONE_LINE, "text-not-one-line", WARNING,
	    "title and owner are one line of printable text: the rest is not shown",
	    "say more in .description"),
	ROW(LONG_TITLE, "long-title", NOTE, "the title is cut or wrapped in lists and messages",
	    "stay below 100 characters, and say more in .description"),
	ROW(ODD_TIMEOUT, "odd-timeout", WARNING, "a run may hardly be meant to take that long",
	    "use SPK_SECONDS(), SPK_MINUTES() or SPK_HOURS()"),
	ROW(ODD_LOCK, "odd-lock", WARNING, "the parameters of the lock contradict each other",
	    "let .lock_ttl cover .timeout, in seconds at least"),

	ROW(BAD_TABLE, "bad-table", ERROR, "a row of a table makes no sense",
	    "write the table with the SDK's macros"),
	ROW(ARGUMENT_FIELD, "argument-field", ERROR,
	    "the field of an argument is not where it can be",
	    "name the same structure in every "
	    "row and in SPK_ARGS()"),
	ROW(ARGUMENT_TYPE, "argument-type", ERROR,
	    "attributes of an argument do not go with its type", "correct the field or the row"),
	ROW(ARGUMENT_NAME, "argument-name", ERROR,
	    "a name or letter of an argument is used twice, taken, or none", "choose another"),
	ROW(ARGUMENT_REQUIRED, "argument-required", ERROR, "required, where that means nothing",
	    "leave .required away"),
	ROW(ARGUMENT_BOUNDS, "argument-bounds", ERROR, "bounds or a range that leave nothing",
	    "correct SPK_AT_LEAST(), SPK_AT_MOST() or SPK_RANGE()"),
	ROW(ARGUMENT_CHOICES, "argument-choices", ERROR,
	    "a choice that cannot be chosen, or is there twice", "correct .choices"),
	ROW(ARGUMENT_DEFAULT, "argument-default", ERROR,
	    "a default that the operator could not give, or that is never used",
	    "let the default be a value that the argument accepts"),
	ROW(ARGUMENT_ORDER, "argument-order", WARNING,
	    "a positional behind one that takes any number of values: what goes where is a guess",
	    "put the one with many values last, or make one of them an option"),
	ROW(ARGUMENT_GROUP, "argument-group", ERROR, "an exclusive group that cannot be",
	    "correct the group or what is in it"),
	ROW(ARGUMENT_PATTERN, "argument-pattern", ERROR, "a pattern that is none",
	    "correct .pattern, which is PCRE2"),
	ROW(ARGUMENT_HELP, "argument-help", ERROR, "--help fails at a percent sign",
	    "write %% for a percent sign"),
	ROW(GLUED_LITERALS, "glued-literals", ERROR,
	    "two literals of a list stand side by side and are one",
	    "put the comma, or parentheses when they are meant to be one"),
	ROW(OWN_DRY_RUN, "own-dry-run", WARNING,
	    "a dry-run of its own, beside the host's, which the SDK does not know of",
	    "leave it away: `cookbook -d` is there for every cookbook"),
	ROW(SUBCOMMAND, "subcommand", ERROR, "a subcommand that cannot be",
	    "correct the table of subcommands"),
	ROW(BAD_RULE, "bad-rule", ERROR, "a rule that cannot be obeyed, or never applies",
	    "correct the rule"),
	ROW(CHOICES_NOT_CONFIGURED, "choices-not-configured", NOTE,
	    "a list for .choices_from is not in this configuration: the command line is refused",
	    "tell in the package's documentation which list to configure"),

	ROW(CALL_TARGET, "call-target", ERROR,
	    "a cookbook that it runs, by SPK_CALLS(), is not in the trees",
	    "correct the name, or name its tree with --tree"),
	ROW(CALL_ARGUMENTS, "call-arguments", ERROR,
	    "a cookbook that it runs would refuse these words", "correct the call"),

	ROW(MISSING_DRIVER, "missing-driver", NOTE,
	    "it, or a library that it needs, opens a driver that is not here: the call will fail",
	    "install a package that provides spicerack-KIND-driver, and depend on it"),

	ROW(BAD_NAME, "bad-name", WARNING,
	    "a file or directory with no name for a cookbook or group",
	    "use letters, digits, '_' and '-', '_' not in front"),
	ROW(DUPLICATE_NAME, "duplicate-name", ERROR, "two cookbooks have one name: one is not seen",
	    "rename one"),
	ROW(BAD_GROUP, "bad-group", ERROR, "a group.cfg is wrong: no title, no owner",
	    "set title and owner, one line each"),
	ROW(BAD_DIRECTORY, "bad-directory", ERROR, "a directory of the tree cannot be read",
	    "install plain directories, not too deep, without links in a circle"),
};

const struct finding_row *finding_row(enum finding_kind kind)
{
	return &rows[kind];
}

enum finding_kind finding_named(const char *name)
{
	for (size_t i = 1; i < FINDING_KINDS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return (enum finding_kind)i;
	return FINDING_NONE;
}

const char *finding_severity_text(enum finding_severity severity)
{
	static const char *const texts[] = {"error", "warning", "note"};

	return texts[severity];
}

void findings_open(struct findings *findings)
{
	*findings = (struct findings){.pool = pool_new(0), .file = "", .cookbook = ""};
}

void findings_close(struct findings *findings)
{
	pool_free(findings->pool);
	free(findings->items);
	*findings = (struct findings){0};
}

static const char *keep(struct findings *findings, const char *text)
{
	struct buf clean = {0};
	const char *copy;

	if (!text || !*text)
		return "";
	printable_add(&clean, text, strlen(text));
	copy = pool_text(findings->pool, buf_text(&clean), clean.length);
	buf_free(&clean);
	return copy;
}

void findings_file(struct findings *findings, const char *path)
{
	findings->file = keep(findings, path);
	findings->cookbook = "";
}

void findings_cookbook(struct findings *findings, const char *name)
{
	findings->cookbook = keep(findings, name);
}

struct finding *findings_add(struct findings *findings, enum finding_kind kind, const char *symbol,
			     uint64_t address, const char *format, ...)
{
	struct finding *finding;
	va_list args;
	char *text;

	if (!findings)
		return NULL;
	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	findings->items = xgrow(findings->items, findings->count, &findings->capacity,
				sizeof(*findings->items));
	finding = &findings->items[findings->count++];
	*finding = (struct finding){
		.kind = kind,
		.file = findings->file,
		.cookbook = findings->cookbook,
		.symbol = keep(findings, symbol),
		.source = "",
		.text = keep(findings, text),
		.remedy = rows[kind].remedy,
		.address = address,
	};
	free(text);
	return finding;
}

void findings_add_reason(struct findings *findings, enum finding_kind kind, const char *path,
			 const char *reason)
{
	char shown[PRINTABLE_PATH_SIZE];
	size_t length;

	if (!findings)
		return;
	findings_file(findings, path);
	length = strlen(printable_path(path, shown));
	if (strncmp(reason, shown, length) == 0 && strncmp(reason + length, ": ", 2) == 0)
		reason += length + 2;
	findings_add(findings, kind, NULL, 0, "%s", reason);
}
