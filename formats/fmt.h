// SPDX-License-Identifier: LGPL-2.1-or-later
// Readers: one file a container format, each a `struct fmt_ops` in one array (registry.c).
//
// Detection is by content, never by name. A container that was recognised is never tried as raw:
// a reader that knows the format but can't read this variant fails in open(), with its reason.
#ifndef VMI_FORMATS_FMT_H
#define VMI_FORMATS_FMT_H

#include "src/base/err.h"
#include "src/phys/io.h"
#include "src/phys/physmem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What a reader sees of a file to recognise it.
struct fmt_probe {
	const uint8_t *head;
	size_t head_size; // up to 1 MiB
	const uint8_t *tail;
	size_t tail_size; // the last up to 64 KiB
	uint64_t size;
};

// Registers of a virtual CPU as the container has them. `has` says which are known.
enum vcpu_reg {
	VCPU_CR0,
	VCPU_CR2,
	VCPU_CR3,
	VCPU_CR4,
	VCPU_RIP,
	VCPU_RSP,
	VCPU_RFLAGS,
	VCPU_GS_BASE,
	VCPU_KERNEL_GS_BASE,
	VCPU_FS_BASE,
	VCPU_IDT_BASE,
	VCPU_GDT_BASE,
	VCPU_EFER,
	VCPU_LSTAR,
	VCPU_CS,
	VCPU_REG_COUNT
};

struct vcpu {
	uint32_t cpu;
	uint32_t has; // bit n: reg[n] is known
	uint64_t reg[VCPU_REG_COUNT];
};

// A line of `vmiscan info` that only some formats have.
struct image_fact {
	const char *name;
	char *value;
	struct image_fact *next;
};

struct image;

struct fmt_ops {
	const char *name; // for --format and the database
	const char *doc;  // one line for `--format help`
	// 0: not mine. Else why it is mine, in words ("ELF core with physical PT_LOADs").
	const char *(*probe)(const struct fmt_probe *p);
	// Fills runs, vcpus, notes of the image. Fails only on what it recognised but can't read.
	struct err *(*open)(struct image *img);
	void (*close)(struct image *img); // may be NULL; for img->priv
};

// An opened image: what the reader says, and the physical memory made of it.
struct image {
	struct mem_source source; // first: a reader's read() gets this and may cast back
	const struct fmt_ops *fmt;
	const char *why;		// what probe() said, or "--format"
	const struct fmt_options *opts; // during open() only
	struct io *io;			// the bytes the reader sees (decompressed)
	// A second file of evidence: the state file of a .vmem, the .vmem of a state file. NULL:
	// there is none.
	struct io *beside;
	const char *beside_role; // "state" or "memory"
	char *compression;	 // NULL, or as "zstd, flattened"
	struct mem_run *runs;
	size_t n_runs;
	struct vcpu *vcpus;
	size_t n_vcpus;
	// The text that the container has of VMCOREINFO, NUL-terminated, or NULL. QEMU copies it
	// from guest memory: hostile.
	char *vmcoreinfo;
	size_t vmcoreinfo_size;
	bool truncated;	     // the container promises more than the file has, or is damaged
	char *truncated_why; // in words, for people
	struct physmem *mem;
	// Memory that the container has one byte after the other, not saying where the guest had
	// it: the runs as if there was no hole, and its size. Set by a reader; NULL if recorded.
	struct mem_run *flat;
	size_t n_flat;
	uint64_t flat_size;
	// Where low RAM ends, if that is recorded, but not where high RAM starts; 0: neither is.
	uint64_t flat_low_end;
	struct image_fact *facts; // in the order of image_fact()
	char *layout_note; // how the PCI hole was decided, for people; NULL if there was nothing to
			   // decide
	void *priv;	   // the reader's
};

struct fmt_options {
	const char *format; // NULL: detect
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t total); // may be NULL
	void *progress_arg;
	const char *vmss;     // the VMware state file that goes with the image; NULL: look for it
	const char *snapshot; // which of several in the file, by name or number; NULL: not said
	// The other files of a dump that was split, in any order (--part).
	const char *const *parts;
	size_t n_parts;
};

// Detects, opens, checks. The errors are whole sentences with the path in them. opts may be NULL.
struct err *image_open(const char *path, const struct fmt_options *opts, struct image **out);
void image_close(struct image *img);

// Every file that image_open() may open, there or not: for who bounds that beforehand.
void image_files(const char *path, const struct fmt_options *opts,
		 void (*visit)(void *arg, const char *path), void *arg);
// Makes the scratch files that what is compressed may be unpacked to: for who can't do so later.
void image_scratch_ready(const struct fmt_options *opts);

// Every library that reads some container and may be missing from a build; NULL ends the array.
struct fmt_library {
	const char *name;
	bool present;
};
extern const struct fmt_library fmt_libraries[];

// The readers, raw last; NULL ends the array.
extern const struct fmt_ops *const fmt_registry[];

// For readers: the image is used, but there is something wrong with it. Sets truncated, and adds
// the words to truncated_why.
void image_damaged(struct image *img, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Reads runs as bytes of img->io at run->off + delta: the read() of most readers.
struct err *fmt_read_plain(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			   void *buf, size_t n, size_t *got);

// For readers: something else to tell of the image, for people ("Snapshot", "Machine").
void image_fact(struct image *img, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

// --- The PCI hole of images that do not record it (formats.md: raw and .vmem beyond 3 GiB) ---

// Low RAM ends here, and what the file has behind it starts there; low_end 0: there is no hole.
struct hole {
	uint64_t low_end, high_start;
};

// True if the layout of this image is a guess that image_set_hole() may change.
bool image_hole_unknown(const struct image *img);
// The candidates for this image, most likely first; false behind the last one.
bool image_hole_candidate(const struct image *img, size_t i, struct hole *out);
// Lays that memory out so. img->mem stays the same pointer, its statistics go on. note is copied.
struct err *image_set_hole(struct image *img, struct hole hole, const char *note);
// The same for memory in one piece that begins at base, of images with img->flat.
extern const uint64_t image_base_candidates[];
extern const size_t image_base_n_candidates;
struct err *image_set_base(struct image *img, uint64_t base, const char *note);

#endif
