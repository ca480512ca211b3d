"""A standing lab in words, and commands that the user may interrupt."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from ovsnp.cli.plain import tell
from ovsnp.errors import Exit
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.interrupts import INTERRUPTS
from ovsnp.lab.standing import Lab

DEFAULT_NAME = "ovsnp"


def described(built: Lab) -> str:
    """The content of the lab, in one line."""
    pods = sum(node.pod is not None for node in built.topology.nodes)
    outside = sum(node.outside is not None for node in built.topology.nodes)
    return (
        f"lab {built.settings.name}: {len(built.nodes)} nodes, {pods} pods, {outside} hosts outside, "
        f"{built.settings.encap}{', masquerade' if built.settings.masquerade else ''}, "
        f"{'agents, ' if built.settings.agents else ''}"
        f"{'kernel datapath, ' if built.settings.datapath is DatapathType.SYSTEM else ''}"
        f"{len(built.cluster.policies)} policies"
    )


def hints(built: Lab) -> Iterator[str]:
    """The commands to use next."""
    name = built.settings.name
    option = "" if name == DEFAULT_NAME else f" --name {name}"
    pod = next((node.name for node in built.topology.nodes if node.pod is not None), None)
    for container in [*(container for _, container in built.nodes), *([pod] if pod else [])]:
        yield f"a shell in {container}: {built.runtime.shell(container)}"
    yield f"measure it: ovsnp lab test{option}; take it away: ovsnp lab down{option}"


@contextmanager
def interruptible() -> Iterator[None]:
    """Make every signal that asks to stop end in the same clean-up, and exit with 130."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt)
        for number in INTERRUPTS
        # Under nohup, SIGHUP stays ignored.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    except KeyboardInterrupt:
        tell("interrupted")
        sys.exit(Exit.INTERRUPTED)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
