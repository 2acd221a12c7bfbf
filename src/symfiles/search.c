// SPDX-License-Identifier: LGPL-2.1-or-later
// Candidates in their order: what a build id names is surest.
#include "src/symfiles/search.h"

#include "src/base/scope.h"
#include "src/symfiles/identity.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { RELEASE_MOST = 128, IDS_MOST = 8 };

const char search_system_folder[] = "/usr/lib/debug";

struct search {
	bool (*visit)(void *arg, const char *path);
	void *arg;
	bool done;
};

// path is freed.
static void try_path(struct search *s, char *path)
{
	struct stat st;

	if (!s->done && stat(path, &st) == 0 && S_ISREG(st.st_mode))
		s->done = s->visit(s->arg, path);
	mem_free(path);
}

static void try_id(struct search *s, const char *folder, const char *id)
{
	if (strlen(id) < 4)
		return;
	try_path(s, mem_printf("%s/.build-id/%.2s/%s.debug", folder, id, id + 2));
	try_path(s, mem_printf("%s/%s.debug", folder, id));
}

static void try_release(struct search *s, const char *folder, const char *release)
{
	try_path(s, mem_printf("%s/boot/vmlinux-%s", folder, release));
	try_path(s, mem_printf("%s/lib/modules/%s/vmlinux", folder, release));
	if (strcmp(folder, search_system_folder) == 0)
		return;
	try_path(s, mem_printf("%s/vmlinux-%s", folder, release));
	try_path(s, mem_printf("%s/vmlinuz-%s", folder, release));
	try_path(s, mem_printf("%s/%s.json", folder, release));
	try_path(s, mem_printf("%s/%s.json.xz", folder, release));
	try_path(s, mem_printf("%s/System.map-%s", folder, release));
}

// The release in the banner, if it can be part of a file's name and nothing else.
static bool release_of(const struct kernel *k, char release[static RELEASE_MOST])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.+-_~";
	const char *at = k->banner + strlen("Linux version ");
	size_t n = strspn(at, plain);

	if (n == 0 || n >= RELEASE_MOST || at[n] != ' ' || *at == '.')
		return false;
	memcpy(release, at, n);
	release[n] = '\0';
	return true;
}

// Every build id in the kernel's .rodata: its own, and those of the vDSO's images.
static size_t ids_in_window(const struct kernel *k, char *ids[static IDS_MOST])
{
	static const char owner[] = "GNU";
	const uint8_t *w = k->window, *end = w + k->window_size, *at = w;
	size_t n = 0;

	while (w && n < IDS_MOST && (at = memmem(at, (size_t)(end - at), owner, sizeof(owner)))) {
		if (at - w >= 12 && (ids[n] = identity_of_note(at - 12, (size_t)(end - at) + 12)))
			n++;
		at++;
	}
	return n;
}

static void try_folder(struct search *s, const char *folder, char *const *ids, size_t n,
		       const char *release)
{
	for (size_t i = 0; i < n; i++)
		try_id(s, folder, ids[i]);
	if (release)
		try_release(s, folder, release);
}

void search_files(const struct kernel *k, const char *folder,
		  bool (*visit)(void *arg, const char *path), void *arg)
{
	struct search s = {visit, arg, false};
	char release[RELEASE_MOST], *ids[IDS_MOST];
	bool known = release_of(k, release);
	size_t n = ids_in_window(k, ids);

	if (folder)
		try_folder(&s, folder, ids, n, known ? release : NULL);
	try_folder(&s, search_system_folder, ids, n, known ? release : NULL);
	for (size_t i = 0; i < n; i++)
		mem_free(ids[i]);
}
