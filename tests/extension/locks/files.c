/*
 * The store of locks "files": all entries of this machine in one text file,
 * DIRECTORY/files/entries, a line each in the order in which they came. It is replaced as a whole,
 * by who holds the lock on DIRECTORY/files/mutex. An entry belongs to a run, and counts as long as
 * that keeps its run file locked, so that there is nothing to renew. Who waits is woken by the next
 * replacement, and by whatever happens to run files.
 */
#define _GNU_SOURCE
#include <spicerack/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS 1000000000LL
/* A wake-up may get lost: who waits looks again after this. */
#define LOOK_AGAIN_NS (2 * SECOND_NS)
/* How often a run looks whether its entries are still there: an operator may have removed them. */
#define CHECK_NS (5 * SECOND_NS)
#define MUTEX_TRY_NS 5000000LL
#define FIELDS 11

SPK_API extern const struct spk_lock_driver spk_driver;

enum state { HOLDING = 'h', WAITING = 'w', FREEZE = 'f' };

struct row {
	char state;
	const char *run;
	struct spk_lock_entry entry; /* its texts lie in the store's `text`, or are a caller's */
};

struct store {
	char *directory; /* DIRECTORY */
	char *place;     /* DIRECTORY/files */
	char run[64];    /* the name of our run file; "": of an operator, or a dry run */
	mode_t mode, directory_mode;
	int mutex; /* locked while a change is made; -1: none is */
	char *text;
	struct row *rows;
	size_t count, capacity;
	uint64_t fences; /* so many were given out */
	size_t held;     /* entries that are ours */
	int64_t check_ns;
	uint64_t shown; /* who was in the way when that was last told */
};

static int64_t now_of(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (int64_t)time.tv_sec * SECOND_NS + time.tv_nsec;
}

static enum spk_lock_status refuse(struct spk_lock_call *call, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(call->reason.text, sizeof(call->reason.text), format, args);
	va_end(args);
	return SPK_LOCK_REFUSED;
}

/* Waits for a descriptor (-1: none), but not past `until`. OK, TIMEOUT of the call or CANCELLED. */
static enum spk_lock_status wait_for(int fd, int64_t until, const struct spk_lock_call *call)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
			       {.fd = call->cancel_fd, .events = POLLIN}};
	int64_t end = until < call->deadline_ns ? until : call->deadline_ns;
	int64_t left = end - now_of(CLOCK_BOOTTIME);
	struct timespec timeout = {0};

	if (left > 0)
		timeout = (struct timespec){left / SECOND_NS, left % SECOND_NS};
	ppoll(fds, 2, &timeout, NULL);
	if (fds[1].revents)
		return SPK_LOCK_CANCELLED;
	return now_of(CLOCK_BOOTTIME) >= call->deadline_ns ? SPK_LOCK_TIMEOUT : SPK_LOCK_OK;
}

/* ---- the file ---- */

static struct row *add_row(struct store *store)
{
	if (store->count == store->capacity) {
		size_t capacity = store->capacity ? 2 * store->capacity : 16;
		struct row *rows = reallocarray(store->rows, capacity, sizeof(*rows));

		if (!rows)
			return NULL;
		store->rows = rows;
		store->capacity = capacity;
	}
	store->rows[store->count] = (struct row){.entry.size = sizeof(struct spk_lock_entry)};
	return &store->rows[store->count++];
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/* A line: state, run, key, id, owner, cookbook, reason, created, ttl, concurrency, fence. */
static bool parse_line(struct store *store, char *line)
{
	char *fields[FIELDS];
	struct row *row;

	for (size_t i = 0; i < FIELDS; i++)
		if (!(fields[i] = strsep(&line, "\t")))
			return false;
	if (line || strlen(fields[0]) != 1 || !strchr("hwf", *fields[0]) || !(row = add_row(store)))
		return false;
	row->state = *fields[0];
	row->run = fields[1];
	row->entry.key = fields[2];
	row->entry.id = fields[3];
	row->entry.owner = fields[4];
	row->entry.cookbook = or_null(fields[5]);
	row->entry.reason = or_null(fields[6]);
	row->entry.created_ns = strtoll(fields[7], NULL, 10);
	row->entry.ttl_ns = strtoll(fields[8], NULL, 10);
	row->entry.concurrency = (int32_t)strtol(fields[9], NULL, 10);
	row->entry.fence = strtoull(fields[10], NULL, 10);
	return true;
}

/* All of it, with a NUL; NULL and errno. A file that is not there is empty. */
static char *read_all(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st = {0};
	char *text = NULL;

	if (fd < 0)
		return errno == ENOENT ? calloc(1, 1) : NULL;
	if (fstat(fd, &st) == 0 && (text = calloc(1, (size_t)st.st_size + 1)) &&
	    read(fd, text, (size_t)st.st_size) != st.st_size) {
		free(text);
		text = NULL;
	}
	close(fd);
	return text;
}

static enum spk_lock_status load(struct store *store, struct spk_lock_call *call)
{
	char path[PATH_MAX], *rest, *line;
	size_t number = 1;

