// SPDX-License-Identifier: LGPL-2.1-or-later
// The distribution, from os-release where the page cache still has it (man 5 os-release).
#include "src/walk/cached_file.h"
#include "src/walk/dentry.h"
#include "src/walk/page_cache.h"
#include "src/walk/system.h"

#include <inttypes.h>
#include <string.h>

// The file's text in the row arena, or NULL. /etc/os-release mostly is a link to the first place.
static char *os_release(struct walk *w)
{
	static const char *const places[][4] = {{"usr", "lib", "os-release"},
						{"etc", "os-release"}};
	char *text = arena_alloc(&w->row, PAGE_SIZE + 1);

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint64_t at = cached_root(w);
		for (size_t j = 0; places[i][j]; j++)
			at = dentry_child(w, at, places[i][j]);
		size_t n = page_cache_head(w, k_or0(w->k, at, F(dentry, d_inode)), text);
		text[n] = '\0';
		if (n > 0)
			return text;
	}
	return NULL;
}

// A value as a shell would read it: quoted or not, a backslash takes the next character as it is.
static struct opt_text unquote(struct walk *w, const char *s, size_t n)
{
	char *out = arena_alloc(&w->row, n + 1), quote = 0;
	size_t o = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == quote)
			break;
		if (i == 0 && (s[0] == '"' || s[0] == '\''))
			quote = s[0];
		else if (s[i] == '\\' && quote != '\'' && i + 1 < n)
			out[o++] = s[++i];
		else
			out[o++] = s[i];
	}
	out[o] = '\0';
	return some_bytes(out, o);
}

// The value of a key in lines of KEY=VALUE; absent if there is none.
static struct opt_text value_of(struct walk *w, const char *text, const char *key)
{
	size_t key_n = strlen(key);

	while (*text) {
		size_t n = strcspn(text, "\n");
		if (n > key_n && memcmp(text, key, key_n) == 0 && text[key_n] == '=')
			return unquote(w, text + key_n + 1, n - key_n - 1);
		text += n + (text[n] == '\n');
	}
	return (struct opt_text){0};
}

// The number at *s, which moves behind it and the dot that follows.
static struct opt_int take_number(const char **s)
{
	const char *p = *s;
	int64_t v = 0;

	while (*p >= '0' && *p <= '9' && v < 100000000)
		v = v * 10 + (*p++ - '0');
	if (p == *s)
		return (struct opt_int){0};
	*s = *p == '.' ? p + 1 : "";
	return some_int(v);
}

static void fill_release(struct walk *w, struct row_os_version *row, const char *text)
{
	struct opt_text name = value_of(w, text, "NAME"), version = value_of(w, text, "VERSION");
	struct opt_text id = value_of(w, text, "VERSION_ID");
	const char *number = id.p ? id.p : "";

	row->name = name.p ? name : row->name;
	row->version = version.p ? version : row->version;
	row->build = value_of(w, text, "BUILD_ID");
	row->platform = value_of(w, text, "ID");
	row->platform_like = value_of(w, text, "ID_LIKE");
	row->codename = value_of(w, text, "VERSION_CODENAME");
	row->major = take_number(&number);
	row->minor = take_number(&number);
	row->patch = take_number(&number);
}

void system_emit_release(struct walk *w)
{
	uint64_t uts = system_uts_name(w), inum;
	uint64_t nsproxy = k_or0(w->k, w->k->init_task, F(task_struct, nsproxy));
	struct row_os_version row = {
		.name = col_text(w, uts, F(new_utsname, sysname)),
		.version = col_text(w, uts, F(new_utsname, version)),
		.arch = col_text(w, uts, F(new_utsname, machine)),
		.pid_with_namespace = some_int(0),
	};
	const char *text = os_release(w);

	if (text)
		fill_release(w, &row, text);
	if (k_get(w->k, k_or0(w->k, nsproxy, F(nsproxy, mnt_ns)), F(mnt_namespace, ns_inum), &inum))
		row.mount_namespace_id = row_printf(w, "%" PRIu64, inum);
	WALK_EMIT(w, os_version, &row);
}
