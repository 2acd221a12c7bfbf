// SPDX-License-Identifier: LGPL-2.1-or-later
// The readers by name, for the registry.
#ifndef VMI_FORMATS_READERS_H
#define VMI_FORMATS_READERS_H

#include "formats/fmt.h"

extern const struct fmt_ops fmt_elfcore;
extern const struct fmt_ops fmt_kdump;
extern const struct fmt_ops fmt_lime;
extern const struct fmt_ops fmt_avml;
extern const struct fmt_ops fmt_libvirt;
extern const struct fmt_ops fmt_qcow2;
extern const struct fmt_ops fmt_qemu_stream;
extern const struct fmt_ops fmt_raw;
extern const struct fmt_ops fmt_vmware;
extern const struct fmt_ops fmt_xencore;
extern const struct fmt_ops fmt_xensave;

// hole.c, for readers that know where low RAM ends: runs of memory laid out as if there was no hole
// -> where they are. out has room for n + 1; gives how many.
size_t hole_lay_out(struct mem_run *out, const struct mem_run *flat, size_t n, struct hole hole);

#endif
