// SPDX-License-Identifier: LGPL-2.1-or-later
// Registers out of the section "cpu" of a migration stream (QEMU target/i386/machine.c, and
// target/arm/machine.c).
#include "formats/qemu_cpu.h"

#include "src/base/bytes.h"

#include <string.h>

enum {
	SEGMENT_SIZE = 20, // u32 selector, u64 base, u32 limit, u32 flags
	ANYWHERE = UINT16_MAX,
};

// A register is part of an element of a field. `fixed` is where x86-64 has it in versions 11 and
// 12 of the section, for streams that do not describe it. "cpsr" is the pstate of 64 bits.
static const struct {
	const char *field;
	uint8_t element, within, width, element_size;
	uint16_t fixed;
	uint8_t reg;
} places[] = {
	{"env.regs", 4, 0, 8, 8, 32, VCPU_RSP},
	{"env.eip", 0, 0, 8, 8, 128, VCPU_RIP},
	{"env.eflags", 0, 0, 8, 8, 136, VCPU_RFLAGS},
	{"env.segs", 1, 0, 4, SEGMENT_SIZE, 256, VCPU_CS},
	{"env.segs", 4, 4, 8, SEGMENT_SIZE, 320, VCPU_FS_BASE},
	{"env.segs", 5, 4, 8, SEGMENT_SIZE, 340, VCPU_GS_BASE},
	{"env.gdt", 0, 4, 8, SEGMENT_SIZE, 400, VCPU_GDT_BASE},
	{"env.idt", 0, 4, 8, SEGMENT_SIZE, 420, VCPU_IDT_BASE},
	{"env.cr[0]", 0, 0, 8, 8, 456, VCPU_CR0},
	{"env.cr[2]", 0, 0, 8, 8, 464, VCPU_CR2},
	{"env.cr[3]", 0, 0, 8, 8, 472, VCPU_CR3},
	{"env.cr[4]", 0, 0, 8, 8, 480, VCPU_CR4},
	{"env.efer", 0, 0, 8, 8, 816, VCPU_EFER},
	{"env.lstar", 0, 0, 8, 8, 832, VCPU_LSTAR},
	{"env.kernelgsbase", 0, 0, 8, 8, 856, VCPU_KERNEL_GS_BASE},
	{"env.pc", 0, 0, 8, 8, ANYWHERE, VCPU_RIP},
	{"env.xregs", 31, 0, 8, 8, ANYWHERE, VCPU_RSP},
	{"cpsr", 0, 0, 4, 4, ANYWHERE, VCPU_RFLAGS},
};
enum { N_PLACES = sizeof(places) / sizeof(places[0]) };

static void set(struct vcpu *v, size_t i, const uint8_t *at)
{
	v->reg[places[i].reg] = places[i].width == 8 ? be64(at) : be32(at);
	v->has |= 1U << places[i].reg;
}

static void take_described(struct vcpu *v, size_t i, const struct vmdesc_field *f,
			   const uint8_t *payload, size_t n)
{
	uint64_t end = f->off + (places[i].element + 1ULL) * places[i].element_size;

	if (strcmp(f->name, places[i].field) != 0 || f->n <= places[i].element ||
	    f->size != places[i].element_size || f->off > n || end > n)
		return;
	set(v, i, payload + f->off + places[i].element * f->size + places[i].within);
}

bool qemu_cpu_described(struct vcpu *v, const struct vmdesc_device *d, const uint8_t *payload,
			size_t n)
{
	const struct vmdesc_field *f;

	vec_foreach (f, &d->fields)
		for (size_t i = 0; i < N_PLACES; i++)
			take_described(v, i, f, payload, n);
	return v->has & (1U << VCPU_CR3 | 1U << VCPU_RIP);
}

bool qemu_cpu_fixed(struct vcpu *v, uint32_t version, const uint8_t *payload, size_t n)
{
	if (version != 11 && version != 12)
		return false;
	for (size_t i = 0; i < N_PLACES; i++)
		if (places[i].fixed != ANYWHERE && places[i].fixed + (size_t)places[i].width <= n)
			set(v, i, payload + places[i].fixed);
	return v->has & 1U << VCPU_CR3;
}
