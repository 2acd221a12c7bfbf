# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes test guests: memory images of Debian kernels, each with the truth from inside."""
