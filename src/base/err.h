// SPDX-License-Identifier: LGPL-2.1-or-later
// Errors are values: a function that can fail returns NULL or the error, each layer prepends its
// part of the sentence, and the command line prints the whole of it once.
//
// There is one error in flight a thread, so the slot is thread-local and nothing is allocated or
// freed on the error path. An error must be handled or passed on before the next call that can
// fail.
#ifndef VMI_BASE_ERR_H
#define VMI_BASE_ERR_H

#include <stdint.h>

// What went wrong, as coarse as a caller needs to react to; the exit status follows from it.
enum err_code {
	ERR_USAGE,	 // the command line
	ERR_IO,		 // the operating system said no
	ERR_FORMAT,	 // recognised, but broken
	ERR_UNSUPPORTED, // recognised, but not supported
	ERR_NO_KERNEL,	 // no kernel, or no types or symbols for it
	ERR_OUTPUT,	 // the result can't be written
	ERR_LIMIT,	 // a bound of ours was hit
	ERR_NOT_FOUND,
	ERR_INTERNAL,
};

struct err {
	enum err_code code;
	char msg[1024];
};

// The new error; msg is formatted, without a full stop or newline.
struct err *err_new(enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

// The same for a failed system call: ": " and strerror(errno) are appended.
struct err *err_errno(enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));

// e with "TEXT: " put before its message; too long a message loses its end.
struct err *err_wrap(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull, nonnull(1)));

#define TRY(call)                                                                                  \
	do {                                                                                       \
		struct err *try_err_ = (call);                                                     \
		if (try_err_)                                                                      \
			return try_err_;                                                           \
	} while (0)

#endif
