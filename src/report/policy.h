// SPDX-License-Identifier: LGPL-2.1-or-later
// The Content-Security-Policy: nothing is loaded, and nothing runs or styles but what is hashed.
#ifndef VMI_REPORT_POLICY_H
#define VMI_REPORT_POLICY_H

#include "src/report/assets.h"
#include "src/report/text.h"

void policy_put(page_text *out, const struct asset *script, const struct asset *style);

#endif
