// SPDX-License-Identifier: LGPL-2.1-or-later
// A fuzz target without a fuzzer: runs it over files, and over the files of folders, each also cut
// and with bytes changed, so that the corpus is a test of every build.
#include "tests/fuzz/reader.h"

#include "src/base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { CHANGES = 200, CUTS = 200 };

static unsigned n_runs;

static void run(const uint8_t *data, size_t n)
{
	uint8_t *copy = memcpy(mem_alloc(n ? n : 1), data, n); // exact, for AddressSanitizer

	(void)LLVMFuzzerTestOneInput(copy, n);
	mem_free(copy);
	n_runs++;
}

static void run_changed(uint8_t *data, size_t n)
{
	uint64_t x = n;

	for (size_t i = 0; i < CUTS; i++)
		run(data, n * i / CUTS);
	for (int i = 0; i < CHANGES && n > 0; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		size_t at = (size_t)((x >> 33) % (i % 2 ? n : n < 1024 ? n : 1024));
		uint8_t was = data[at];
		data[at] = (uint8_t)(x >> 25);
		run(data, n);
		data[at] = was;
	}
}

static int run_file(const char *path, size_t n)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = mem_alloc(n ? n : 1);
	size_t got = f ? fread(data, 1, n, f) : 0;

	if (f)
		(void)fclose(f);
	if (got == n) {
		run(data, n);
		run_changed(data, n);
	}
	mem_free(data);
	return got == n ? 0 : 1;
}

static int run_path(const char *path);

static int run_folder(const char *path)
{
	DIR *d = opendir(path);
	int status = d ? 0 : 1;

	for (const struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		char *inside = mem_printf("%s/%s", path, e->d_name);
		status |= run_path(inside);
		mem_free(inside);
	}
	if (d)
		(void)closedir(d);
	return status;
}

static int run_path(const char *path) // NOLINT(misc-no-recursion): folders have no cycles
{
	struct stat st;

	if (stat(path, &st) != 0)
		return 1;
	return S_ISDIR(st.st_mode) ? run_folder(path) : run_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++)
		status |= run_path(argv[i]);
	(void)printf("%u inputs\n", n_runs);
	return status || n_runs == 0;
}
