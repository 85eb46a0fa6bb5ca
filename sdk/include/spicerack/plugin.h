/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drivers: each wraps one third-party library in a shared object of its own,
 * `LIBDIR/spicerack/plugins/KIND-NAME.so`, opened when first used. A driver
 * exports one constant table named `spk_driver`; the tables grow by appending,
 * size first, and a caller checks the size before it uses a later member.
 *
 * A driver raises nothing: it returns a status and writes the reason, one line,
 * into the buffer that it is given.
 */
#ifndef SPICERACK_PLUGIN_H
#define SPICERACK_PLUGIN_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SPK_DRIVER_ABI 1

/* The head of every driver's table. */
struct spk_driver {
	uint32_t size;    /* of the whole table */
	uint32_t abi;     /* SPK_DRIVER_ABI */
	const char *kind; /* "regex", "backtrace" ... */
	const char *name; /* "pcre2", "dwfl" ... */
};

/* Where a driver writes why it failed. */
struct spk_reason_buffer {
	char text[256];
};

/*
 * kind "regex". A compiled pattern is the driver's own and is kept for the life
 * of the process by the caller.
 */
struct spk_regex_driver {
	struct spk_driver driver;
	/* NULL and a reason when the pattern is wrong. `length` in bytes. */
	void *(*compile)(const char *pattern, size_t length, struct spk_reason_buffer *reason);
	/*
	 * Matches from byte `start` on; with `whole`, all of the text or nothing. Stores at most
	 * `pairs` pairs of byte offsets (SIZE_MAX: took no part). Returns the number of groups
	 * including the whole match, 0 for no match, -1 and a reason for a failure.
	 */
	int (*match)(void *compiled, const char *text, size_t length, size_t start, bool whole,
		     size_t *offsets, size_t pairs, struct spk_reason_buffer *reason);
	/* The number of a named group, or -1. */
	int (*group)(void *compiled, const char *name);
	/*
	 * Replaces every match into `out`, which has room for *length bytes and gets a NUL. Returns
	 * 0; 1 when there is no room, *length then being what is needed; -1 and a reason.
	 */
	int (*substitute)(void *compiled, const char *text, size_t length, const char *replacement,
			  char *out, size_t *out_length, struct spk_reason_buffer *reason);
};

/* kind "backtrace": names for addresses of the calling process. */
struct spk_frame {
	char function[128]; /* "" when unknown */
	char object[128];   /* base name of the shared object, "" when unknown */
	char file[192];     /* source file, "" when unknown */
	int line;           /* 0 when unknown */
};

struct spk_backtrace_driver {
	struct spk_driver driver;
	/*
	 * Fills in one frame per address. An address with `is_return` false is the place itself
	 * (of a crash), otherwise it is where a call will return to. Returns 0, or -1 and a reason.
	 */
	int (*resolve)(const uintptr_t *addresses, const bool *is_return, size_t count,
		       struct spk_frame *frames, struct spk_reason_buffer *reason);
};

/* kind "lineedit": lines typed at a terminal, with editing, history and completion. */

/* What ended a wait for input. */
enum spk_lineedit_wake {
	SPK_LINEEDIT_READY,   /* there is something to read */
	SPK_LINEEDIT_REDRAW,  /* the terminal has another size, or shows something else now */
	SPK_LINEEDIT_ABANDON, /* this line is not wanted any more */
};

/* What an editor asks of whoever reads lines with it; `data` is theirs. */
struct spk_lineedit_calls {
	uint32_t size; /* of this structure */
	/* Waits for input of the terminal; called before each byte is read. */
	enum spk_lineedit_wake (*wait)(void *data);
	/*
	 * What may stand in the place of the word that `text`, the line up to the cursor, ends
	 * with; each begins as that word does. *ret_word is the byte of `text` where it begins. The
	 * strings live until the next call. What goes behind a complete word is a blank.
	 */
	spk_strings (*complete)(void *data, const char *text, size_t *ret_word);
};

/*
 * Texts are in the encoding of the locale (LC_CTYPE), which the caller has set. Signals are the
 * caller's as well: an editor neither handles nor blocks any, and hears of them by wait().
 */
