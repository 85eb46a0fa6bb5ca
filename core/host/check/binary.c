/* SPDX-License-Identifier: Apache-2.0 */
#include "binary.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/driver.h"
#include "../../runtime/mem.h"
#include "../tree/pool.h"
#include "directcall.h"
#include "elfversion.h"

#define TEXT_MAX ((size_t)65536)
#define LIBRARIES_MAX 256
#define HOOKS_MAX 4096

/* Bytes of .data and .bss that the start-up files of the compilers bring along. */
#define TOOLCHAIN_DATA 16

/* A function that the loader calls. */
struct hook {
	uint64_t address;
	enum finding_kind kind;
	bool named; /* its symbol was found */
	bool toolchain;
};

/* A file under judgement. */
struct subject {
	struct elf *elf;
	const char *path;
	struct findings *findings;
	struct libraries *libraries;
	struct driver_needs needs;

	/* From the dynamic section. */
	char *runpath;
	char *needed[LIBRARIES_MAX];
	size_t needed_count;
	uint64_t init, fini;
	uint64_t arrays[3], array_sizes[3]; /* init, fini, preinit */
	bool text_relocations, bind_now;

	struct hook *hooks;
	size_t hook_count, hook_capacity;

	struct elf_section *sections;
	size_t section_count;
	bool has_symbols; /* it is not stripped */
	bool toolchain;   /* the symbols read now are of the compilers' start-up files */

	struct elf_versions versions;
	const struct library *found[LIBRARIES_MAX + 1];
	size_t found_count;
};

static void broken(struct subject *subject, const char *reason)
{
	findings_add(subject->findings, FINDING_BROKEN_FILE, NULL, 0, "%s", reason);
}

static int read_text(struct subject *subject, uint64_t value, size_t *left, char **ret_text)
{
	struct err err;

	if (elf_dynamic_text(subject->elf, value, left, ret_text, &err) == 0)
		return 0;
	return -1; /* said by runpath_check() */
}

static void read_dynamic(struct subject *subject)
{
	size_t left = TEXT_MAX;
	struct err err;

	for (size_t i = 0; i < subject->elf->dynamic_count; i++) {
		uint64_t tag, value;
		char *text;

		if (elf_dynamic(subject->elf, i, &tag, &value, &err) < 0)
			return;
		switch (tag) {
		case DT_NEEDED:
			if (subject->needed_count < LIBRARIES_MAX &&
			    read_text(subject, value, &left, &text) == 0)
				subject->needed[subject->needed_count++] = text;
			break;
		case DT_RPATH:
		case DT_RUNPATH:
			if (!subject->runpath && read_text(subject, value, &left, &text) == 0)
				subject->runpath = text;
			break;
		case DT_TEXTREL:
			subject->text_relocations = true;
			break;
		case DT_FLAGS:
			subject->text_relocations |= (value & DF_TEXTREL) != 0;
			subject->bind_now |= (value & DF_BIND_NOW) != 0;
			break;
		case DT_FLAGS_1:
			subject->bind_now |= (value & DF_1_NOW) != 0;
			break;
		case DT_BIND_NOW:
			subject->bind_now = true;
			break;
		case DT_INIT:
			subject->init = value;
			break;
		case DT_FINI:
			subject->fini = value;
			break;
		case DT_INIT_ARRAY:
			subject->arrays[0] = value;
			break;
		case DT_INIT_ARRAYSZ:
			subject->array_sizes[0] = value;
			break;
		case DT_FINI_ARRAY:
			subject->arrays[1] = value;
			break;
		case DT_FINI_ARRAYSZ:
			subject->array_sizes[1] = value;
			break;
		case DT_PREINIT_ARRAY:
			subject->arrays[2] = value;
			break;
		case DT_PREINIT_ARRAYSZ:
			subject->array_sizes[2] = value;
			break;
		default:
			break;
		}
	}
}

