# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the debug package beside a guest's kernel has of it: the vmlinux with DWARF, and System.map."""

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from .suites import Suite, SuiteError

PARTS = ("vmlinux", "System.map")


def _part(member):
    """Which of them a file in the package is, or None."""
    return next((part for part in PARTS if member.isfile() and Path(member.name).name.startswith(part)), None)


def _unpack(package, folder, release):
    """Of gigabytes only the kernel and its symbols; scripts have the same names, and are smaller."""
    largest = dict.fromkeys(PARTS, 0)
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unpacked:
        with tarfile.open(fileobj=unpacked.stdout, mode="r|") as archive:
            for member in archive:
                part = _part(member)
                if part and member.size > largest[part]:
                    largest[part] = member.size
                    with open(folder / f"{part}-{release}", "wb") as out:
                        shutil.copyfileobj(archive.extractfile(member), out)


def _fetch(suite, release, folder):
    """Fetches the package; what it has of the kernel ends up in the folder."""
    name = f"linux-image-{release}-dbg"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as scratch:
        package = suite.fetch(name, suite.version(name), scratch)
        unpacked = Path(scratch) / "unpacked"
        unpacked.mkdir()
        try:
            _unpack(package, unpacked, release)
        except tarfile.TarError as error:
            raise SuiteError(f"{package.name}: {error}") from error
        for path in unpacked.iterdir():
            path.rename(folder / path.name)


def _get(cache, part, suite_name, release, arch):
    target = cache / "debug" / f"{part}-{release}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(Suite(cache, suite_name, arch), release, target.parent)
    if not target.exists():
        raise SuiteError(f"no {part} in the debug package of {release}")
    return target


def get_vmlinux(cache, suite_name, release, arch="amd64"):
    """The path of the vmlinux, fetched unless it is there. The caller holds the suite's lock."""
    return _get(cache, "vmlinux", suite_name, release, arch)


def get_system_map(cache, suite_name, release, arch="amd64"):
    """The same of System.map."""
    return _get(cache, "System.map", suite_name, release, arch)
