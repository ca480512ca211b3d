"""The watch of the interfaces: no error ends it, and every error is told."""

import threading
from collections.abc import Iterator
from typing import Any, ClassVar
from unittest import mock

import pytest

from ovsnp.errors import SwitchError
from ovsnp.switch import watch_ports
from ovsnp.switch.location import Location
from ovsnp.switch.watch_ports import Interfaces, InterfacesEvent, InterfacesUnknown, watch_interfaces


class BrokenDatabase:
    """A database that breaks with each of the errors in turn, and then has a bridge without interfaces."""

    errors: ClassVar[list[Exception]] = []

    def __init__(self, _: Location) -> None:
        pass

    def __enter__(self) -> "BrokenDatabase":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def changes(self, stop: threading.Event) -> Iterator[None]:
        if self.errors:
            raise self.errors.pop(0)
        yield
        stop.wait()

    def interfaces(self, _: str) -> Iterator[Any]:
        return iter(())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SwitchError("the database is away"), "the database is away"),
        (KeyError("x"), "internal error, please report it: KeyError: 'x'"),
    ],
)
def test_watch_goes_on_after_any_error(error: Exception, said: str) -> None:
    told: list[InterfacesEvent] = []
    stop, enough = threading.Event(), threading.Event()

    def tell(event: InterfacesEvent) -> None:
        told.append(event)
        if isinstance(event, Interfaces):
            enough.set()

    broken = mock.patch.multiple(watch_ports, Database=BrokenDatabase, _PAUSE=0.0)
    with broken, mock.patch.object(BrokenDatabase, "errors", [error]):
        thread = watch_interfaces(Location("unix:db.sock", "."), "br-int", tell, stop)
        assert enough.wait(30)
        stop.set()
        thread.join()
    assert told == [InterfacesUnknown(said), Interfaces(())]
