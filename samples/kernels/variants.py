# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which kernels are built: what Debian's own never leave out."""

from dataclasses import dataclass

# For what changes every object file there is a tree of its own; the others of a version share one.
SHARED = ""


@dataclass(frozen=True)
class Variant:
    """A kernel: a source package, and lines of configuration over base.config."""

    name: str
    version: str
    idea: str
    config: tuple = ()
    tree: str = SHARED
    compiler: str = "gcc"
    # Words for the guest's command line.
    append: str = ""
    # What of the workload this kernel can't show (labels of maker/check.py).
    lacks: tuple = ()
    # The image alone does not do: it has no types.
    needs_vmlinux: bool = False


ALL = "CONFIG_KALLSYMS_ALL=y"
NO_DUMPS = tuple(f"CONFIG_{name}=n" for name in ("KEXEC", "KEXEC_FILE", "CRASH_DUMP", "PROC_VMCORE", "PROC_KCORE"))

VARIANTS = (
    Variant("6.12-all", "6.12", "the base itself, with KALLSYMS_ALL", (ALL,)),
    Variant("6.12-no-data", "6.12", "KALLSYMS_ALL=n"),
    Variant("6.12-no-kallsyms", "6.12", "KALLSYMS=n", ("CONFIG_KALLSYMS=n",)),
    Variant("6.12-nokaslr", "6.12", "KALLSYMS_ALL=n, booted without KASLR", append="nokaslr"),
    Variant("6.12-no-vmcoreinfo", "6.12", "no VMCORE_INFO, KALLSYMS_ALL=n", NO_DUMPS),
    Variant("6.12-no-btf", "6.12", "DEBUG_INFO_BTF=n", (ALL, "CONFIG_DEBUG_INFO_BTF=n"),
            needs_vmlinux=True),
    Variant("6.12-micro", "6.12", "KALLSYMS=n, MODULES=n, RANDOMIZE_BASE=n, no VMCORE_INFO",
            ("CONFIG_KALLSYMS=n", "CONFIG_MODULES=n", "CONFIG_RANDOMIZE_BASE=n", *NO_DUMPS),
            # Built in, the driver makes dummy0 itself, which the guest means to make.
            append="dummy.numdummies=0", lacks=("modules with arguments",)),
    Variant("6.12-up", "6.12", "SMP=n, KALLSYMS_ALL=n", ("CONFIG_SMP=n",), tree="up"),
    Variant("6.12-up-all", "6.12", "SMP=n, KALLSYMS_ALL=y", ("CONFIG_SMP=n", ALL), tree="up"),
    # Clang's: the plugin of GCC gives DWARF, and BTF of it, other offsets than the code has.
    Variant("6.1-randstruct", "6.1", "RANDSTRUCT_FULL, KALLSYMS_ALL=n",
            ("CONFIG_RANDSTRUCT_FULL=y", "CONFIG_DEBUG_INFO_BTF=y"), tree="randstruct", compiler="clang-16"),
    Variant("6.1-randstruct-no-kallsyms", "6.1", "RANDSTRUCT_FULL, KALLSYMS=n",
            ("CONFIG_RANDSTRUCT_FULL=y", "CONFIG_DEBUG_INFO_BTF=y", "CONFIG_KALLSYMS=n"), tree="randstruct",
            compiler="clang-16"),
)

BY_NAME = {variant.name: variant for variant in VARIANTS}
