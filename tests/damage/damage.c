// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens images that are cut or changed, through the front door, and judges each opening: an error
// of a kind that ends in exit status 3, or an image that can be read; in five seconds, half a
// gigabyte, and less than 128 MiB of it asked for by us. What a sanitizer has to say comes on top.
//
// usage: damage [--changes N] [--numbers N] [--cuts N] [--seed N] [--verbose] FILE...
//
// Changes are of one byte of the metadata: what is read to open the image and is no page of memory.
// Numbers are 2^32, 2^60 and 2^64 - 1, in both byte orders, at every place of the metadata where a
// count or a size may be. Cuts are at every byte of a small file, of a large one at the ends of
// each piece of metadata, one byte to either side, and at every 4 KiB of the first MiB. More
// numbers or cuts than are asked for are thinned out.
#include "tests/damage/marks.h"

#include "formats/fmt.h"
#include "src/base/mem.h"
#include "src/base/vec.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	MIB = 1 << 20,
	STEP = 4096,
	SMALL = 64 << 10, // bytes of a file that is cut at every one
	RUNS_READ = 64,
	SECONDS_MAX = 5,
	MEMORY_MAX = 512,     // MiB
	OURS_MAX = 128 << 20, // notes, devices and XML may take 64 MiB each
};

static struct {
	uint64_t changes, numbers, cuts, seed;
	bool verbose;
} options = {10000, UINT64_MAX, UINT64_MAX, 1, false};

struct work {
	const char *name; // of the file
	int fd;		  // of its copy
	char path[32];
	uint64_t size;
	VEC(uint64_t) metadata, ends; // where it is, and where pieces of it end
	const char *format;
	uint64_t n, whole, damaged, refused, wrong;
	double slowest;
};

static double cpu_seconds(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// --- The copy ---

static bool copy_file(struct work *w)
{
	static uint8_t buf[MIB];
	int from = open(w->name, O_RDONLY | O_CLOEXEC);
	ssize_t n = from < 0 ? -1 : 1;

	for (w->size = 0; n > 0; w->size += (uint64_t)n) {
		n = read(from, buf, sizeof(buf));
		if (n > 0 && pwrite(w->fd, buf, (size_t)n, (off_t)w->size) != n)
			n = -1;
		if (n <= 0)
			break;
	}
	if (from >= 0)
		(void)close(from);
	return n == 0 && w->size > 0;
}

static void get(const struct work *w, uint64_t at, void *bytes, size_t n)
{
	if (pread(w->fd, bytes, n, (off_t)at) != (ssize_t)n)
		abort();
}

static void put(const struct work *w, uint64_t at, const void *bytes, size_t n)
{
	if (pwrite(w->fd, bytes, n, (off_t)at) != (ssize_t)n)
		abort();
}

// --- One opening ---

// Where page tables would lead: the ends of runs.
static void look_around(struct image *img)
{
	uint8_t page[STEP];
	size_t n;
	const struct mem_run *r = physmem_runs(img->mem, &n);

	for (size_t i = 0; i < n && i < RUNS_READ; i++) {
		(void)physmem_read(img->mem, r[i].pa, page, 1);
		(void)physmem_read(img->mem, r[i].pa + r[i].size - 1, page, 1);
		(void)physmem_read_bulk(img->mem, r[i].pa, page, sizeof(page));
	}
}

static bool may_be(enum err_code code)
{
	return code == ERR_IO || code == ERR_FORMAT || code == ERR_UNSUPPORTED || code == ERR_LIMIT;
}

static void complain(struct work *w, const char *what, uint64_t at, const char *why)
{
	w->wrong++;
	(void)printf("%s: %s %llu: %s\n", w->name, what, (unsigned long long)at, why);
}

static void try_it(struct work *w, const char *what, uint64_t at)
{
	double start = cpu_seconds();
	struct image *img;

	if (options.verbose)
		(void)fprintf(stderr, "%s: %s %llu\n", w->name, what, (unsigned long long)at);
	struct err *e = image_open(w->path, NULL, &img);
	if (e && !may_be(e->code))
		complain(w, what, at, e->msg);
	if (e) {
		w->refused++;
	} else {
		*(img->truncated ? &w->damaged : &w->whole) += 1;
		look_around(img);
		image_close(img);
	}
	double took = cpu_seconds() - start;
	if (took > w->slowest)
		w->slowest = took;
	if (took > SECONDS_MAX)
		complain(w, what, at, "too slow");
	w->n++;
}

// --- Many ---

static int descending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

static void cut_all(struct work *w)
{
	VEC(uint64_t) cuts = {0};
	uint64_t small = w->size < SMALL ? w->size : 0;

	for (uint64_t n = 1; n < small; n++)
		vec_push(&cuts, n);
	for (uint64_t n = STEP; n < w->size && n <= MIB && !small; n += STEP)
		vec_push(&cuts, n);
	for (size_t i = 0; i < w->ends.n && !small; i++)
		for (uint64_t k = 0; k < 3; k++)
			vec_push(&cuts, w->ends.at[i] + k - 1);
	if (cuts.n)
		qsort(cuts.at, cuts.n, sizeof(*cuts.at), descending);
	uint64_t thin = cuts.n / options.cuts + (cuts.n % options.cuts != 0);
	for (size_t i = 0; i < cuts.n; i += thin)
		if (cuts.at[i] > 0 && cuts.at[i] < w->size &&
		    ftruncate(w->fd, (off_t)cuts.at[i]) == 0)
			try_it(w, "cut at", cuts.at[i]);
	vec_fini(&cuts);
}

static void change_all(struct work *w)
{
	uint64_t x = options.seed;

	for (uint64_t i = 0; i < options.changes; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		uint64_t at = w->metadata.at[(x >> 20) % w->metadata.n];
		uint8_t was, now = (uint8_t)(x >> 12);
		get(w, at, &was, 1);
		now = now == was ? (uint8_t)~was : now;
		put(w, at, &now, 1);
		try_it(w, "change at", at);
		put(w, at, &was, 1);
	}
}

static void try_numbers(struct work *w, uint64_t at)
{
	static const uint64_t numbers[] = {UINT64_C(1) << 32, UINT64_C(1) << 60, UINT64_MAX};
	uint8_t was[8];

	get(w, at, was, sizeof(was));
	for (size_t i = 0; i < 6; i++) {
		uint64_t n = i % 2 ? __builtin_bswap64(numbers[i / 2]) : numbers[i / 2];
		put(w, at, &n, sizeof(n));
		try_it(w, i % 2 ? "big-endian number at" : "number at", at);
	}
	put(w, at, was, sizeof(was));
}

static void put_numbers(struct work *w)
{
	uint64_t places = w->metadata.n, most = options.numbers / 6 + 1;
	uint64_t step = places / most + 1;

	for (size_t i = 0; options.numbers && i < places; i += step)
		if (w->size - w->metadata.at[i] >= 8)
			try_numbers(w, w->metadata.at[i]);
}

// --- What is metadata ---

static void read_all_pages(struct image *img)
{
	static uint8_t buf[MIB];
	size_t n;
	const struct mem_run *r = physmem_runs(img->mem, &n);

	for (size_t i = 0; i < n; i++)
		for (uint64_t at = 0; at < r[i].size; at += sizeof(buf))
			(void)physmem_read_bulk(img->mem, r[i].pa + at, buf,
						r[i].size - at < sizeof(buf)
							? (size_t)(r[i].size - at)
							: sizeof(buf));
}

static bool find_metadata(struct work *w)
{
	struct image *img;

	marks_begin(w->fd, w->size);
	marks_as(MARK_OPENING);
	struct err *e = image_open(w->path, NULL, &img);
	if (e) {
		(void)printf("%s: no sample: %s\n", w->name, e->msg);
		marks_end();
		return false;
	}
	w->format = img->fmt->name;
	marks_as(MARK_PAGES);
	read_all_pages(img);
	image_close(img);
	for (int only = 1; only >= 0 && w->metadata.n == 0; only--)
		for (uint64_t i = 0; i < w->size; i++)
			if (marks_has(i, MARK_OPENING) && !(only && marks_has(i, MARK_PAGES)))
				vec_push(&w->metadata, i);
	for (size_t i = 0; i < w->metadata.n; i++)
		if (i + 1 == w->metadata.n || w->metadata.at[i] + 1 < w->metadata.at[i + 1])
			vec_push(&w->ends, w->metadata.at[i] + 1);
	marks_end();
	return w->metadata.n > 0;
}

// --- A file ---

static unsigned long peak_mib(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && kib == 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtoul(line + 6, NULL, 10);
	if (f)
		(void)fclose(f);
	return kib >> 10;
}

// The peak starts from what is in use now.
static void forget_peak(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "5", 1) == 1)
		(void)fflush(stdout);
	if (fd >= 0)
		(void)close(fd);
}

