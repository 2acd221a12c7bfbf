// SPDX-License-Identifier: LGPL-2.1-or-later
// Symbols out of the image's kallsyms, and what they lead to: VMCOREINFO, per-CPU areas, names.
#include "src/kernel/locate.h"

#include "src/base/bytes.h"
#include "src/kernel/deduce.h"
#include "symbols/btf.h"
#include "symbols/kallsyms.h"
#include "symbols/profile.h"
#include "symbols/symtab.h"
#include "symbols/vmcoreinfo.h"

#include <stdio.h>
#include <string.h>

enum { NOTES_MAX = 4096 };

// Where _text is linked behind the start of the image's addresses: CONFIG_PHYSICAL_START, 16 MiB in
// all kernels seen.
#define PHYSICAL_START 0x1000000

static const char *const names[SYMBOL_COUNT] = {
#define SYMBOL(name) #name,
#include "src/kernel/symbols.def"
#undef SYMBOL
};

bool k_has_symbol(const struct kernel *k, enum symbol s)
{
	return k->symbol[s] != 0;
}

bool k_has_none(const struct kernel *k, enum symbol s)
{
	return !k->symbol[s] && k->deduced[s].none;
}

// A per-CPU variable that kallsyms does not list, from BTF's DATASEC. Its offsets count from
// __per_cpu_start, which is 0 on x86-64 before 6.15.
static void resolve_percpu(struct kernel *k, enum symbol s)
{
	struct btf_var v;

	if (!k->symbol[s] && btf_percpu(k->btf, names[s], &v))
		k->symbol[s] = k->symbol[S(__per_cpu_start)] + v.off;
}

// Where a symbol of the profile is in this kernel: the whole of it moved, but not what are offsets
// into per-CPU areas.
static uint64_t profile_va(const struct kernel *k, uint64_t va)
{
	return k_plausible(k, va) ? (va + k->profile_slide) & k->va_mask : va;
}

// init_task shows how far the kernel lies from where it was linked; its banner must then be where
// the profile says.
static struct err *place_profile(struct kernel *k, bool force)
{
	struct symbol_want wants[] = {{.name = "init_task"}, {.name = "linux_banner"}};
	char text[16] = "";

	if (!k->profile || !k->profile->symbols)
		return NULL;
	symtab_resolve(k->profile->symbols, wants, 2);
	if (!wants[0].found)
		return NULL;
	k->profile_slide = k->init_task - wants[0].va;
	if (force || !wants[1].found)
		return NULL;
	if (aspace_read(&k->as, profile_va(k, wants[1].va), text, sizeof(text) - 1) == AS_OK &&
	    memcmp(text, k->banner, 14) != 0)
		return err_new(
			ERR_NO_KERNEL,
			"the symbols of %s are of another kernel: where they put linux_banner "
			"there is something else",
			k->profile->symbols_path);
	return NULL;
}

// Which of several static symbols with one name is meant, two tables may see differently.
static void take_from_profile(struct kernel *k, size_t i, uint64_t va, bool unique)
{
	if (unique && k->symbol[i] && k->symbol[i] != va && k->symbols_apart++ == 0)
		k->first_apart = names[i];
	if (!k->symbol[i])
		k->symbol[i] = va;
}

// What kallsyms does not list.
static void resolve_in_profile(struct kernel *k)
{
	struct symbol_want wants[SYMBOL_COUNT] = {0};

	for (size_t i = 0; i < SYMBOL_COUNT; i++)
		wants[i].name = names[i];
	symtab_resolve(k->profile->symbols, wants, SYMBOL_COUNT);
	k->symbols_apart = 0;
	for (size_t i = 0; i < SYMBOL_COUNT; i++)
		if (wants[i].found)
			take_from_profile(k, i, profile_va(k, wants[i].va), wants[i].count == 1);
}

static void resolve(struct kernel *k)
{
	struct symbol_want wants[SYMBOL_COUNT] = {0};

	for (size_t i = 0; i < SYMBOL_COUNT; i++)
		wants[i].name = names[i];
	if (k->kallsyms)
		kallsyms_resolve(k->kallsyms, wants, SYMBOL_COUNT);
	for (size_t i = 0; i < SYMBOL_COUNT; i++)
		k->symbol[i] = wants[i].found ? wants[i].va : 0;
	if (k->profile && k->profile->symbols)
		resolve_in_profile(k);
}

// Kernels without SMP have neither areas nor per-CPU variables.
static bool is_uniprocessor(const struct kernel *k)
{
	struct btf_var v;

	if (k->data_deduced)
		return k_has_none(k, S(__per_cpu_offset));
	return !k->symbol[S(__per_cpu_offset)] && !btf_percpu(k->btf, "this_cpu_off", &v);
}

