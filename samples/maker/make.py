# SPDX-License-Identifier: LGPL-2.1-or-later
"""From a definition to a folder in the cache."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from kernels.build import get_built

from . import check, cross, initramfs, machine, programs, sparse
from .arches import ARCHES
from .definitions import BY_NAME
from .kernel import get_kernel
from .locks import locked
from .suites import SuiteError

# Boot time differs by an order of magnitude between machines; a guest that hangs should still end. On a busy
# machine some kernels reset it within seconds, before they say a word, and do not the next time.
ATTEMPTS = (("multi", 240), ("multi", 240), ("single", 480))
# Raised by whoever changes what is saved of a stopped machine: older guests then are made anew.
SAVED = 1
HASH_LENGTH = 16
DISKS = ("disk.img", "swap.img")


def cache_root():
    """Where packages and guests are kept."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("VMISCAN_CACHE") or Path(home) / "vmiscan-guests")


def _remove_leftovers(parent):
    """Of makers that were killed; nothing takes a day to make."""
    for path in parent.glob(".new-*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > 86400:
                shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _scratch_folder(parent):
    """A folder that is gone afterwards, unless it was renamed."""
    _remove_leftovers(parent)
    scratch = Path(tempfile.mkdtemp(dir=parent, prefix=".new-"))
    scratch.chmod(0o755)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _command(guest, kernel, thread):
    """QEMU's arguments, and the same without the names of this machine's folders."""
    command = machine.command_line(guest, kernel, Path("initramfs"), thread)
    return command, [part.replace(str(kernel.image), "vmlinuz") for part in command]


def _input_hash(guest, kernel, archive, remains):
    """Of everything that the guest is made of.

    Not of the maker's text: a guest must outlive a change that does not touch it."""
    facts = {
        "saved": SAVED,
        "dumps": guest.dumps,
        "command": _command(guest, kernel, "any")[1],
        "initramfs": hashlib.sha256(archive).hexdigest(),
        "packages": kernel.packages,
        "programs": _programs_key(guest),
        "qemu": machine.qemu_version(ARCHES[guest.arch]),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:HASH_LENGTH]


def _save(guest, folder, facts):
    """What to do with the stopped machine, as a function of its monitor."""

    def save(monitor):
        facts["stopped"] = time.time()
        mtree = monitor.human("info mtree -f")
        facts["ram"] = machine.ram_ranges(mtree, ARCHES[guest.arch])
        facts["memory_size_summary"] = monitor.call("query-memory-size-summary")
        host = folder / "host"
        host.mkdir()
        (host / "mtree.txt").write_text(mtree)
        (host / "registers.txt").write_text(monitor.human("info registers -a"))
        (host / "cpus.json").write_text(json.dumps(monitor.call("query-cpus-fast"), indent=1))
        facts["pieces"] = machine.save_physical(monitor, facts["ram"], "memory.raw")
        for kind, name in (("elf", "memory.elf"), ("paging", "memory-paging.elf")):
            if kind in guest.dumps:
                monitor.call("dump-guest-memory", paging=kind == "paging", protocol=f"file:{name}")
        if "stream" in guest.dumps:
            machine.save_stream(monitor, "memory.stream")

    return save


def _finish(guest, folder, facts):
    """What is left to do once QEMU is gone."""
    with tarfile.open(folder / "truth.tar") as truth:
        truth.extractall(folder / "truth")
    missing = [label for label in check.failures(folder / "truth") if label not in guest.lacks]
    if missing:
        raise machine.GuestError("not in the truth: " + ", ".join(missing))
    for name in ("truth.tar", "initramfs", "qemu.log", "qmp.sock", "control.sock", machine.RAM_FILE, *DISKS):
        (folder / name).unlink(missing_ok=True)
    for name, (start, length) in facts.pop("pieces").items():
        sparse.dig_holes(folder / name)
        sparse.copy_range(folder / name, 0, length, folder / "memory.raw", start)
        (folder / name).unlink()
    for image in folder.glob("memory*"):
        image.chmod(0o644)
        sparse.dig_holes(image)
    if "vmem" in guest.dumps:
        for start, length, offset in facts["ram"]:
            sparse.copy_range(folder / "memory.raw", start, length, folder / "memory.vmem", offset)
    (folder / "guest.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")


def _boot(inputs, folder, thread, seconds, failed):
    began = time.time()
    guest, kernel = inputs.guest, inputs.kernel
    (folder / "initramfs").write_bytes(inputs.archive)
    for disk in DISKS:
        shutil.copyfile(inputs.programs / disk, folder / disk)
    if inputs.remains:
        shutil.copyfile(inputs.remains / "memory.raw", folder / machine.RAM_FILE)
    command, plain_command = _command(guest, kernel, thread)
    facts = {
        "guest": guest.fields(),
        "release": kernel.release,
        "packages": kernel.packages,
        "missing_modules": kernel.missing(),
        "qemu": machine.qemu_version(ARCHES[guest.arch]),
        "command": plain_command,
        "started": began,
        "failed_attempts": failed,
    }
    machine.run_guest(command, folder, seconds, _save(guest, folder, facts))
    shutil.copyfile(kernel.image, folder / "vmlinuz")
    facts["seconds"] = round(time.time() - began, 1)
    _finish(guest, folder, facts)


def _attempt(inputs, target):
    """Boots until one boot worked; the folder takes its name only then."""
    reasons, logs = [], {}
    for thread, seconds in ATTEMPTS:
        if machine.interrupted.is_set():
            break
        with _scratch_folder(target.parent) as scratch:
            try:
                _boot(inputs, scratch, thread, seconds, reasons)
                scratch.rename(target)
                return
            except (machine.GuestError, OSError, tarfile.TarError) as error:
                reasons.append(f"thread={thread}: {error}")
                logs[thread] = _read_log(scratch)
    if machine.interrupted.is_set():
        raise machine.GuestError("interrupted")
    for thread, log in logs.items():
        (target.parent / f"{target.name}.{thread}.log").write_bytes(log)
    raise machine.GuestError("; ".join(reasons))


def _read_log(scratch):
    try:
        return (scratch / "console.log").read_bytes()
    except OSError:
        return b""


def _programs_key(guest):
    return programs.key() if guest.arch == "amd64" else cross.key(ARCHES[guest.arch])


def _programs(cache, guest):
    """The folder of the guest's programs, compiled once for each state of their sources."""
    target = cache / "programs" / _programs_key(guest)
    with locked(cache / "locks" / "programs"):
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            with _scratch_folder(target.parent) as scratch:
                if guest.arch == "amd64":
                    programs.make(scratch)
                else:
                    cross.make(ARCHES[guest.arch], scratch)
                scratch.rename(target)
    return target


@dataclass(frozen=True)
class _Inputs:
    """All that a guest is made of."""

    guest: object
    kernel: object
    programs: Path
    archive: bytes
    # The folder of the guest whose memory is there at the start, or None.
    remains: object


def gather(cache, guest, refresh=False):
    """A guest's kernel, programs and userland; nothing is booted."""
    if guest.build:
        kernel = get_built(guest.build)
    else:
        with locked(cache / "locks" / f"suite-{guest.suite}"):
            kernel = get_kernel(cache, guest, refresh)
    folder = _programs(cache, guest)
    with locked(cache / "locks" / "busybox"):
        busybox = initramfs.busybox() if guest.arch == "amd64" else cross.busybox(cache, ARCHES[guest.arch])
    remains = make_guest(cache, BY_NAME[guest.remains])[0] if guest.remains else None
    return _Inputs(guest, kernel, folder, initramfs.build(guest, kernel, folder / "guest", busybox), remains)


def _target(cache, inputs):
    name = f"{inputs.guest.name}-{_input_hash(inputs.guest, inputs.kernel, inputs.archive, inputs.remains)}"
    return cache / "guests" / name


def guest_folder(cache, guest):
    """The folder that the guest has or would have; fetches the kernel, but boots nothing."""
    return _target(cache, gather(cache, guest))


def make_guest(cache, guest, refresh=False):
    """The guest's folder and whether it was there already."""
    inputs = gather(cache, guest, refresh)
    target = _target(cache, inputs)
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(cache / "locks" / target.name):
        if target.exists():
            return target, True
        _attempt(inputs, target)
    return target, False


def prune(folder):
    """Removes the folder's predecessors: guests of the same name that other inputs made."""
    name = folder.name[: -HASH_LENGTH - 1]
    for other in folder.parent.glob(f"{name}-*"):
        if len(other.name) == len(folder.name) and other != folder and other.is_dir():
            shutil.rmtree(other, ignore_errors=True)


def try_guest(cache, guest, refresh=False):
    """As make_guest, but a failure is a result, too: (folder or None, status)."""
    try:
        folder, cached = make_guest(cache, guest, refresh)
    except (machine.GuestError, SuiteError, OSError, subprocess.CalledProcessError) as error:
        return None, f"skipped: {error}"
    return folder, "cached" if cached else "made"
