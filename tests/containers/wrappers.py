# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes libvirt's header of a saved domain, where no libvirtd runs.

libvirt 9.0, src/qemu/qemu_saveimage.h: magic, five numbers and padding (92 bytes), the domain's
XML with its NUL, zeros up to the length that the header gives.
"""
import struct

XML = """<domain type='qemu'>
  <name>guest</name>
  <memory unit='KiB'>{kib}</memory>
  <os><type arch='x86_64' machine='{machine}'>hvm</type></os>
</domain>
"""
ROOM = 64 << 10


def libvirt_header(form, facts, magic=b"LibvirtQemudSave"):
    """The bytes before the stream."""
    kib = sum(end - start for start, end in facts["ranges"]) >> 10
    xml = XML.format(kib=kib, machine=facts["machine"].split(",")[0]).encode() + b"\0"
    head = magic + struct.pack("<5I", 2, len(xml) + ROOM, 1, form, 0)
    return head.ljust(92, b"\0") + xml + bytes(ROOM)
