# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of types and symbols: what the image lacks comes from them, and the rows are the same."""
import base64
import json
import lzma
import os
import re
import shutil
import struct
import subprocess
import unittest
from pathlib import Path

from isf import Btf
from support import CommandTest, SAMPLE, needs_sample

BTF_MAGIC = b"\x9f\xeb\x01\x00\x18\x00\x00\x00"
CACHE = Path(os.environ.get("VMISCAN_GUESTS", "~/.cache/vmiscan-guests")).expanduser()
TINY = os.environ.get("VMISCAN_TINY")
# What types and symbols make: everything but the run itself.
TABLES = ("processes", "threads", "process_open_files", "process_memory_map", "process_page_map", "sockets",
          "process_open_sockets", "mounts", "kernel_modules", "interface_details", "interface_addresses",
          "system_info", "kernel_info", "memory_info", "cpu_info", "time", "uptime", "inconsistencies")
# The counters of a network card are in structures of its driver, which only the BTF of modules describes.
OF_DRIVERS = ("interface_details",)


def zstd(path):
    return subprocess.run(["zstd", "-qdc", path], check=True, stdout=subprocess.PIPE).stdout


def in_cache(pattern):
    """A file that the maker of guests fetched, of the sample's kernel."""
    return next(iter(sorted(CACHE.glob(pattern))), None)


