// SPDX-License-Identifier: LGPL-2.1-or-later
// VM state in qcow2 images.
#include "tests/fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_reader(&fmt_qcow2, data, n, NULL);
	return 0;
}