struct spk_lineedit_driver {
	struct spk_driver driver;
	/*
	 * Makes an editor for the terminal behind the two descriptors, which stay the caller's, and
	 * keeps `lines` lines of history. A read() of `input` that would wait fails with EAGAIN, if
	 * the caller can have it so: wait() is then called again. NULL and a reason when it cannot
	 * be edited at.
	 */
	void *(*open)(int input, int output, size_t lines, const struct spk_lineedit_calls *calls,
		      void *data, struct spk_reason_buffer *reason);
	/* Adds a line to the history, behind those that are there. */
	void (*remember)(void *editor, const char *line);
	/*
	 * Shows the prompt and reads a line: 1 and the line, without its end, which lives until the
	 * next call; 0 at the end of the input (Ctrl+D on an empty line, a terminal that has gone)
	 * or when it was abandoned. However it returns, the terminal has the settings that it had
	 * before and the cursor is behind what was typed, after 1 at the start of a line.
	 */
	int (*read)(void *editor, const char *prompt, const char **ret_line);
	void (*close)(void *editor);
};

/* kind "source": where in its sources something of a file was written. Executes nothing of it. */
struct spk_source_line {
	char file[256]; /* as the compiler was told, below its directory where it can be */
	char name[128]; /* of the variable or function */
	int line;
};

struct spk_source_driver {
	struct spk_driver driver;
	/*
	 * Reads the debugging information of the shared object open at `fd`, which stays the
	 * caller's. NULL and a reason when there is none.
	 */
	void *(*open)(int fd, struct spk_reason_buffer *reason);
	void (*close)(void *opened);
	/* The variable or function that covers the address, as it is in the file: 1; 0: none. */
	int (*declared)(void *opened, uint64_t address, struct spk_source_line *line);
	/* The first call of a function that the file does not define: 1; 0: none is known. */
	int (*called)(void *opened, const char *function, struct spk_source_line *line);
};

/*
 * kind "lock": a store of locks. A lock has a key, which any number of entries wait for or hold;
 * a key's holders are limited by the smallest concurrency that one of them, or the
 * newcomer, asks for (0: no limit of its own, and counted all the same).
 *
 * All calls may block and are made from one thread of the host that does nothing else. A call
 * returns when its deadline has passed or its `cancel_fd` is readable, whatever the
 * network does. Texts that a driver gives out live until its next call; those that it is given
 * need not live longer than the call.
 *
 * The settings that open() is given; a driver takes what it knows and leaves the rest:
 *     directory    where a store of this machine keeps its files
 *     run_file     of such a store (`keeps_files`): a file, `directory`/runs/UUID, on which this
 *                  invocation of `cookbook` holds an OFD lock (F_OFD_SETLK, F_WRLCK) until the last
 *                  of its processes is gone; not there for a caller that takes no locks
 *     config       a file with the parameters of the client: of etcd `instance_params.etcd_config`,
 *                  of others DIR/NAME/config.cfg, DIR being `instance_params.spicerack_config_dir`
 *                  and NAME the driver's; need not exist
 *     user_config  the same of the user (~/.etcdrc), laid over it; need not exist
 *     api          "3" or "2", of etcd
 */
enum spk_lock_status {
	SPK_LOCK_OK = 0,
	SPK_LOCK_WAITING = 1,     /* others hold it: the entry stands in the queue */
	SPK_LOCK_TIMEOUT = 2,     /* the deadline passed */
	SPK_LOCK_CANCELLED = 3,   /* cancel_fd is readable */
	SPK_LOCK_LOST = 4,        /* the entry is gone, and not by us */
	SPK_LOCK_UNREACHABLE = 5, /* no answer, or none that counts: trying again may help */
	SPK_LOCK_REFUSED = 6, /* trying again does not help: bad data in the key, no permission */
	SPK_LOCK_MISSING = 7, /* there is no such entry */
	SPK_LOCK_BUSY = 8, /* others hold it, and there is no queue: the caller tries again later */
};

/* How long a call may take. */
struct spk_lock_call {
	int64_t deadline_ns; /* of CLOCK_BOOTTIME */
	int cancel_fd;       /* -1: none */
	struct spk_reason_buffer reason;
};

