# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the matrix consists of: each case is a guest, and where its types come from.

A provider is a function of the options that yields Case and Skip. To widen the matrix, write one and
add it to PROVIDERS."""

import dataclasses

import offers
from kernels.build import get_built
from kernels.variants import VARIANTS
from maker.debug import get_vmlinux
from maker.definitions import BY_NAME, Guest
from maker.locks import locked
from maker.make import cache_root, guest_folder, try_guest
from maker.suites import Suite, SuiteError


BTF, DWARF = "BTF", "DWARF"


@dataclasses.dataclass(frozen=True)
class Case:
    """One guest to be made and compared."""

    name: str
    version: str
    flavour: str
    suite: str
    # () -> the folder that the guest has or will have, which names all that it is made of.
    where: object
    # () -> (folder or None, status), as maker.make.try_guest.
    make: object
    arch: str = "amd64"
    # What can't be seen in the guest's own files.
    config: str = ""
    source: str = BTF
    # () -> options of vmiscan beside the image; may fetch what they name.
    options: object = tuple
    # Cases that stand in for this one if its kernel can't be fetched.
    instead: tuple = ()


@dataclasses.dataclass(frozen=True)
class Skip:
    """What should be there and can't be had."""

    name: str
    reason: str
    arch: str = "amd64"


# Page tables of four levels or five (where the kernel has those), one set of them or the user's apart,
# the kernel moved or where it was linked: each kernel gets one of the four.
MACHINES = (
    {"cpu": "max"},
    {"cpu": "max,la57=off", "append": "pti=on"},
    {"cpu": "qemu64"},
    {"cpu": "max", "append": "nokaslr pti=on"},
)


def _guest(offer, machine):
    return Guest(f"matrix-{offer.release}", offer.suite, "a kernel of the matrix", release=offer.release,
                 second_card="virtio-net-pci" if offer.flavour.startswith("cloud") else "e1000", **machine)


def _guests(offer):
    """On the kernel's machine, or else without cmpxchg16b: emulated by QEMU 7.2 it spoils the flags of
    6.12.95+deb12-cloud-amd64, which ends in its allocator."""
    # By what the kernel is, so that a new series beside it changes nothing.
    number = sum(offer.order()) + offers.FLAVOURS.index(offer.flavour)
    machine = MACHINES[number % len(MACHINES)]
    return [_guest(offer, machine), _guest(offer, {**machine, "cpu": machine["cpu"] + ",cx16=off"})]


def _where(cache, guests):
    folders = [guest_folder(cache, guest) for guest in guests]
    return next((folder for folder in folders if folder.exists()), folders[0])


def _make(cache, guests):
    reasons = []
    for guest in guests:
        folder, status = try_guest(cache, guest)
        if folder:
            return folder, status
        reasons.append(status)
    return None, "; ".join(reasons)


def _case(cache, offer, instead=(), **more):
    guests = _guests(offer)
    return Case(more.pop("name", offer.release), offer.version, offer.flavour, offer.suite,
                lambda: _where(cache, guests), lambda: _make(cache, guests), instead=instead, **more)


def debian_amd64(options):
    """Kernels of all suites for amd64."""
    cache = cache_root()
    offered, failed = offers.ask(cache, refresh=options.refresh)
    for suite, reason in failed.items():
        yield Skip(suite, reason)
    for first, *others in offers.choose(offered, points=options.points):
        yield _case(cache, first, tuple(_case(cache, offer) for offer in others))


def _vmlinux_options(cache, offer):
    with locked(cache / "locks" / f"suite-{offer.suite}"):
        return "--vmlinux", str(get_vmlinux(cache, offer.suite, offer.release))


def debian_vmlinux(options):
    """The oldest and the newest series once more, with types and symbols from the package with debug information."""
    cache = cache_root()
    offered, _ = offers.ask(cache)
    newest = [line[0] for line in offers.choose(offered, flavours=("amd64",), points="newest")]
    ends = (min(newest, key=offers.Offer.order), max(newest, key=offers.Offer.order)) if newest else ()
    for offer in dict.fromkeys(ends):
        yield _case(cache, offer, name=f"{offer.release}-vmlinux", source=DWARF,
                    options=lambda offer=offer: _vmlinux_options(cache, offer))


# Guests as samples/make-guests has them: of other architectures, and with what a kernel before them
# left in memory.
OTHERS = ("arm64-6.1", "arm64-6.12", "arm64-6.12-lpa2", "arm64-6.12-16k", "arm64-sid", "i386-6.1",
          "after-itself", "after-6.1", "after-sid")


def others(_):
    """Each with the newest kernel of its suite."""
    cache = cache_root()
    for guest in (BY_NAME[name] for name in OTHERS):
        suite = Suite(cache, guest.suite, guest.arch)
        try:
            with locked(cache / "locks" / f"suite-{guest.suite}"):
                kernel = suite.kernel(guest.flavour)
        except SuiteError as error:
            yield Skip(guest.name, str(error), guest.arch)
            continue
        yield Case(guest.name, max(kernel["packages"].values()), guest.flavour, guest.suite,
                   lambda guest=guest: guest_folder(cache, guest), lambda guest=guest: try_guest(cache, guest),
                   arch=guest.arch, config=guest.idea if guest.remains else "",
                   **_types_of(cache, guest, kernel["release"]))


def _types_of(cache, guest, release):
    """Debian's kernels of 32 bits have no BTF."""
    if guest.arch != "i386":
        return {}

    def options():
        with locked(cache / "locks" / f"suite-{guest.suite}"):
            return "--vmlinux", str(get_vmlinux(cache, guest.suite, release, guest.arch))

    return {"source": DWARF, "options": options}


def _built_guest(variant):
    return Guest(f"built-{variant.name}", "source", variant.idea, build=variant.name, append=variant.append,
                 lacks=variant.lacks, cpu="max")


def _built_case(cache, variant, **more):
    guest = _built_guest(variant)
    return Case(more.pop("name", f"built-{variant.name}"), variant.version, "built", "source",
                lambda: guest_folder(cache, guest), lambda: try_guest(cache, guest), config=variant.idea, **more)


def _built_options(cache, variant):
    return "--vmlinux", str(get_built(variant.name).folder / "vmlinux")


def built(_):
    """Kernels as nobody at Debian builds them: samples/kernels."""
    cache = cache_root()
    for variant in VARIANTS:
        if variant.needs_vmlinux:
            yield _built_case(cache, variant, name=f"built-{variant.name}-vmlinux", source=DWARF,
                              options=lambda variant=variant: _built_options(cache, variant))
        else:
            yield _built_case(cache, variant)


PROVIDERS = (debian_amd64, debian_vmlinux, others, built)
