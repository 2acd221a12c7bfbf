// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the kernel, and with it where RAM lies in images that do not record it.
#ifndef VMI_ANALYSE_LAYOUT_H
#define VMI_ANALYSE_LAYOUT_H

#include "formats/fmt.h"
#include "src/kernel/kernel.h"

struct err *layout_find_kernel(struct image *img, const struct kernel_supply *supply,
			       struct kernel **out);

#endif
