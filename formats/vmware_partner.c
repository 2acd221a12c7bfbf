// SPDX-License-Identifier: LGPL-2.1-or-later
// Partners by name: the same stem, another ending. Their sizes must agree, for a stale state file
// may lie beside newer memory.
#include "formats/vmware_partner.h"

#include "formats/vmware.h"
#include "formats/vmware_tags.h"
#include "src/base/mem.h"
#include "src/base/scope.h"

#include <string.h>
#include <strings.h>

static bool ends_in(const char *path, size_t n, const char *ending)
{
	size_t len = strlen(ending);

	return n > len && strncasecmp(path + n - len, ending, len) == 0;
}

// The length of the path without its ending, which is one of VMware's; 0 if it has another.
static size_t stem_of(const char *path)
{
	size_t n = strlen(path);

	if (ends_in(path, n, ".zst"))
		n -= strlen(".zst");
	if (ends_in(path, n, ".vmem") || ends_in(path, n, ".vmss") || ends_in(path, n, ".vmsn"))
		return n - strlen(".vmem");
	return 0;
}

struct err *vmware_open_memory(const char *state_path, struct io **out)
{
	size_t stem = stem_of(state_path);

	if (stem == 0)
		return err_new(ERR_FORMAT,
			       "a VMware state file without memory in it; give its .vmem, and this "
			       "file with --vmss");
	_cleanup_free_ char *path = mem_printf("%.*s.vmem", (int)stem, state_path);
	struct err *e = io_open_file(path, out);
	return e ? err_wrap(e, "a VMware state file without memory in it, which should be beside "
			       "it (if it has another name give that, and this file with --vmss)")
		 : NULL;
}

static struct err *open_state(const char *path, struct io **out)
{
	uint8_t head[4];
	size_t got;

	TRY(io_open_file(path, out));
	struct err *e = io_read(*out, 0, head, sizeof(head), &got);
	if (!e && !vmware_magic(head, got))
		e = err_new(ERR_FORMAT, "%s: is not a VMware state file (.vmss, .vmsn)", path);
	if (e) {
		io_close(*out);
		*out = NULL;
	}
	return e;
}

struct err *vmware_open_named(const char *path, struct io **out)
{
	struct err *e = open_state(path, out);

	return e ? err_wrap(e, "--vmss") : NULL;
}

static bool fits(struct io *state, uint64_t memory_size)
{
	struct vmware_state s = {0};
	struct err *e = vmware_state_read(state, &s);
	uint64_t size = vmware_state_size(&s);
	bool own_memory = s.memory_size > 0;

	vmware_state_fini(&s);
	return !e && !own_memory && (size == 0 || size == memory_size);
}

static struct io *try_state(const struct image *img, const char *path, bool *there)
{
	struct io *state;

	*there = !open_state(path, &state);
	if (!*there)
		return NULL;
	if (fits(state, img->io->size))
		return state;
	io_close(state);
	return NULL;
}

struct io *vmware_find_state(struct image *img)
{
	static const char *const endings[] = {".vmss", ".vmsn"};
	size_t stem = stem_of(img->io->path);
	_cleanup_free_ char *misfit = NULL;

	for (size_t i = 0; stem && i < sizeof(endings) / sizeof(endings[0]); i++) {
		char *path = mem_printf("%.*s%s", (int)stem, img->io->path, endings[i]);
		bool there;
		struct io *state = try_state(img, path, &there);
		if (!state && there && !misfit)
			misfit = path;
		else
			mem_free(path);
		if (state)
			return state;
	}
	if (misfit)
		image_damaged(img,
			      "%s beside it is not of this memory, or damaged; name it with --vmss "
			      "to use it all the same",
			      misfit);
	return NULL;
}

void vmware_partners(const char *path, void (*visit)(void *arg, const char *path), void *arg)
{
	static const char *const endings[] = {".vmem", ".vmss", ".vmsn"};
	size_t stem = stem_of(path);

	for (size_t i = 0; stem && i < sizeof(endings) / sizeof(endings[0]); i++) {
		_cleanup_free_ char *name = mem_printf("%.*s%s", (int)stem, path, endings[i]);
		visit(arg, name);
	}
}
