"""List and watch one kind of objects, and lose nothing: after client-go's reflector (tools/cache/reflector.go).

A list is streamed if the server can do so, and the watch goes on in the same answer; otherwise the list comes in one
answer. A watch that ends begins again where it ended. An error is followed by a wait, and a version that the server no
longer has by a new list.
"""

import threading
from queue import SimpleQueue

from ovsnp.errors import ApiServerError, InputError
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import RelistReason, WatchEvent, WatchProgress, WatchRestored, WatchTrouble
from ovsnp.kubernetes.failures import (
    ConnectionFailedError,
    ExpiredError,
    NoSuchObjectError,
    NotUnderstoodError,
    RefusedError,
    SilenceError,
    refusal,
)
from ovsnp.kubernetes.lines import Lines
from ovsnp.kubernetes.pace import Backoff, WatchPace
from ovsnp.kubernetes.queries import list_query, newest_list_query, streamed_list_query, watch_query
from ovsnp.kubernetes.resources import Resource
from ovsnp.kubernetes.store import Condense, KnownVersions, Listing
from ovsnp.kubernetes.watch_lines import WatchLine, read_bookmark, read_line, read_list

SHORT = 1.0
"""The seconds within which a watch that ends without an event, or that breaks off, is an error: otherwise, a proxy that
cuts every watch would be asked again and again without a pause."""

_MOST_FAILURES = 3
"""The failures of the server in a row after which the other way is tried: for a streamed list a list in one answer, for
a watch a new list, as some servers report a version that they no longer have as a failure of their own."""

_CANNOT_STREAM = frozenset({400, 405, 406, 415, 422})
"""The answers of a server that streams no lists."""

_REFUSALS = frozenset({401, 403, 404})
"""The answers that stay the same until a person changes the credentials, the permissions or the server."""

_ABSENT = 600.0
"""The seconds after which a server that does not know a recent kind is asked again."""


class _ShortAnswerError(ApiServerError):
    """A watch that ended at once, or a streamed list that ended before its last object."""


