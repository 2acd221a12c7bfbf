# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest that stands still: booted and stopped, or loaded from its stream and never started."""
import contextlib
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "samples"))
from maker import machine  # noqa: E402

GIB4 = machine.GIB4
# Of QEMU's blocks, what the guest uses as RAM.
RAM = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16}) \(prio \d+, (?:ram|rom)\): "
                 r"(?:pc\.ram|microvm\.ram|/objects/ram-\w+|ram-\w+)\b")


def command_line(qemu, shape, kernel, thread="multi"):
    """The maker's command line, with another QEMU and the shape's memory."""
    words = machine.command_line(shape.guest(), kernel, "initramfs", thread)
    # A block node of its own for snapshots: those of the guest's disks stay as they are.
    state = ("-blockdev", "qcow2,node-name=state,file.driver=file,file.filename=state.qcow2")
    return [*qemu.command, *words[1:], *shape.more, *state]


def ram_ranges(monitor):
    """[(start, end)] of what the guest's CPUs see as RAM, merged."""
    view = monitor.human("info mtree -f").split('AS "memory"', 1)[-1].split("FlatView", 1)[0]
    out = []
    for start, end in ((int(a, 16), int(b, 16) + 1) for a, b in RAM.findall(view)):
        if out and out[-1][1] == start:
            out[-1][1] = end
        else:
            out.append([start, end])
    if not out:
        raise machine.GuestError("QEMU's memory tree has no RAM")
    return out


def save_memory(monitor, ranges, path):
    """A file with each byte of RAM at its physical address, nothing elsewhere."""
    with open(path, "wb") as out:
        for number, (start, end) in enumerate(ranges):
            piece = path.with_name(f"{path.name}.{number}")
            monitor.call("pmemsave", val=start, size=end - start, filename=piece.name)
            out.seek(start)
            with open(piece, "rb") as data:
                while block := data.read(1 << 20):
                    if block.count(0) == len(block):
                        out.seek(len(block), 1)
                    else:
                        out.write(block)
            piece.unlink()
        out.truncate(ranges[-1][1])


def migrate(monitor, uri, capabilities=(), parameters=None, seconds=120):
    """To a file; returns when it is whole."""
    wanted = [{"capability": name, "state": True} for name in capabilities]
    monitor.call("migrate-set-capabilities", capabilities=wanted)
    # Else the bandwidth is that of a network.
    settings = {"max-bandwidth": 1 << 34, **(parameters or {})}
    monitor.call("migrate-set-parameters", **settings)
    monitor.call("migrate", uri=uri)
    await_status(monitor, seconds)


def await_status(monitor, seconds, final=("completed",)):
    """Until the migration has come to its end."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = monitor.call("query-migrate")
        if answer.get("status") in final:
            return answer
        if answer.get("status") in ("failed", "cancelled"):
            raise machine.GuestError(f"migration failed: {answer.get('error-desc', 'no reason')}")
        time.sleep(0.05)
    raise machine.GuestError(f"migration is {answer.get('status')} after {seconds} s")


def snapshot(monitor, tag, seconds=120):
    """A snapshot with the machine's state in the node of that name."""
    monitor.call("snapshot-save", **{"job-id": tag, "tag": tag, "vmstate": "state",
                                     "devices": ["state"]})
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job = next(j for j in monitor.call("query-jobs") if j["id"] == tag)
        if job["status"] == "concluded":
            monitor.call("job-dismiss", id=tag)
            if "error" in job:
                raise machine.GuestError(f"snapshot: {job['error']}")
            return
        time.sleep(0.05)
    raise machine.GuestError("the snapshot takes too long")


@contextlib.contextmanager
def loaded(command, stream, folder):
    """QEMU with a machine out of a stream, never started: (monitor, process)."""
    (folder / "qmp.sock").unlink(missing_ok=True)
    with open(folder / "qemu.log", "ab") as log:
        words = ["setpriv", "--pdeathsig", "KILL", *command, "-S", "-incoming", "defer"]
        process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=log)
    try:
        monitor = machine.connect(folder / "qmp.sock", process)
        monitor.call("migrate-incoming", uri=f"exec:cat {stream}")
        await_status(monitor, 120)
        yield monitor, process
        with contextlib.suppress(machine.GuestError, OSError):
            monitor.call("quit")
        process.wait(timeout=60)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
