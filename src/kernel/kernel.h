// SPDX-License-Identifier: LGPL-2.1-or-later
// A located kernel: its address space, types and symbols, and typed reads of its structures.
//
// Every read can find nothing: the image may lack the page, a hostile pointer may lead nowhere, the
// kernel may have no such field. Reads then give false and leave a note of the first bad address of
// the current table in `faults`; the walker leaves the column absent and goes on.
#ifndef VMI_KERNEL_KERNEL_H
#define VMI_KERNEL_KERNEL_H

#include "src/arch/aspace.h"
#include "src/base/arena.h"
#include "src/base/bytes.h"
#include "src/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Every kernel field that is used: fields.def, FIELD(struct, name, "path|older path").
enum field {
#define FIELD(type, name, paths) F_##type##_##name,
#include "src/kernel/fields.def"
#undef FIELD
	FIELD_COUNT
};
#define F(type, name) F_##type##_##name

// Every kernel symbol that is used: symbols.def.
enum symbol {
#define SYMBOL(name) S_##name,
#include "src/kernel/symbols.def"
#undef SYMBOL
	SYMBOL_COUNT
};
#define S(name) S_##name

// Where a field is in this kernel, out of its own type information.
struct field_place {
	bool present;
	bool is_signed, is_pointer;
	uint8_t bit_off, bit_size;  // bit_size 0: no bit-field; else bit_off counts from byte `off`
	uint32_t off, size;	    // bytes; size of the whole member
	uint32_t elem_size, n_elem; // of arrays; else size and 1
};

// Reads of the guest that found nothing, since the last kernel_faults_take().
struct kernel_faults {
	uint64_t count;
	uint64_t first_va;
	enum as_fault first_why;
};

enum { MAX_CPUS = 8192 };

// What the kernel's structures say of a variable whose place is not known: see deduce.h.
struct deduced {
	bool known, none; // none: the whole image was looked through, there is no such thing
	uint64_t value;
};

struct btf;
struct kallsyms;
struct profile;
struct type_wants;
struct vmcoreinfo;

struct kernel {
	struct physmem *mem;
	struct aspace as;
	enum arch arch;
	uint8_t word;			// bytes of a pointer and of an unsigned long
	uint8_t page_shift;		// of the guest's own pages
	uint64_t va_mask;		// addresses are counted modulo 2^64 or 2^32
	uint64_t lowest_va, highest_va; // the kernel's pointers lie in [lowest, highest)
	const struct btf *btf;		// the types in use: image_btf, or else the profile's
	struct btf *image_btf;		// NULL where the image has none
	struct kallsyms *kallsyms;	// NULL where the image has none
	const struct profile *profile;	// what a file says of this kernel, or NULL
	uint64_t profile_slide;		// from the profile's addresses to where this kernel runs
	size_t symbols_apart;		// which kallsyms and the profile place differently
	const char *first_apart;	// the name of one of them
	struct vmcoreinfo *vmcoreinfo;	// NULL where the image has none
	struct field_place field[FIELD_COUNT];
	uint64_t symbol[SYMBOL_COUNT]; // virtual addresses; 0: the kernel has no such symbol
	struct deduced deduced[SYMBOL_COUNT];
	bool data_deduced; // no table lists data: see deduce.h
	bool may_deduce;   // not too many candidates before this one had to be
	uint64_t init_task;
	uint64_t image_offset; // virtual minus physical address in the kernel's image
	uint64_t kaslr_offset; // of the kernel image's virtual address, if knows_kaslr
	bool knows_kaslr;
	uint64_t page_offset; // the same in the direct map
	uint64_t banner_pa;
	char *banner;	// "Linux version ...", without the newline
	char *release;	// init_uts_ns.name.release
	char *build_id; // hexadecimal, or NULL
	uint64_t *percpu_offset;
	size_t n_cpus;	     // possible CPUs; some may be offline
	bool uniprocessor;   // built without SMP: per-CPU variables are plain ones
	size_t n_candidates; // kernels seen in the image, this one included
	struct kernel_faults faults;
	void *window; // .rodata as read; image_btf and kallsyms borrow from it
	uint64_t window_pa;
	size_t window_size, btf_off;
	char *vmcoreinfo_text; // vmcoreinfo borrows from it
};

// __START_KERNEL_map, arch/x86/include/asm/page_64_types.h: x86-64 alone.
#define KERNEL_IMAGE_BASE 0xffffffff80000000ULL

// Addresses in the kernel's image.
static inline uint64_t k_image_pa(const struct kernel *k, uint64_t va)
{
	return va - k->image_offset;
}
static inline uint64_t k_image_va(const struct kernel *k, uint64_t pa)
{
	return pa + k->image_offset;
}

// --- architectures ---

// Sets what follows from the architecture; the one is told from the types, the other is told.
void kernel_find_arch(struct kernel *k);
void kernel_set_arch(struct kernel *k, enum arch arch);
// The address space of an mm; false if its root can't be read.
bool k_user_space(struct kernel *k, uint64_t mm, struct aspace *as);
// The physical address of the page that a struct page (or folio) stands for.
bool k_page_pa(struct kernel *k, uint64_t page, uint64_t *pa);
// Where the addresses of processes end.
uint64_t k_user_end(const struct kernel *k);

// --- finding ---

// Finds the live kernel of the memory: banners are candidates, the one from which most can be
// reached wins. ERR_NO_KERNEL says what was looked for and what was missing. cr3s are the vCPUs'
// page-table roots where the container has them; they help but are not needed. FIND_QUICK looks
// where x86-64 kernels are known to lie and touches a page in 512, FIND_CLOSER where those of arm64
// do and touches one in 16, FIND_EVERYWHERE looks at every byte.
enum find_effort { FIND_QUICK, FIND_CLOSER, FIND_EVERYWHERE };

