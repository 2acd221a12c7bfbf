// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel that was found, and its command line taken apart as osquery does.
#include "src/walk/system.h"

#include <string.h>

enum { MAX_COMMAND_LINE = 16384 }; // COMMAND_LINE_SIZE is 2048; a boot config comes on top

// saved_command_line, which /proc/cmdline prints (fs/proc/cmdline.c).
static char *command_line(struct walk *w)
{
	uint64_t pointer = w->k->symbol[S(saved_command_line)], va;

	if (!pointer || !k_ptr(w->k, pointer, &va) || !va)
		return NULL;
	return k_string(w->k, &w->row, va, MAX_COMMAND_LINE);
}

static bool takes(const char *word, size_t n, const char *key, struct opt_text *value)
{
	size_t key_n = strlen(key);

	if (n < key_n || memcmp(word, key, key_n) != 0)
		return false;
	*value = some_bytes(word + key_n, n - key_n);
	return true;
}

// BOOT_IMAGE= and root= are columns of their own; all other words stay as they are.
static void fill_command_line(struct walk *w, struct row_kernel_info *row)
{
	const char *line = command_line(w);
	size_t out = 0;

	if (!line)
		return;
	char *rest = arena_alloc(&w->row, strlen(line) + 1);
	while (*line) {
		size_t n = strcspn(line, " ");
		size_t space = line[n] == ' ';
		if (!takes(line, n, "BOOT_IMAGE=", &row->path) &&
		    !takes(line, n, "root=", &row->device)) {
			memcpy(rest + out, line, n + space);
			out += n + space;
		}
		line += n + space;
	}
	if (out > 0 && rest[out - 1] == ' ')
		out--;
	row->arguments = some_bytes(rest, out);
}

static void run(struct walk *w)
{
	const struct kernel *k = w->k;
	uint64_t text = k->symbol[S(_text)];
	struct row_kernel_info row = {
		.version = some_text(k->release),
		.build_id = some_text(k->build_id),
		.kernel_addr = col_ptr(text),
		.page_levels = some_int(k->as.paging.levels),
		.banner = some_text(k->banner),
	};
	if (k->knows_kaslr)
		row.kaslr_offset = some_addr(k->kaslr_offset);
	if (text)
		row.kernel_pa = some_addr(k_image_pa(k, text));
	if (k->arch == ARCH_X86_64)
		row.phys_base = some_addr(KERNEL_IMAGE_BASE - k->image_offset);
	fill_command_line(w, &row);
	WALK_EMIT(w, kernel_info, &row);
}

const struct extractor walk_kernel = {
	.name = "kernel",
	.tables = {TABLE_kernel_info},
	.n_tables = 1,
	.run = run,
};
