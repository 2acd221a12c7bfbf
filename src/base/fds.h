// SPDX-License-Identifier: LGPL-2.1-or-later
// Descriptors that a forked process has no use for.
#ifndef VMI_BASE_FDS_H
#define VMI_BASE_FDS_H

// Closes all from `first` on but these two; -1 is none.
void fds_close_but(int first, int one, int other);

#endif
