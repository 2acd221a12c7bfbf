// SPDX-License-Identifier: LGPL-2.1-or-later
// The folder of scratch files; apart from them, since fuzz targets replace those.
#include "formats/scratch.h"

#include <stdio.h>
#include <stdlib.h>

// TMPDIR is the user's to point at a larger disk, so an empty one counts as none.
const char *scratch_folder(void)
{
	const char *dir = secure_getenv("TMPDIR");

	return dir && *dir ? dir : P_tmpdir;
}