static void read_percpu_offsets(struct kernel *k)
{
	uint64_t n = 1;

	if (!k->symbol[S(__per_cpu_offset)] && !k->uniprocessor)
		return;
	if (!k_variable(k, S(nr_cpu_ids), 4, &n)) {
		if (k->symbol[S(nr_cpu_ids)])
			return;
		n = 1;
	}
	if (n == 0 || n > MAX_CPUS)
		return;
	k->percpu_offset = mem_zalloc(n, sizeof(*k->percpu_offset));
	k->n_cpus = k->uniprocessor ? 1 : n;
	for (size_t i = 0; i < n && !k->uniprocessor; i++) {
		uint64_t off;
		if (k_ptr(k, k->symbol[S(__per_cpu_offset)] + i * k->word, &off))
			k->percpu_offset[i] = off;
	}
}

void symbols_open_percpu(struct kernel *k)
{
	static const enum symbol percpu[] = {S(runqueues),	S(cpu_info),	  S(cpu_data),
					     S(current_task),	S(pcpu_hot),	  S(cpuhp_state),
					     S(kernel_cpustat), S(tick_cpu_sched)};

	k->uniprocessor = is_uniprocessor(k);
	for (size_t i = 0; i < sizeof(percpu) / sizeof(percpu[0]); i++)
		resolve_percpu(k, percpu[i]);
	if (k->uniprocessor && !k->symbol[S(cpu_info)]) // arch/x86/include/asm/processor.h
		k->symbol[S(cpu_info)] = k->symbol[S(boot_cpu_data)];
	read_percpu_offsets(k);
}

// --- VMCOREINFO ---

static void read_vmcoreinfo(struct kernel *k)
{
	uint64_t va, size = PAGE_SIZE; // of what is allocated for it

	if (!k->symbol[S(vmcoreinfo_data)] || !k_ptr(k, k->symbol[S(vmcoreinfo_data)], &va) || !va)
		return;
	if (k->symbol[S(vmcoreinfo_size)] && !k_ptr(k, k->symbol[S(vmcoreinfo_size)], &size))
		return;
	if (size == 0 || size > VMCOREINFO_LARGEST)
		return;
	char *text = mem_zalloc(size + 1, 1);
	k->vmcoreinfo = mem_zalloc(1, sizeof(*k->vmcoreinfo));
	k->vmcoreinfo_text = text;
	if (!k_read(k, va, text, size) || !vmcoreinfo_init(k->vmcoreinfo, text, size)) {
		mem_free(k->vmcoreinfo);
		k->vmcoreinfo = NULL;
	}
}

// kernel/printk/printk.c log_buf_vmcoreinfo_setup() names the ring even where no table lists data.
static void take_from_vmcoreinfo(struct kernel *k)
{
	uint64_t va;

	if (!k->symbol[S(prb)] && k->vmcoreinfo && vmcoreinfo_symbol(k->vmcoreinfo, "prb", &va))
		k->symbol[S(prb)] = va;
}

// Where in the window the kernel's own notes lie, at most NOTES_MAX bytes of them: at the symbol,
// or right before its BTF (NOTES and BTF in RO_DATA, include/asm-generic/vmlinux.lds.h). The vDSO's
// image in .rodata has a note of its own.
static size_t notes_off(const struct kernel *k)
{
	uint64_t start = k->symbol[S(__start_notes)];

	if (start)
		return k_image_pa(k, start) - k->window_pa;
	return k->btf_off > NOTES_MAX ? k->btf_off - NOTES_MAX : 0;
}

