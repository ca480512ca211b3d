"""The contents of the virtual machine; two recipes have the same key where all contents are the same."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]

PACKAGES = (
    "ca-certificates",
    "conntrack",
    "iproute2",
    "iputils-ping",
    "kmod",
    "netcat-openbsd",
    "openssh-server",
    "openvswitch-switch",
    "procps",
    "python3-venv",
    "tcpdump",
    "tini",
)

KERNEL = "linux-image-cloud-amd64"
"""Debian's kernel without drivers for hardware that no virtual machine has: 27 MB instead of 70."""


class Recipe(msgspec.Struct, frozen=True):
    """The Debian suites of the guest's programs and of its kernel, and the texts of the lock files of its Python
    libraries: first that of the build tools."""

    suite: str
    kernel_suite: str
    locks: tuple[str, ...]

    @property
    def key(self) -> str:
        """The name of the image that this recipe makes."""
        goes_in = [self.suite, self.kernel_suite, KERNEL, *PACKAGES, *self.locks]
        goes_in += [(HERE / file).read_text(encoding="utf-8") for file in ("building.py", "init")]
        return f"{self.kernel_suite}-{hashlib.sha256(repr(goes_in).encode()).hexdigest()[:12]}"


SUITES: Mapping[str, tuple[str, str]] = {
    "bullseye": ("bookworm", "bullseye"),
    "bookworm": ("bookworm", "bookworm"),
    "trixie": ("trixie", "trixie"),
}
"""For each name the suites of the programs and of the kernel. Bullseye's Open vSwitch is older than those that ovsnp
works with, so only its kernel is used."""


def recipe(suite: str) -> Recipe:
    """The recipe for one of SUITES, with the checkout's locks."""
    locks = [(CHECKOUT / "requirements" / file).read_text(encoding="utf-8") for file in ("build.lock", "test.lock")]
    return Recipe(*SUITES[suite], tuple(locks))
