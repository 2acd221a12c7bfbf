// SPDX-License-Identifier: LGPL-2.1-or-later
// VMware state files, alone and with memory that goes with them.
#include "tests/fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t memory[16 << 12];

	fuzz_reader(&fmt_vmware, data, n, NULL);
	fuzz_reader(&fmt_vmware, memory, sizeof(memory), fuzz_io(data, n));
	return 0;
}