static char *build_id_in_notes(const struct kernel *k)
{
	static const uint8_t head[16] = {4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0};
	size_t off = notes_off(k);
	const uint8_t *w = k->window;

	if (off >= k->window_size)
		return NULL;
	size_t n = k->window_size - off < NOTES_MAX ? k->window_size - off : NOTES_MAX;
	const uint8_t *p = memmem(w + off, n, head, sizeof(head));
	if (!p || p + sizeof(head) + 20 > w + off + n)
		return NULL;
	char *hex = mem_alloc(41);
	for (size_t i = 0; i < 20; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", p[sizeof(head) + i]);
	return hex;
}

static char *build_id(const struct kernel *k)
{
	char text[65];

	if (k->vmcoreinfo && vmcoreinfo_string(k->vmcoreinfo, "BUILD-ID", text, sizeof(text)) &&
	    strspn(text, "0123456789abcdef") == strlen(text) && text[0])
		return mem_strdup(text);
	return build_id_in_notes(k);
}

// A text of init_uts_ns, of the heap; NULL if it can't be read.
static char *uts_text(struct kernel *k, enum field f)
{
	struct arena a = {0};
	uint64_t uts =
		k_or0(k, k_or0(k, k->init_task, F(task_struct, nsproxy)), F(nsproxy, uts_ns));
	char *text = k_text(k, &a, k_field_va(k, uts, F(uts_namespace, name)), f);
	char *copy = text ? mem_strdup(text) : NULL;

	arena_fini(&a);
	return copy;
}

static void take_banner(struct kernel *k, const char *text, size_t n, uint64_t pa)
{
	mem_free(k->banner);
	k->banner = mem_alloc(n + 1);
	memcpy(k->banner, text, n);
	k->banner[n] = '\0';
	k->banner_pa = pa;
}

// The banner that ends as init_uts_ns.name.version does, where no symbol names the one in use.
static void search_banner(struct kernel *k)
{
	static const char head[] = "Linux version ";
	char *version = uts_text(k, F(new_utsname, version));
	const char *w = k->window, *end = w + k->window_size, *at = w;
	size_t v = version ? strlen(version) : 0;

	while (v && (at = memmem(at, (size_t)(end - at), head, sizeof(head) - 1))) {
		size_t left = (size_t)(end - at) < BANNER_MAX ? (size_t)(end - at) : BANNER_MAX;
		const char *newline = memchr(at, '\n', left);
		if (newline && newline - at > (ptrdiff_t)v &&
		    memcmp(newline - v, version, v) == 0) {
			take_banner(k, at, (size_t)(newline - at),
				    k->window_pa + (uint64_t)(at - w));
			break;
		}
		at++;
	}
	mem_free(version);
}

// The anchor may be the copy of linux_banner that the linker left behind when it took the final one
// (init/version.c and version-timestamp.c, since 6.1); the symbol names the one in use.
static void read_banner(struct kernel *k)
{
	struct arena a = {0};
	uint64_t va = k->symbol[S(linux_banner)];
	char *text = va ? k_string(k, &a, va, BANNER_MAX) : NULL;

	if (text && strncmp(text, k->banner, strlen("Linux version ")) == 0)
		take_banner(k, text, strcspn(text, "\n"), k_image_pa(k, va));
	else if (!va)
		search_banner(k);
	arena_fini(&a);
}

// The tables of a process have all of the kernel's part, but those of init_mm outlive every
// process.
static void prefer_init_page_tables(struct kernel *k)
{
	struct aspace before = k->as;
	uint64_t root = k->symbol[S(init_top_pgt)];

	if (!root)
		root = k->symbol[S(swapper_pg_dir)];

	if (root && !roots_try(k, k_image_pa(k, root)))
		k->as = before;
}

// Where x86 is linked is a constant; others say in VMCOREINFO how far they moved.
static void find_kaslr_offset(struct kernel *k)
{
	uint64_t off, start = k->arch == ARCH_X86 ? k->page_offset : KERNEL_IMAGE_BASE;

	if (k->arch != ARCH_ARM64 && k->symbol[S(_text)]) {
		k->kaslr_offset = k->symbol[S(_text)] - (start + PHYSICAL_START);
		k->knows_kaslr = true;
	} else if (k->vmcoreinfo && vmcoreinfo_hex(k->vmcoreinfo, "KERNELOFFSET", &off)) {
		k->kaslr_offset = off;
		k->knows_kaslr = true;
	}
}

// Memory and symbol table must be of one kernel.
static struct err *check_init_task(const struct kernel *k)
{
	uint64_t va = k->symbol[S(init_task)];

	if (!va || va == k->init_task)
		return NULL;
	return err_new(ERR_NO_KERNEL,
		       "its symbol table puts init_task at 0x%llx, its memory at 0x%llx",
		       (unsigned long long)va, (unsigned long long)k->init_task);
}

// Whether the tables list data; these are in every kernel.
static bool lists_data(const struct kernel *k)
{
	return k->symbol[S(init_uts_ns)] || k->symbol[S(linux_banner)] ||
	       k->symbol[S(saved_command_line)];
}

// A kernel may be built without kallsyms (KALLSYMS=n).
static void open_kallsyms(struct kernel *k)
{
	size_t n = k->btf_off ? k->btf_off : k->window_size;

	if (kallsyms_open(k->window, n, KALLSYMS_UNKNOWN, k->word, &k->kallsyms))
		k->kallsyms = NULL;
	else
		kallsyms_rebase(k->kallsyms, k_image_va(k, k->window_pa));
}

// The symbols of the image, then those of a file; files are asked for only where the image does not
// have all.
static struct err *open_tables(struct kernel *k, const struct kernel_supply *supply)
{
	open_kallsyms(k);
	TRY(place_profile(k, supply->force));
	resolve(k);
	if (lists_data(k) || k->profile || !supply->profile_of)
		return NULL;
	k->profile = supply->profile_of(supply->arg, k);
	TRY(place_profile(k, supply->force));
	resolve(k);
	return NULL;
}

struct err *symbols_open(struct kernel *k, const struct kernel_supply *supply)
{
	TRY(open_tables(k, supply));
	TRY(check_init_task(k));
	if (lists_data(k))
		symbols_open_percpu(k);
	else if (k->word == 8 && k->may_deduce)
		deduce_symbols(k);
	else if (k->word == 8)
		return err_new(ERR_NO_KERNEL, "its symbol table lists no data, like those of too "
					      "many before it");
	else
		return err_new(ERR_NO_KERNEL,
			       "its symbol table lists no data, which can't be done "
			       "without where a kernel has 32 bits: give a file with "
			       "its symbols (--vmlinux, --system-map)");
	k->symbol[S(init_task)] = k->init_task;
	prefer_init_page_tables(k);
	read_banner(k);
	read_vmcoreinfo(k);
	take_from_vmcoreinfo(k);
	find_kaslr_offset(k);
	k->build_id = build_id(k);
	k->release = uts_text(k, F(new_utsname, release));
	return NULL;
}
