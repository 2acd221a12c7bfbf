// SPDX-License-Identifier: LGPL-2.1-or-later
// Random lies in the memory of a real guest: a few words of pages that the analysis reads are
// changed, then all of it runs. Nothing may crash, hang, or take more than its share of memory.
//
// VMISCAN_FUZZ_RUNS and VMISCAN_FUZZ_SEED choose how many and which; run i of seed S is run 0 of
// seed S + i. With VMISCAN_FUZZ_VERBOSE each run is told before it begins.
#include "tests/unit/patched_image.h"

#include "src/base/bytes.h"
#include "src/kernel/kernel.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

enum { WALKS = 250, FINDS = 80, FEW = 6, MANY = 100, PAGES_OF_TYPES = 16 };
#define LONGEST_NS 20000000000LL // even where a sanitizer looks on

static uint64_t random_state, page_offset;

static uint64_t random_number(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t below(uint64_t n)
{
	return random_number() % n;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static uint64_t word_at(uint64_t pa)
{
	uint8_t raw[8];

	return physmem_read(patched.img->mem, pa, raw, sizeof(raw)) ? le64(raw) : 0;
}

static uint64_t some_word(void)
{
	return patched.touched.at[below(patched.touched.n)] + below(PAGE_SIZE / 8) * 8;
}

// What a lie looks like: a word from elsewhere, a pointer to somewhere, a number at an edge.
static uint64_t some_lie(uint64_t pa)
{
	static const uint64_t edges[] = {
		0,	    1,		2,	    4096,      0x7fffffff, 0x80000000,
		0xffffffff, 1ULL << 60, 1ULL << 63, INT64_MAX, UINT64_MAX, 0xdead000000000122,
	};

	switch (below(6)) {
	case 0:
		return random_number();
	case 1:
		return edges[below(sizeof(edges) / sizeof(*edges))];
	case 2:
		return word_at(some_word());
	case 3:
		return page_offset + some_word();
	case 4:
		return word_at(pa) ^ 1ULL << below(64);
	default:
		return word_at(pa) + (below(33) - 16) * 8;
	}
}

// Words that mean something are more often changed than zeros.
static uint64_t some_place(void)
{
	uint64_t pa = some_word();

	for (int i = 0; i < 8 && word_at(pa) == 0; i++)
		pa = some_word();
	return pa;
}

static void tell_of_lies(void)
{
	const struct patch *p;

	if (!getenv("VMISCAN_FUZZ_VERBOSE"))
		return;
	vec_foreach (p, &patched.patches)
		if (p->absent || p->pa % 8 == 0)
			fprintf(stderr, " %llx%s", (unsigned long long)p->pa,
				p->absent ? " absent" : "");
}

// A few words, and sometimes very many. They are chosen before any of them is changed.
static void lie(void)
{
	uint64_t n = 1 + below(below(8) == 0 ? MANY : FEW), pa[MANY], v[MANY];

	patch_none();
	for (uint64_t i = 0; i < n; i++) {
		pa[i] = some_place();
		v[i] = some_lie(pa[i]);
	}
	for (uint64_t i = 0; i < n; i++)
		patch_pa(pa[i], &v[i], sizeof(v[i]));
	if (below(16) == 0)
		patch_absent(some_word());
	tell_of_lies();
}

static void check_time(const char *what, uint64_t seed)
{
	int64_t ns = patched.ns + patched.find_ns;

	cr_expect_lt(ns, LONGEST_NS, "%s of seed %llu took %lld ms", what, (unsigned long long)seed,
		     (long long)ns / 1000000);
}

// Tells of a run before it begins, and how long the one before took.
static void tell(const char *what, uint64_t seed)
{
	if (getenv("VMISCAN_FUZZ_VERBOSE"))
		fprintf(stderr, " (%lld + %lld ms)\n%s %llu:", (long long)patched.find_ns / 1000000,
			(long long)patched.ns / 1000000, what, (unsigned long long)seed);
	patched.ns = patched.find_ns = 0;
}

static void begin(void)
{
	if (!patched_open())
		cr_skip_test("neither VMISCAN_IMAGE nor VMISCAN_SAMPLE names an image");
	page_offset = patched.k->page_offset;
}

TestSuite(fuzz, .init = begin, .fini = patched_close);

// Pages that are read by what runs next become those in which lies can be.
static void record(void (*run)(void))
{
	patched.recording = true;
	run();
	patched.recording = false;
	patched.ns = patched.find_ns = 0;
}

static void run_all(const char *what, uint64_t runs, void (*run)(void))
{
	uint64_t seed = number_of("VMISCAN_FUZZ_SEED", 1);
	uint64_t end = seed + number_of("VMISCAN_FUZZ_RUNS", runs);

	for (; seed < end; seed++) {
		random_state = seed;
		tell(what, seed);
		patch_none();
		lie();
		run();
		check_time(what, seed);
	}
}

Test(fuzz, lies_in_what_is_walked)
{
	record(patched_walk);
	run_all("a walk", WALKS, patched_walk);
}

static void find_and_walk(void)
{
	if (!patched_find())
		patched_walk();
}

// A kernel's types fill thousands of pages; what else it is found by is in few.
static void forget_most_of_the_types(void)
{
	uint64_t start = patched.k->window_pa, end = start + patched.k->window_size;
	size_t kept = 0, types = 0;

	for (size_t i = 0; i < patched.touched.n; i++) {
		uint64_t pa = patched.touched.at[i];
		bool type = pa >= start && pa < end;
		types += type;
		if (!type || types % PAGES_OF_TYPES == 0)
			patched.touched.at[kept++] = pa;
	}
	patched.touched.n = kept;
}

Test(fuzz, lies_in_what_the_kernel_is_found_by)
{
	record(find_and_walk);
	forget_most_of_the_types();
	run_all("a search", FINDS, find_and_walk);
}
