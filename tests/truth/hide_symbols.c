// SPDX-License-Identifier: LGPL-2.1-or-later
// Makes a raw image of one whose kernel has KALLSYMS_ALL look like that of a kernel without:
// changes the names of all data symbols in its kallsyms ("data"), or wipes the tables ("all").
//
// usage: hide_symbols data|all IMAGE     (IMAGE is changed; bytes lie at their physical addresses)
#include "formats/fmt.h"
#include "src/base/mem.h"
#include "src/kernel/kernel.h"
#include "symbols/kallsyms_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TABLES_END = 64 }; // behind token_index

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "hide_symbols: %s%s%s\n", what, e ? ": " : "", e ? e->msg : "");
	exit(1);
}

// A token of one letter: names made of it alone are nobody's.
static uint8_t dull_token(const struct kallsyms *ks)
{
	for (unsigned i = 0; i < KALLSYMS_TOKENS; i++)
		if (ks->token[i].len == 1 && ks->token[i].text[0] == 'q')
			return (uint8_t)i;
	die("kallsyms has no token of one letter", NULL);
	return 0;
}

struct ranges {
	struct symbol_want at[4];
};

static struct ranges code_ranges(const struct kallsyms *ks)
{
	struct ranges r = {{{.name = "_stext"},
			    {.name = "_etext"},
			    {.name = "_sinittext"},
			    {.name = "_einittext"}}};

	kallsyms_resolve(ks, r.at, 4);
	if (!r.at[0].found || !r.at[1].found)
		die("kallsyms has no _stext and _etext", NULL);
	return r;
}

// scripts/kallsyms.c without --all-symbols takes only what lies in these ranges.
static bool is_code(const struct ranges *r, uint64_t va)
{
	return (va >= r->at[0].va && va <= r->at[1].va) ||
	       (r->at[2].found && va >= r->at[2].va && va <= r->at[3].va);
}

static size_t rename_data(struct kallsyms *ks, uint8_t *window)
{
	const uint8_t *p = ks->window + ks->layout.names, *end = ks->window + ks->layout.names_end;
	struct ranges code = code_ranges(ks);
	uint8_t dull = dull_token(ks);
	struct kallsyms_entry e;
	size_t n = 0;

	for (uint32_t i = 0; i < ks->count && kallsyms_step(&p, end, ks->layout.long_lengths, &e);
	     i++) {
		if (is_code(&code, kallsyms_address(ks, i)))
			continue;
		memset(window + (e.tokens - ks->window), dull, e.n);
		n++;
	}
	return n;
}

static size_t hide(struct kernel *k, const char *what, uint8_t *window)
{
	const struct kallsyms_layout *l = kallsyms_layout(k->kallsyms);

	if (strcmp(what, "data") == 0)
		return rename_data(k->kallsyms, window);
	memset(window + l->names, 0, l->names_end - l->names);
	memset(window + l->token_table, 0, l->token_index + TABLES_END - l->token_table);
	return kallsyms_count(k->kallsyms);
}

static void write_back(const char *path, const void *bytes, size_t n, uint64_t pa)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, bytes, n, (off_t)pa) != (ssize_t)n || close(fd) != 0)
		die(path, NULL);
}

int main(int argc, char **argv)
{
	struct image *img;
	struct kernel *k = NULL;

	if (argc != 3 || (strcmp(argv[1], "data") != 0 && strcmp(argv[1], "all") != 0))
		die("usage: hide_symbols data|all IMAGE", NULL);
	struct err *e = image_open(argv[2], NULL, &img);
	if (!e)
		e = kernel_find(img->mem, &(struct find_options){.effort = FIND_QUICK}, &k);
	if (e)
		die(argv[2], e);
	if (!k->kallsyms)
		die("the kernel has no kallsyms", NULL);
	uint8_t *copy = mem_alloc(k->btf_off);
	memcpy(copy, k->window, k->btf_off);
	size_t n = hide(k, argv[1], copy);
	write_back(argv[2], copy, k->btf_off, k->window_pa);
	printf("%zu symbols hidden\n", n);
	mem_free(copy);
	kernel_free(k);
	image_close(img);
	return 0;
}
