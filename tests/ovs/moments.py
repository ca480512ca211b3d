"""The moments of a run of ovsnp, and a run that is killed at one of them, at any speed of the machine.

A moment is the nth call of, or return from, a function of `ovsnp.apply` or `ovsnp.switch`, or a function that starts
another program and waits for it. As a program: ``FILE MOMENT ARGUMENTS...`` runs ``ovsnp ARGUMENTS...``, kills it at
the moment, and writes each moment into the file when it comes.
"""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import TextIO

import ovsnp
from ovsnp.cli import main

_ROOMS = tuple(f"{Path(ovsnp.__file__).parent}/{room}/" for room in ("apply", "switch"))
_PROGRAMS = ("Popen.__init__", "Popen.communicate")


class _Watch:
    """A profile function, as `sys.setprofile` takes it."""

    def __init__(self, file: TextIO, moment: str) -> None:
        self._file, self._moment = file, moment
        self._names: dict[CodeType, str] = {}
        self._times: Counter[tuple[str, str]] = Counter()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event not in ("call", "return"):
            return
        code = frame.f_code
        if (name := self._names.get(code)) is None:
            name = self._names[code] = _name(code)
        if not name:
            return
        self._times[event, name] += 1
        moment = f"{event} {name} {self._times[event, name]}"
        self._file.write(f"{moment}\n")
        if moment == self._moment:
            os.kill(os.getpid(), signal.SIGKILL)


def _name(code: CodeType) -> str:
    """The name of a function if its moments count, else ""."""
    ours = code.co_filename.startswith(_ROOMS)
    starts = code.co_filename == subprocess.__file__ and code.co_qualname in _PROGRAMS
    return f"{Path(code.co_filename).stem}.{code.co_qualname}" if ours or starts else ""


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as written:
        sys.setprofile(_Watch(written, sys.argv[2]))
        main(sys.argv[3:])