/* One entry of a key, as it is in the store. */
struct spk_lock_entry {
	uint32_t size;
	uint32_t place;       /* 0: it holds the lock; otherwise its place in the queue, from 1 */
	const char *key;      /* "/spicerack/locks/cookbooks/NAME" */
	const char *id;       /* a UUID in text */
	const char *owner;    /* "user@host [pid]" */
	const char *cookbook; /* the run that has it; NULL: the store does not know */
	const char *reason;   /* of an operator who froze the key; NULL: an ordinary entry */
	int64_t created_ns;   /* of CLOCK_REALTIME; when it came to hold the lock or to wait */
	int64_t ttl_ns;       /* what was asked for; of a freeze, how long it lasts */
	int32_t concurrency;
	uint64_t fence; /* grows with every holder of the key; 0: the store has none, or waiting */
};

typedef void spk_lock_visitor(void *data, const struct spk_lock_entry *entry);

/* A name and a value, both texts. */
struct spk_lock_setting {
	const char *name, *value;
};

struct spk_lock_driver {
	struct spk_driver driver;
	/* Reads the settings, connects when first needed. NULL and a reason. */
	void *(*open)(const struct spk_lock_setting *settings, size_t count,
		      struct spk_reason_buffer *reason);
	/* Frees it. What it still holds is released as far as that goes until the deadline. */
	void (*close)(void *store, struct spk_lock_call *call);
	/*
	 * Takes the lock (OK) or stands in line for it (WAITING, or BUSY in a store that keeps no
	 * queue), in which case the visitor sees those who are in the way: holders, freezes, and
	 * whoever waits before it, in their order. key, id, owner, cookbook, ttl_ns and concurrency
	 * of `entry` are given; place, created_ns and fence are filled in. After TIMEOUT or
	 * UNREACHABLE, its own or of the renew() behind it, it may be called again with the same
	 * id, and finds what the call before has left.
	 */
	enum spk_lock_status (*enter)(void *store, struct spk_lock_entry *entry,
				      spk_lock_visitor *visitor, void *data,
				      struct spk_lock_call *call);
	/*
	 * After WAITING: waits until the entry holds the lock (OK), or those in the way have
	 * changed (WAITING, and the visitor sees them). After TIMEOUT or UNREACHABLE the entry
	 * still waits, as far as anybody knows; LOST: it is gone.
	 */
	enum spk_lock_status (*wait)(void *store, struct spk_lock_entry *entry,
				     spk_lock_visitor *visitor, void *data,
				     struct spk_lock_call *call);
	/* Gives the lock back, or leaves the queue. */
	enum spk_lock_status (*leave)(void *store, const struct spk_lock_entry *entry,
				      struct spk_lock_call *call);
	/*
	 * Renews all that this store holds or waits for. OK: *ret_until is when it ends if it is
	 * not renewed again (of CLOCK_BOOTTIME, reckoned from before the request was sent),
	 * *ret_next when to call this again; INT64_MAX where there is no such time. LOST: something
	 * of it is gone. Called after each enter(), too: it then answers from memory, without a
	 * request, when none is due.
	 */
	enum spk_lock_status (*renew)(void *store, int64_t *ret_until, int64_t *ret_next,
				      struct spk_lock_call *call);
	/* Shows the entries of a key, or of all below "/spicerack/locks/" with NULL, in their
	 * order. */
	enum spk_lock_status (*list)(void *store, const char *key, spk_lock_visitor *visitor,
				     void *data, struct spk_lock_call *call);
	/* Removes an entry of anybody. For an operator. */
	enum spk_lock_status (*remove)(void *store, const char *key, const char *id,
				       struct spk_lock_call *call);
	/*
	 * Freezes a key: nobody who is not in yet comes in until ttl_ns is over or it is removed.
	 * key, id, owner, reason and ttl_ns of `entry` are given.
	 */
	enum spk_lock_status (*freeze)(void *store, struct spk_lock_entry *entry,
				       struct spk_lock_call *call);
	/*
	 * 1: it keeps its files in `directory`, which the host makes, with a `run_file` for each of
	 * its invocations. 0, or a shorter table: it is of no one machine.
	 */
	uint32_t keeps_files;
	uint32_t reserved;
};

