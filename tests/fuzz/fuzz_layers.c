// SPDX-License-Identifier: LGPL-2.1-or-later
// What lies around containers: compression of whole files, makedumpfile's flattening.
#include "tests/fuzz/reader.h"

#include "formats/layers.h"

enum { READS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct fmt_options defaults;
	static uint8_t buf[5000];
	struct io *io = fuzz_io(data, n);
	struct layers layers;
	size_t got;

	if (!layers_open(&io, &defaults, &layers))
		for (uint64_t i = 0; i < READS; i++) {
			uint64_t step = io->size / READS + 1;
			(void)io_read(io, i * step, buf, sizeof(buf), &got);
			(void)io_read(io, io->size - i * step, buf, 1, &got);
		}
	layers_fini(&layers);
	io_close(io);
	return 0;
}
