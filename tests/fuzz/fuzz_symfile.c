// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of symbols of every kind. libelf and libdwarf crash on some broken files, which is known:
// a fuzzer meets them in its own process, the replay as vmiscan does, in a child.
#include "src/base/mem.h"
#include "src/kernel/kernel.h"
#include "src/symfiles/child.h"
#include "src/symfiles/convert.h"
#include "symbols/wanted.h"
#include "tests/fuzz/reader.h"

#include <string.h>

struct bytes {
	const uint8_t *at;
	size_t n;
};

static struct err *work(void *arg, struct profile **out)
{
	const struct bytes *b = arg;
	uint8_t *copy = memcpy(mem_alloc(b->n), b->at, b->n); // it may be written to
	struct err *e = convert(copy, b->n, kernel_type_wants(), out);

	mem_free(copy);
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct child_limits limits = {.cpu_s = 10};
	struct bytes b = {data, n};
	struct profile *p;
	bool apart = n > 4 && memcmp(data, "\177ELF", 4) == 0;

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	apart = false;
#endif
	if (!(apart ? child_run(work, &b, -1, kernel_type_wants()->key, &limits, &p)
		    : work(&b, &p)))
		profile_free(p);
	return 0;
}