/* What the loader makes of its memory. */
static void judge_memory(struct subject *subject)
{
	const struct elf *elf = subject->elf;

	if (subject->text_relocations)
		findings_add(subject->findings, FINDING_TEXT_RELOCATIONS, NULL, 0,
			     "its code is relocated when it is opened");
	if (!elf->has_stack)
		findings_add(subject->findings, FINDING_EXECUTABLE_STACK, NULL, 0,
			     "it does not say that its stack need not be executable");
	else if (elf->stack_flags & PF_X)
		findings_add(subject->findings, FINDING_EXECUTABLE_STACK, NULL, 0,
			     "it asks for an executable stack");
	for (size_t i = 0; i < elf->segment_count; i++)
		if ((elf->segments[i].flags & (PF_W | PF_X)) == (PF_W | PF_X))
			findings_add(subject->findings, FINDING_WRITABLE_CODE, NULL, 0,
				     "segment %zu is writable and executable", i);
	if (!elf->relro_size)
		findings_add(subject->findings, FINDING_NO_RELRO, NULL, 0,
			     "nothing of it is made read-only after relocation");
	if (!subject->bind_now)
		findings_add(subject->findings, FINDING_LAZY_BINDING, NULL, 0,
			     "it does not ask for its functions when it is opened");
	if (!elf->build_id_length)
		findings_add(subject->findings, FINDING_NO_BUILD_ID, NULL, 0, "it has no build-id");
}

/* Constructors and destructors */

static void add_hook(struct subject *subject, uint64_t address, enum finding_kind kind)
{
	if (subject->hook_count == HOOKS_MAX)
		return;
	subject->hooks = xgrow(subject->hooks, subject->hook_count, &subject->hook_capacity,
			       sizeof(*subject->hooks));
	subject->hooks[subject->hook_count++] = (struct hook){.address = address, .kind = kind};
}

static void read_hooks(struct subject *subject)
{
	static const enum finding_kind kinds[] = {FINDING_CONSTRUCTOR, FINDING_DESTRUCTOR,
						  FINDING_CONSTRUCTOR};

	if (subject->init)
		add_hook(subject, subject->init, FINDING_CONSTRUCTOR);
	if (subject->fini)
		add_hook(subject, subject->fini, FINDING_DESTRUCTOR);
	for (size_t i = 0; i < 3; i++) {
		for (uint64_t k = 0; subject->arrays[i] && k < subject->array_sizes[i] / 8; k++) {
			enum elf_pointer kind;
			uint64_t target;
			struct err err;

			if (k == HOOKS_MAX)
				break;
			if (elf_pointer(subject->elf, subject->arrays[i] + k * 8, &kind, &target,
					&err) < 0) {
				broken(subject, err.text);
				break;
			}
			if (kind != ELF_POINTER_NULL)
				add_hook(subject, target, kinds[i]);
		}
	}
}

/* The functions of the start-up files that compilers link to every shared object. */
static bool is_startup(const char *name)
{
	static const char *const names[] = {
		"_init", "_fini", "frame_dummy", "__do_global_dtors_aux", "__do_init", "__do_fini"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void name_hooks(struct subject *subject, const struct elf_entry *entry)
{
	for (size_t i = 0; i < subject->hook_count; i++) {
		struct hook *hook = &subject->hooks[i];

		if (hook->address != entry->address || hook->named || hook->toolchain)
			continue;
		if (is_startup(entry->name)) {
			hook->toolchain = true;
			continue;
		}
		hook->named = true;
		findings_add(subject->findings, hook->kind, entry->name, entry->address,
			     hook->kind == FINDING_CONSTRUCTOR ? "%s() runs when it is opened"
							       : "%s() runs when it is closed",
			     entry->name);
	}
}

/*
 * Those without a symbol. In a stripped file the start-up files' own cannot be told by name: there
 * is one of each kind in an array, and one in _init() and _fini().
 */
static void judge_hooks(struct subject *subject)
{
	size_t unknown[2] = {0}, known[2] = {0};

	for (size_t i = 0; i < subject->hook_count; i++) {
		size_t which = subject->hooks[i].kind == FINDING_DESTRUCTOR;

		if (!subject->hooks[i].named && !subject->hooks[i].toolchain)
			unknown[which]++;
	}
	if (!subject->has_symbols) {
		known[0] = subject->init ? 2 : 0;
		known[1] = subject->fini ? 2 : 0;
	}
	for (size_t i = 0; i < 2; i++)
		if (unknown[i] > known[i])
			findings_add(subject->findings,
				     i ? FINDING_DESTRUCTOR : FINDING_CONSTRUCTOR, NULL, 0,
				     "%zu without a name", unknown[i] - known[i]);
}

/* Variables */

static bool in_relro(const struct elf *elf, uint64_t address)
{
	return address - elf->relro < elf->relro_size;
}

/* Whether a variable at that place can be changed while a cookbook runs. */
static bool is_writable(const struct elf *elf, uint64_t address)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct elf_segment *segment = &elf->segments[i];

		if (address - segment->address < segment->memory_size)
			return (segment->flags & PF_W) && !in_relro(elf, address);
	}
	return false;
}

