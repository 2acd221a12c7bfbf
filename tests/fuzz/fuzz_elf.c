// SPDX-License-Identifier: LGPL-2.1-or-later
// ELF cores: QEMU, vmcore, VirtualBox.
#include "tests/fuzz/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	fuzz_reader(&fmt_elfcore, data, n, NULL);
	return 0;
}
