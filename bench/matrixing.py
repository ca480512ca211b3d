"""Time of ``ovsnp matrix``, the size of its page, and the time in which a browser opens the page."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.inputs import Inputs
from bench.process import run
from bench.table import Cell, table, verdict
from ovsnp.analysis.reach.cells import Reach
from ovsnp.manifests import load

OPEN_BAR = {"L": 2.0}
"""The seconds in which a browser must open the page of a large cluster."""

_LOAD = "import sys; from ovsnp.manifests import load; load(sys.argv[1:])"
_DRAWN = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"
HEAD = ("input", "pods", "policies", "rows", "load, s", "text, s", "json, s", "html, s", "page, MB")
OPEN_HEAD = ("input", "page, MB", "open, s", "bar", "verdict", "filter, s")


def measure(inputs: Inputs) -> Iterator[str]:
    """Medians of whole processes, then of a browser that opens the pages."""
    yield "## ovsnp matrix"
    yield (
        f"By workload. Whole processes, from JSON; one loads the manifests and ends. {inputs.runs} runs each; medians."
    )
    yield table(HEAD, [_row(inputs, size) for size in inputs.sizes])
    yield "### Its page in chromium"
    from tests.matrix.browser import CHROMIUM, DRIVER  # noqa: PLC0415

    if not (CHROMIUM and DRIVER):
        yield "Left out: chromium is not installed (Debian: chromium chromium-driver)."
        return
    yield (
        "From the command to open the file until its cells are drawn, and from the last letter of a filter until"
        f" they are drawn again. {inputs.runs} runs each; medians."
    )
    yield table(OPEN_HEAD, list(_opened(inputs)))


def _page(inputs: Inputs, size: str) -> Path:
    return inputs.directory / f"{size}.html"


def _row(inputs: Inputs, size: str) -> tuple[Cell, ...]:
    file = inputs.file(size, minimal=inputs.only_minimal)
    cluster = load([str(file)])
    command = [str(Path(sys.executable).parent / "ovsnp"), "matrix", "-f", str(file), "-o"]
    with _page(inputs, size).open("w", encoding="utf-8") as page:
        subprocess.run([*command, "html"], stdout=page, check=True, timeout=600)
    commands = [[sys.executable, "-c", _LOAD, str(file)], *([*command, each] for each in ("text", "json", "html"))]
    times = [median(run(each).wall for _ in range(inputs.runs)) for each in commands]
    rows = len(Reach(cluster).parties)
    return size, len(cluster.pods), len(cluster.policies), rows, *times, _page(inputs, size).stat().st_size / 1e6


def _opened(inputs: Inputs) -> Iterator[tuple[Cell, ...]]:
    from tests.matrix.browser import browser  # noqa: PLC0415

    with browser() as driver:
        for size in inputs.sizes:
            page, opening, filtering = _page(inputs, size), [], []
            for _ in range(inputs.runs):
                began = time.perf_counter()
                driver.get(page.as_uri())
                driver.execute_async_script(_DRAWN)
                opening.append(time.perf_counter() - began)
                began = time.perf_counter()
                driver.find_element("id", "from").send_keys("b")
                driver.execute_async_script(_DRAWN)
                filtering.append(time.perf_counter() - began)
            bar, taken = OPEN_BAR.get(size), median(opening)
            shown = f"{bar:g}" if bar is not None else "-"
            yield size, page.stat().st_size / 1e6, taken, shown, verdict(taken, bar), median(filtering)
