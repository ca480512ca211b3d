"""The versions of objects that a watch has handed on: what is known is no event, and a list shows what is gone."""

import msgspec

from ovsnp.kubernetes.events import RelistReason
from ovsnp.kubernetes.store import KnownVersions, Listing, as_it_came


def pod(name: str, version: str) -> msgspec.Raw:
    meta = {"namespace": "shop", "name": name, "resourceVersion": version}
    return msgspec.Raw(msgspec.json.encode({"metadata": meta}))


def test_known_version_is_no_event() -> None:
    known = KnownVersions("Pod")
    assert known.change(pod("a", "5"), 1.0, gone=False)[1] is not None
    assert known.change(pod("a", "5"), 2.0, gone=False) == ("5", None)
    assert known.change(pod("a", "6"), 3.0, gone=False)[1] is not None


def test_object_that_goes_is_an_event_once() -> None:
    known = KnownVersions("Pod")
    known.change(pod("a", "5"), 1.0, gone=False)
    version, change = known.change(pod("a", "7"), 2.0, gone=True)
    assert change
    assert (version, change.name, change.body) == ("7", "a", None)
    assert known.change(pod("a", "7"), 3.0, gone=True) == ("7", None)


def test_list_has_the_differences_deletions_first() -> None:
    known, listing = KnownVersions("Pod"), Listing("Pod", 1.0, as_it_came)
    for name in ("a", "b", "c"):
        known.change(pod(name, "5"), 1.0, gone=False)
    for name, version in (("b", "5"), ("c", "8"), ("d", "9")):
        listing.put(pod(name, version), 2.0)
    found = known.listed(listing, "10", RelistReason.EXPIRED)
    assert [(each.name, each.body is None) for each in found.changes] == [("a", True), ("c", False), ("d", False)]
    assert known.change(pod("c", "8"), 3.0, gone=False) == ("8", None)
    assert known.change(pod("a", "11"), 3.0, gone=True) == ("11", None)