	snprintf(path, sizeof(path), "%s/entries", store->place);
	free(store->text);
	store->count = 0;
	store->fences = 0;
	rest = store->text = read_all(path);
	if (!store->text)
		return refuse(call, "cannot read '%.128s': %s", path, strerrordesc_np(errno));
	line = strsep(&rest, "\n");
	if (rest)
		store->fences = strtoull(line, NULL, 10);
	while (rest && (line = strsep(&rest, "\n")) && *line) {
		number++;
		if (!parse_line(store, line))
			return refuse(call, "%.128s:%zu: this is no entry", path, number);
	}
	return SPK_LOCK_OK;
}

/* What would end a field or a line becomes a blank. */
static void put_text(FILE *file, const char *text)
{
	for (; text && *text; text++)
		fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
	fputc('\t', file);
}

/* Not to the disk: after a crash of the machine nobody holds anything. */
static enum spk_lock_status save(struct store *store, struct spk_lock_call *call)
{
	char path[PATH_MAX], new[PATH_MAX];
	bool written;
	FILE *file;
	int fd;

	snprintf(path, sizeof(path), "%s/entries", store->place);
	snprintf(new, sizeof(new), "%s/new", store->place);
	unlink(new);
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, store->mode);
	file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!file)
		return refuse(call, "cannot write '%.128s': %s", new, strerrordesc_np(errno));
	fchmod(fd, store->mode);
	fprintf(file, "%llu\n", (unsigned long long)store->fences);
	for (size_t i = 0; i < store->count; i++) {
		const struct spk_lock_entry *entry = &store->rows[i].entry;

		fprintf(file, "%c\t%s\t", store->rows[i].state, store->rows[i].run);
		put_text(file, entry->key);
		put_text(file, entry->id);
		put_text(file, entry->owner);
		put_text(file, entry->cookbook);
		put_text(file, entry->reason);
		fprintf(file, "%lld\t%lld\t%d\t%llu\n", (long long)entry->created_ns,
			(long long)entry->ttl_ns, entry->concurrency,
			(unsigned long long)entry->fence);
	}
	written = !ferror(file);
	if (fclose(file) != 0 || !written || rename(new, path) < 0)
		return refuse(call, "cannot write '%.128s': %s", path, strerrordesc_np(errno));
	return SPK_LOCK_OK;
}

/* ---- a change ---- */

/* Whether the run has a living process. In doubt it has. */
static bool is_alive(const struct store *store, const char *run)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_MAX];
	bool alive;
	int fd;

	snprintf(path, sizeof(path), "%s/runs/%s", store->directory, run);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno != ENOENT;
	alive = fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
	close(fd);
	return alive;
}

/* When a freeze ends, of CLOCK_REALTIME. */
static int64_t thaws(const struct row *row)
{
	int64_t end;

	return __builtin_add_overflow(row->entry.created_ns, row->entry.ttl_ns, &end) ? INT64_MAX
										      : end;
}

static bool is_over(const struct store *store, const struct row *row)
{
	if (row->state == FREEZE)
		return thaws(row) <= now_of(CLOCK_REALTIME);
	return strcmp(row->run, store->run) != 0 && !is_alive(store, row->run);
}

static void remove_row(struct store *store, struct row *row)
{
	size_t at = (size_t)(row - store->rows);

	memmove(row, row + 1, (--store->count - at) * sizeof(*row));
}

