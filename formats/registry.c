// SPDX-License-Identifier: LGPL-2.1-or-later
// Every reader there is, in the order in which they are asked.
#include "formats/readers.h"

const struct fmt_ops *const fmt_registry[] = {
	&fmt_xencore, // before the other ELF cores
	&fmt_elfcore, &fmt_kdump,   &fmt_lime,	 &fmt_avml,    &fmt_qemu_stream,
	&fmt_qcow2,   &fmt_libvirt, &fmt_vmware, &fmt_xensave,
	&fmt_raw, // takes what nobody else knows, so it comes last
	NULL,
};