// What files say of kernels. profile_of() is asked for each candidate, whose banner is known and
// whose image_btf is, if the image has one; then once more if the image lists no data. It gives a
// profile that fits, which must outlive the kernel, or NULL.
struct kernel_supply {
	const struct profile *(*profile_of)(void *arg, const struct kernel *k);
	void *arg;
	bool force; // what does not fit is used all the same
};

struct find_options {
	const uint64_t *cr3s;
	size_t n_cr3s;
	enum find_effort effort;
	struct kernel_supply supply; // all NULL: there are no files
};
struct err *kernel_find(struct physmem *mem, const struct find_options *o, struct kernel **out);
void kernel_free(struct kernel *k);

// How well this kernel fits its memory: grows with what could be reached and checked.
uint64_t kernel_score(struct kernel *k);
// Whether a score says that the whole ring of tasks could be followed, links matching both ways.
bool kernel_score_is_whole(uint64_t score);

// --- types ---

static inline bool k_has(const struct kernel *k, enum field f)
{
	return k->field[f].present;
}
const char *field_name(enum field f); // "task_struct.comm"

// What some types say of a field, theirs or not.
struct field_told {
	struct field_place place;
	const char *type, *path; // the path by which it was found, path_n bytes; not terminated
	size_t path_n;
};
bool kernel_tell_field(const struct btf *btf, enum field f, struct field_told *out);
// Whether two of them mean the same bytes.
bool field_same_place(const struct field_place *a, const struct field_place *b);

// The types, and constants of enums, that are asked for anywhere: fields.def and types.def.
const struct type_wants *kernel_type_wants(void);
bool k_has_symbol(const struct kernel *k, enum symbol s);
// True if the kernel is known to have nothing behind that symbol: a list that is empty.
bool k_has_none(const struct kernel *k, enum symbol s);
// sizeof(struct), or 0.
uint64_t k_sizeof(const struct kernel *k, const char *type);

// An enumerator's value by the name of the constant, in any enum.
bool k_enum(const struct kernel *k, const char *constant, int64_t *value);
// The same in the enums of a name: looks at those only, so it can be asked often.
bool k_enum_in(const struct kernel *k, const char *name, const char *constant, int64_t *value);

// --- reads of kernel memory ---

bool k_read(struct kernel *k, uint64_t va, void *buf, size_t n);
bool k_u64(struct kernel *k, uint64_t va, uint64_t *v);
bool k_u32(struct kernel *k, uint64_t va, uint32_t *v);
bool k_ptr(struct kernel *k, uint64_t va, uint64_t *v); // a pointer
bool k_long(struct kernel *k, uint64_t va, int64_t *v);
// Bit i of a bitmap, an array of unsigned longs.
bool k_bit(struct kernel *k, uint64_t bitmap, uint64_t i, bool *set);

// A pointer as arm64's CPUs take it: the top byte can be a tag (KASAN's).
static inline uint64_t k_untag(const struct kernel *k, uint64_t va)
{
	return k->arch == ARCH_ARM64 && (va >> 48 & 0xff) == 0xff ? va | 0xffULL << 56 : va;
}

// A pointer in bytes that were read.
static inline uint64_t k_ptr_in(const struct kernel *k, const void *bytes)
{
	return k->word == 8 ? k_untag(k, le64(bytes)) : le32(bytes);
}

// The value of an integer or a pointer variable of `size` bytes: read at its symbol, or deduced.
bool k_variable(struct kernel *k, enum symbol s, size_t size, uint64_t *v);

// A field of the structure at base: integers and pointers up to 8 bytes, sign-extended if signed;
// bit-fields too.
bool k_get(struct kernel *k, uint64_t base, enum field f, uint64_t *v);
// The same with 0 for what can't be read: for pointers and flags that are tested at once.
uint64_t k_or0(struct kernel *k, uint64_t base, enum field f);
// Element i of an array field.
bool k_get_at(struct kernel *k, uint64_t base, enum field f, size_t i, uint64_t *v);
// The bytes of a field, at most n; gives how many.
size_t k_bytes(struct kernel *k, uint64_t base, enum field f, void *buf, size_t n);
// The address of a field, for embedded structures; 0 if the kernel has none such.
uint64_t k_field_va(const struct kernel *k, uint64_t base, enum field f);
// container_of: the structure whose field f is at va.
static inline uint64_t k_container(const struct kernel *k, uint64_t va, enum field f)
{
	return va - k->field[f].off;
}

// A NUL-terminated string of at most max bytes at va, in the arena; NULL if its start can't be
// read.
char *k_string(struct kernel *k, struct arena *a, uint64_t va, size_t max);
// The NUL-terminated text in a char array field; NULL if it can't be read.
char *k_text(struct kernel *k, struct arena *a, uint64_t base, enum field f);

// A pointer that can be one of the kernel's.
static inline bool k_plausible(const struct kernel *k, uint64_t va)
{
	return va >= k->lowest_va && va < k->highest_va;
}

// --- per-CPU ---

// The address of a per-CPU variable (its symbol's or DATASEC's offset) on a CPU.
uint64_t k_percpu(const struct kernel *k, uint64_t var, size_t cpu);
// The sum over all CPUs of signed values of `size` bytes at percpu pointer + delta.
bool k_percpu_sum(struct kernel *k, uint64_t ptr, uint64_t delta, size_t size, int64_t *sum);
// The value of a struct percpu_counter: lib/percpu_counter.c. Without SMP it has no parts.
bool k_percpu_counter(struct kernel *k, uint64_t counter, int64_t *value);

// What went wrong since the last call.
struct kernel_faults kernel_faults_take(struct kernel *k);

#endif