/* Drops who is gone, and lets in who may be: the first in line, as long as there is room. */
static void settle(struct store *store)
{
	for (size_t i = 0; i < store->count;)
		if (is_over(store, &store->rows[i]))
			remove_row(store, &store->rows[i]);
		else
			i++;
	for (size_t i = 0; i < store->count; i++) {
		struct row *row = &store->rows[i];
		int64_t limit = row->entry.concurrency ? row->entry.concurrency : INT64_MAX;
		int64_t holders = 0;

		for (size_t k = 0; row->state == WAITING && k < store->count; k++) {
			const struct row *other = &store->rows[k];

			if (strcmp(other->entry.key, row->entry.key) != 0)
				continue;
			if (other->state == FREEZE || (other->state == WAITING && k < i))
				limit = 0;
			if (other->state != HOLDING)
				continue;
			holders++;
			if (other->entry.concurrency && other->entry.concurrency < limit)
				limit = other->entry.concurrency;
		}
		if (row->state != WAITING || holders >= limit)
			continue;
		row->state = HOLDING;
		row->entry.fence = ++store->fences;
		row->entry.created_ns = now_of(CLOCK_REALTIME);
	}
}

/* Others keep it for a moment only. */
static enum spk_lock_status begin(struct store *store, struct spk_lock_call *call)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	enum spk_lock_status status = SPK_LOCK_OK;
	char path[PATH_MAX];

	/* For the same people as the directory. */
	if (mkdir(store->place, store->directory_mode) < 0 && errno != EEXIST)
		return refuse(call, "cannot make '%.128s': %s", store->place,
			      strerrordesc_np(errno));
	snprintf(path, sizeof(path), "%s/mutex", store->place);
	store->mutex = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, store->mode);
	if (store->mutex < 0)
		return refuse(call, "cannot open '%.128s': %s", path, strerrordesc_np(errno));
	while (status == SPK_LOCK_OK && fcntl(store->mutex, F_OFD_SETLK, &lock) < 0)
		status = wait_for(-1, now_of(CLOCK_BOOTTIME) + MUTEX_TRY_NS, call);
	if (status == SPK_LOCK_OK)
		status = load(store, call);
	if (status != SPK_LOCK_OK) {
		close(store->mutex);
		store->mutex = -1;
	}
	return status;
}

/* Ends what begin() began, which was well. */
static enum spk_lock_status commit(struct store *store, struct spk_lock_call *call)
{
	enum spk_lock_status status;

	settle(store);
	status = save(store, call);
	close(store->mutex);
	store->mutex = -1;
	return status;
}

static struct row *find(struct store *store, const char *id)
{
	for (size_t i = 0; i < store->count; i++)
		if (strcmp(store->rows[i].entry.id, id) == 0)
			return &store->rows[i];
	return NULL;
}

/* ---- showing ---- */

static void number_places(struct store *store)
{
	for (size_t i = 0; i < store->count; i++) {
		store->rows[i].entry.place = store->rows[i].state == WAITING;
		for (size_t k = 0; store->rows[i].state == WAITING && k < i; k++)
			store->rows[i].entry.place += store->rows[k].state == WAITING &&
						      strcmp(store->rows[k].entry.key,
							     store->rows[i].entry.key) == 0;
	}
}

static bool is_in_the_way(const struct row *row, const struct row *own)
{
	return row != own && strcmp(row->entry.key, own->entry.key) == 0 &&
	       (row->state != WAITING || row < own);
}

/* A number for those in the way of `own`; another one when they have changed. */
static uint64_t sum(const struct store *store, const struct row *own)
{
	uint64_t sum = 14695981039346656037U;

	for (size_t i = 0; i < store->count; i++) {
		const struct row *row = &store->rows[i];

		for (const char *at = row->entry.id; is_in_the_way(row, own) && *at; at++)
			sum = (sum ^ (unsigned char)(*at + row->state)) * 1099511628211U;
	}
	return sum;
}

/* What the entry has come to: OK, or WAITING, and the visitor sees who is in the way. */
static enum spk_lock_status answer(struct store *store, const struct row *own,
				   struct spk_lock_entry *entry, spk_lock_visitor *visitor,
				   void *data)
{
	number_places(store);
	entry->place = own->entry.place;
	entry->fence = own->entry.fence;
	entry->created_ns = own->entry.created_ns;
	if (own->state == HOLDING)
		return SPK_LOCK_OK;
	store->shown = sum(store, own);
	for (size_t i = 0; i < store->count; i++)
		if (is_in_the_way(&store->rows[i], own))
			visitor(data, &store->rows[i].entry);
	return SPK_LOCK_WAITING;
}

