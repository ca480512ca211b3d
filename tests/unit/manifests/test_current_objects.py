"""The objects of one kind, and the changes since they were last taken."""

from ovsnp.manifests.live.current_objects import CurrentObjects


def test_changes_since_they_were_last_taken() -> None:
    objects: CurrentObjects[str, int] = CurrentObjects()
    assert objects.put("a", 1)
    assert not objects.put("a", 1)
    assert objects.take() == ((1,), ())
    assert objects.put("a", 2)
    assert objects.put("b", 3)
    assert objects.take() == ((2, 3), ())
    assert objects.put("a", None)
    assert not objects.put("a", None)
    assert objects.take() == ((), (2,))
    assert objects.take() == ((), ())
    assert objects.now == {"b": 3}


def test_object_that_comes_and_goes_between_two_takes_is_no_change() -> None:
    objects: CurrentObjects[str, int] = CurrentObjects()
    objects.put("a", 1)
    objects.put("a", None)
    assert objects.take() == ((), ())


def test_object_that_goes_and_comes_back_is_no_change() -> None:
    objects: CurrentObjects[str, int] = CurrentObjects()
    objects.put("a", 1)
    objects.take()
    objects.put("a", None)
    objects.put("a", 1)
    assert objects.take() == ((), ())