/*
 * kind "notify": tells somebody elsewhere what runs do: an IRC channel, a chat, a monitoring. All
 * that is told is complete, public and without secrets.
 *
 * Each driver has a thread of the host that does nothing else and makes all of its calls, one at a
 * time: it may wait for the network, and nobody waits for it. A call returns when its deadline
 * has passed or its `cancel_fd` is readable, whatever the network does; signals are blocked.
 * What it is given lives as long as the call.
 *
 * The settings that open() is given are those of spicerack.cfg with the same names
 * (`tcpircbot_host`, `irc.server`, `webhook.url` ...), as texts, the empty ones left out, and
 *     hostname  of this machine
 *     config    DIR/NAME/config.cfg, DIR being `instance_params.spicerack_config_dir` and NAME the
 *               driver's: for those of other people; need not exist
 * A driver takes what it knows and leaves the rest.
 */
enum spk_notice_kind {
	SPK_NOTICE_IRC = 1, /* "user@host message", for the channel */
	SPK_NOTICE_SAL =
		2, /* "!log user@host message", for the channel and the log that reads it */
	SPK_NOTICE_EVENT = 3, /* for machines only */
};

/* What is told. A driver passes over what it has no use for, and says that it was sent. */
struct spk_notice {
	uint32_t size;
	uint32_t kind; /* enum spk_notice_kind */
	/*
	 * A line of UTF-8 without control characters, at most 4096 bytes long; NULL: there is none
	 * for people.
	 */
	const char *text;
	const char *event; /* a JSON object; NULL: none */
};

enum spk_notify_status {
	SPK_NOTIFY_SENT = 0,
	SPK_NOTIFY_AGAIN = 1, /* it was not, as far as anybody knows; trying again later may help */
	SPK_NOTIFY_FAILED = 2, /* it was not, and trying again does not help */
};

/* How long a call may take. */
struct spk_notify_call {
	int64_t deadline_ns; /* of CLOCK_BOOTTIME */
	int cancel_fd;       /* -1: none */
	struct spk_reason_buffer reason;
};

/* A name and a value, both texts. */
struct spk_driver_setting {
	const char *name, *value;
};

struct spk_notify_driver {
	struct spk_driver driver;
	/* Reads the settings, connects when first needed. NULL and a reason. */
	void *(*open)(const struct spk_driver_setting *settings, size_t count,
		      struct spk_reason_buffer *reason);
	/* Takes leave as far as that goes until the deadline, and frees it. */
	void (*close)(void *notifier, struct spk_notify_call *call);
	enum spk_notify_status (*send)(void *notifier, const struct spk_notice *notice,
				       struct spk_notify_call *call);
	/*
	 * For who keeps a connection, else NULL, as the next: the descriptor that is readable when
	 * the other side says something while there is nothing to send; -1: none now.
	 */
	int (*fd)(void *notifier);
	/* Attends to what it said, without waiting for more. */
	void (*attend)(void *notifier, struct spk_notify_call *call);
};

/*
 * kind "transport": runs commands on other hosts and carries their input and output. It knows
 * nothing of batches, thresholds or dry-run; what it is told to start, it starts.
 *
 * All calls are made from one thread, and none but close() waits: what has to be waited for makes
 * fd() readable, or is due at deadline(), and is then done by dispatch(). The calls of
 * `spk_transport_calls` are made from within dispatch() only. A connection that was made stays open
 * for further commands on the same host until close().
 *
 * The settings that open() is given are those of the group of the driver's name in
 * `spicerack_config_dir`/remote/config.cfg, as texts.
 */
enum spk_transport_end_kind {
	SPK_TRANSPORT_EXITED = 0,      /* with exit_code */
	SPK_TRANSPORT_SIGNALLED = 1,   /* a signal ended it there */
	SPK_TRANSPORT_UNREACHABLE = 2, /* no connection: no address, refused, no answer in time */
	SPK_TRANSPORT_HOST_KEY = 3,    /* the host is not the one that is known, or is not known */
	SPK_TRANSPORT_DENIED = 4,      /* it lets this user not in */
	SPK_TRANSPORT_LOST = 5, /* the connection broke: nobody knows what became of the command */
	SPK_TRANSPORT_UNSUPPORTED = 6, /* the configuration asks for what this transport cannot do;
					  the reason names file, line, and the transport that can */
	SPK_TRANSPORT_FAILED = 7,      /* anything else before the command was started */
};

/* How a command ended. */
struct spk_transport_end {
	uint32_t size;
	uint32_t kind;     /* enum spk_transport_end_kind */
	int32_t exit_code; /* of EXITED: 0 to 255 */
	int32_t reserved;
	const char *signal; /* of SIGNALLED: its name without SIG; else NULL */
	const char *reason; /* one line for the operator, printable; NULL with EXITED */
};

