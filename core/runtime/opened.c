/* SPDX-License-Identifier: Apache-2.0 */
#include "opened.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int compare_file(const struct run_order *order, struct err *err)
{
	struct stat st;

	if (stat(order->file, &st) < 0)
		return err_errno(err, "%s", order->file);
	if (st.st_dev != order->device || st.st_ino != order->inode ||
	    (uint64_t)st.st_size != order->size ||
	    st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec != order->mtime_ns)
		return err_set(err,
			       "%s: the file was replaced while it was being opened; try again",
			       order->file);
	return 0;
}

struct loaded {
	uintptr_t base;
	char build_id[129]; /* in hexadecimal; "": none */
	bool found;
};

static void note_build_id(struct loaded *loaded, const char *note, size_t left)
{
	while (left >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *head = (const void *)note;
		size_t name = (head->n_namesz + 3U) & ~3U;
		size_t description = (head->n_descsz + 3U) & ~3U;
		const unsigned char *bytes;

		if (name + description > left - sizeof(*head))
			return;
		bytes = (const unsigned char *)note + sizeof(*head) + name;
		if (head->n_type == NT_GNU_BUILD_ID && head->n_namesz == 4 &&
		    memcmp(note + sizeof(*head), "GNU", 4) == 0 && head->n_descsz <= 64) {
			for (size_t i = 0; i < head->n_descsz; i++)
				snprintf(loaded->build_id + 2 * i, 3, "%02x", bytes[i]);
			return;
		}
		note += sizeof(*head) + name + description;
		left -= sizeof(*head) + name + description;
	}
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *data)
{
	struct loaded *loaded = data;

	if (info->dlpi_addr != loaded->base)
		return 0;
	loaded->found = true;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_NOTE && !loaded->build_id[0])
			note_build_id(loaded,
				      (const char *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr,
				      info->dlpi_phdr[i].p_memsz);
	return 1;
}

/* The descriptor as far as both sides know it; the supervisor has judged its size and tail. */
static void adopt(struct spk_cookbook *ours, const struct spk_cookbook *theirs)
{
	size_t size = theirs->size < sizeof(*ours) ? theirs->size : sizeof(*ours);

	memset(ours, 0, sizeof(*ours));
	memcpy(ours, theirs, size);
}

int cookbook_open(struct spk *spk, struct err *err)
{
	const struct run_order *order = &spk->order;
	const struct spk_cookbook *descriptor;
	struct loaded loaded = {0};
	struct link_map *map;
	void *handle;

	if (compare_file(order, err) < 0)
		return -1;
	handle = dlopen(order->file, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(err, "cannot load %s", dlerror());
	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) < 0)
		return err_set(err, "%s: %s", order->file, dlerror());
	loaded.base = map->l_addr;
	dl_iterate_phdr(look_at_object, &loaded);
	descriptor = dlsym(handle, order->symbol);
	if (compare_file(order, err) < 0)
		return -1;
	if (!loaded.found || strcmp(loaded.build_id, order->build_id ? order->build_id : "") != 0 ||
	    (uintptr_t)descriptor != loaded.base + order->address || descriptor->abi != SPK_ABI ||
	    descriptor->state_size != order->state_size)
		return err_set(err, "%s: the file that was loaded is not the one that was read",
			       order->file);
	spk->base = loaded.base;
	adopt(&spk->cookbook, descriptor);
	return 0;
}
