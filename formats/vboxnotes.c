// SPDX-License-Identifier: LGPL-2.1-or-later
// VirtualBox's notes (VirtualBox, include/VBox/vmm/dbgfcorefmt.h; DBGFCoreWrite.cpp writes them).
//
// A note is {u32 size of name, u32 size of what follows it, u32 type}, then the name with its NUL
// (which the size counts in some releases only), then the rest, both filled up to 8 bytes, counted
// from where they begin and not from the file's start. p_align is 0. That is neither of the two
// layouts that libelf knows.
#include "formats/vboxnotes.h"

#include "src/base/bytes.h"
#include "src/base/vec.h"

#include <string.h>

enum {
	HEADER_SIZE = 12,
	NOTE_CORE = 0xb00,
	NOTE_CPU = 0xb01,
	CORE_SIZE = 24,
	CPU_SIZE = 544, // up to the last register of interest; what follows is the FPU's
	// Before that a CPU's note was an internal structure, which changed with each release.
	FIRST_WITH_CPUS = 0x00010001,
};

static const uint32_t CORE_MAGIC = 0xc01ac0de;

// struct DBGFCORECPU: u64 registers; segments of {u64 base, u32 limit, u32 attributes, u16
// selector, 6 bytes}; tables of {u64 address, u32 size, 4 bytes}.
static const struct {
	uint16_t off;
	uint8_t reg, width;
} fields[] = {
	{112, VCPU_RIP, 8},  {120, VCPU_RSP, 8},      {136, VCPU_RFLAGS, 8},
	{160, VCPU_CS, 2},   {216, VCPU_FS_BASE, 8},  {240, VCPU_GS_BASE, 8},
	{288, VCPU_CR0, 8},  {296, VCPU_CR2, 8},      {304, VCPU_CR3, 8},
	{312, VCPU_CR4, 8},  {384, VCPU_GDT_BASE, 8}, {400, VCPU_IDT_BASE, 8},
	{488, VCPU_EFER, 8}, {512, VCPU_LSTAR, 8},    {536, VCPU_KERNEL_GS_BASE, 8},
};

struct note {
	uint32_t type;
	const uint8_t *desc;
	size_t n;
};

static uint64_t up8(uint64_t n)
{
	return (n + 7) & ~UINT64_C(7);
}

bool vbox_notes_are(const uint8_t *notes, size_t n)
{
	return n >= HEADER_SIZE + 8 && le32(notes + 8) == NOTE_CORE &&
	       memcmp(notes + HEADER_SIZE, "VBCORE\0", 8) == 0;
}

// Both names, with their NULs, take 8 bytes.
static bool take_note(struct cursor *c, struct note *note)
{
	const uint8_t *h, *name;

	if (!cursor_take(c, HEADER_SIZE, &h) || !cursor_take(c, 8, &name) || le32(h) > 8)
		return false;
	note->type = le32(h + 8);
	note->n = le32(h + 4);
	return memcmp(name, "VB", 2) == 0 && cursor_take(c, up8(note->n), &note->desc);
}

static struct vcpu cpu_of(const struct note *note)
{
	struct vcpu v = {0};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		v.reg[fields[i].reg] = le_n(note->desc + fields[i].off, fields[i].width);
		v.has |= 1U << fields[i].reg;
	}
	return v;
}

// True if what follows are CPUs that can be read.
static bool take_core(struct image *img, const struct note *note)
{
	const uint8_t *d = note->desc;

	if (note->n < CORE_SIZE || le32(d) != CORE_MAGIC)
		return false;
	image_fact(img, "Version", "VirtualBox %u.%u.%u, core format 0x%x", d[15], d[14],
		   le16(d + 12), le32(d + 4));
	return le32(d + 4) >= FIRST_WITH_CPUS;
}

void vbox_notes_take(struct image *img, const uint8_t *notes, size_t n)
{
	struct cursor c = cursor_over(notes, n);
	VEC(struct vcpu) cpus = {0};
	struct note note;
	bool known = false;

	while (take_note(&c, &note)) {
		if (note.type == NOTE_CORE)
			known = take_core(img, &note);
		else if (note.type == NOTE_CPU && known && note.n >= CPU_SIZE)
			*vec_add(&cpus) = cpu_of(&note);
	}
	for (size_t i = 0; i < cpus.n; i++)
		cpus.at[i].cpu = (uint32_t)i;
	img->vcpus = cpus.at;
	img->n_vcpus = cpus.n;
	img->why = "ELF core with notes of VirtualBox";
}