/* What to run, where. What it points to is copied. */
struct spk_transport_command {
	uint32_t size;
	uint32_t input;      /* 1: it has standard input, by feed(); 0: its input is at its end */
	const char *host;    /* as the operator wrote it: the configuration may map it to another */
	const char *command; /* for the shell of the user there */
	int64_t connect_timeout_ns; /* from the start of the attempt until it may run */
	void *data;                 /* the caller's, for its calls */
	/* To log in as, whatever is configured; NULL: as configured. See `names_users`. */
	const char *user;
};

/* What a transport tells. `data` is that of the command. */
struct spk_transport_calls {
	uint32_t size;
	/* The host has accepted the command: from now on it may have done something. */
	void (*started)(void *data);
	/* What it wrote: `stream` 1 is standard output, 2 standard error. */
	void (*output)(void *data, int stream, const char *bytes, size_t length);
	/* There is room for input again, after feed() took less than it was given. */
	void (*room)(void *data);
	/* It is over; the last call for this command, which is gone when it returns. */
	void (*ended)(void *data, const struct spk_transport_end *end);
};

struct spk_transport_driver {
	struct spk_driver driver;
	/* Reads settings, keys and configuration. NULL and a reason. */
	void *(*open)(const struct spk_driver_setting *settings, size_t count,
		      const struct spk_transport_calls *calls, struct spk_reason_buffer *reason);
	/* Ends what still runs, without telling, and closes all connections. */
	void (*close)(void *transport);
	/* Readable when dispatch() has something to do; the same one for the life of the transport.
	 */
	int (*fd)(void *transport);
	/* When dispatch() has to be called at the latest, of CLOCK_BOOTTIME; INT64_MAX: no such
	 * time. */
	int64_t (*deadline)(void *transport);
	void (*dispatch)(void *transport);
	/*
	 * Begins with a command: it is connected to, identified, authenticated and started while
	 * dispatch() is called. Failures come by ended(). NULL and a reason: out of something.
	 */
	void *(*start)(void *transport, const struct spk_transport_command *command,
		       struct spk_reason_buffer *reason);
	/* Takes input, also before started(); returns how many bytes it took. */
	size_t (*feed)(void *command, const char *bytes, size_t length);
	/* The input is at its end. */
	void (*finish)(void *command);
	/* Holds the output of a command back, at the host if it lasts, or lets it come again. */
	void (*hold)(void *command, bool on);
	/* Lets go of a command: its channel is closed, nothing more is told of it. */
	void (*abandon)(void *command);
	/* 1: start() heeds the user of a command. 0, or a shorter table: it is never given one. */
	uint32_t names_users;
	uint32_t reserved;
};

/*
 * kind "inventory": knows hosts, and finds them by a query. A query `X{...}` goes to the driver
 * that has the letter X.
 *
 * The settings that open() is given are those of the backend in
 * `spicerack_config_dir`/remote/config.cfg, as texts; of a list, one entry each with the same name.
 * A driver refuses what it does not know. A reason that is about one of them begins with its name
 * in quotes, `'port' must be ...`: the line of the file is put before it.
 */
enum spk_inventory_status {
	SPK_INVENTORY_OK = 0,
	SPK_INVENTORY_FAILED = 1,  /* no answer, or none that can be used */
	SPK_INVENTORY_FOREIGN = 2, /* the text is not of its language: it may be of another */
};

/* Whose the language of its queries is. */
enum spk_inventory_language {
	SPK_INVENTORY_OWN =
		0, /* the driver's: find() is given all that stands between the braces */
	/*
	 * The host's, that of the backend D with `*` and `?` in names and with terms `WORD:NAME`
	 * and `WORD:NAME OPERATOR VALUE` (operators are of `=!<>~`, a value with blanks is quoted):
	 * find() is given `*` for all hosts that it can name, and each term as it was written. What
	 * is found is among all of these and those that it knows().
	 */
	SPK_INVENTORY_TERMS = 1,
};

/*
 * Takes a name or an expression for a set of hosts (hosts.h). false: it is none, stop, with where
 * it came from as the reason, which stands before what is wrong with it.
 */