/* ---- the calls ---- */

static const char *setting(const struct spk_lock_setting *settings, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(settings[i].name, name) == 0)
			return settings[i].value;
	return NULL;
}

static void free_store(struct store *store)
{
	free(store->directory);
	free(store->place);
	free(store->text);
	free(store->rows);
	free(store);
}

static void *open_store(const struct spk_lock_setting *settings, size_t count,
			struct spk_reason_buffer *reason)
{
	const char *directory = setting(settings, count, "directory");
	const char *run_file = setting(settings, count, "run_file");
	struct store *store = calloc(1, sizeof(*store));
	struct stat st;

	if (!store || !directory || !(store->directory = strdup(directory)) ||
	    asprintf(&store->place, "%s/files", directory) < 0) {
		snprintf(reason->text, sizeof(reason->text), "%s",
			 directory ? "out of memory" : "locks.directory is not set");
		free(store ? store->directory : NULL);
		free(store);
		return NULL;
	}
	store->mutex = -1;
	if (run_file)
		snprintf(store->run, sizeof(store->run), "%s", strrchr(run_file, '/') + 1);
	store->directory_mode = stat(directory, &st) == 0 ? st.st_mode & 07777 : 0700;
	store->mode = store->directory_mode & S_IWGRP ? 0660 : 0600;
	return store;
}

static enum spk_lock_status enter(void *data, struct spk_lock_entry *entry,
				  spk_lock_visitor *visitor, void *visitor_data,
				  struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status = begin(store, call);
	struct row *own;
	bool fresh;

	if (status != SPK_LOCK_OK)
		return status;
	fresh = !find(store, entry->id);
	if (fresh) {
		own = add_row(store);
		if (!own) {
			close(store->mutex);
			return refuse(call, "out of memory");
		}
		own->state = WAITING;
		own->run = store->run;
		own->entry = *entry;
		own->entry.reason = NULL;
		own->entry.fence = 0;
		own->entry.created_ns = now_of(CLOCK_REALTIME);
		store->held++;
	}
	status = commit(store, call);
	if (status != SPK_LOCK_OK) {
		store->held -= fresh;
		return status;
	}
	return answer(store, find(store, entry->id), entry, visitor, visitor_data);
}

/* When to look again in any case, of CLOCK_BOOTTIME: after a while, or when a freeze ends. */
static int64_t look_again(const struct store *store)
{
	int64_t now = now_of(CLOCK_REALTIME), first = LOOK_AGAIN_NS;

	for (size_t i = 0; i < store->count; i++)
		if (store->rows[i].state == FREEZE && thaws(&store->rows[i]) - now < first)
			first = thaws(&store->rows[i]) - now;
	return now_of(CLOCK_BOOTTIME) + (first > 0 ? first : 0);
}

static int watch(const struct store *store)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/runs", store->directory);
	if (fd >= 0) {
		inotify_add_watch(fd, store->place, IN_MOVED_TO);
		inotify_add_watch(fd, path, IN_CLOSE_WRITE | IN_DELETE);
	}
	return fd;
}

/* One look: who of the others is there, and whether it is our turn. */
static enum spk_lock_status look(struct store *store, struct spk_lock_entry *entry,
				 spk_lock_visitor *visitor, void *data, struct spk_lock_call *call)
{
	enum spk_lock_status status = load(store, call);
	struct row *own = status == SPK_LOCK_OK ? find(store, entry->id) : NULL;
	bool gone = false;

	for (size_t i = 0; own && own->state == WAITING && i < store->count; i++)
		gone |= is_over(store, &store->rows[i]);
	/* Nobody else strikes the dead. */
	if (gone) {
		status = begin(store, call);
		if (status == SPK_LOCK_OK)
			status = commit(store, call);
		own = status == SPK_LOCK_OK ? find(store, entry->id) : NULL;
	}
	if (status != SPK_LOCK_OK)
		return status;
	if (!own) {
		store->held--;
		snprintf(call->reason.text, sizeof(call->reason.text), "somebody has removed it");
		return SPK_LOCK_LOST;
	}
	if (own->state == WAITING && sum(store, own) == store->shown)
		return SPK_LOCK_BUSY; /* as before */
	return answer(store, own, entry, visitor, data);
}

