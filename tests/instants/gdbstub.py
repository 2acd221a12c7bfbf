# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of QEMU's gdb stub: hardware breakpoints, registers and memory of the stopped guest.

The protocol is the "GDB Remote Serial Protocol" of gdb's manual; the layout of the answer to `g` is
that of gdb-xml/i386-64bit.xml of QEMU."""

import select
import socket
import struct
import time

# Registers of 8 bytes come first, then eflags and six segments of 4, then the bases.
GENERAL = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
           "r15", "rip")
BASES = ("fs_base", "gs_base", "k_gs_base", "cr0", "cr2", "cr3")
BASES_AT = len(GENERAL) * 8 + 7 * 4
QUIET_SECONDS = 0.3


class StubError(Exception):
    """The stub did not answer as its protocol says."""


class Stub:
    """A guest under a debugger; it is stopped as soon as this connects."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.buffer = b""
        self.thread = None
        self._send(b"?")
        # The stub answers, and reports the stop that connecting made as well.
        while self._wait(QUIET_SECONDS):
            self._stopped(self._packet())

    def fileno(self):
        """For select()."""
        return self.socket.fileno()

    # --- packets ---

    def _wait(self, seconds):
        """Whether there is more to come than acknowledgements."""
        end = time.monotonic() + seconds
        while not self.buffer.lstrip(b"+"):
            if not select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
                return False
            block = self.socket.recv(65536)
            if not block:
                raise StubError("the gdb stub has closed its connection")
            self.buffer += block
        return True

    def _byte(self):
        if not self.buffer and not self._wait(60):
            raise StubError("no answer from the gdb stub within a minute")
        byte, self.buffer = self.buffer[:1], self.buffer[1:]
        return byte

    def _packet(self):
        while self._byte() != b"$":
            pass
        body = b""
        while (byte := self._byte()) != b"#":
            body += byte
        self._byte()
        self._byte()
        self.socket.sendall(b"+")
        return body

    def _send(self, body):
        self.socket.sendall(b"$%s#%02x" % (body, sum(body) & 0xFF))

    def _ask(self, body):
        self._send(body)
        return self._packet()

    def _order(self, body):
        answer = self._ask(body)
        if answer != b"OK":
            raise StubError(f"{body.decode()} was answered by {answer.decode()!r}")

    def _stopped(self, packet):
        for part in packet[3:].split(b";"):
            if part.startswith(b"thread:"):
                self.thread = part[7:]

    # --- the stopped guest ---

    def registers(self):
        """Of the CPU that stopped."""
        self._order(b"Hg" + self.thread)
        raw = bytes.fromhex(self._ask(b"g").decode().replace("x", "0"))
        names = dict(zip(GENERAL, struct.unpack_from(f"<{len(GENERAL)}Q", raw)))
        return names | dict(zip(BASES, struct.unpack_from(f"<{len(BASES)}Q", raw, BASES_AT)))

    def read(self, address, size):
        """Virtual memory as that CPU sees it."""
        answer = self._ask(b"m%x,%x" % (address, size))
        if answer.startswith(b"E") or len(answer) != 2 * size:
            raise StubError(f"memory at {address:#x} can't be read: {answer[:20].decode()!r}")
        return bytes.fromhex(answer.decode())

    def read_u64(self, address):
        """A pointer."""
        return struct.unpack("<Q", self.read(address, 8))[0]

    def arm(self, address):
        """Sets a hardware breakpoint."""
        self._order(b"Z1,%x,1" % address)

    def disarm(self, address):
        """Takes a breakpoint away."""
        self._order(b"z1,%x,1" % address)

    # --- going on ---

    def run(self):
        """Lets the guest run; await_stop() tells when a breakpoint was hit."""
        self._send(b"c")

    def await_stop(self, seconds, or_when=lambda: False):
        """True at a breakpoint; False if time is up, or something else happened first. The guest then still runs."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._wait(0.05):
                self._stopped(self._packet())
                return True
            if or_when():
                return False
        return False

    def interrupt(self):
        """Stops the running guest wherever it is."""
        self.socket.sendall(b"\x03")
        self._stopped(self._packet())

    def step_off(self, address):
        """Goes one instruction beyond the breakpoint that the stopped CPU stands on."""
        self.disarm(address)
        self._order(b"Hc" + self.thread)
        self._stopped(self._ask(b"s"))
        self._order(b"Hc-1")
        self.arm(address)
