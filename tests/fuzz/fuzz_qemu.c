// SPDX-License-Identifier: LGPL-2.1-or-later
// QEMU migration streams.
#include "tests/fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_reader(&fmt_qemu_stream, data, n, NULL);
	return 0;
}