class Reflector:
    """Hands the objects of one kind, and every change of them, to a queue until ``stop`` is set.

    ``condense`` makes the objects of lists smaller.
    """

    def __init__(
        self,
        connection: ApiConnection,
        resource: Resource,
        queue: "SimpleQueue[WatchEvent]",
        stop: threading.Event,
        condense: Condense,
        pace: WatchPace | None = None,
    ) -> None:
        self._connection = connection
        self._resource = resource
        self._queue = queue
        self._stop = stop
        self._condense = condense
        self._pace = pace or WatchPace()
        self._backoff = Backoff(self._pace)
        self._known = KnownVersions(resource.kind)
        self._version = ""
        self._listed = False
        self._expired = False
        self._reason = RelistReason.START
        self._streams_lists = True
        self._failures = 0
        self._trouble = ""
        self._cut_short = False

    def run(self) -> None:
        """List and watch until ``stop`` is set; whatever an API server or a network does, an error ends nothing."""
        self._pace.wait(self._stop, self._pace.uniform(0.0, self._pace.spread))
        while not self._stop.is_set():
            try:
                self._step()
            except Exception as error:
                if not self._stop.is_set():
                    self._recover(error)

    def _step(self) -> None:
        """One request: a watch from the last version if there is one, else a list."""
        if self._listed:
            self._watch()
        elif self._streams_lists:
            self._stream_list()
        else:
            self._list()

    def _list(self) -> None:
        """A list in one answer."""
        resource = self._resource
        query = newest_list_query(resource) if self._expired else list_query(resource, self._version)
        answer = self._connection.get(resource, query)
        listing = self._new_listing()
        found = read_list(answer)
        listing.put_all(found.items or (), listing.received)
        self._tell_listed(listing, found.metadata.resource_version)

    def _stream_list(self) -> None:
        """A streamed list, and the watch that follows it in the same answer."""
        query = streamed_list_query(self._resource, "" if self._expired else self._version, self._pace)
        with self._connection.lines(self._resource, query) as lines:
            lines.set_read_timeout(self._pace.silence)
            self._read_streamed_list(lines)
            lines.set_read_timeout(self._connection.read_timeout)
            self._read_watch(lines)

    def _read_streamed_list(self, lines: Lines) -> None:
        listing = self._new_listing()
        for text in lines:
            line = read_line(text)
            match line.type:
                case "ADDED" | "MODIFIED":
                    listing.put(line.object, lines.received)
                case "DELETED":
                    listing.drop(line.object)
                case "BOOKMARK":
                    version, is_end = read_bookmark(line.object)
                    if is_end:
                        self._tell_listed(listing, version)
                        return
                case _:
                    raise self._error_in(line, lines)
        raise _ShortAnswerError(f"{lines.asked}: the streamed list ended before its last object")

    def _watch(self) -> None:
        """A watch from the last version."""
        begun = self._pace.now()
        query = watch_query(self._resource, self._version, self._pace)
        with self._connection.lines(self._resource, query) as lines:
            if not (self._cut_short or self._failures):
                self._tell_restored()
            if not self._read_watch(lines) and self._pace.now() - begun < SHORT:
                self._cut_short = True
                message = "the watch ended at once and without an event; check the proxy before the API server"
                raise _ShortAnswerError(f"{lines.asked}: {message}")

    def _read_watch(self, lines: Lines) -> bool:
        """Hand on all changes of a watch until it ends; True if there was any line, or if the watch has lasted.

        A proxy may break off every watch after half a minute; waits that grow would leave the bridge behind.
        """
        begun = self._pace.now()
        try:
            return self._read_events(lines)
        except ConnectionFailedError as error:
            if isinstance(error, SilenceError) or self._pace.now() - begun < SHORT:
                raise
            return True

    def _read_events(self, lines: Lines) -> bool:
        any_line = False
        for text in lines:
            line = read_line(text)
            match line.type:
                case "ADDED" | "MODIFIED" | "DELETED":
                    self._hand_on(line, lines.received)
                case "BOOKMARK":
                    self._version, _ = read_bookmark(line.object)
                    self._queue.put(WatchProgress(self._resource.kind, self._version))
                case _:
                    raise self._error_in(line, lines)
            if not any_line:
                any_line = True
                self._tell_works()
        return any_line

    def _hand_on(self, line: WatchLine, received: float) -> None:
        version, change = self._known.change(line.object, received, gone=line.type == "DELETED")
        if change is not None:
            self._queue.put(change)
        self._version = version

    def _error_in(self, line: WatchLine, lines: Lines) -> ApiServerError:
        if line.type == "ERROR":
            return refusal(lines.asked, 0, line.object)
        return NotUnderstoodError(f"{lines.asked}: a watch has no events of type {line.type!r}")

    def _new_listing(self) -> Listing:
        return Listing(self._resource.kind, self._pace.now(), self._condense)

    def _tell_listed(self, listing: Listing, version: str) -> None:
        self._queue.put(self._known.listed(listing, version, self._reason))
        self._version = version
        self._listed = True
        self._expired = False
        self._tell_works()

    def _tell_works(self) -> None:
        """An event or a list came."""
        self._failures = 0
        self._cut_short = False
        self._tell_restored()

    def _tell_restored(self) -> None:
        if self._trouble:
            self._trouble = ""
            self._queue.put(WatchRestored(self._resource.kind))

    def _recover(self, error: Exception) -> None:
        """Choose the next step after an error, and wait."""
        match error:
            case NoSuchObjectError() if self._resource.recent:
                self._tell_absent()
                return
            case RefusedError() | SilenceError() if self._cannot_stream(error):
                self._streams_lists = False
                return
            case ExpiredError() if not self._listed and not self._expired:
                self._expired = True  # the list asked for the last version; the next list asks for any
                return
            case ExpiredError():
                self._list_again(RelistReason.EXPIRED)
            case ConnectionFailedError():
                self._tell_trouble(error)
            case RefusedError(code=code) if code < 500:
                self._tell_trouble(error)
            case _:
                self._tell_trouble(error)
                self._count_failure()
        wanted = error.retry_after if isinstance(error, RefusedError) else None
        self._pace.wait(self._stop, self._backoff.after(wanted))

    def _list_again(self, reason: RelistReason) -> None:
        self._listed, self._reason = False, reason

    def _cannot_stream(self, error: Exception) -> bool:
        """True if a streamed list failed because the server streams none."""
        if self._listed or not self._streams_lists:
            return False
        return isinstance(error, SilenceError) or (isinstance(error, RefusedError) and error.code in _CANNOT_STREAM)

    def _count_failure(self) -> None:
        """After some failures in a row, try the other way."""
        self._failures += 1
        if self._failures < _MOST_FAILURES:
            return
        self._failures = 0
        if self._listed:
            self._list_again(RelistReason.FAILURES)
        else:
            self._streams_lists = False

    def _tell_trouble(self, error: Exception) -> None:
        known = isinstance(error, ApiServerError | InputError)
        message = str(error) if known else f"internal error, please report it: {type(error).__name__}: {error}"
        if message != self._trouble:
            self._trouble = message
            code = error.code if isinstance(error, RefusedError) else 0
            self._queue.put(WatchTrouble(self._resource.kind, message, _is_refusal(error), code))

    def _tell_absent(self) -> None:
        """The server does not know the kind, so there are no objects of it."""
        self._tell_listed(self._new_listing(), "")
        self._list_again(RelistReason.ABSENT)
        self._pace.wait(self._stop, self._pace.uniform(_ABSENT, 2 * _ABSENT))


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, InputError) or (isinstance(error, RefusedError) and error.code in _REFUSALS)