/* What linkers and compilers put beside an author's variables. */
static bool is_foreign_variable(const struct subject *subject, const char *name)
{
	static const char *const stems[] = {"__asan_", "__odr_asan", "___asan_", "__ubsan_",
					    ".L",      "__llvm_",    "__profc_", "__profd_",
					    "__gcov",  "llvm_"};

	if (subject->toolchain || strcmp(name, "__dso_handle") == 0 ||
	    strcmp(name, "__TMC_END__") == 0 || strcmp(name, "_GLOBAL_OFFSET_TABLE_") == 0 ||
	    strcmp(name, "_DYNAMIC") == 0)
		return true;
	for (size_t i = 0; i < sizeof(stems) / sizeof(stems[0]); i++)
		if (strncmp(name, stems[i], strlen(stems[i])) == 0)
			return true;
	return false;
}

/* Constant tables with pointers, which are only written to by relocation. */
static bool is_constant(const struct subject *subject, const struct elf_entry *entry)
{
	static const char stem[] = ".data.rel.ro";

	return entry->section < subject->section_count &&
	       strncmp(subject->sections[entry->section].name, stem, sizeof(stem) - 1) == 0;
}

static void judge_variable(struct subject *subject, const struct elf_entry *entry)
{
	int length = (int)strcspn(entry->name, "."); /* `count.0` is a static one of a function */
	bool local = entry->type == STT_TLS;

	if ((entry->type != STT_OBJECT && !local) || entry->section == SHN_UNDEF ||
	    entry->section >= SHN_LORESERVE || entry->size == 0 || !length ||
	    is_foreign_variable(subject, entry->name) || is_constant(subject, entry) ||
	    (!local && !is_writable(subject->elf, entry->address)))
		return;
	findings_add(subject->findings, FINDING_WRITABLE_GLOBAL, entry->name,
		     local ? 0 : entry->address, "variable '%.*s' of %llu bytes", length,
		     entry->name, (unsigned long long)entry->size);
}

static bool take_symbol(void *data, const struct elf_entry *entry)
{
	struct subject *subject = data;

	if (entry->type == STT_FILE) { /* of the symbols that follow */
		subject->toolchain = strcmp(entry->name, "crtstuff.c") == 0 ||
				     strncmp(entry->name, "crti.", 5) == 0 ||
				     strncmp(entry->name, "crtn.", 5) == 0;
		return true;
	}
	if (entry->type == STT_FUNC || entry->type == STT_NOTYPE)
		name_hooks(subject, entry);
	judge_variable(subject, entry);
	return true;
}

static const struct elf_section *section_named(const struct subject *subject, const char *name)
{
	for (size_t i = 0; i < subject->section_count; i++)
		if (strcmp(subject->sections[i].name, name) == 0)
			return &subject->sections[i];
	return NULL;
}

static uint64_t size_of(const struct subject *subject, const char *name)
{
	const struct elf_section *section = section_named(subject, name);

	return section ? section->size : 0;
}

