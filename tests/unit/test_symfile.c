// SPDX-License-Identifier: LGPL-2.1-or-later
// Real files of symbols, made by the compiler: what DWARF says must be what the compiler does. Then
// the same files cut and changed: whatever becomes of the reader, there is an answer.
#include "src/symfiles/symfile.h"

#include "src/base/mem.h"
#include "symbols/btf.h"
#include "symbols/dwarf.h"
#include "symbols/symtab.h"
#include "tests/symfiles/tiny.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// What CMake made: the same source with DWARF 3, 4 and 5, with sections compressed, and stripped.
static const char *const variants[] = {"dwarf3", "dwarf4", "dwarf5", "dwarf5z"};
enum { VARIANTS = sizeof(variants) / sizeof(variants[0]), CHANGES = 60, CUTS = 40 };

static const char *const types[] = {"task_struct", "cred", "qstr", "nowhere", "atomic_t"};
static const char *const constants[] = {"NR_ACTIVE_ANON"};
static const struct type_wants wants = {types, constants, 5, 1, 77};

static char folder[] = "/tmp/vmiscan-symfile-XXXXXX";

static void begin(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(setenv("XDG_CACHE_HOME", folder, 1), 0);
}

static void end(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(symfile, .init = begin, .fini = end);

static char *variant(const char *name)
{
	return mem_printf("%s/tiny_%s", TINY_FOLDER, name);
}

static struct profile *load(const char *path)
{
	struct profile *p = NULL;
	struct err *e = symfile_load(path, &wants, &p);

	cr_assert_null(e, "%s", e ? e->msg : "");
	return p;
}

static struct btf_field member(const struct profile *p, const char *type, const char *path)
{
	struct btf_field f = {0};

	cr_assert(btf_member(p->btf, type, path, &f), "%s.%s", type, path);
	return f;
}

#define EXPECT_AT(p, path, bytes)                                                                  \
	do {                                                                                       \
		struct btf_field f_ = member(p, "task_struct", #path);                             \
		cr_expect_eq(f_.off, offsetof(struct task_struct, path), #path);                   \
		cr_expect_eq(f_.size, bytes, #path);                                               \
	} while (0)

static void check_members(const struct profile *p)
{
	uint32_t size;

	EXPECT_AT(p, state, sizeof(long));
	EXPECT_AT(p, stack, sizeof(void *));
	EXPECT_AT(p, flags, 4);
	EXPECT_AT(p, tasks, sizeof(struct list_head));
	EXPECT_AT(p, tasks.prev, sizeof(void *));
	EXPECT_AT(p, embedded.uid.val, 4);
	EXPECT_AT(p, embedded.usage.counter, 4);
	EXPECT_AT(p, comm, 16);
	EXPECT_AT(p, names, sizeof(struct qstr) * 6);
	EXPECT_AT(p, names[1][2].len, 4);
	EXPECT_AT(p, names[0][1].hash_len, 8);
	EXPECT_AT(p, item, sizeof(enum zone_stat_item));
	EXPECT_AT(p, yes, 1);
	EXPECT_AT(p, call, sizeof(void *));
	EXPECT_AT(p, parent, sizeof(void *));
	cr_expect(btf_sizeof(p->btf, "task_struct", &size) && size == sizeof(struct task_struct));
	cr_expect_not(btf_sizeof(p->btf, "nowhere", &size));
	cr_expect(btf_sizeof(p->btf, "atomic_t", &size) && size == sizeof(atomic_t));
	cr_expect(member(p, "task_struct", "state").is_signed);
	cr_expect_str_eq(member(p, "task_struct", "parent").target, "task_struct");
	cr_expect_str_eq(member(p, "task_struct", "real_cred").target, "cred");
	cr_expect_eq(member(p, "task_struct", "rest").count, 0);
}

// The compiler's own answer: the bits that a value of all ones sets.
static void check_bits(const struct profile *p)
{
	struct task_struct t;
	struct btf_field f;

#define EXPECT_BITS(name, value)                                                                   \
	do {                                                                                       \
		memset(&t, 0, sizeof(t));                                                          \
		t.name = (value);                                                                  \
		f = member(p, "task_struct", #name);                                               \
		cr_expect_eq(btf_field_value(&f, (const char *)&t + f.off),                        \
			     (uint64_t)(int64_t)(value), #name);                                   \
	} while (0)
	EXPECT_BITS(in_execve, 1);
	EXPECT_BITS(in_iowait, 1);
	EXPECT_BITS(depth, -3);
	EXPECT_BITS(wide, 0xdeadbeef42);
#undef EXPECT_BITS
}

static void check_variant(const char *name)
{
	char *path = variant(name);
	struct profile *p = load(path);
	struct symbol_want want = {.name = "init_task"};
	int64_t value;

	cr_assert_str_eq(p->types_source, "DWARF");
	cr_assert_str_eq(p->symbols_source, ".symtab");
	cr_assert_str_eq(p->types_path, path);
	check_members(p);
	check_bits(p);
	cr_expect(btf_enum_value(p->btf, NULL, "NR_ACTIVE_ANON", &value) && value == 7);
	cr_expect(btf_enum_value(p->btf, NULL, "NR_LOWEST", &value) && value == -3);
	symtab_resolve(p->symbols, &want, 1);
	cr_expect(want.found && want.type == 'D');
	cr_assert_not_null(p->banner);
	cr_expect(strncmp(p->banner, "Linux version 6.1.0-tiny ", 25) == 0);
	cr_expect_null(strchr(p->banner, '\n'));
	cr_assert_not_null(p->build_id);
	cr_expect_eq(strlen(p->build_id), 40);
	profile_free(p);
	mem_free(path);
}

Test(symfile, says_what_the_compiler_does)
{
	if (!dwarf_library())
		cr_skip_test("built without libdwarf");
	for (size_t i = 0; i < VARIANTS; i++)
		check_variant(variants[i]);
}

// --- damage ---

static uint8_t *read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	struct stat st;

	cr_assert(f && fstat(fileno(f), &st) == 0);
	uint8_t *bytes = mem_alloc((size_t)st.st_size);
	*n = fread(bytes, 1, (size_t)st.st_size, f);
	(void)fclose(f);
	return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");

	cr_assert(f && fwrite(bytes, 1, n, f) == n);
	cr_assert_eq(fclose(f), 0);
}

static void try_bytes(const char *path, const uint8_t *bytes, size_t n)
{
	struct profile *p = NULL;

	write_file(path, bytes, n);
	struct err *e = symfile_load(path, &wants, &p);
	if (e)
		cr_assert(strncmp(e->msg, path, strlen(path)) == 0, "%s", e->msg);
	else
		profile_free(p);
}

static void damage(const char *name)
{
	char *from = variant(name), *to = mem_printf("%s/damaged", folder);
	size_t n;
	uint8_t *bytes = read_file(from, &n);
	uint64_t x = n;

	for (size_t i = 0; i < CUTS; i++)
		try_bytes(to, bytes, n * i / CUTS);
	for (int i = 0; i < CHANGES; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		size_t at = (size_t)(x >> 33) % n;
		uint8_t was = bytes[at];
		bytes[at] ^= (uint8_t)(1 + (x >> 25) % 255);
		try_bytes(to, bytes, n);
		bytes[at] = was;
	}
	mem_free(bytes);
	mem_free(from);
	mem_free(to);
}

Test(symfile, survives_damage)
{
	for (size_t i = 0; i < VARIANTS; i++)
		damage(variants[i]);
}

// --- the cache ---

static char *kept_file(void)
{
	char name[256] = "";
	char *command = mem_printf("ls %s/vmiscan/*.profile.zst 2>/dev/null", folder);
	FILE *f = popen(command, "r");

	cr_assert_not_null(f);
	if (!fgets(name, sizeof(name), f))
		name[0] = 0;
	(void)pclose(f);
	mem_free(command);
	name[strcspn(name, "\n")] = '\0';
	return *name ? mem_strdup(name) : NULL;
}

static void load_and_check(const char *path)
{
	struct profile *p = load(path);

	EXPECT_AT(p, comm, 16);
	profile_free(p);
}

Test(symfile, is_kept_and_believed_only_if_sound)
{
	char *path = variant("dwarf5");
	size_t n;

	load_and_check(path);
	char *kept = kept_file();
	if (!kept)
		cr_skip_test("built without libzstd");
	uint8_t *bytes = read_file(kept, &n);
	load_and_check(path); // out of the cache
	for (size_t at = 0; at < n; at += 1 + n / 40) {
		bytes[at] ^= 0x41;
		write_file(kept, bytes, n);
		load_and_check(path);
		bytes[at] ^= 0x41;
	}
	for (size_t cut = 0; cut < n; cut += 1 + n / 10) {
		write_file(kept, bytes, cut);
		load_and_check(path);
	}
	mem_free(bytes);
	mem_free(kept);
	mem_free(path);
}

// Another file with the same build id gets nothing of what was kept of the first.
Test(symfile, is_kept_for_one_file)
{
	char *path = variant("dwarf5"), *other = mem_printf("%s/other", folder);
	size_t n;
	uint8_t *bytes = read_file(path, &n);

	load_and_check(path);
	uint8_t *at = memmem(bytes, n, "6.1.0-tiny", 10);
	cr_assert_not_null(at);
	memcpy(at, "6.1.0-fake", 10);
	write_file(other, bytes, n);
	struct profile *p = load(other);
	cr_expect(strstr(p->banner, "6.1.0-fake"));
	profile_free(p);
	mem_free(bytes);
	mem_free(path);
	mem_free(other);
}

Test(symfile, needs_no_cache)
{
	char *path = variant("dwarf5");

	cr_assert_eq(setenv("XDG_CACHE_HOME", "/proc/nothing", 1), 0);
	load_and_check(path);
	mem_free(path);
}

Test(symfile, two_at_once_write_one_whole)
{
	char *path = variant("dwarf5");
	pid_t child[4];

	for (int i = 0; i < 4; i++) {
		child[i] = fork();
		if (child[i] == 0) {
			struct profile *p;
			for (int times = 0; times < 10; times++)
				if (symfile_load(path, &wants, &p))
					_exit(1);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++) {
		int status;
		cr_assert(waitpid(child[i], &status, 0) == child[i] && status == 0);
	}
	load_and_check(path);
	mem_free(path);
}