@needs_sample
class Symbols(CommandTest):
    def setUp(self):
        super().setUp()
        self.memory = bytearray(zstd(SAMPLE))
        self.btf_at = self.memory.find(BTF_MAGIC)
        while struct.unpack_from("<I", self.memory, self.btf_at + 12)[0] < 1 << 20:
            self.btf_at = self.memory.find(BTF_MAGIC, self.btf_at + 1)

    def btf(self):
        types, strings_at, strings = struct.unpack_from("<III", self.memory, self.btf_at + 12)
        self.assertEqual(types, strings_at)
        return bytes(self.memory[self.btf_at:self.btf_at + 24 + strings_at + strings])

    def image(self, name, with_btf=True, with_kallsyms=True):
        memory = bytearray(self.memory)
        if not with_btf:
            memory[self.btf_at:self.btf_at + 4] = b"gone"
        if not with_kallsyms:
            digits = b"\0".join(b"%d" % i for i in range(10))
            at = memory.find(digits)
            while at >= 0:
                memory[at:at + len(digits)] = b"\xff" * len(digits)
                at = memory.find(digits, at + 1)
        return self.file(name, memory)

    def rows(self, database, but=()):
        return {t: self.query(database, f"SELECT * FROM {t}") for t in TABLES if t not in but}

    def check_same(self, image, *options, types, symbols, but=()):
        self.succeeds(self.image("whole"), "--force", "-q", "-o", "whole.db")
        p = self.run_vmiscan(image, *options, "--force", "-q", "-o", "other.db")
        self.assertEqual((p.returncode, p.err), (0, ""))
        run = self.query("other.db", "SELECT types_source, symbols_source, symbols_forced FROM run")
        self.assertEqual(run, [(types, symbols, 0)])
        whole, other = self.rows("whole.db", but), self.rows("other.db", but)
        for table, rows in whole.items():
            self.assertEqual(other[table], rows, table)

    # --- one kind of file each ---

    def test_btf_alone(self):
        path = self.file("vmlinux.btf", self.btf())
        self.check_same(self.image("bare", with_btf=False), "--vmlinux", path, types=f"BTF of {path}",
                        symbols="kallsyms in the image")

    def test_isf(self):
        banner = self.memory[self.memory.find(b"Linux version 6.1.0-56"):][:300].split(b"\0")[0]
        symbols = {"linux_banner": {"address": 1 << 63, "constant_data": base64.b64encode(banner).decode()}}
        text = Btf(self.btf()).isf(symbols)
        for name, content in (("a.json", text), ("a.json.xz", lzma.compress(text, preset=0))):
            path = self.file(name, content)
            self.check_same(self.image("bare", with_btf=False), "--vmlinux", path, but=OF_DRIVERS,
                            types=f"ISF of {path}", symbols=f"kallsyms in the image; ISF of {path}")
        wrong = json.loads(text)
        wrong["symbols"]["linux_banner"]["constant_data"] = base64.b64encode(b"Linux version 5 (x) #1 y\n").decode()
        self.fails(4, self.image("bare", with_btf=False), "--vmlinux", self.file("wrong.json", json.dumps(wrong).encode()),
                   says="Linux version 5 (x) #1 y")

    def test_vmlinuz(self):
        path = in_cache("kernels/6.1.0-56-amd64-*/vmlinuz")
        if not path:
            self.skipTest("the kernel of the sample is not in the guests' cache")
        self.check_same(self.image("bare", with_btf=False, with_kallsyms=False), "--vmlinux", str(path),
                        types=f"BTF of {path}", symbols=f"kallsyms of {path}")

    def debug_file(self, name, how="samples/make-symbols fetches it"):
        """The path of what belongs to the sample's kernel and is too big for the tree."""
        path = in_cache(f"debug/**/{name}")
        if not path:
            self.skipTest(f"{name} is not in the guests' cache: {how}")
        return str(path)

    def check_no_disagreement(self):
        self.assertEqual(self.query("other.db", "SELECT count(*) > 300 FROM type_fields WHERE offset IS NOT NULL"),
                         [(1,)])
        self.assertEqual(self.query("other.db", "SELECT * FROM type_fields WHERE other_source IS NOT NULL"), [])

    def test_vmlinux_with_dwarf(self):
        path = self.debug_file("vmlinux-6.1.0-56-amd64")
        image = self.image("bare", with_btf=False, with_kallsyms=False)
        for _ in ("read", "out of the cache"):
            self.check_same(image, "--vmlinux", path, but=OF_DRIVERS, types=f"DWARF of {path}",
                            symbols=f".symtab of {path}")
        self.check_same(self.image("both"), "--vmlinux", path, types="BTF in the image",
                        symbols=f"kallsyms in the image; .symtab of {path}")
        self.check_no_disagreement()

    def test_system_map(self):
        path = self.debug_file("System.map-6.1.0-56-amd64")
        image = self.image("bare", with_kallsyms=False)
        self.check_same(image, "--system-map", path, types="BTF in the image", symbols=f"System.map of {path}")
        self.check_same(self.image("both"), "--system-map", path, types="BTF in the image",
                        symbols=f"kallsyms in the image; System.map of {path}")

    def test_isf_that_dwarf2json_made(self):
        path = self.debug_file("6.1.0-56-amd64.json.xz", "make it with dwarf2json")
        image = self.image("bare", with_btf=False, with_kallsyms=False)
        self.check_same(image, "--vmlinux", path, but=OF_DRIVERS, types=f"ISF of {path}", symbols=f"ISF of {path}")
        self.check_same(self.image("both"), "--vmlinux", path, types="BTF in the image",
                        symbols=f"kallsyms in the image; ISF of {path}")
        self.check_no_disagreement()

    def test_detached_debug(self):
        path = self.debug_file("vmlinux-6.1.0-56-amd64")
        if not shutil.which("objcopy"):
            self.skipTest("objcopy is not installed (package binutils)")
        build_id = re.search(rb"BUILD-ID=([0-9a-f]{40})", self.memory).group(1).decode()
        os.makedirs(self.path(f"shelf/.build-id/{build_id[:2]}"))
        detached = f"shelf/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
        subprocess.run(["objcopy", "--only-keep-debug", path, self.path(detached)], check=True)
        self.check_same(self.image("bare", with_btf=False, with_kallsyms=False), "--symbols", "shelf", but=OF_DRIVERS,
                        types=f"DWARF of {detached}", symbols=f".symtab of {detached}")

    def test_found_by_release(self):
        os.makedirs(self.path("shelf/boot"))
        path = self.file("shelf/boot/vmlinux-6.1.0-56-amd64", self.btf())
        self.check_same(self.image("bare", with_btf=False), "--symbols", "shelf", types="BTF of shelf/boot/vmlinux-"
                        "6.1.0-56-amd64", symbols="kallsyms in the image")
        os.truncate(path, 1000)
        self.fails(4, self.image("bare", with_btf=False), "--symbols", "shelf",
                   says="vmlinux-6.1.0-56-amd64: BTF: ")

    def test_found_of_a_program(self):
        """Pages of programs lie behind the kernel's: their files say nothing of it, and are no trouble."""
        types = struct.pack("<IIIIII", 0x0001eb9f, 24, 0, 16, 16, 5) + struct.pack("<IIII", 1, 1 << 24, 4, 32)
        for note in re.finditer(rb"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0(.{20})", self.memory, re.DOTALL):
            build_id = note.group(1).hex()
            os.makedirs(self.path(f"shelf/.build-id/{build_id[:2]}"), exist_ok=True)
            self.file(f"shelf/.build-id/{build_id[:2]}/{build_id[2:]}.debug", types + b"\0int\0")
        p = self.fails(4, self.image("bare", with_btf=False), "--symbols", "shelf", says="no BTF type information")
        self.assertNotIn("shelf", p.err)

    # --- refusals ---

    def test_other_structures(self):
        """Debug information of a kernel that GCC's RANDSTRUCT laid out has members where they are not."""
        btf = bytearray(self.btf())
        types, strings_at, _ = struct.unpack_from("<III", btf, 12)
        name = btf.index(b"\0comm\0", 24 + strings_at) + 1 - 24 - strings_at
        at = btf.index(b"\0task_struct\0", 24 + strings_at) + 1 - 24 - strings_at
        at = btf.index(struct.pack("<I", at), 24)
        member = btf.index(struct.pack("<I", name), at)
        struct.pack_into("<I", btf, member + 8, struct.unpack_from("<I", btf, member + 8)[0] + 64)
        path = self.file("wrong.btf", btf)
        self.fails(4, self.image("bare", with_btf=False), "--vmlinux", path,
                   says=f"or one with other structures than {path} describes (as GCC's RANDSTRUCT makes them)")

    def test_what_is_no_file_of_symbols(self):
        image = self.image("whole")
        self.fails(4, image, "--vmlinux", "nowhere", says="nowhere: can't be opened: No such file")
        self.fails(4, image, "--vmlinux", ".", says=".: is not a file")
        self.fails(4, image, "--vmlinux", self.file("text", b"hello\n"), says="it is no vmlinux")
        self.fails(4, image, "--vmlinux", self.file("elf", b"\x7fELF" + bytes(100)), says="elf: ELF: ")
        stub = b"ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n"
        self.fails(4, image, "--system-map", self.file("map", stub), says="it is a stub")
        self.assertNotIn("whole.db", os.listdir(self.dir))

    @unittest.skipUnless(TINY, "no small vmlinux (VMISCAN_TINY)")
    def test_another_kernel(self):
        image = self.image("whole")
        p = self.fails(4, image, "--vmlinux", TINY, says="Linux version 6.1.0-tiny")
        self.assertIn("Linux version 6.1.0-56-amd64", p.err)
        self.assertIn("--force-symbols", p.err)
        self.run_vmiscan(image, "--vmlinux", TINY, "--force-symbols", "-q", "-o", "forced.db")
        self.assertEqual(self.query("forced.db", "SELECT symbols_forced FROM run"), [(1,)])

    @unittest.skipUnless(TINY, "no small vmlinux (VMISCAN_TINY)")
    def test_disagreement_is_a_row(self):
        self.run_vmiscan(self.image("whole"), "--vmlinux", TINY, "--force-symbols", "-q", "-o", "forced.db")
        said = self.query("forced.db", "SELECT message FROM problems WHERE table_name = 'type_fields'")
        self.assertEqual(len(said), 1)
        self.assertIn("disagree about", said[0][0])
        other = self.query("forced.db", "SELECT offset, other_offset, other_source FROM type_fields "
                           "WHERE type = 'task_struct' AND field = 'comm'")
        self.assertEqual(len(other), 1)
        self.assertNotEqual(other[0][0], other[0][1])
        self.assertEqual(other[0][2], f"DWARF of {TINY}")

    def test_reproducible_names_no_path(self):
        path = self.file("vmlinux.btf", self.btf())
        self.succeeds(self.image("bare", with_btf=False), "--vmlinux", path, "--reproducible", "-q", "-o", "a.db")
        self.assertEqual(self.query("a.db", "SELECT types_source FROM run"), [("BTF of a file",)])
        with open(self.path("a.db"), "rb") as f:
            self.assertNotIn(self.dir.encode(), f.read())


if __name__ == "__main__":
    unittest.main()