typedef bool spk_inventory_visitor(void *data, const char *expression, size_t length);

/* How long a call may take, and what helps with it. */
struct spk_inventory_call {
	int64_t deadline_ns; /* of CLOCK_BOOTTIME */
	int cancel_fd;       /* -1: none */
	struct spk_reason_buffer reason;
	/*
	 * For languages of their own: tells the visitor each name of an expression for a set of
	 * hosts in which `*` and `?` may be, as characters of names. false, with the reason: it is
	 * none, or the visitor said false.
	 */
	bool (*expand)(struct spk_inventory_call *call, const char *expression, size_t length,
		       spk_inventory_visitor *visitor, void *data);
};

struct spk_inventory_driver {
	struct spk_driver driver;
	uint32_t language; /* enum spk_inventory_language */
	uint32_t reserved;
	/* Reads the settings, connects when first needed. NULL and a reason. */
	void *(*open)(const struct spk_driver_setting *settings, size_t count,
		      struct spk_reason_buffer *reason);
	void (*close)(void *inventory);
	/* Tells the visitor all hosts that match, in any order, also more than once; perhaps none.
	 */
	enum spk_inventory_status (*find)(void *inventory, const char *query, size_t length,
					  spk_inventory_visitor *visitor, void *data,
					  struct spk_inventory_call *call);
	/*
	 * With SPK_INVENTORY_TERMS: whether it knows a host that was not among those of `*`. 1, 0,
	 * or -1 with a reason. NULL: those were all.
	 */
	int (*knows)(void *inventory, const char *name, struct spk_inventory_call *call);
};

/*
 * kind "kv": a store of keys and their values, such as the one behind conftool. A key is a path
 * of parts between slashes, "/conftool/v1/pools/dc1/web/apache2/web1": printable, at most 1024
 * bytes long, and no part of it is empty, "." or "..". A value is any bytes but NUL, at most 1 MiB.
 *
 * A store is used by one thread. A call returns when its deadline has passed or its `cancel_fd` is
 * readable, whatever the network does. Reads see all that was written before. What the visitor is
 * given lives until it returns.
 *
 * The settings that open() is given; a driver takes what it knows and leaves the rest:
 *     directory    where a store of this machine keeps its files; it is there, unless `read_only`
 *     read_only    "true": nothing is written, not even made
 *     config       a file with the parameters of the client, as of kind "lock"; several are laid
 *                  over each other in their order; none need exist
 *     api          "3" or "2", of etcd
 */
enum spk_kv_status {
	SPK_KV_OK = 0,
	SPK_KV_MISSING = 1,     /* there is no such key */
	SPK_KV_CONFLICT = 2,    /* a key is not as the change says: nothing was written */
	SPK_KV_TIMEOUT = 3,     /* the deadline passed; a write may have been done */
	SPK_KV_CANCELLED = 4,   /* cancel_fd is readable; a write may have been done */
	SPK_KV_UNREACHABLE = 5, /* no answer, or none that counts: trying again may help */
	SPK_KV_UNCERTAIN = 6,   /* the same after a write that may have been done */
	SPK_KV_REFUSED = 7, /* trying again does not help: no permission, bad data, out of space */
};

/* How long a call may take. */
struct spk_kv_call {
	int64_t deadline_ns; /* of CLOCK_BOOTTIME */
	int cancel_fd;       /* -1: none */
	struct spk_reason_buffer reason;
};

/* A key as it is in the store. */
struct spk_kv_item {
	uint32_t size;
	uint32_t reserved;
	const char *key;
	const char *value; /* ends in a NUL that is not counted */
	size_t length;     /* of it, in bytes */
	uint64_t revision; /* not 0; another one after each write of this key */
};

/* false: no more is wanted. */
typedef bool spk_kv_visitor(void *data, const struct spk_kv_item *item);

/* A key to be written or deleted. */
struct spk_kv_change {
	uint32_t size;
	uint32_t reserved;
	const char *key;
	const char *value; /* NULL: it is deleted */
	size_t length;
	uint64_t revision; /* that it has to have; 0: there must be no such key */
};

