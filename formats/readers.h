// SPDX-License-Identifier: LGPL-2.1-or-later
// The readers by name, for the registry.
#ifndef VMI_FORMATS_READERS_H
#define VMI_FORMATS_READERS_H

#include "formats/fmt.h"

extern const struct fmt_ops fmt_elfcore;
extern const struct fmt_ops fmt_raw;

#endif
