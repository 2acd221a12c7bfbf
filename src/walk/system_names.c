// SPDX-License-Identifier: LGPL-2.1-or-later
// What the guest calls itself: host name and hardware.
#include "src/walk/system.h"

#include <inttypes.h>

enum { MAX_DMI = 256 };

uint64_t system_uts_name(struct walk *w)
{
	uint64_t uts = w->k->symbol[S(init_uts_ns)];

	if (!uts)
		uts = k_or0(w->k, k_or0(w->k, w->k->init_task, F(task_struct, nsproxy)),
			    F(nsproxy, uts_ns));
	return k_field_va(w->k, uts, F(uts_namespace, name));
}

// dmi_get_system_info(), drivers/firmware/dmi_scan.c. Empty is what the firmware did not fill in.
static struct opt_text dmi(struct walk *w, const char *slot)
{
	uint64_t table = w->k->symbol[S(dmi_ident)], va;
	int64_t i;

	if (!table || !k_enum(w->k, slot, &i) || i < 0 || i > 64 ||
	    !k_ptr(w->k, table + (uint64_t)i * w->k->word, &va) || !va)
		return (struct opt_text){0};
	char *text = k_string(w->k, &w->row, va, MAX_DMI);
	return some_text(text && *text ? text : NULL);
}

static void fill_hardware(struct walk *w, struct row_system_info *row)
{
	row->uuid = dmi(w, "DMI_PRODUCT_UUID");
	row->hardware_vendor = dmi(w, "DMI_SYS_VENDOR");
	row->hardware_model = dmi(w, "DMI_PRODUCT_NAME");
	row->hardware_version = dmi(w, "DMI_PRODUCT_VERSION");
	row->hardware_serial = dmi(w, "DMI_PRODUCT_SERIAL");
	row->board_vendor = dmi(w, "DMI_BOARD_VENDOR");
	row->board_model = dmi(w, "DMI_BOARD_NAME");
	row->board_version = dmi(w, "DMI_BOARD_VERSION");
	row->board_serial = dmi(w, "DMI_BOARD_SERIAL");
}

static void fill_cpus(struct walk *w, struct row_system_info *row)
{
	uint64_t boot = system_boot_cpu(w), v;
	struct cpu_counts counts = system_count_cpus(w);

	if (k_get(w->k, boot, F(cpuinfo_x86, x86_model), &v))
		row->cpu_subtype = row_printf(w, "%" PRIu64, v);
	if (k_get(w->k, boot, F(cpuinfo_x86, microcode), &v))
		row->cpu_microcode = row_printf(w, "0x%" PRIx64, v);
	if (w->k->arch == ARCH_ARM64 && system_arm64_part(w).set)
		row->cpu_subtype = row_printf(w, "%" PRId64, system_arm64_part(w).v);
	row->cpu_brand = col_text(w, boot, F(cpuinfo_x86, x86_model_id));
	row->cpu_physical_cores = counts.cores;
	row->cpu_logical_cores = counts.logical;
	row->cpu_sockets = counts.sockets;
}

static void emit_system_info(struct walk *w, uint64_t uts)
{
	struct opt_text name = col_text(w, uts, F(new_utsname, nodename));
	struct opt_text machine = col_text(w, uts, F(new_utsname, machine));
	struct row_system_info row = {
		.hostname = name,
		.cpu_type = machine,
		.physical_memory = system_total_memory(w),
		.computer_name = name,
		.local_hostname = name,
		.nodename = name,
		.domainname = col_text(w, uts, F(new_utsname, domainname)),
		.release = col_text(w, uts, F(new_utsname, release)),
		.machine = machine,
	};
	fill_cpus(w, &row);
	fill_hardware(w, &row);
	WALK_EMIT(w, system_info, &row);
}

// EFI_BOOT of include/linux/efi.h; what else boots x86 is a BIOS. Without CONFIG_EFI there is no
// efi.
static struct opt_text firmware_type(struct walk *w)
{
	enum { EFI_BOOT = 1 };
	uint64_t efi = w->k->symbol[S(efi)], flags = 0;

	if (efi ? !k_get(w->k, efi, F(efi, flags), &flags) : w->k->data_deduced)
		return (struct opt_text){0};
	if (flags & EFI_BOOT)
		return some_text("uefi");
	return some_text(w->k->arch == ARCH_ARM64 ? NULL : "bios");
}

static void emit_platform_info(struct walk *w)
{
	struct row_platform_info row = {
		.vendor = dmi(w, "DMI_BIOS_VENDOR"),
		.version = dmi(w, "DMI_BIOS_VERSION"),
		.date = dmi(w, "DMI_BIOS_DATE"),
		.revision = dmi(w, "DMI_BIOS_RELEASE"),
		.firmware_type = firmware_type(w),
	};

	if (row.vendor.p || row.version.p || row.date.p)
		WALK_EMIT(w, platform_info, &row);
}

static void run(struct walk *w)
{
	emit_system_info(w, system_uts_name(w));
	emit_platform_info(w);
	system_emit_release(w);
}

const struct extractor walk_names = {
	.name = "names",
	.tables = {TABLE_system_info, TABLE_platform_info, TABLE_os_version},
	.n_tables = 3,
	.needs = {F(uts_namespace, name), F(new_utsname, nodename)},
	.n_needs = 2,
	.run = run,
};
