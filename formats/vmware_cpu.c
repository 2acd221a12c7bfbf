// SPDX-License-Identifier: LGPL-2.1-or-later
// The group "cpu": registers as blocks of all of a kind, or one by one.
#include "formats/vmware_tags.h"

#include "formats/vmware.h"
#include "src/base/bytes.h"

#include <string.h>

enum { MAX_CPUS = 4096 };

// Element i of an array of 8-byte registers. Alone it has the index [cpu][i], in a block [cpu];
// where the array has one element its index is left out.
static const struct {
	const char *name;
	uint8_t element, reg;
	bool scalar;
} places[] = {
	{"gpregs", 4, VCPU_RSP, false}, // rax, rcx, rdx, rbx, rsp, ...
	{"rsp", 0, VCPU_RSP, true},	      {"rip", 0, VCPU_RIP, true},
	{"eflags", 0, VCPU_RFLAGS, true},     {"EFLAGS", 0, VCPU_RFLAGS, true},
	{"CR64", 0, VCPU_CR0, false},	      {"CR64", 2, VCPU_CR2, false},
	{"CR64", 3, VCPU_CR3, false},	      {"CR64", 4, VCPU_CR4, false},
	{"S.base64", 4, VCPU_FS_BASE, false}, // es, cs, ss, ds, fs, gs, ldtr, tr
	{"S.base64", 5, VCPU_GS_BASE, false},
};

static void set_reg(struct vcpu *v, uint8_t reg, uint64_t value)
{
	v->reg[reg] = value;
	v->has |= 1U << reg;
}

static struct vcpu *cpu_of(struct vmware_state *s, const struct vmware_tag *t)
{
	uint32_t cpu = t->n_indices ? t->index[0] : 0;

	if (cpu >= MAX_CPUS) {
		s->n_odd++;
		return NULL;
	}
	while (s->vcpus.n <= cpu) {
		struct vcpu *v = vec_add(&s->vcpus);
		*v = (struct vcpu){.cpu = (uint32_t)(s->vcpus.n - 1)};
	}
	return &s->vcpus.at[cpu];
}

static void take_element(struct vcpu *v, const struct vmware_tag *t, size_t element, bool scalar,
			 uint8_t reg)
{
	size_t n = t->n < 8 ? t->n : 8;

	if (scalar || t->n_indices == 2) {
		if (n && (scalar || t->index[1] == element))
			set_reg(v, reg, le_n(t->value, n));
	} else if ((element + 1) * 8 <= t->n) {
		set_reg(v, reg, le64(t->value + element * 8));
	}
}

// {u16 limit, u64 base} as a block; one by one: limit, lower and upper half of the base.
static void take_table(struct vcpu *v, const struct vmware_tag *t, uint8_t reg)
{
	uint64_t half = t->n ? le_n(t->value, t->n < 4 ? t->n : 4) : 0;
	uint64_t old = v->reg[reg];

	if (t->n_indices < 2 && t->n >= 10)
		set_reg(v, reg, le64(t->value + 2));
	else if (t->n_indices == 2 && t->index[1] == 1)
		set_reg(v, reg, (old & ~(uint64_t)UINT32_MAX) | half);
	else if (t->n_indices == 2 && t->index[1] == 2)
		set_reg(v, reg, half << 32 | (old & UINT32_MAX));
}

static bool is_register(const struct vmware_tag *t)
{
	static const char *const others[] = {"IDTR", "GDTR", "S"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(t->name, places[i].name) == 0)
			return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(t->name, others[i]) == 0)
			return true;
	return false;
}

void vmware_take_cpu_tag(struct vmware_state *s, const struct vmware_tag *t)
{
	if (strcmp(t->name, "cpu:numVCPUs") == 0 && !t->block) {
		s->n_cpus = le_n(t->value, t->n < 4 ? t->n : 4);
		return;
	}
	struct vcpu *v = is_register(t) ? cpu_of(s, t) : NULL;
	if (!v)
		return;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strcmp(t->name, places[i].name) == 0)
			take_element(v, t, places[i].element, places[i].scalar, places[i].reg);
	if (strcmp(t->name, "IDTR") == 0)
		take_table(v, t, VCPU_IDT_BASE);
	else if (strcmp(t->name, "GDTR") == 0)
		take_table(v, t, VCPU_GDT_BASE);
	else if (strcmp(t->name, "S") == 0 && t->n_indices == 2 && t->index[1] == 1 && t->n)
		set_reg(v, VCPU_CS, le_n(t->value, t->n < 4 ? t->n : 4));
}
