# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of other Debian suites: unpacked into the guests' cache, run by their own loader."""
import hashlib
import re
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "samples"))
from maker.locks import locked  # noqa: E402
from maker.make import cache_root  # noqa: E402
from maker.suites import Suite, SuiteError, run  # noqa: E402

LOADER = "usr/lib64/ld-linux-x86-64.so.2"
LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu/pulseaudio", "usr/lib")


class Root:
    """Some packages with all that they depend on, under one folder."""

    def __init__(self, folder):
        self.folder = folder

    def command(self, program):
        """The words that start one of its programs."""
        libraries = ":".join(str(self.folder / name) for name in LIBRARIES)
        return [str(self.folder / LOADER), "--library-path", libraries,
                str(self.folder / "usr/bin" / program)]


class _Closure(Suite):
    """A suite's package with what it depends on; the machine's own packages do not count."""

    def download(self, names):
        self._update(refresh=False)
        words = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "--download-only",
                 *self._options(), *names]
        listed = run([*words, "--print-uris"])
        run(words)
        files = sorted(set(re.findall(r"^'[^']*' (\S+\.deb) ", listed, re.M)))
        return [self.folder / "cache" / "archives" / name for name in files]


def _unpack(packages, folder):
    # Where these folders are links, as in every Debian since 12, packages may still name the old.
    (folder / "usr").mkdir()
    for name in ("bin", "lib", "lib64", "sbin"):
        (folder / "usr" / name).mkdir()
        (folder / name).symlink_to(f"usr/{name}")
    for package in packages:
        run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink '
             '--no-same-owner', "unpack", str(package), str(folder)])
        package.unlink()


def unpacked(suite, *names):
    """The root of packages of a suite, made at the first call; SuiteError where it can't be had."""
    key = hashlib.sha256(repr(names).encode()).hexdigest()[:12]
    target = cache_root() / "roots" / f"{suite}-{names[0]}-{key}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(cache_root() / "locks" / f"suite-{suite}"):
        if not target.exists():
            scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
            try:
                _unpack(_Closure(cache_root(), suite).download(names), scratch)
                scratch.rename(target)
            except OSError as error:
                raise SuiteError(f"{suite}: {error}") from error
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return Root(target)