static void tell(struct work *w)
{
	typedef unsigned long long ull;
	unsigned long peak = peak_mib();

	if (peak > MEMORY_MAX)
		complain(w, "peak of MiB", peak, "too much memory");
	(void)printf("%s|%s|%llu|%zu|%llu|%llu|%llu|%.0f|%lu|%llu\n", w->name, w->format, (ull)w->n,
		     w->metadata.n, (ull)w->whole, (ull)w->damaged, (ull)w->refused,
		     w->slowest * 1000, peak, (ull)w->wrong);
	(void)fflush(stdout);
}

static bool do_file(const char *name)
{
	struct work w = {.name = name, .fd = memfd_create("image", MFD_CLOEXEC)};

	(void)snprintf(w.path, sizeof(w.path), "/proc/self/fd/%d", w.fd);
	mem_set_limit(SIZE_MAX);
	bool ok = w.fd >= 0 && copy_file(&w);
	if (!ok)
		(void)printf("%s: can't be read\n", name);
	else if (find_metadata(&w)) {
		mem_set_limit(mem_in_use() + OURS_MAX);
		forget_peak();
		change_all(&w);
		put_numbers(&w);
		cut_all(&w);
		tell(&w);
	}
	vec_fini(&w.metadata);
	vec_fini(&w.ends);
	if (w.fd >= 0)
		(void)close(w.fd);
	return ok && w.wrong == 0;
}

static const char *current;

static void too_much(size_t asked)
{
	(void)printf("%s: %zu bytes are asked for, past %d; --verbose says after what\n", current,
		     asked, OURS_MAX);
	(void)fflush(stdout);
	_Exit(1);
}

static bool number(const char *option, int argc, char **argv, int *i, uint64_t *out)
{
	if (strcmp(argv[*i], option) != 0 || *i + 1 >= argc)
		return false;
	*out = strtoull(argv[++*i], NULL, 10);
	return true;
}

int main(int argc, char **argv)
{
	bool ok = argc > 1;

	mem_on_exhausted(too_much);
	for (int i = 1; i < argc; i++) {
		if (number("--changes", argc, argv, &i, &options.changes) ||
		    number("--numbers", argc, argv, &i, &options.numbers) ||
		    number("--cuts", argc, argv, &i, &options.cuts) ||
		    number("--seed", argc, argv, &i, &options.seed))
			continue;
		if (strcmp(argv[i], "--verbose") == 0)
			options.verbose = true;
		else
			ok = do_file(current = argv[i]) && ok;
	}
	return ok ? 0 : 1;
}
