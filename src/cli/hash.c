// SPDX-License-Identifier: LGPL-2.1-or-later
// libmd does the mathematics.
#include "src/cli/hash.h"

#include "src/base/scope.h"
#include "src/phys/io.h"

#include <sha256.h>
#include <stdio.h>

enum { CHUNK = 1 << 20 };

static void scope_io_close(struct io **io)
{
	io_close(*io);
}

struct err *hash_sha256(const char *path, struct progress *p, char out[static SHA256_TEXT])
{
	_cleanup_free_ uint8_t *buf = mem_alloc(CHUNK);
	_cleanup_(scope_io_close) struct io *io = NULL;
	SHA256_CTX ctx;
	size_t got;

	TRY(io_open_file(path, &io));
	SHA256Init(&ctx);
	for (uint64_t off = 0; off < io->size; off += got) {
		TRY(io_read(io, off, buf, CHUNK, &got));
		if (got == 0)
			return err_new(ERR_IO,
				       "%s: can't be read at byte %llu, so there is no hash of it; "
				       "leave out --hash",
				       path, (unsigned long long)off);
		SHA256Update(&ctx, buf, got);
		progress_step(p, "hashing", off, io->size);
	}
	(void)SHA256End(&ctx, out);
	return NULL;
}
