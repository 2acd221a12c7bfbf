// SPDX-License-Identifier: LGPL-2.1-or-later
// vcpu_guest_context (xen/include/public/arch-x86/xen.h, the x86-64 layout of xen-x86_64.h) and
// hvm_hw_cpu (xen/include/public/arch-x86/hvm/save.h), Xen 4.17.
#include "formats/xencpu.h"

#include "src/base/bytes.h"

#include <string.h>

enum {
	FLAGS = 512,
	USER_REGS = 520,
	CTRLREG = 4984,
	FS_BASE = 5144,
	GS_BASE_KERNEL = 5152,
	GS_BASE_USER = 5160,
	IN_KERNEL = 1 << 2, // VGCF_in_kernel, of paravirtual guests
};

struct place {
	uint16_t off;
	uint8_t reg, width;
};

// cpu_user_regs from USER_REGS on, and control registers. Bases of descriptor tables are not there.
static const struct place context_places[] = {
	{USER_REGS + 16 * 8, VCPU_RIP, 8},
	{USER_REGS + 17 * 8, VCPU_CS, 2},
	{USER_REGS + 18 * 8, VCPU_RFLAGS, 8},
	{USER_REGS + 19 * 8, VCPU_RSP, 8},
	{CTRLREG, VCPU_CR0, 8},
	{CTRLREG + 2 * 8, VCPU_CR2, 8},
	{CTRLREG + 3 * 8, VCPU_CR3, 8},
	{CTRLREG + 4 * 8, VCPU_CR4, 8},
	{FS_BASE, VCPU_FS_BASE, 8},
};

// hvm_hw_cpu: FPU, 16 registers, rip, rflags, cr0, cr2, cr3, cr4, 6 debug registers, 8 selectors,
// 10 limits, 10 bases, 8 access rights, 3 of sysenter, then MSRs.
static const struct place hvm_places[] = {
	{568, VCPU_RSP, 8},
	{640, VCPU_RIP, 8},
	{648, VCPU_RFLAGS, 8},
	{656, VCPU_CR0, 8},
	{664, VCPU_CR2, 8},
	{672, VCPU_CR3, 8},
	{680, VCPU_CR4, 8},
	{736, VCPU_CS, 4},
	{832, VCPU_FS_BASE, 8},
	{840, VCPU_GS_BASE, 8},
	{872, VCPU_IDT_BASE, 8},
	{880, VCPU_GDT_BASE, 8},
	{944, VCPU_KERNEL_GS_BASE, 8},
	{960, VCPU_LSTAR, 8},
	{992, VCPU_EFER, 8},
};

static void set_reg(struct vcpu *v, uint8_t reg, uint64_t value)
{
	v->reg[reg] = value;
	v->has |= 1U << reg;
}

static void take(struct vcpu *v, const struct place *places, size_t n_places, const uint8_t *bytes,
		 size_t n)
{
	for (size_t i = 0; i < n_places; i++)
		if (places[i].off + (size_t)places[i].width <= n)
			set_reg(v, places[i].reg, le_n(bytes + places[i].off, places[i].width));
}

// Xen names the bases by whose they are, not by which register holds them (arch_get_info_guest()).
void xen_take_context(struct vcpu *v, const uint8_t ctx[static XEN_CONTEXT64], bool pv)
{
	uint64_t kernel = le64(ctx + GS_BASE_KERNEL), user = le64(ctx + GS_BASE_USER);

	take(v, context_places, sizeof(context_places) / sizeof(context_places[0]), ctx,
	     XEN_CONTEXT64);
	bool in_kernel = pv ? le64(ctx + FLAGS) & IN_KERNEL : (v->reg[VCPU_CS] & 3) == 0;
	set_reg(v, VCPU_GS_BASE, in_kernel ? kernel : user);
	set_reg(v, VCPU_KERNEL_GS_BASE, in_kernel ? user : kernel);
}

void xen_take_hvm_cpu(struct vcpu *v, const uint8_t *rec, size_t n)
{
	take(v, hvm_places, sizeof(hvm_places) / sizeof(hvm_places[0]), rec, n);
}
