# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images that are none, broken ones, and the evidence's integrity."""
import hashlib
import os
import random
import unittest

from support import CommandTest, needs_root, needs_sample, NOBODY, SAMPLE

OTHER_FORMATS = {
    "kdump": b"KDUMP   " + bytes(8192),
    "qcow2": b"QFI\xfb" + bytes(8192),
}


class NoImage(CommandTest):
    def test_what_cannot_be_an_image(self):
        self.file("empty")
        self.file("text", b"all work and no play\n" * 1000)
        self.file("tiny", b"\x7fELF")
        os.mkdir(self.path("folder"))
        os.mkfifo(self.path("pipe"))
        for name in ("empty", "text", "tiny", "folder", "pipe", "nowhere", "/dev/null"):
            with self.subTest(name=name):
                self.fails(3, name, "-o", "out.db", says=f"{name}: ")
                self.fails(3, "info", name, says=f"{name}: ")
        self.assert_files("empty", "text", "tiny", "folder", "pipe")

    def test_other_formats_are_named(self):
        for name, content in OTHER_FORMATS.items():
            with self.subTest(name=name):
                self.file(name, content)
                self.fails(3, name, says=f"{name}: ")

    def test_zeros_and_noise_have_no_kernel(self):
        self.sparse("zeros", 64 << 20)
        self.file("noise", random.Random(1).randbytes(4 << 20))
        for name in ("zeros", "noise"):
            with self.subTest(name=name):
                self.fails(4, name, says=f"{name}: ")
        self.assert_files("zeros", "noise")

    @needs_root
    def test_no_permission(self):
        self.sparse("secret", 1 << 20)
        os.chmod(self.path("secret"), 0)
        self.fails(3, "secret", user=NOBODY, group=NOBODY, says="secret: no permission")


@needs_sample
class Evidence(CommandTest):
    def test_it_is_never_changed(self):
        with open(SAMPLE, "rb") as f:
            content = f.read()
        image = self.file("image.zst", content)
        os.chmod(image, 0o444)
        os.utime(image, ns=(10**18, 10**18))
        before = os.stat(image)
        self.succeeds("image.zst", "-q")
        after = os.stat(image)
        self.assertEqual((before.st_mtime_ns, before.st_atime_ns, before.st_ctime_ns),
                         (after.st_mtime_ns, after.st_atime_ns, after.st_ctime_ns))
        with open(image, "rb") as f:
            self.assertEqual(f.read(), content)
        self.assert_files("image.zst", "image.zst.db")

    def test_its_hash_is_stored_when_asked_for(self):
        with open(SAMPLE, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        self.succeeds(SAMPLE, "-o", "a.db", "-q", "--hash", "sha256")
        self.succeeds(SAMPLE, "-o", "b.db", "-q")
        sql = "SELECT sha256, size FROM evidence"
        size = os.path.getsize(SAMPLE)
        self.assertEqual(self.query("a.db", sql), [(digest, size)])
        self.assertEqual(self.query("b.db", sql), [(None, size)])


@needs_sample
class Truncated(CommandTest):
    """Cut anywhere, an image gives a valid database or none, and a status that says so."""

    def check(self, content, size):
        self.file("cut.zst", content[:size])
        p = self.run_vmiscan("cut.zst", "-o", "out.db", "--force")
        self.assertIn(p.returncode, (0, 1, 3, 4), f"cut at {size}: {p.err}")
        self.assertEqual(p.returncode == 0, p.err == "", f"cut at {size}")
        if p.returncode in (0, 1):
            self.assert_valid_database("out.db")
            self.assert_files("cut.zst", "out.db")
            os.unlink(self.path("out.db"))
        else:
            self.assert_files("cut.zst")

    def test_at_every_page_of_the_first_mebibyte_and_at_random(self):
        with open(SAMPLE, "rb") as f:
            content = f.read()
        seeded = random.Random(20)
        sizes = [*range(0, 1 << 20, 4096), *(seeded.randrange(len(content)) for _ in range(50))]
        for size in sizes:
            self.check(content, size)

    def test_a_cut_is_said_in_the_database(self):
        with open(SAMPLE, "rb") as f:
            content = f.read()
        self.file("cut.zst", content[: len(content) - 1000])
        p = self.run_vmiscan("cut.zst", "-o", "out.db")
        self.assertEqual(p.returncode, 1, p.err)
        self.assertRegex(p.err, r"\Avmiscan: cut.zst: [^\n]+; see the tables [^\n]+\n\Z")
        self.assertEqual(self.query("out.db", "SELECT truncated FROM evidence"), [(1,)])
        self.assertEqual(self.query("out.db", "SELECT status, exit_status FROM run"),
                         [("partial", 1)])
        self.assertTrue(self.query("out.db", "SELECT * FROM problems WHERE severity = 'error'"))


if __name__ == "__main__":
    unittest.main()