struct spk_kv_driver {
	struct spk_driver driver;
	/* Reads the settings, connects when first needed. NULL and a reason. */
	void *(*open)(const struct spk_driver_setting *settings, size_t count,
		      struct spk_reason_buffer *reason);
	void (*close)(void *store);
	/* Shows one key. */
	enum spk_kv_status (*get)(void *store, const char *key, spk_kv_visitor *visitor, void *data,
				  struct spk_kv_call *call);
	/*
	 * Shows all keys below `prefix`, a key without a slash at its end, or "/" for all, in the
	 * order of their bytes; perhaps none. They are shown when all is read.
	 */
	enum spk_kv_status (*list)(void *store, const char *prefix, spk_kv_visitor *visitor,
				   void *data, struct spk_kv_call *call);
	/* How many changes of different keys one write() may make; at least 1. */
	size_t (*most)(void *store);
	/* Makes all of the changes, or none. */
	enum spk_kv_status (*write)(void *store, const struct spk_kv_change *changes, size_t count,
				    struct spk_kv_call *call);
};

/*
 * kind "document": reads data of other programs as a sequence of events. An alias is told as what
 * it stands for.
 */
enum spk_document_event_kind {
	SPK_DOCUMENT_NULL = 1,
	SPK_DOCUMENT_FALSE = 2,
	SPK_DOCUMENT_TRUE = 3,
	SPK_DOCUMENT_NUMBER = 4, /* text: as JSON writes it; what it cannot write is a TEXT */
	SPK_DOCUMENT_TEXT = 5,   /* UTF-8 without NUL */
	SPK_DOCUMENT_LIST = 6,   /* its items follow */
	SPK_DOCUMENT_MAP = 7,    /* a KEY and a value follow for each of its members */
	SPK_DOCUMENT_KEY = 8,    /* text; each only once in a map */
	SPK_DOCUMENT_END = 9,    /* of the innermost list or map */
};

struct spk_document_event {
	uint32_t size;
	uint32_t kind; /* enum spk_document_event_kind */
	uint64_t line; /* from 1 */
	const char *text;
	size_t length;
};

/* false: stop; the reason is the visitor's to keep. */
typedef bool spk_document_visitor(void *data, const struct spk_document_event *event);

struct spk_document_driver {
	struct spk_driver driver;
	/*
	 * Tells the events of a text, none for an empty one. It is at most `most` events and 64
	 * levels deep. 0; -1 and a reason, `LINE: ...`; 1: the visitor said stop.
	 */
	int (*read)(const char *text, size_t length, size_t most, spk_document_visitor *visitor,
		    void *data, struct spk_reason_buffer *reason);
};

/*
 * kind "http": sends one request and tells what is answered. It follows no redirect, tries nothing
 * again and adds no header but those that the protocol needs; connections are kept for requests
 * that have the same host, proxy and files.
 *
 * What it is given lives as long as the call. It may hold secrets: a driver wipes its copies.
 */
enum spk_http_end {
	SPK_HTTP_ANSWERED = 0,
	SPK_HTTP_UNSENT = 1,     /* no connection: nothing of the request has left */
	SPK_HTTP_DISTRUSTED = 2, /* the other side is not who it should be, or TLS is not set up
				    right; nothing has left */
	SPK_HTTP_LATE = 3,       /* it may have arrived; no answer in time */
	SPK_HTTP_BROKEN = 4,     /* it may have arrived; the connection broke */
	SPK_HTTP_NONSENSE = 5,   /* it may have arrived; what came is no HTTP */
	SPK_HTTP_STOPPED = 6,    /* body() did not want more */
	SPK_HTTP_CANCELLED = 7,  /* cancel_fd is readable */
	SPK_HTTP_UNUSABLE = 8,   /* it cannot be sent like this: no such URL, no such proxy */
};

struct spk_http_order {
	uint32_t size;
	uint32_t once; /* 1: may not leave twice, not even when a kept connection turns out dead */
	const char *method, *url;
	const struct spk_driver_setting *headers; /* names and values */
	size_t header_count;
	const char *body; /* NULL: none */
	size_t body_length;
	const char *user, *password;      /* for basic authentication; NULL: none */
	const char *proxy;                /* host:port or URL; NULL: directly */
	const char *ca_file;              /* NULL: those of the system */
	const char *cert_file, *key_file; /* NULL: none */
	int64_t connect_timeout_ns;       /* for name, connection and TLS */
	int64_t read_timeout_ns;          /* without a byte in either direction */
	int64_t deadline_ns;              /* of CLOCK_BOOTTIME */
	int cancel_fd;                    /* -1: none */
	uint32_t reserved;
};

