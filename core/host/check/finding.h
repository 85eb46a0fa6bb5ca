/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `spicerack check` can find, as one table, and what it has found. The judgements themselves
 * are with those who read files, for a run and for a check alike.
 */
#ifndef SPICERACK_HOST_FINDING_H
#define SPICERACK_HOST_FINDING_H

#include <stddef.h>
#include <stdint.h>

struct pool;

enum finding_kind {
	FINDING_NONE,

	/* The file, before anything in it. */
	FINDING_UNREADABLE_FILE,
	FINDING_UNTRUSTED,
	FINDING_UNTRUSTED_PLACE,
	FINDING_NOT_SHARED_OBJECT,
	FINDING_FOREIGN_MACHINE,
	FINDING_BROKEN_FILE,

	/* What is opened and executed. */
	FINDING_TEXT_RELOCATIONS,
	FINDING_EXECUTABLE_STACK,
	FINDING_WRITABLE_CODE,
	FINDING_CONSTRUCTOR,
	FINDING_DESTRUCTOR,
	FINDING_BAD_RUNPATH,
	FINDING_BUILD_RUNPATH,
	FINDING_MISSING_LIBRARY,
	FINDING_MISSING_VERSION,
	FINDING_UNDEFINED_SYMBOL,
	FINDING_EXPORTED_SYMBOL,
	FINDING_WRITABLE_GLOBAL,
	FINDING_NO_RELRO,
	FINDING_LAZY_BINDING,
	FINDING_NO_DEBUG_INFO,
	FINDING_NO_BUILD_ID,

	/* Calls that the SDK does not see. */
	FINDING_DIRECT_COMMAND,
	FINDING_DIRECT_CHANGE,
	FINDING_DIRECT_OPEN,
	FINDING_DIRECT_NETWORK,
	FINDING_DIRECT_PROCESS,
	FINDING_DIRECT_WAIT,
	FINDING_DIRECT_END,
	FINDING_DIRECT_JUMP,
	FINDING_DIRECT_THREAD,

	/* The descriptor. */
	FINDING_NO_COOKBOOK,
	FINDING_OTHER_ABI,
	FINDING_TOO_NEW,
	FINDING_UNREADABLE_TABLE,
	FINDING_BAD_DESCRIPTOR,
	FINDING_NO_TITLE,
	FINDING_NO_OWNER,
	FINDING_TEXT_NOT_ONE_LINE,
	FINDING_LONG_TITLE,
	FINDING_ODD_TIMEOUT,
	FINDING_ODD_LOCK,

	/* The argument table. */
	FINDING_BAD_TABLE,
	FINDING_ARGUMENT_FIELD,
	FINDING_ARGUMENT_TYPE,
	FINDING_ARGUMENT_NAME,
	FINDING_ARGUMENT_REQUIRED,
	FINDING_ARGUMENT_BOUNDS,
	FINDING_ARGUMENT_CHOICES,
	FINDING_ARGUMENT_DEFAULT,
	FINDING_ARGUMENT_ORDER,
	FINDING_ARGUMENT_GROUP,
	FINDING_ARGUMENT_PATTERN,
	FINDING_ARGUMENT_HELP,
	FINDING_GLUED_LITERALS,
	FINDING_OWN_DRY_RUN,
	FINDING_SUBCOMMAND,
	FINDING_BAD_RULE,
	FINDING_CHOICES_NOT_CONFIGURED,

	/* Cookbooks that it runs. */
	FINDING_CALL_TARGET,
	FINDING_CALL_ARGUMENTS,

	/* Drivers that its calls open. */
	FINDING_MISSING_DRIVER,

	/* The tree. */
	FINDING_BAD_NAME,
	FINDING_DUPLICATE_NAME,
	FINDING_BAD_GROUP,
	FINDING_BAD_DIRECTORY,

	FINDING_KINDS,
};

enum finding_severity {
	FINDING_ERROR,   /* the host refuses it, or a run will fail */
	FINDING_WARNING, /* it works, and will hurt */
	FINDING_NOTE,    /* to be known */
};

struct finding_row {
	const char *name;
	enum finding_severity severity;
	const char *meaning;
	const char *remedy;
};

/* The row of a kind; not of FINDING_NONE. */
const struct finding_row *finding_row(enum finding_kind kind);

/* The kind of a name; FINDING_NONE for none. */
enum finding_kind finding_named(const char *name);

const char *finding_severity_text(enum finding_severity severity);

/* One found. Texts are never NULL, "" where there is nothing to say, and fit to be shown. */
struct finding {
	enum finding_kind kind;
	const char *file;
	const char *cookbook; /* of a file with several */
	const char *symbol;   /* of the file's: a function called, a variable, a table */
	const char *source;   /* where the symbol is, as far as the file tells: `group/hello.c` */
	unsigned line;        /* in `source`; 0: unknown */
	const char *text;
	const char *remedy;
	uint64_t address; /* of the symbol; 0: none */
};

struct findings {
	struct pool *pool;
	struct finding *items;
	size_t count, capacity;
	const char *file, *cookbook; /* what is being judged */
};

void findings_open(struct findings *findings);
void findings_close(struct findings *findings);

/* What is judged from now on. */
void findings_file(struct findings *findings, const char *path);
void findings_cookbook(struct findings *findings, const char *name);

/*
 * Adds one with its text, which is made printable. `symbol` may be NULL. The pointer is
 * valid until the next one is added. `findings` may be NULL, for those who only want the reason:
 * then nothing happens, and NULL is returned.
 */
struct finding *findings_add(struct findings *findings, enum finding_kind kind, const char *symbol,
			     uint64_t address, const char *format, ...)
	__attribute__((__format__(__printf__, 5, 6)));

/*
 * Adds one about the file at `path` whose reason is a line of struct err, without the path that it
 * starts with. `findings` may be NULL.
 */
void findings_add_reason(struct findings *findings, enum finding_kind kind, const char *path,
			 const char *reason);

#endif
