// SPDX-License-Identifier: LGPL-2.1-or-later
// LiME and AVML dumps.
#include "tests/fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_reader(&fmt_lime, data, n, NULL);
	fuzz_reader(&fmt_avml, data, n, NULL);
	return 0;
}
