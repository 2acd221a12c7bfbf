# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sample's memory as VMware snapshots: each must say what the plain memory says."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import container
import vmware

SAMPLE = os.environ.get("VMISCAN_SAMPLE")
PAGE = vmware.PAGE


def some_registers(n):
    """Not the guest's, whose are not in the sample; nothing may depend on them."""
    return {name: n * 100 + i for i, name in enumerate(vmware.GPREGS)} | {
        "rip": 0xffffffff81000000 + n, "cr3": 0x1000 * (n + 1), "cr4": 0x6f0, "cs": 0x10,
        "idt": 0xfffffe0000000000, "gs_base": 0xffff888000000000 + n}


@unittest.skipUnless(SAMPLE, "no sample image (VMISCAN_SAMPLE)")
class VmwareTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory(prefix="vmiscan-vmware-")
        cls.addClassCleanup(cls.holder.cleanup)
        cls.memory = cls.path("memory.raw")
        subprocess.run(["zstd", "-qd", "--sparse", SAMPLE, "-o", cls.memory], check=True)
        cls.pages = os.path.getsize(cls.memory) // PAGE
        container.analyse(cls.memory, cls.path("raw.db"))
        cls.cpus = [some_registers(0), some_registers(1)]

    @classmethod
    def path(cls, name):
        return os.path.join(cls.holder.name, name)

    def state(self, name, state):
        with open(self.path(name), "wb") as f:
            f.write(vmware.state_file(state))
        self.addCleanup(os.unlink, self.path(name))
        return self.path(name)

    def beside(self, name):
        os.link(self.memory, self.path(name))
        self.addCleanup(os.unlink, self.path(name))
        return self.path(name)

    def same(self, image, *options, status=0, leave_out=frozenset()):
        out = image + ".db"
        self.addCleanup(lambda: os.path.exists(out) and os.unlink(out))
        container.analyse(image, out, *options, status=status)
        got = container.tables(out, leave_out)
        want = container.tables(self.path("raw.db"), leave_out)
        self.assertEqual(container.differences(want, got), {})
        return out

    def test_a_batch_takes_memory_and_its_state_for_one(self):
        os.mkdir(self.path("in"))
        self.addCleanup(shutil.rmtree, self.path("in"))
        self.addCleanup(shutil.rmtree, self.path("out"), ignore_errors=True)
        self.state("in/guest.vmss", vmware.State(self.whole(), self.cpus))
        self.beside("in/guest.vmem")
        p = subprocess.run([container.VMISCAN, "batch", self.path("in"), "-o", self.path("out")],
                           capture_output=True, text=True, check=False)
        line, total = map(json.loads, p.stdout.splitlines())
        self.assertEqual((os.path.basename(line["image"]), line["status"]), ("guest.vmem", "analysed"))
        self.assertEqual(total["total"]["images"], 1)
        self.assertEqual(container.differences(container.tables(self.path("raw.db")),
                                               container.tables(line["database"])), {})
        self.assertEqual(len(container.vcpus(line["database"])), 2)
        again = subprocess.run([container.VMISCAN, "batch", self.path("in"), "-o", self.path("out")],
                               capture_output=True, text=True, check=False)
        self.assertEqual(json.loads(again.stdout.splitlines()[0])["status"], "done before")
        os.utime(self.path("in/guest.vmss"), (1, 1))  # it is of the evidence, too
        again = subprocess.run([container.VMISCAN, "batch", self.path("in"), "-o", self.path("out")],
                               capture_output=True, text=True, check=False)
        self.assertEqual(json.loads(again.stdout.splitlines()[0])["status"], "analysed")

    def both(self, state, ending=".vmss"):
        """From either of the two files."""
        with self.subTest(state=str(state)[:200]):
            path = self.state("guest" + ending, state)
            memory = self.beside("guest.vmem")
            for image in (path, memory):
                rows = container.vcpus(self.same(image))
                self.assertEqual([r["cr3"] for r in rows],
                                 [f"0x{c['cr3']:016x}" for c in state.cpus])
            self.doCleanups()

    def whole(self):
        return [(0, 0, self.pages)]

    def test_magics(self):
        for magic in vmware.MAGICS:
            self.both(vmware.State(self.whole(), self.cpus, magic=magic, padding=magic % 13))

    def test_registers_one_by_one(self):
        self.both(vmware.State(self.whole(), self.cpus, blocks=False))

    def test_snapshot_and_order_of_groups(self):
        self.both(vmware.State(self.whole(), self.cpus, order=("memory", "other", "cpu")),
                  ".vmsn")

    def test_regions(self):
        half, part = self.pages // 2, self.pages // 4
        rest = (half, half, self.pages - half)
        for count in (None, 0, False):
            self.both(vmware.State(self.whole(), self.cpus, count=count))
        self.both(vmware.State([], self.cpus))
        self.both(vmware.State([(0, 0, half), rest], self.cpus))
        self.both(vmware.State([(part, part, part), (0, 0, part), rest], self.cpus))

    def test_regions_that_are_not_in_order_in_the_file(self):
        half = self.pages // 2
        other = self.path("guest.vmem")
        with open(self.memory, "rb") as f, open(other, "wb") as out:
            low = f.read(half * PAGE)
            out.write(f.read())
            out.write(low)
        self.addCleanup(os.unlink, other)
        high = self.pages - half
        self.same(self.state("guest.vmss", vmware.State([(0, high, half), (half, 0, high)],
                                                        self.cpus)))

    def test_memory_inside(self):
        with open(self.memory, "rb") as f:
            memory = f.read()
        for magic in (0xbed2bed2, 0xbed2bed0):
            self.same(self.state("inside.vmsn",
                                 vmware.State(self.whole(), self.cpus, magic, memory=memory)))
            self.doCleanups()
        packed = self.state("inside.vmsn", vmware.State(self.whole(), self.cpus, memory=memory,
                                                        compressed=True))
        status, says = container.refuse(packed, self.path("out.db"))
        self.assertEqual(status, 3)
        self.assertIn("compressed memory", says)

    def test_named_state_file(self):
        state = self.state("elsewhere.vmss", vmware.State(self.whole(), self.cpus))
        self.assertEqual(len(container.vcpus(self.same(self.memory, "--vmss", state))), 2)

    def test_stale_state_file(self):
        self.state("guest.vmss", vmware.State([(0, 0, self.pages - 1)], self.cpus))
        out = self.same(self.beside("guest.vmem"), status=1, leave_out={"problems"})
        self.assertEqual(container.vcpus(out), [])

    def test_partner_that_is_not_there(self):
        alone = self.state("alone.vmss", vmware.State(self.whole(), self.cpus))
        status, says = container.refuse(alone, self.path("out.db"))
        self.assertEqual(status, 3)
        self.assertIn("alone.vmem", says)


if __name__ == "__main__":
    unittest.main()
