"""Time of the console's pages, and of the effect of an edit, as a browser gets them over HTTP.

Processor time is that of the console, a process of its own. Where it is much less than the time of the answer, other
processes had their turn.
"""

import http.client
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.applying import OVSNP
from bench.inputs import Inputs
from bench.process import processor_time
from bench.table import Cell, table, verdict

BARS = {"first page": 1.0, "effect of an edit": 1.5}
"""The seconds in which a large cluster's answer must be there."""

_LARGE = "L"
HEAD = ("input", "answer", "at once, s", "processor, s", "bar", "verdict", "later, s", "processor, s", "KB")
_IDLE = 0.5
"""The seconds without work after which the console has prepared all that it keeps."""


class Taken(NamedTuple):
    """Seconds until the answer, seconds of the console's processor time, and the bytes of the answer."""

    wall: float
    processor: float
    size: int


def measure_pages(inputs: Inputs) -> Iterator[str]:
    """A table for each size, so that a busy machine has some rows soon."""
    yield (
        "`ovsnp console` over HTTP. At once: one after the other, as soon as the console listens; what it prepares in"
        f" the background takes processor time, too. Later: medians of {inputs.runs} requests once it has prepared"
        " everything. The effect is there before the other answers about the edit are."
    )
    for size in inputs.sizes:
        if size != "XL":
            yield table(HEAD, [*_rows(inputs, size)])


def _rows(inputs: Inputs, size: str) -> Iterator[tuple[Cell, ...]]:
    objects = json.loads(inputs.file(size, minimal=True).read_text(encoding="utf-8"))["items"]
    pod = next(each for each in objects if each["kind"] == "Pod")["metadata"]
    policy = next(each for each in objects if each["metadata"]["name"] == "allow-external")["metadata"]
    with _console(str(inputs.file(size, minimal=True))) as browser:
        fields = {"deletes": f"{policy['namespace']}/{policy['name']}"}
        asked: Mapping[str, Callable[[], Taken]] = {
            "first page": lambda: browser.get("/policies"),
            "a pod's page": lambda: browser.get(f"/pods/{pod['namespace']}/{pod['name']}"),
            "matrix": lambda: browser.get("/matrix"),
            "effect of an edit": lambda: browser.effect(fields),
        }
        first = {name: ask() for name, ask in asked.items()}
        browser.wait_until_idle()
        for name, ask in asked.items():
            later = [ask() for _ in range(inputs.runs)]
            bar = BARS.get(name) if size == _LARGE else None
            yield (
                size,
                name,
                first[name].wall,
                first[name].processor,
                "-" if bar is None else f"{bar:g}",
                verdict(first[name].wall, bar),
                median(each.wall for each in later),
                median(each.processor for each in later),
                first[name].size / 1e3,
            )


class _Browser:
    """A session with a running console."""

    def __init__(self, pid: int, url: str) -> None:
        self._pid, parts = pid, urlsplit(url)
        self._netloc, self._origin = parts.netloc, f"{parts.scheme}://{parts.netloc}"
        self._cookie = ""
        with self._answer("GET", f"{parts.path}?{parts.query}") as answer:
            self._cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
            answer.read()

    def get(self, target: str) -> Taken:
        """The whole page."""
        return self._timed("GET", target, {}, lambda answer: len(answer.read()))

    def effect(self, fields: Mapping[str, str]) -> Taken:
        """The answer about an edit until the effect is there."""

        def until_effect(answer: http.client.HTTPResponse) -> int:
            size = 0
            for line in answer:
                size += len(line)
                if json.loads(line).get("part") == "effect":
                    return size
            raise RuntimeError("the console has told no effect")

        return self._timed("POST", "/policies/draft", {**fields, "csrf": self._csrf()}, until_effect)

    def _csrf(self) -> str:
        with self._answer("GET", "/policies/edit") as answer:
            return answer.read().decode().partition('name="csrf" value="')[2].partition('"')[0]

    def wait_until_idle(self) -> None:
        """Wait for the end of what is prepared in the background."""
        before = -1.0
        while before < (now := processor_time(self._pid)):
            before = now
            time.sleep(_IDLE)

    def _timed(
        self, method: str, target: str, fields: Mapping[str, str], read: Callable[[http.client.HTTPResponse], int]
    ) -> Taken:
        processor, wall = processor_time(self._pid), time.perf_counter()
        with self._answer(method, target, fields) as answer:
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(f"{target}: {answer.status}")
            size = read(answer)
            return Taken(time.perf_counter() - wall, processor_time(self._pid) - processor, size)

    @contextmanager
    def _answer(self, method: str, target: str, fields: Mapping[str, str] = {}) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(self._netloc, timeout=600)
        headers = {"Cookie": self._cookie} if self._cookie else {}
        if fields:
            headers |= {"Origin": self._origin, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, target, urlencode(fields) or None, headers)
            yield connection.getresponse()
        finally:
            connection.close()


@contextmanager
def _console(file: str) -> Iterator[_Browser]:
    command = [OVSNP, "console", "-f", file, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not parse_qs(urlsplit(url).query).get("token"):
                raise RuntimeError("the console has not started")
            yield _Browser(process.pid, url)
        finally:
            process.kill()
