# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is recognised and refused: one small file each, and a word that its sentence must have."""
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "formats"))
import vmware  # noqa: E402

PAGE = 4096


@dataclass(frozen=True)
class Refusal:
    """A file, and what vmiscan must say of it."""

    what: str
    make: object
    word: str
    by: str = "synthesised"


def magic(data, offset=0):
    """A file of noise with a magic number."""
    return lambda path: path.write_bytes(b"\x11" * offset + data + b"\x11" * 4 * PAGE)


def encrypted(form):
    """By qemu-img itself."""

    def make(path):
        subprocess.run(["qemu-img", "create", "-q", "--object", "secret,id=s,data=secret",
                        "-f", "qcow2", "-o", f"encrypt.format={form},encrypt.key-secret=s",
                        str(path), "1M"], check=True, stderr=subprocess.DEVNULL)

    return make


def stream(tail):
    """A stream of QEMU that goes on with tail."""
    return lambda path: path.write_bytes(b"QEVM" + struct.pack(">I", 3) + tail + bytes(PAGE))


def _ram(record):
    block = bytes([6]) + b"pc.ram" + struct.pack(">Q", 1 << 20)
    return (struct.pack(">BIB", 1, 2, 3) + b"ram" + struct.pack(">II", 0, 4)
            + struct.pack(">Q", 1 << 20 | 4) + block + record)


def linear(path):
    """A core of one vCPU's virtual memory."""
    head = struct.pack("<4s5B7xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, 0, 4, 62, 1, 0, 64, 0, 0,
                       64, 56, 2, 0, 0, 0)
    for va in (0x400000, 0xffffffff81000000):
        head += struct.pack("<IIQQQQQQ", 1, 7, PAGE, va, 0, PAGE, PAGE, PAGE)
    path.write_bytes(head.ljust(PAGE, b"\0") + b"\x11" * PAGE)


def compressed(path):
    """Memory in VMware's own compression."""
    state = vmware.State([(0, 0, 16)], [], memory=b"\x11" * 16 * PAGE, compressed=True)
    path.write_bytes(vmware.state_file(state))


REFUSALS = (
    Refusal("qcow2, encrypted (LUKS)", encrypted("luks"), "encrypted", "real file"),
    Refusal("qcow2, encrypted (AES)", encrypted("aes"), "encrypted", "real file"),
    Refusal("QEMU stream, COLO", stream(struct.pack(">BHH", 8, 8, 0)), "COLO"),
    Refusal("QEMU stream over RDMA", stream(_ram(struct.pack(">Q", 0x80))), "RDMA"),
    Refusal("QEMU, a multifd socket", magic(struct.pack(">II", 0x11223344, 1)), "multifd"),
    Refusal("Hyper-V .vmrs", magic(b"\x14\x20\x28\x01"), "Hyper-V"),
    Refusal("Hyper-V .vmrs, first header lost", magic(b"\x14\x20\x28\x01", PAGE), "Hyper-V"),
    Refusal("Windows dump", magic(b"PAGEDU64"), "Windows"),
    Refusal("Windows dump, 32-bit", magic(b"PAGEDUMP"), "Windows"),
    Refusal("Xen, xm save", magic(b"LinuxGuestRecord"), "saved by xm"),
    Refusal("Xen 3.0 core", magic(struct.pack("<I", 0xf00febed)), "Xen 3.0"),
    Refusal("diskdump", magic(b"DISKDUMP"), "diskdump"),
    Refusal("VMware, compressed memory", compressed, "compressed memory"),
    Refusal("vmss2core, linear core", linear, "virtual addresses only"),
    Refusal("Firecracker state file", magic(struct.pack("<Q", 0x0710198486640000)),
            "Firecracker"),
)
