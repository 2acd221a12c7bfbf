// SPDX-License-Identifier: LGPL-2.1-or-later
// Saved domains of Xen.
#include "tests/fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_reader(&fmt_xensave, data, n, NULL);
	return 0;
}