static void judge_sections(struct subject *subject)
{
	uint64_t variables;
	struct err err;

	if (elf_sections(subject->elf, &subject->sections, &subject->section_count, &err) < 0) {
		broken(subject, err.text);
		return;
	}
	for (size_t i = 0; i < subject->section_count; i++) {
		const struct elf_section *section = &subject->sections[i];

		if (section->type != SHT_SYMTAB)
			continue;
		subject->has_symbols = true;
		if (elf_section_symbols(subject->elf, subject->sections, subject->section_count,
					section, take_symbol, subject, &err) < 0)
			broken(subject, err.text);
		break;
	}
	variables = size_of(subject, ".data") + size_of(subject, ".bss") +
		    size_of(subject, ".tdata") + size_of(subject, ".tbss");
	if (!subject->has_symbols && variables > TOOLCHAIN_DATA)
		findings_add(subject->findings, FINDING_WRITABLE_GLOBAL, NULL, 0,
			     "%llu bytes of variables; their names are stripped",
			     (unsigned long long)variables);
	if (!section_named(subject, ".debug_info") && !section_named(subject, ".zdebug_info") &&
	    !section_named(subject, ".gnu_debuglink"))
		findings_add(subject->findings, FINDING_NO_DEBUG_INFO, NULL, 0,
			     "it has no debugging information, nor a link to it");
}

/* Libraries and symbols */

static void find_libraries(struct subject *subject)
{
	struct err err;

	for (size_t i = 0; i < subject->needed_count; i++) {
		const struct library *library = libraries_find(subject->libraries,
							       subject->needed[i], subject->path,
							       subject->runpath, &err);

		if (library)
			subject->found[subject->found_count++] = library;
		else
			findings_add(subject->findings, FINDING_MISSING_LIBRARY, subject->needed[i],
				     0, "'%.128s': %s", subject->needed[i], err.text);
	}
	/* A run has it loaded, and all that it needs, whoever is linked to it. */
	subject->found[subject->found_count] =
		libraries_find(subject->libraries, "libspicerack.so.1", NULL, NULL, &err);
	if (subject->found[subject->found_count])
		subject->found_count++;
}

static void judge_versions(struct subject *subject)
{
	for (size_t i = 0; i < subject->versions.count; i++) {
		const struct elf_version *version = &subject->versions.items[i];
		const struct library *library;
		const char *last;

		if (!version->file || version->weak)
			continue;
		library = libraries_find(subject->libraries, version->file, subject->path,
					 subject->runpath, NULL);
		if (!library || library_has_version(library, version->name))
			continue;
		last = library_last_version(library, version->name);
		findings_add(subject->findings, FINDING_MISSING_VERSION, version->name, 0,
			     "needs %s of %s, which has %s%s", version->name, version->file,
			     last ? "no more than " : "no version of that kind", last ? last : "");
	}
}

/* Whether the version was found missing as a whole. */
static bool has_missing_version(struct subject *subject, const char *version, const char *file)
{
	const struct library *library = file ? libraries_find(subject->libraries, file,
							      subject->path, subject->runpath, NULL)
					     : NULL;

	return file && (!library || !library_has_version(library, version));
}

/* `kind` may be NULL: none. */
static void add_need(struct subject *subject, const char *kind, const char *by, const char *what)
{
	struct pool *pool = subject->findings->pool;
	char *shown;

	if (!kind)
		return;
	shown = xasprintf("%s%s", by, what);
	driver_needs_add(&subject->needs, pool_text(pool, kind, strlen(kind)),
			 pool_text(pool, shown, strlen(shown)));
	free(shown);
}

/* What is opened when it is called, which no loader looks for. */
static void judge_drivers(struct subject *subject, struct driver_needs *all)
{
	struct driver_needs *needs = &subject->needs;

	for (size_t i = 0; i < subject->found_count; i++)
		library_add_needs(subject->libraries, subject->found[i], needs);
	for (size_t i = 0; i < needs->count; i++) {
		const struct driver_need *need = &needs->items[i];

		driver_needs_add(all, need->kind, need->by);
		if (subject->libraries && !driver_is_installed(need->kind))
			findings_add(subject->findings, FINDING_MISSING_DRIVER, NULL, 0,
				     "%s opens a driver of the kind '%s', and none is installed",
				     need->by, need->kind);
	}
	driver_needs_free(needs);
}

