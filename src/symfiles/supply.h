// SPDX-License-Identifier: LGPL-2.1-or-later
// What the search for a kernel is told of files: those that the analyst gave, or else those that
// the machine has of the same build.
#ifndef VMI_SYMFILES_SUPPLY_H
#define VMI_SYMFILES_SUPPLY_H

#include "formats/fmt.h"
#include "src/kernel/kernel.h"

struct symfiles;

// Every library that reads some kind of file, and may be missing from a build.
extern const struct fmt_library symfile_libraries[];

struct symfile_options {
	const char *vmlinux;	// --vmlinux, or NULL
	const char *system_map; // --system-map, or NULL
	const char *folder;	// --symbols: looked through before the system's; or NULL
	bool force;		// also where they do not fit
};

// Reads what was given. o must outlive it.
struct err *symfiles_open(const struct symfile_options *o, struct symfiles **out);
void symfiles_close(struct symfiles *s); // NULL is fine; no kernel may use its profiles any more

struct kernel_supply symfiles_supply(struct symfiles *s);

// Whether the search should be done once more, with the types of files that nobody gave: there are
// such files, and no kernel was found without them.
bool symfiles_try_harder(struct symfiles *s);

// After the search: an error if files were given and the kernel found is not theirs, naming both.
struct err *symfiles_check(const struct symfiles *s, const struct kernel *k);
// The same where no kernel was found for lack of types: NULL if no file was refused.
struct err *symfiles_refusal(const struct symfiles *s);
// Whether the kernel's profile is one that does not fit, used because of --force-symbols.
bool symfiles_forced(const struct symfiles *s, const struct kernel *k);

// What was wrong with a file that was found and not used, in words; NULL: nothing.
const char *symfiles_trouble(const struct symfiles *s);

#endif
