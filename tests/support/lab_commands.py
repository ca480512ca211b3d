"""The program as users run it, and the things that a lab leaves behind on the machine."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ovsnp.lab.journal import start_time
from tests.support.checkout import ROOT
from tests.support.lab_datapath import DATAPATH, patient

SMALL = ROOT / "tests" / "lab" / "small" / "small.clab.yml"
SHIPPED = ROOT / "containerlab" / "ovsnp.clab.yml"


def command(*words: str) -> list[str]:
    """The command line of ``ovsnp lab``, with the datapath under test."""
    more = ["--datapath", DATAPATH] if words[0] == "up" else []
    return [sys.executable, "-m", "ovsnp", "lab", *words, *more]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run ``ovsnp lab`` until it ends."""
    return subprocess.run(command(*words), capture_output=True, text=True, check=False, timeout=patient(600))


def start(*words: str) -> subprocess.Popen[str]:
    """Start ``ovsnp lab`` in the background."""
    return subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def left_behind(name: str, base: Path, interfaces: Sequence[str]) -> list[str]:
    """Everything on the machine of the lab with this name; ``interfaces`` are the names of its links."""
    found = [f"namespace {path.name}" for path in Path("/run/netns").glob(f"{name}-*")]
    found += [f"file {path}" for path in (base / name).rglob("*")]
    found += [f"directory {base / name}"] if (base / name).exists() else []
    found += [f"link {path.name}" for path in Path("/sys/class/net").iterdir() if path.name in interfaces]
    return found + [f"process {pid}" for pid in _processes(f"{base}/{name}/", f"{name}-")]


def _processes(*words: str) -> list[int]:
    """Living processes with one of the words in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and start_time(int(entry.name)) is not None:
            try:
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if any(word in line for word in words):
                found.append(int(entry.name))
    return found
