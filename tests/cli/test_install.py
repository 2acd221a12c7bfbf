# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `cmake --install` puts where, and that it works from there."""
import os
import pathlib
import re
import subprocess
import unittest

from support import CommandTest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD, CMAKE = os.environ.get("VMISCAN_BUILD"), os.environ.get("VMISCAN_CMAKE")


def library_folder():
    """lib, or what distributions make of it."""
    cache = pathlib.Path(BUILD, "CMakeCache.txt").read_text(encoding="utf-8")
    return re.search(r"(?m)^CMAKE_INSTALL_LIBDIR:\w+=(.+)$", cache)[1]


def expected():
    manuals = {f"share/man/man1/{p.name}" for p in (TOP / "docs/man").glob("*.1")}
    documents = {f"share/doc/vmiscan/{p.name}" for p in (TOP / "docs").glob("*.md")}
    return {"bin/vmiscan", f"{library_folder()}/vmiscan/vmiscan.so",
            "share/doc/vmiscan/README.md", "share/doc/vmiscan/SECURITY.md",
            "share/bash-completion/completions/vmiscan", "share/zsh/site-functions/_vmiscan",
            *manuals, *documents}


@unittest.skipUnless(BUILD and CMAKE, "no build to install (VMISCAN_BUILD, VMISCAN_CMAKE)")
class Install(CommandTest):
    def setUp(self):
        super().setUp()
        p = subprocess.run([CMAKE, "--install", BUILD, "--prefix", "/usr"], text=True,
                           env=self.environment() | {"DESTDIR": self.dir}, capture_output=True)
        self.assertEqual(p.returncode, 0, p.stderr)

    def test_all_files_and_no_others(self):
        usr = pathlib.Path(self.path("usr"))
        self.assert_files("usr")
        found = {p.relative_to(usr).as_posix() for p in usr.rglob("*") if p.is_file()}
        self.assertEqual(found, expected())

    def test_the_program_runs(self):
        p = subprocess.run([self.path("usr/bin/vmiscan"), "--version"], env=self.environment(),
                           capture_output=True, text=True)
        self.assertEqual((p.returncode, p.stderr), (0, ""))
        self.assertTrue(p.stdout.startswith("vmiscan "))

    def test_every_call_has_its_manual(self):
        text = (TOP / "src/cli/calls.def").read_text(encoding="utf-8")
        pages = "".join(p.read_text(encoding="utf-8") for p in (TOP / "docs/man").glob("*.1"))
        for line in text.splitlines():
            if line.startswith("CALL(") and "NULL" not in line:
                name = line.split('"')[1]
                self.assertRegex(pages, rf"(?m)^\.(It )?Nm (vmiscan )?Cm {name}\b|^\.Nm vmiscan {name}$")


if __name__ == "__main__":
    unittest.main()
