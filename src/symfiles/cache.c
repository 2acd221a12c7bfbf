// SPDX-License-Identifier: LGPL-2.1-or-later
// One zstd frame a profile, with the library's check sum; the oldest go when there are too many.
#include "src/symfiles/cache.h"

#ifdef HAVE_ZSTD
#include "src/base/bytes.h"
#include "src/base/fds.h"
#include "src/base/scope.h"
#include "src/base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zstd.h>

enum {
	LEVEL = 3,
	IDENTITY = 16,		  // bytes before the profile: size and time of its file
	PACKED_MOST = 64 << 20,	  // a profile of 6.1 has 1.6 MB
	CONTENT_MOST = 128 << 20, // and 4.8 MB
	FOLDER_MOST = 256 << 20,
	ID_MOST = 64,
};

#define SUFFIX ".profile.zst"

// --- where ---

char *cache_folder(void)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	_cleanup_free_ char *base = NULL;

	if (cache && *cache == '/')
		base = mem_strdup(cache);
	else if (home && *home == '/')
		base = mem_printf("%s/.cache", home);
	if (!base)
		return NULL;
	char *path = mem_printf("%s/vmiscan", base);
	(void)mkdir(base, 0700);
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return path;
	mem_free(path);
	return NULL;
}

static bool is_build_id(const char *id)
{
	size_t n = id ? strlen(id) : 0;

	return n >= 8 && n <= (size_t)2 * ID_MOST && strspn(id, "0123456789abcdef") == n;
}

static char *path_of(const struct cache_key *k)
{
	_cleanup_free_ char *in = is_build_id(k->build_id) ? cache_folder() : NULL;

	return in ? mem_printf("%s/%s-%016llx" SUFFIX, in, k->build_id,
			       (unsigned long long)k->wants)
		  : NULL;
}

// --- reading ---

static uint8_t *read_whole(int fd, size_t *n)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    st.st_size > PACKED_MOST)
		return NULL;
	*n = (size_t)st.st_size;
	uint8_t *bytes = mem_alloc(*n);
	if (pread(fd, bytes, *n, 0) == (ssize_t)*n)
		return bytes;
	mem_free(bytes);
	return NULL;
}

static uint8_t *unpack(const uint8_t *packed, size_t packed_n, size_t *n)
{
	unsigned long long size = ZSTD_getFrameContentSize(packed, packed_n);

	if (size < IDENTITY || size > CONTENT_MOST) // also the two errors, which are larger
		return NULL;
	uint8_t *bytes = mem_alloc((size_t)size);
	*n = ZSTD_decompress(bytes, (size_t)size, packed, packed_n);
	if (*n == size)
		return bytes;
	mem_free(bytes);
	return NULL;
}

static bool is_of(const struct cache_key *k, const uint8_t *identity, const struct profile *p)
{
	return le64(identity) == k->size && le64(identity + 8) == k->mtime_ns && p->build_id &&
	       strcmp(p->build_id, k->build_id) == 0;
}

static bool take(const struct cache_key *k, int fd, struct profile **out)
{
	size_t packed_n, n;
	_cleanup_free_ uint8_t *packed = read_whole(fd, &packed_n);
	_cleanup_free_ uint8_t *bytes = packed ? unpack(packed, packed_n, &n) : NULL;

	if (!bytes || profile_read(bytes + IDENTITY, n - IDENTITY, k->wants, out))
		return false;
	if (is_of(k, bytes, *out))
		return true;
	profile_free(*out);
	return false;
}

bool cache_get(const struct cache_key *k, struct profile **out)
{
	_cleanup_free_ char *path = path_of(k);
	struct mem_held *held = fds_hold();
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

	fds_holds(held, fd);
	bool got = fd >= 0 && take(k, fd, out);
	mem_let_go(held);
	return got;
}

// --- writing ---

static bool write_all(int fd, const uint8_t *bytes, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t more = write(fd, bytes + done, n - done);
		if (more < 0 && errno == EINTR)
			continue;
		if (more <= 0)
			return false;
		done += (size_t)more;
	}
	return true;
}

static void put_u64(uint8_t *at, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

static uint8_t *pack(const struct cache_key *k, const struct profile *p, size_t *n)
{
	size_t size;
	_cleanup_free_ uint8_t *profile = profile_write(p, k->wants, &size);
	_cleanup_free_ uint8_t *bytes = mem_alloc(IDENTITY + size);
	ZSTD_CCtx *z = ZSTD_createCCtx();

	put_u64(bytes, k->size);
	put_u64(bytes + 8, k->mtime_ns);
	memcpy(bytes + IDENTITY, profile, size);
	uint8_t *packed = mem_alloc(ZSTD_compressBound(IDENTITY + size));
	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, LEVEL);
	(void)ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	*n = ZSTD_compress2(z, packed, ZSTD_compressBound(IDENTITY + size), bytes, IDENTITY + size);
	(void)ZSTD_freeCCtx(z);
	if (!ZSTD_isError(*n) && *n <= PACKED_MOST)
		return packed;
	mem_free(packed);
	return NULL;
}

static void write_to(const char *path, const uint8_t *bytes, size_t n)
{
	_cleanup_free_ char *scratch = mem_printf("%s.XXXXXX", path);
	int fd = mkostemp(scratch, O_CLOEXEC);

	if (fd < 0)
		return;
	bool whole = write_all(fd, bytes, n);
	whole = close(fd) == 0 && whole;
	if (!whole || rename(scratch, path) != 0)
		(void)unlink(scratch);
}

// --- keeping it small ---

struct kept {
	char *name;
	int64_t made_ns, size;
};
typedef VEC(struct kept) kept_vec;

static int youngest_first(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return x->made_ns > y->made_ns ? -1 : x->made_ns < y->made_ns;
}

// Also what a writer left behind that was killed.
static void list_kept(DIR *d, kept_vec *out)
{
	struct stat st;

	for (const struct dirent *e; (e = readdir(d));)
		if (strstr(e->d_name, SUFFIX) &&
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			vec_push(out, ((struct kept){mem_strdup(e->d_name),
						     (int64_t)st.st_mtim.tv_sec * 1000000000 +
							     st.st_mtim.tv_nsec,
						     st.st_size}));
}

static void drop_oldest(void)
{
	_cleanup_free_ char *path = cache_folder();
	DIR *d = path ? opendir(path) : NULL;
	kept_vec all = {0};
	int64_t total = 0;

	if (!d)
		return;
	list_kept(d, &all);
	if (all.n)
		qsort(all.at, all.n, sizeof(*all.at), youngest_first);
	for (size_t i = 0; i < all.n; i++) {
		total += all.at[i].size;
		if (total > FOLDER_MOST)
			(void)unlinkat(dirfd(d), all.at[i].name, 0);
		mem_free(all.at[i].name);
	}
	vec_fini(&all);
	(void)closedir(d);
}

void cache_put(const struct cache_key *k, const struct profile *p)
{
	_cleanup_free_ char *path = path_of(k);
	size_t n;

	if (!path || !p->build_id || strcmp(p->build_id, k->build_id) != 0)
		return;
	_cleanup_free_ uint8_t *bytes = pack(k, p, &n);
	if (!bytes)
		return;
	write_to(path, bytes, n);
	drop_oldest();
}

#else

char *cache_folder(void)
{
	return NULL;
}

bool cache_get(const struct cache_key *k, struct profile **out)
{
	(void)k;
	(void)out;
	return false;
}

void cache_put(const struct cache_key *k, const struct profile *p)
{
	(void)k;
	(void)p;
}
#endif
