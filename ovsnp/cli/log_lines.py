"""The lines of a log on standard error."""

import json
import logging
from datetime import UTC, datetime


class TextLines(logging.Formatter):
    """A line of text for each event; times are UTC, as in RFC 3339."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 -- as in logging
        """The time of an event."""
        del datefmt
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonLines(TextLines):
    """A line of JSON for each event."""

    def format(self, record: logging.LogRecord) -> str:
        """The time, level and message of an event."""
        event = {"time": self.formatTime(record), "level": record.levelname.lower(), "message": record.getMessage()}
        return json.dumps(event)
