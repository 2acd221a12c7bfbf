# SPDX-License-Identifier: LGPL-2.1-or-later
"""The vmlinux with debug information that belongs to a guest's kernel, from the package beside it."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from .suites import Suite, SuiteError


def _unpack(package, folder):
    """Of gigabytes only the kernel."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as unpacked:
        done = subprocess.run(["tar", "-x", "-C", str(folder), "--wildcards", "*/vmlinux*"], stdin=unpacked.stdout,
                              stderr=subprocess.DEVNULL, check=False)
        # tar is content before the archive ends; dpkg-deb must be able to say the rest to nobody.
        unpacked.stdout.close()
    found = [path for path in Path(folder).rglob("vmlinux*") if path.is_file() and not path.is_symlink()]
    if done.returncode != 0 or not found:
        raise SuiteError(f"no vmlinux in {Path(package).name}")
    return max(found, key=lambda path: path.stat().st_size)


def get_vmlinux(cache, suite_name, release, arch="amd64"):
    """The path of the vmlinux, fetched unless it is there. The caller holds the suite's lock."""
    target = cache / "debug" / f"vmlinux-{release}"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    suite = Suite(cache, suite_name, arch)
    name = f"linux-image-{release}-dbg"
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as scratch:
        package = suite.fetch(name, suite.version(name), scratch)
        found = _unpack(package, scratch)
        shutil.move(found, target)
    return target
