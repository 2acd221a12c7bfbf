# SPDX-License-Identifier: LGPL-2.1-or-later
"""A kernel out of Debian packages: its image and the few modules that a guest loads."""

import hashlib
import json
import lzma
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .definitions import MODULES
from .suites import Suite, SuiteError, run


def _plain(name):
    return name.replace("-", "_")


def _module_files(tree):
    """Modules by name, whatever their compression."""
    return {
        _plain(re.sub(r"\.ko(\.xz|\.zst)?$", "", path.name)): path
        for path in tree.rglob("*.ko*")
        if re.search(r"\.ko(\.xz|\.zst)?$", path.name)
    }


def _built_in(tree):
    listed = next(iter(tree.rglob("modules.builtin")), None)
    if listed is None:
        return set()
    return {_plain(Path(line).name.removesuffix(".ko")) for line in listed.read_text().split()}


def _expand(path, target):
    if path.suffix == ".xz":
        target.write_bytes(lzma.decompress(path.read_bytes()))
    elif path.suffix == ".zst":
        subprocess.run(["zstd", "-qdf", path, "-o", target], check=True)
    else:
        shutil.copyfile(path, target)


def _depends(path):
    return [_plain(name) for name in run(["modinfo", "-F", "depends", str(path)]).strip().split(",") if name]


class _Picker:
    """Collects modules, those first that others depend on."""

    def __init__(self, tree, folder):
        self.files = _module_files(tree)
        self.built_in = _built_in(tree)
        self.folder = folder
        self.order = []
        self.missing = []

    def pick(self, name, arguments=""):
        name = _plain(name)
        if name in self.built_in or any(name == taken for taken, _ in self.order):
            return
        if name not in self.files:
            self.missing.append(name)
            return
        target = self.folder / f"{name}.ko"
        _expand(self.files[name], target)
        for below in _depends(target):
            self.pick(below)
        self.order.append((name, arguments))


def pick_modules(tree, folder, more=()):
    """Of the modules in a tree those that a guest loads, and the list of them in order."""
    picker = _Picker(tree, folder)
    for line in (*MODULES, *more):
        picker.pick(*line.split(" ", 1))
    (folder / "list").write_text("".join(f"{name}.ko {arguments}".rstrip() + "\n" for name, arguments in picker.order))
    (folder / "missing.json").write_text(json.dumps(picker.missing))


def _unpack(packages, tree):
    for package in packages:
        run(["dpkg-deb", "-x", str(package), str(tree)])


def _assemble(packages, folder, more):
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpack-") as scratch:
        tree = Path(scratch)
        _unpack(packages, tree)
        image = next((p for p in tree.rglob("vmlinuz*") if p.is_file()), None)
        if image is None:
            raise SuiteError("no vmlinuz in " + ", ".join(p.name for p in packages))
        shutil.copyfile(image, folder / "vmlinuz")
        pick_modules(tree, folder, more)


class Kernel:
    """A kernel in the cache."""

    def __init__(self, folder, answer):
        self.folder = folder
        self.release = answer["release"]
        self.packages = answer["packages"]

    @property
    def image(self):
        """The bzImage."""
        return self.folder / "vmlinuz"

    def missing(self):
        """Names of wanted modules that this kernel does not have."""
        return json.loads((self.folder / "missing.json").read_text())


def _key(answer, more):
    text = json.dumps([answer["packages"], MODULES + more], sort_keys=True)
    return f"{answer['release']}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _fetch_all(suite, answer, folder):
    return [suite.fetch(name, version, folder) for name, version in sorted(answer["packages"].items())]


def get_kernel(cache, guest, refresh=False):
    """The guest's kernel, from the cache or the mirror. The caller holds the suite's lock."""
    suite, wanted = Suite(cache, guest.suite, guest.arch), guest.release or guest.flavour
    answer = suite.kernel(wanted, refresh)
    folder = cache / "kernels" / _key(answer, guest.modules)
    if folder.exists():
        return Kernel(folder, answer)
    try:
        packages = _fetch_all(suite, answer, cache / "packages")
    except SuiteError:
        # The mirror has moved on since we asked.
        answer = suite.kernel(wanted, refresh=True)
        packages = _fetch_all(suite, answer, cache / "packages")
        folder = cache / "kernels" / _key(answer, guest.modules)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        _assemble(packages, scratch, guest.modules)
        scratch.chmod(0o755)
        if not folder.exists():
            scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Kernel(folder, answer)
