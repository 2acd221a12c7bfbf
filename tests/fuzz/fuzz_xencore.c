// SPDX-License-Identifier: LGPL-2.1-or-later
// Cores by xl dump-core.
#include "tests/fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_reader(&fmt_xencore, data, n, NULL);
	return 0;
}