static void judge_import(struct subject *subject, const struct elf_entry *entry)
{
	enum finding_kind kind = directcall_kind(entry->name);
	const char *version, *file;

	add_need(subject, driver_need_of_call(entry->name), entry->name, "()");
	if (kind != FINDING_NONE)
		findings_add(subject->findings, kind, entry->name, 0, "calls %s()", entry->name);
	if (entry->binding == STB_WEAK || !subject->libraries)
		return;
	version = elf_version_of(subject->elf, &subject->versions, entry->index, &file);
	for (size_t i = 0; i < subject->found_count; i++)
		if (library_provides(subject->libraries, subject->found[i], entry->name, version))
			return;
	if (!has_missing_version(subject, version, file))
		findings_add(subject->findings, FINDING_UNDEFINED_SYMBOL, entry->name, 0,
			     "nothing provides '%s'%s%s", entry->name, *version ? " of " : "",
			     version);
}

static void judge_export(struct subject *subject, const struct elf_entry *entry)
{
	static const char *const usual[] = {"_init", "_fini", "_edata", "_end", "__bss_start"};
	static const char stem[] = "spk_cookbook";
	const char *rest = entry->name + sizeof(stem) - 1;

	if (entry->visibility != STV_DEFAULT && entry->visibility != STV_PROTECTED)
		return;
	if (strncmp(entry->name, stem, sizeof(stem) - 1) == 0 && (*rest == '\0' || *rest == '_'))
		return;
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strcmp(entry->name, usual[i]) == 0)
			return;
	if (strncmp(entry->name, "__odr_asan", 10) == 0)
		return;
	if (driver_need_of_symbol(entry->name)) {
		add_need(subject, driver_need_of_symbol(entry->name), "it", "");
		return;
	}
	findings_add(subject->findings, FINDING_EXPORTED_SYMBOL, entry->name, entry->address,
		     "others can see '%s'", entry->name);
}

static bool take_dynamic_symbol(void *data, const struct elf_entry *entry)
{
	struct subject *subject = data;

	if (entry->binding != STB_GLOBAL && entry->binding != STB_WEAK &&
	    entry->binding != STB_GNU_UNIQUE)
		return true;
	if (!*entry->name)
		return true;
	if (entry->type == STT_GNU_IFUNC)
		findings_add(subject->findings, FINDING_CONSTRUCTOR, entry->name, entry->address,
			     "%s() chooses its code when it is opened", entry->name);
	if (entry->section == SHN_UNDEF)
		judge_import(subject, entry);
	else if (entry->section != SHN_ABS)
		judge_export(subject, entry);
	return true;
}

static void judge_symbols(struct subject *subject)
{
	struct err err;

	if (elf_versions_read(subject->elf, &subject->versions, &err) < 0) {
		broken(subject, err.text);
	} else {
		if (subject->libraries) {
			find_libraries(subject);
			judge_versions(subject);
		}
		if (elf_dynamic_symbols(subject->elf, take_dynamic_symbol, subject, &err) < 0)
			broken(subject, err.text);
	}
	elf_versions_free(&subject->versions);
}

void binary_check(struct elf *elf, const char *path, struct libraries *libraries,
		  struct findings *findings, struct driver_needs *needs)
{
	struct subject subject = {
		.elf = elf, .path = path, .findings = findings, .libraries = libraries};

	read_dynamic(&subject);
	judge_memory(&subject);
	read_hooks(&subject);
	judge_sections(&subject);
	judge_hooks(&subject);
	judge_symbols(&subject);
	judge_drivers(&subject, needs);
	for (size_t i = 0; i < subject.needed_count; i++)
		free(subject.needed[i]);
	free(subject.runpath);
	free(subject.hooks);
	free(subject.sections);
}
