// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds linux_banner in physical memory, and the kernel's type information behind it.
#include "src/kernel/locate.h"

#include "symbols/btf.h"

#include <ctype.h>
#include <string.h>

static const char MAGIC[] = "Linux version ";

enum {
	ANCHOR_LOOK = 1024,	   // bytes at the start of each step
	SCAN_CHUNK = 1 << 20,	   // of the full scan
	WINDOW_STEP = 4 << 20,	   // .rodata is read in pieces of this size
	WINDOW_FIRST = 16 << 20,   // as much as holds kallsyms and notes of kernels without BTF
	WINDOW_LARGEST = 96 << 20, // .rodata of the largest kernels has some 30 MiB, BTF included
	BTF_SMALLEST = 256 << 10,  // smaller ones belong to BPF programs inside the kernel
	MAX_TRIES = 256,	   // of opening what looks like a BTF, all anchors together
};

// .rodata as far as it was read.
struct window {
	uint64_t pa;
	size_t size, btf_off;
	uint8_t *bytes;
};

// "Linux version 6.1.0 (builder) (compiler) #1 ...", with a newline and a NUL at its end, which its
// copies in logs and files do not have.
static bool is_banner(const char *text, size_t n, const char **end)
{
	size_t start = sizeof(MAGIC) - 1;

	*end = memchr(text, '\n', n < BANNER_MAX ? n : BANNER_MAX);
	if (!*end || *end + 1 >= text + n || (*end)[1] != '\0')
		return false;
	size_t len = (size_t)(*end - text);
	return len > start && isdigit((unsigned char)text[start]) && memchr(text, '(', len) &&
	       memchr(text, '#', len);
}

// One anchor a page will do: all that follows from it begins at its page.
static bool take_anchor(anchor_vec *out, uint64_t pa, const char *text, size_t n)
{
	const char *end;

	if (out->n >= MAX_ANCHORS || !is_banner(text, n, &end))
		return false;
	if (out->n && out->at[out->n - 1].pa / PAGE_SIZE == pa / PAGE_SIZE)
		return false;
	struct anchor *a = vec_add(out);
	size_t len = (size_t)(end - text);
	*a = (struct anchor){.pa = pa};
	memcpy(a->text, text, len < BANNER_MAX ? len : BANNER_MAX - 1);
	return true;
}

static void look_in(anchor_vec *out, uint64_t pa, const char *buf, size_t n)
{
	const char *at = buf;

	while ((at = memmem(at, n - (size_t)(at - buf), MAGIC, sizeof(MAGIC) - 1))) {
		(void)take_anchor(out, pa + (uint64_t)(at - buf), at, n - (size_t)(at - buf));
		at += sizeof(MAGIC) - 1;
	}
}

void anchors_cheap(struct physmem *mem, uint64_t step, anchor_vec *out)
{
	size_t n_runs;
	const struct mem_run *runs = physmem_runs(mem, &n_runs);
	char buf[ANCHOR_LOOK];

	for (size_t i = 0; i < n_runs; i++) {
		uint64_t end = runs[i].pa + runs[i].size;
		uint64_t pa = (runs[i].pa + step - 1) & ~(step - 1);
		for (; runs[i].state == MEM_PRESENT && pa < end && pa + step > pa; pa += step)
			look_in(out, pa, buf, physmem_read_bulk(mem, pa, buf, sizeof(buf)));
	}
}

void anchors_everywhere(struct physmem *mem, anchor_vec *out)
{
	size_t n_runs;
	const struct mem_run *runs = physmem_runs(mem, &n_runs);
	char *buf = mem_alloc(SCAN_CHUNK + BANNER_MAX);

	for (size_t i = 0; i < n_runs; i++)
		for (uint64_t off = 0; runs[i].state == MEM_PRESENT && off < runs[i].size;
		     off += SCAN_CHUNK) {
			uint64_t left = runs[i].size - off;
			size_t n = left < SCAN_CHUNK + BANNER_MAX ? (size_t)left
								  : SCAN_CHUNK + BANNER_MAX;
			n = physmem_read_bulk(mem, runs[i].pa + off, buf, n);
			look_in(out, runs[i].pa + off, buf, n);
		}
	mem_free(buf);
}

static bool is_kernel_btf(const struct btf *btf)
{
	return btf_find(btf, "task_struct") != 0 && btf_find(btf, "mm_struct") != 0;
}

