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
#include <string.h>

enum { WALKS = 200, FIELDS = 200, FINDS = 60, FEW = 6, MANY = 100, PAGES_OF_TYPES = 16 };
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
	patched_begin();
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

static void run_all(const char *what, uint64_t runs, void (*tell_lies)(void), void (*run)(void))
{
	uint64_t seed = number_of("VMISCAN_FUZZ_SEED", 1);
	uint64_t end = seed + number_of("VMISCAN_FUZZ_RUNS", runs);

	for (; seed < end; seed++) {
		random_state = seed;
		tell(what, seed);
		patch_none();
		tell_lies();
		run();
		check_time(what, seed);
	}
}

Test(fuzz, lies_in_what_is_walked)
{
	record(patched_walk);
	run_all("a walk", WALKS, lie, patched_walk);
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
	run_all("a search", FINDS, lie, find_and_walk);
}

// --- fields ---

// Structures of the guest, by what leads to them.
struct object {
	const char *type;
	uint64_t va;
};
static VEC(struct object) objects;

static void add(const char *type, uint64_t va)
{
	if (k_plausible(patched.k, va))
		vec_push(&objects, ((struct object){type, va}));
}

static void add_memory(uint64_t mm)
{
	uint64_t root = READ(FIELD_VA(mm, mm_struct, mm_mt), maple_tree, ma_root);

	add("mm_struct", mm);
	if ((root & 3) == 2) {
		add("maple_range_64", root & ~0xffULL);
		add("maple_arange_64", root & ~0xffULL);
	}
}

static void add_tasks(void)
{
	const struct task *t;

	vec_foreach (t, &patched.w.tasks->all) {
		add("task_struct", t->addr);
		add("signal_struct", t->signal);
		add("cred", t->cred);
		add("nsproxy", t->nsproxy);
		add("fs_struct", t->fs);
		add("files_struct", t->files);
		add("fdtable", READ(t->files, files_struct, fdt));
		add("pid", READ(t->addr, task_struct, thread_pid));
		if (t->mm)
			add_memory(t->mm);
	}
}

static void add_file(uint64_t file)
{
	uint64_t path = FIELD_VA(file, file, f_path), dentry = READ(path, path, dentry);
	uint64_t mnt = READ(path, path, mnt);

	add("file", file);
	add("path", path);
	add("vfsmount", mnt);
	add("mount", k_container(patched.k, mnt, F(mount, mnt)));
	add("inode", READ(file, file, f_inode));
	add("super_block", READ(dentry, dentry, d_sb));
	add("qstr", FIELD_VA(dentry, dentry, d_name));
	add("dentry", dentry);
}

static void add_socket(uint64_t sk)
{
	static const char *const types[] = {"sock_common", "sock",     "inet_sock",
					    "unix_sock",   "tcp_sock", "netlink_sock"};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		add(types[i], sk);
	add("net", READ(sk, sock_common, skc_net));
	add("unix_address", READ(sk, unix_sock, addr));
}

static uint64_t address(enum table_id table, size_t row, const char *column)
{
	const char *text = row_log_value(&patched.log, table, row, column);

	return text ? strtoull(text, NULL, 0) : 0;
}

// Some rows are enough: each value is looked up from the newest row on.
static void add_rows(enum table_id table, const char *column, const char *type)
{
	size_t n = patched.log.n[table];

	for (size_t row = 0; row < n; row += n / 100 + 1) {
		uint64_t va = address(table, row, column);
		if (strcmp(type, "file") == 0)
			add_file(va);
		else if (strcmp(type, "sock") == 0)
			add_socket(va);
		else
			add(type, va);
	}
}

static void find_objects(void)
{
	patched_walk_kept();
	add_tasks();
	add_rows(TABLE_process_open_files, "file_addr", "file");
	add_rows(TABLE_process_memory_map, "file_addr", "file");
	add_rows(TABLE_process_memory_map, "vma_addr", "vm_area_struct");
	add_rows(TABLE_sockets, "socket_addr", "sock");
	add_rows(TABLE_mounts, "mount_addr", "mount");
	add_rows(TABLE_kernel_modules, "module_addr", "module");
	add_rows(TABLE_interface_details, "device_addr", "net_device");
	patched.ns = 0;
}

// A field that this kernel has of a structure, or FIELD_COUNT.
static size_t some_field(const char *type)
{
	size_t of_type[64], n = 0, length = strlen(type);

	for (size_t f = 0; f < FIELD_COUNT && n < 64; f++) {
		const char *name = field_name((enum field)f);
		if (strncmp(name, type, length) == 0 && name[length] == '.' &&
		    k_has(patched.k, (enum field)f))
			of_type[n++] = f;
	}
	return n ? of_type[below(n)] : FIELD_COUNT;
}

static const struct object *some_object(void)
{
	return &objects.at[below(objects.n)];
}

// Pointers lead to themselves, to the structure they are in, or to another; numbers are at an edge.
static uint64_t some_value(const struct object *o, uint64_t va, uint64_t pa)
{
	const struct object *other = some_object();
	size_t f;

	switch (below(5)) {
	case 0:
		return va;
	case 1:
		return o->va;
	case 2:
		return other->va;
	case 3:
		f = some_field(other->type);
		return f < FIELD_COUNT ? k_field_va(patched.k, other->va, (enum field)f) : 0;
	default:
		return some_lie(pa);
	}
}

static void lie_in_a_field(void)
{
	const struct object *o = some_object();
	size_t f = some_field(o->type);
	uint64_t va, pa, v;

	if (f == FIELD_COUNT)
		return;
	const struct field_place *p = &patched.k->field[f];
	size_t n = p->elem_size < sizeof(v) ? p->elem_size : sizeof(v);
	va = o->va + p->off + (p->n_elem > 1 ? below(p->n_elem) * n : 0);
	v = aspace_translate(&patched.k->as, va, &pa) == AS_OK ? some_value(o, va, pa) : 0;
	if (aspace_translate(&patched.k->as, va + n - 1, &pa) == AS_OK)
		patch_bytes(va, &v, n);
}

static void lie_in_fields(void)
{
	for (uint64_t n = 1 + below(below(8) == 0 ? MANY : FEW); n > 0; n--)
		lie_in_a_field();
	tell_of_lies();
}

Test(fuzz, lies_in_fields)
{
	record(patched_walk);
	find_objects();
	run_all("fields", FIELDS, lie_in_fields, patched_walk);
	vec_fini(&objects);
}
