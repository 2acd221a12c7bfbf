# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small kernels for test guests, built from Debian's source packages."""
