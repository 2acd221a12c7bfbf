# SPDX-License-Identifier: LGPL-2.1-or-later
"""From a shape and a QEMU to a folder with the guest's memory in each of its containers."""
import filecmp
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import tarfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "samples"))
import guests as shapes  # noqa: E402
import recipes  # noqa: E402
import stopped  # noqa: E402
from maker import machine, make as guests  # noqa: E402

HERE = Path(__file__).resolve().parent
DISK = "64M"


class Maker:
    """Makes one folder; what can't be made is remembered with its reason."""

    def __init__(self, shape, qemu, folder, quick):
        self.shape, self.quick = shape, quick
        self.guest = recipes.Guest(folder, qemu, None)
        self.made = []

    def note(self, row, told, why):
        """One line of the folder's list."""
        path = self.guest.folder / row.name
        if why is None and not path.exists():
            why = "QEMU wrote no file"
        self.made.append({"file": row.name, "what": row.what, "options": row.options,
                          "judge": row.judge, "told": told, "impossible": why})

    def rows(self, table):
        return [r for r in table if r.fits(self.shape, self.guest.qemu, self.quick)]

    def at_stop(self, monitor):
        """All that the booted guest gives, in the order in which QEMU allows it."""
        guest = self.guest
        guest.ranges = stopped.ram_ranges(monitor)
        stopped.save_memory(monitor, guest.ranges, guest.folder / "memory.raw")
        (guest.folder / "registers.txt").write_text(monitor.human("info registers -a"))
        snapshots = self.rows(recipes.SNAPSHOTS)
        # Of a machine that was loaded, block devices sleep until it runs. QEMU 10.0 and later can
        # wake them; 10.0 does so only after it was told that they sleep.
        for active in (False, True):
            recipes.try_row(lambda now=active: monitor.call(
                "blockdev-set-active", **{"node-name": "state", "active": now}))
        told, why = recipes.try_row(stopped.snapshot, monitor, "instant")
        for row in self.rows(recipes.STOPPED):
            self.note(row, *recipes.try_row(row.make, monitor, row.name))
        if why is None and len(snapshots) > 1:
            told, why = recipes.try_row(self.later, monitor)
        for row in snapshots:
            self.note(row, told, why)

    def later(self, monitor):
        """The guest runs on for a moment, then a second snapshot."""
        monitor.call("cont")
        time.sleep(1)
        monitor.call("stop")
        stopped.save_memory(monitor, self.guest.ranges, self.guest.folder / "memory-later.raw")
        stopped.snapshot(monitor, "later")

    def again(self):
        """All that the guest gives loaded from its stream, one machine a row."""
        for row in self.rows(recipes.LOADED):
            self.note(row, *recipes.try_row(row.make, self.guest, row.name))
            if row.judge == "loaded" and not self.made[-1]["impossible"]:
                self.judge_loaded(row)

    def judge_loaded(self, row):
        """What QEMU itself makes of the file."""
        with self.guest.load(row.name) as (monitor, _):
            stopped.save_memory(monitor, self.guest.ranges, self.guest.folder / f"{row.name}.raw")


def _files(folder, inputs):
    """What QEMU opens."""
    (folder / "initramfs").write_bytes(inputs.archive)
    for disk in guests.DISKS:
        shutil.copyfile(inputs.programs / disk, folder / disk)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", folder / "state.qcow2", DISK],
                   check=True)


def _finish(maker, inputs, began, target):
    """The folder takes its name when all is there."""
    folder = maker.guest.folder
    _tidy(folder)
    facts = _facts(maker, inputs.kernel, began)
    (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")
    folder.rename(target)


def _boot(maker, inputs, thread, seconds):
    guest = maker.guest
    _files(guest.folder, inputs)
    guest.command = stopped.command_line(guest.qemu, maker.shape, inputs.kernel, thread)
    machine.run_guest(guest.command, guest.folder, seconds, maker.at_stop)
    maker.again()


def _facts(maker, kernel, began):
    guest = maker.guest
    return {"shape": maker.shape.name, "idea": maker.shape.idea, "machine": maker.shape.machine,
            "qemu": guest.qemu.version, "release": kernel.release, "ranges": guest.ranges,
            "rows": maker.made, "seconds": round(time.time() - began, 1),
            "command": [w.replace(str(guest.folder) + "/", "") for w in guest.command]}


def _tidy(folder):
    for name in ("initramfs", "qemu.log", "old-plain.stream", "old-memory.raw", "qmp.sock",
                 "control.sock", "truth.tar", "console.log", *guests.DISKS):
        (folder / name).unlink(missing_ok=True)


def _key(shape, qemu, inputs, quick):
    facts = (shape, qemu.version, quick, inputs.kernel.packages, inputs.programs.name)
    total = hashlib.sha256(repr(facts).encode() + inputs.archive)
    for name in ("guests.py", "recipes.py", "stopped.py", "make.py", "wrappers.py"):
        total.update((HERE / name).read_bytes())
    return total.hexdigest()[:16]


def _attempt(shape, qemu, inputs, target, quick):
    """Boots until one boot worked, as the maker of guests does it."""
    reasons = []
    for thread, seconds in guests.ATTEMPTS:
        scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
        try:
            began, maker = time.time(), Maker(shape, qemu, scratch, quick)
            _boot(maker, inputs, thread, seconds)
            _finish(maker, inputs, began, target)
            return
        except (machine.GuestError, OSError, tarfile.TarError,
                subprocess.SubprocessError) as error:
            reasons.append(f"thread={thread}: {error}")
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    raise machine.GuestError("; ".join(reasons))


def _load_old(maker, inputs, old, kind):
    """The old guest's stream in another QEMU, which then does all that it can with it."""
    guest = maker.guest
    _files(guest.folder, inputs)
    for name in ("plain.stream", "memory.raw"):
        (guest.folder / f"old-{name}").symlink_to(old / name)
    shape = replace(maker.shape, machine=kind)
    guest.command = stopped.command_line(guest.qemu, shape, inputs.kernel)
    with guest.load("old-plain.stream") as (monitor, _):
        maker.at_stop(monitor)
    if not filecmp.cmp(guest.folder / "memory.raw", old / "memory.raw", shallow=False):
        raise machine.GuestError("the memory that was loaded is another")
    maker.again()


def carried(old, qemu, kind):
    """(folder, facts) of a guest that another QEMU has stopped; kind is its type of machine."""
    cache, facts = guests.cache_root(), json.loads((old / "facts.json").read_text())
    shape = shapes.BY_NAME[facts["shape"]]
    inputs = guests.gather(cache, shape.guest())
    target = old.with_name(f"{old.name}-in-{qemu.version}-{_key(shape, qemu, inputs, kind)}")
    with guests.locked(cache / "locks" / target.name):
        if not target.exists():
            scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
            try:
                began, maker = time.time(), Maker(shape, qemu, scratch, False)
                _load_old(maker, inputs, old, kind)
                _finish(maker, inputs, began, target)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    return target, json.loads((target / "facts.json").read_text())


def containers(shape, qemu, quick=False):
    """(folder, facts) of a shape under a QEMU: from the cache, or made now."""
    cache = guests.cache_root()
    inputs = guests.gather(cache, shape.guest())
    name = f"{shape.name}-{qemu.version}{'-quick' if quick else ''}"
    target = cache / "containers" / f"{name}-{_key(shape, qemu, inputs, quick)}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with guests.locked(cache / "locks" / target.name):
        if not target.exists():
            _attempt(shape, qemu, inputs, target, quick)
    return target, json.loads((target / "facts.json").read_text())