/* What came. Texts live until the next call. */
struct spk_http_reply {
	uint32_t size;
	int32_t status;         /* 0: none came */
	const char *redirect;   /* where a 3xx leads, as a whole URL; NULL: nowhere */
	int64_t retry_after_ns; /* what the server asks for; 0: nothing */
	struct spk_reason_buffer reason;
};

struct spk_http_calls {
	uint32_t size;
	/* Each header of the answer, in order. */
	void (*header)(void *data, const char *name, const char *value);
	/* Some of its body, decompressed. false: stop. */
	bool (*body)(void *data, const char *bytes, size_t length);
};

struct spk_http_driver {
	struct spk_driver driver;
	/* NULL and a reason. */
	void *(*open)(struct spk_reason_buffer *reason);
	void (*close)(void *client);
	/* Anything but ANSWERED comes with a reason. */
	enum spk_http_end (*exchange)(void *client, const struct spk_http_order *order,
				      const struct spk_http_calls *calls, void *data,
				      struct spk_http_reply *reply);
};

/*
 * kind "dns": asks servers of the DNS one question. It keeps nothing between questions: names of
 * the system's servers are read, and ports chosen, for each.
 */
enum spk_dns_status {
	SPK_DNS_ANSWERED = 0,   /* the visitor was told at least one record */
	SPK_DNS_NO_NAME = 1,    /* there is no such name */
	SPK_DNS_NO_RECORDS = 2, /* there is, without records of that type */
	SPK_DNS_FAILED = 3,     /* the servers refuse, fail, or answer what cannot be understood */
	SPK_DNS_TIMEOUT = 4,    /* no server answered in time */
	SPK_DNS_CANCELLED = 5,  /* cancel_fd is readable */
	SPK_DNS_INVALID = 6,    /* this cannot be asked: the name is none */
};

struct spk_dns_server {
	const char *address; /* of IPv4 or IPv6, in text */
	uint32_t port;
	uint32_t reserved;
};

struct spk_dns_question {
	uint32_t size;
	uint32_t type;    /* the number of the DNS */
	const char *name; /* absolute, with a final dot or without */
	/* Asked in this order until one answers; none: those of the system. */
	const struct spk_dns_server *servers;
	size_t server_count;
	bool tcp; /* over TCP at once; else when an answer over UDP is cut short */
	bool reserved[3];
	uint32_t client_bits; /* how many bits of the client's address are told */
	const char *client;   /* the address of a client, in text; NULL: none */
};

/* One record of the answer, of the type that was asked for. */
struct spk_dns_reply_record {
	uint32_t size;
	uint32_t ttl;     /* seconds */
	const char *name; /* whose it is, without its final dot */
	/*
	 * A, AAAA: the address; NS, CNAME, PTR, MX, SRV: the name without its final dot; TXT: its
	 * strings, joined, `length` bytes of any kind; others: as in a zone file. A NUL is behind
	 * it.
	 */
	const char *text;
	size_t length;
	uint16_t priority, weight, port; /* of SRV, the first of MX, too */
	uint16_t reserved;
};

typedef void spk_dns_visitor(void *data, const struct spk_dns_reply_record *record);

/* What is true of all of the answer. */
struct spk_dns_reply {
	uint32_t size;
	uint32_t ttl; /* the smallest, those of the aliases on the way included */
	bool authoritative;
	bool reserved[3];
	int32_t client_scope; /* bits of the client's address that it is for; -1: not for a client
			       */
};

/* How long a call may take. */
struct spk_dns_call {
	int64_t deadline_ns;             /* of CLOCK_BOOTTIME */
	int cancel_fd;                   /* -1: none */
	struct spk_reason_buffer reason; /* of FAILED and INVALID; of NO_NAME it may be empty */
};

struct spk_dns_driver {
	struct spk_driver driver;
	/*
	 * Asks. The visitor is told the records in their order, with aliases followed as far as the
	 * answer leads (but for the type CNAME itself).
	 */
	enum spk_dns_status (*ask)(const struct spk_dns_question *question,
				   struct spk_dns_reply *reply, spk_dns_visitor *visitor,
				   void *data, struct spk_dns_call *call);
};

#ifdef __cplusplus
}
#endif

#endif
