"""The lines of a log on standard error."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from ovsnp.visible_text import visible, visible_lines


class TextLines(logging.Formatter):
    """A line of text for each event; times are UTC, as in RFC 3339."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 -- as in logging
        """The time of an event."""
        del datefmt
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- as in logging
        """The line; what others have said in it, such as an API server, is visible and adds no line."""
        return visible(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 -- as in logging
        """The lines of a traceback."""
        return visible_lines(super().formatException(ei))


class JsonLines(TextLines):
    """A line of JSON for each event."""

    def format(self, record: logging.LogRecord) -> str:
        """The time, level and message of an event."""
        event = {"time": self.formatTime(record), "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(event)
