// SPDX-License-Identifier: LGPL-2.1-or-later
// What the page shows before, and without, any script.
#ifndef VMI_REPORT_FIRST_SCREEN_H
#define VMI_REPORT_FIRST_SCREEN_H

#include "src/report/data.h"

// Host, kernel, verdict, counts, and what the image is.
void first_screen_put(page_text *out, const struct data *d);

#endif
