// SPDX-License-Identifier: LGPL-2.1-or-later
// The processes for a browser that runs no scripts.
#ifndef VMI_REPORT_LISTING_H
#define VMI_REPORT_LISTING_H

#include "src/report/data.h"

// A table of HTML, one row a process; long texts lose their end, which the data have.
void listing_put(page_text *out, const struct data *d);

#endif