// Reads up to `size` bytes of the window; false when memory ends before. Pages that a dump left out
// (makedumpfile: those of zeros, of freed code) do not end the kernel's image, and read as zeros.
static bool window_grow(struct kernel *k, struct window *w, size_t size)
{
	uint64_t end = physmem_end(k->mem), at = w->pa + w->size;

	if (size <= w->size)
		return true;
	size_t n = size - w->size;
	if (n > end - at)
		n = (size_t)(end - at);
	w->bytes = mem_grow(w->bytes, w->size + n, 1);
	(void)physmem_read_bulk(k->mem, at, w->bytes + w->size, n);
	w->size += n;
	k->window = w->bytes;
	return w->size == size;
}

// The next place from *off on that looks like a large BTF.
static bool find_btf(const struct window *w, size_t *off, size_t *btf_size)
{
	while (*off + BTF_HEAD <= w->size) {
		// memchr for the magic's rare first byte is many times faster than memmem for all
		// four
		const uint8_t *p = memchr(w->bytes + *off, 0x9f, w->size - BTF_HEAD + 1 - *off);
		if (!p)
			break;
		*off = (size_t)(p - w->bytes);
		*btf_size = btf_looks_like(p, w->size - *off);
		if (*btf_size >= BTF_SMALLEST)
			return true;
		*off += 1;
	}
	*off = w->size > BTF_HEAD ? w->size - BTF_HEAD : 0;
	return false;
}

// Opens the BTF at off if it is the kernel's.
static bool try_btf(struct kernel *k, struct window *w, size_t off, size_t btf_size)
{
	struct btf *btf;

	if (!window_grow(k, w, off + btf_size) || btf_open(w->bytes + off, btf_size, NULL, &btf))
		return false;
	if (!is_kernel_btf(btf)) {
		btf_close(btf);
		return false;
	}
	k->image_btf = btf;
	w->btf_off = off;
	return true;
}

static void search_window(struct kernel *k, struct window *w, unsigned *tries)
{
	size_t off = 0, btf_size;
	bool more = true;

	while (!k->image_btf && more && w->size < WINDOW_LARGEST) {
		more = window_grow(k, w, w->size + WINDOW_STEP);
		while (!k->image_btf && *tries < MAX_TRIES && find_btf(w, &off, &btf_size)) {
			++*tries;
			if (!try_btf(k, w, off, btf_size))
				off++;
		}
	}
}

// Whether nothing between two physical addresses looks like a kernel's BTF.
static bool is_barren(struct physmem *mem, uint64_t from, uint64_t to)
{
	struct window w = {.bytes = mem_alloc(SCAN_CHUNK + BTF_HEAD)};
	bool found = false;

	for (; from < to && !found; from += SCAN_CHUNK) {
		size_t off = 0, btf_size;
		w.size = physmem_read_bulk(mem, from, w.bytes, SCAN_CHUNK + BTF_HEAD);
		found = find_btf(&w, &off, &btf_size);
	}
	mem_free(w.bytes);
	return !found;
}

// True if an earlier anchor's search, or a look at what it left over, shows that there is nothing.
static bool known_barren(struct kernel *k, uint64_t pa, struct type_search *s)
{
	if (pa < s->barren_from || pa >= s->barren_to)
		return false;
	if (!is_barren(k->mem, s->barren_to, pa + WINDOW_LARGEST))
		return false;
	s->barren_to = pa + WINDOW_LARGEST;
	return true;
}

void window_need(struct kernel *k)
{
	struct window w = {.pa = k->window_pa, .size = k->window_size, .bytes = k->window};

	if (w.size < WINDOW_FIRST)
		(void)window_grow(k, &w, WINDOW_FIRST);
	k->window_size = w.size;
}

struct err *window_open(struct kernel *k, const struct anchor *a, struct type_search *s)
{
	struct window w = {.pa = a->pa & ~(uint64_t)(PAGE_SIZE - 1)};

	if (!known_barren(k, w.pa, s))
		search_window(k, &w, &s->tries);
	k->window_pa = w.pa;
	k->window_size = w.size;
	k->btf_off = w.btf_off;
	if (!k->image_btf && w.size) {
		s->barren_from = w.pa;
		s->barren_to = w.pa + WINDOW_LARGEST;
	}
	if (!k->image_btf && s->tries >= MAX_TRIES)
		return err_new(ERR_NO_KERNEL,
			       "\"%s\" at 0x%llx: more than %d pieces of memory pretend to be its "
			       "type information",
			       a->text, (unsigned long long)a->pa, MAX_TRIES);
	if (!k->image_btf)
		return err_new(ERR_NO_KERNEL,
			       "\"%s\" at 0x%llx: no BTF type information behind it (a kernel "
			       "built without CONFIG_DEBUG_INFO_BTF, or a copy of its text)",
			       a->text, (unsigned long long)a->pa);
	return NULL;
}
