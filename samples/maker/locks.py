# SPDX-License-Identifier: LGPL-2.1-or-later
"""One process at a time, among all that make something for the same cache."""

import contextlib
import fcntl


@contextlib.contextmanager
def locked(path):
    """Until the block ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
