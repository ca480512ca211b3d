"""What the virtual machine is made of; two recipes are the same where all that goes into it is."""

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
    """Debian's suites that the guest's programs and its kernel are from, and the locks of its Python's libraries, as
    texts: that of what builds them first."""

    suite: str
    kernel_suite: str
    locks: tuple[str, ...]

    @property
    def key(self) -> str:
        """A name for what comes of this recipe."""
        goes_in = [self.suite, self.kernel_suite, KERNEL, *PACKAGES, *self.locks]
        goes_in += [(HERE / file).read_text(encoding="utf-8") for file in ("building.py", "init")]
        return f"{self.kernel_suite}-{hashlib.sha256(repr(goes_in).encode()).hexdigest()[:12]}"


SUITES: Mapping[str, tuple[str, str]] = {
    "bullseye": ("bookworm", "bullseye"),
    "bookworm": ("bookworm", "bookworm"),
    "trixie": ("trixie", "trixie"),
}
"""By name: suites of the programs and of the kernel. Bullseye's Open vSwitch is older than what ovsnp works with, so
only its kernel is taken."""


def recipe(suite: str) -> Recipe:
    """The recipe for one of SUITES, with the checkout's locks."""
    locks = [(CHECKOUT / "requirements" / file).read_text(encoding="utf-8") for file in ("build.lock", "test.lock")]
    return Recipe(*SUITES[suite], tuple(locks))
