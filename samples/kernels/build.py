# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds a variant: tinyconfig, base.config and the variant's lines over it; one object tree for each
version and tree of variants.py, so that a variant costs what differs from the one before.

Debian's linux-source packages leave a tarball in /usr/src. What was built is kept by a hash of what
went into it."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from maker.kernel import Kernel, pick_modules
from maker.locks import locked
from maker.suites import SuiteError

from .variants import BY_NAME

HERE = Path(__file__).resolve().parent
SOURCES = Path("/usr/src")
# The same names in each build: banners and version strings tell kernels apart by nothing else.
NAMES = {"KBUILD_BUILD_USER": "builder", "KBUILD_BUILD_HOST": "test", "KBUILD_BUILD_TIMESTAMP": "2026-01-01"}


class BuildError(SuiteError):
    """The kernel can't be built here; says why."""


def cache_root():
    """Sources, object trees and finished kernels."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("VMISCAN_KERNELS") or Path(home) / "vmiscan-kernels")


def _run(command, log, **options):
    with open(log, "ab") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode != 0:
        raise BuildError(f"{command[0]} ended with status {done.returncode}, see {log}")


# --- sources ---

def _tarball(version):
    path = SOURCES / f"linux-source-{version}.tar.xz"
    if not path.exists():
        raise BuildError(f"{path} is missing (package linux-source-{version})")
    return path


def _source(cache, version):
    target = cache / "src" / f"linux-source-{version}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as scratch:
            with tarfile.open(_tarball(version)) as archive:
                archive.extractall(scratch)
            (Path(scratch) / target.name).rename(target)
    return target


def _key(variant):
    try:
        compiler = subprocess.run([variant.compiler, "--version"], stdout=subprocess.PIPE, check=True).stdout
    except OSError as error:
        raise BuildError(f"{variant.compiler}: {error.strerror}") from error
    package = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", f"linux-source-{variant.version}"],
                             stdout=subprocess.PIPE, check=False).stdout
    base = [line for line in (HERE / "base.config").read_text().splitlines() if line.startswith("CONFIG_")]
    facts = json.dumps([variant.version, variant.config, base]).encode()
    return hashlib.sha256(b"\0".join([compiler, package, facts])).hexdigest()[:16]


# --- configuration ---

def _unheard(config, lines):
    """Which of the variant's lines the configuration does not follow: they would test nothing."""
    said = set(config.read_text().splitlines())
    return [line for line in lines
            if (line.removesuffix("=n") + "=y" in said if line.endswith("=n") else line not in said)]


def _configure(variant, source, tree, log):
    tree.mkdir(parents=True, exist_ok=True)
    make = ["make", "-s", "-C", source, f"O={tree}", f"CC={variant.compiler}"]
    _run([*make, "tinyconfig"], log)
    (tree / "variant.config").write_text("".join(f"{line}\n" for line in variant.config))
    merge = [source / "scripts/kconfig/merge_config.sh", "-m", "-O", ".", ".config"]
    _run([*merge, HERE / "base.config", "variant.config"], log, cwd=tree)
    _run([*make, "olddefconfig"], log)
    unheard = _unheard(tree / ".config", variant.config)
    if unheard:
        raise BuildError(f"the configuration does not take {' '.join(unheard)}")


# --- building ---

def _make(variant, tree, log):
    cached = "ccache " if shutil.which("ccache") else ""
    compilers = [f"CC={cached}{variant.compiler}", f"HOSTCC={cached}gcc"]
    targets = ["bzImage"]
    if "CONFIG_MODULES=y" in (tree / ".config").read_text():
        targets.append("modules")
    _run(["make", f"-j{os.cpu_count()}", *compilers, *targets], log, cwd=tree, env={**os.environ, **NAMES})


def _release(tree):
    return (tree / "include/config/kernel.release").read_text().strip()


def _collect(tree, folder, variant):
    shutil.copyfile(tree / "arch/x86/boot/bzImage", folder / "vmlinuz")
    shutil.copyfile(tree / "vmlinux", folder / "vmlinux")
    shutil.copyfile(tree / ".config", folder / "config")
    with tempfile.TemporaryDirectory(dir=folder) as modules:
        modules = Path(modules)
        for path in tree.rglob("*.ko"):
            _run(["objcopy", "--strip-debug", path, modules / path.name], tree / "objcopy.log")
        shutil.copyfile(tree / "modules.builtin", modules / "modules.builtin")
        pick_modules(modules, folder)
    facts = {"release": _release(tree), "packages": {f"linux-source-{variant.version}": folder.name}}
    (folder / "kernel.json").write_text(json.dumps(facts, indent=1) + "\n")


def _build(variant, target):
    cache = cache_root()
    tree = cache / "tree" / "-".join(filter(None, (variant.version, variant.tree)))
    log = tree.parent / f"{tree.name}.log"
    with locked(tree.parent / f"{tree.name}.lock"):
        if target.exists():
            return
        log.write_bytes(b"")
        _configure(variant, _source(cache, variant.version), tree, log)
        _make(variant, tree, log)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as scratch:
            folder = Path(scratch) / target.name
            folder.mkdir()
            _collect(tree, folder, variant)
            folder.rename(target)


def _target(variant):
    return cache_root() / "built" / f"{variant.version}-{_key(variant)}"


def build(name):
    """The folder of the variant's kernel; built unless it is there."""
    variant = BY_NAME[name]
    target = _target(variant)
    if not target.exists():
        _build(variant, target)
    return target


def get_built(name):
    """The variant's kernel, as the maker of guests takes it. Minutes of building are never a surprise."""
    target = _target(BY_NAME[name])
    if not target.exists():
        raise BuildError(f"not built yet: samples/make-kernels {name}")
    return Kernel(target, json.loads((target / "kernel.json").read_text()))
