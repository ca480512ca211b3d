"""Pages whose answer may take long: the frame comes at once, then what is being worked out, and then the answer.

The browser shows what it has so far, so this needs no script.
"""

from collections.abc import Generator, Iterator

from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response, StreamingResponse

ANSWER = Markup("<!-- answer -->")
"""Stands in a page for the answer; the text of objects is escaped, so it is nowhere else."""

COMPARING = "Comparing all policies …"

Steps = Generator[str, None, str]
"""Works out an answer: says before each step what is worked out, in a sentence, and returns the answer as HTML."""


def awaited(page: HTMLResponse, steps: Steps) -> Response:
    """The page with the answer in the place of `ANSWER`."""
    before, _, after = bytes(page.body).decode().partition(ANSWER)
    return StreamingResponse(_parts(before, steps, after), page.status_code, media_type="text/html")


def _parts(before: str, steps: Steps, after: str) -> Iterator[str]:
    yield f'{before}<p class="progress" role="status">'
    # The last words are none: the answer follows.
    end = "<span></span></p>"
    try:
        while True:
            yield f"<span>{escape(next(steps))}</span>"
    except StopIteration as done:
        yield f"{end}{done.value}{after}"
    except Exception as error:
        # The page has begun, so its status says that all is well; it must not end as if it was whole.
        reason = f"Internal error, please report it: {type(error).__name__}: {error}"
        yield f'{end}<p class="banner wrong" role="alert">{escape(reason)}</p>{after}'
        raise