static enum spk_lock_status wait_turn(void *data, struct spk_lock_entry *entry,
				      spk_lock_visitor *visitor, void *visitor_data,
				      struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status;
	int events = watch(store); /* before the first look */
	char buffer[4096];

	for (;;) {
		status = look(store, entry, visitor, visitor_data, call);
		if (status != SPK_LOCK_BUSY)
			break;
		status = wait_for(events, look_again(store), call);
		if (status != SPK_LOCK_OK)
			break;
		while (events >= 0 && read(events, buffer, sizeof(buffer)) > 0)
			;
	}
	if (events >= 0)
		close(events);
	return status;
}

static enum spk_lock_status remove_entry(void *data, const char *key, const char *id,
					 struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status = begin(store, call);
	struct row *row = status == SPK_LOCK_OK ? find(store, id) : NULL;

	if (status != SPK_LOCK_OK)
		return status;
	if (row)
		remove_row(store, row);
	status = commit(store, call);
	return status == SPK_LOCK_OK && !row ? SPK_LOCK_MISSING : status;
}

static enum spk_lock_status leave(void *data, const struct spk_lock_entry *entry,
				  struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status = remove_entry(data, entry->key, entry->id, call);

	if (status == SPK_LOCK_OK && store->held > 0)
		store->held--;
	return status;
}

static enum spk_lock_status renew(void *data, int64_t *ret_until, int64_t *ret_next,
				  struct spk_lock_call *call)
{
	struct store *store = data;
	size_t found = 0;

	*ret_until = *ret_next = INT64_MAX;
	if (store->held == 0)
		return SPK_LOCK_OK;
	*ret_next = store->check_ns;
	if (now_of(CLOCK_BOOTTIME) < store->check_ns)
		return SPK_LOCK_OK;
	*ret_next = store->check_ns = now_of(CLOCK_BOOTTIME) + CHECK_NS;
	if (load(store, call) != SPK_LOCK_OK)
		return SPK_LOCK_OK; /* what cannot be read is held all the same */
	for (size_t i = 0; i < store->count; i++)
		found += strcmp(store->rows[i].run, store->run) == 0;
	if (found >= store->held)
		return SPK_LOCK_OK;
	snprintf(call->reason.text, sizeof(call->reason.text), "somebody has removed it");
	return SPK_LOCK_LOST;
}

static enum spk_lock_status list(void *data, const char *key, spk_lock_visitor *visitor,
				 void *visitor_data, struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status = load(store, call);

	for (size_t i = 0; status == SPK_LOCK_OK && i < store->count;)
		if (is_over(store, &store->rows[i]))
			remove_row(store, &store->rows[i]);
		else
			i++;
	number_places(store);
	for (size_t i = 0; status == SPK_LOCK_OK && i < store->count; i++)
		if (!key || strcmp(store->rows[i].entry.key, key) == 0)
			visitor(visitor_data, &store->rows[i].entry);
	return status;
}

static enum spk_lock_status freeze(void *data, struct spk_lock_entry *entry,
				   struct spk_lock_call *call)
{
	struct store *store = data;
	enum spk_lock_status status = begin(store, call);
	struct row *row;

	if (status != SPK_LOCK_OK)
		return status;
	row = add_row(store);
	if (!row) {
		close(store->mutex);
		return refuse(call, "out of memory");
	}
	row->state = FREEZE;
	row->run = "-";
	row->entry = *entry;
	row->entry.concurrency = 0;
	row->entry.fence = 0;
	row->entry.created_ns = entry->created_ns = now_of(CLOCK_REALTIME);
	return commit(store, call);
}

static void close_store(void *data, struct spk_lock_call *call)
{
	struct store *store = data;

	if (store->held > 0 && begin(store, call) == SPK_LOCK_OK) {
		for (size_t i = 0; i < store->count;)
			if (strcmp(store->rows[i].run, store->run) == 0)
				remove_row(store, &store->rows[i]);
			else
				i++;
		commit(store, call);
	}
	free_store(store);
}

const struct spk_lock_driver spk_driver = {
	.driver = {.size = sizeof(spk_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "lock",
		   .name = "files"},
	.open = open_store,
	.close = close_store,
	.enter = enter,
	.wait = wait_turn,
	.leave = leave,
	.renew = renew,
	.list = list,
	.remove = remove_entry,
	.freeze = freeze,
	.keeps_files = 1,
};
