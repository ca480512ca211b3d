"""What flows are for, in words; flows are the same whatever is said of them."""

import pytest

from ovsnp.flows.flow import Flow
from ovsnp.flows.match import Match
from ovsnp.flows.note import FlowNote, Purpose


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (FlowNote(), ""),
        (FlowNote(Purpose.ISOLATED), "isolated pods"),
        (FlowNote(Purpose.BACK_TO_NODE, ("node-2",)), "back to node node-2"),
        (FlowNote(Purpose.SUBJECT, ("default/db", "default/web")), "subject default/db, default/web"),
        (FlowNote(Purpose.PEER, ("app=web", "tier=api")), "peer in app=web and tier=api"),
        (FlowNote(Purpose.POD, ("default/{}",)), "default/{}"),
    ],
)
def test_words_have_the_names(note: FlowNote, words: str) -> None:
    assert str(note) == words


def test_purposes_with_the_same_words_are_different() -> None:
    assert Purpose.POD.words == Purpose.SERVICE.words
    assert Purpose.POD is not Purpose.SERVICE
    assert FlowNote(Purpose.POD, ("default/web",)) != FlowNote(Purpose.SERVICE, ("default/web",))


def test_what_is_said_of_a_flow_is_no_part_of_it() -> None:
    one, other = (Flow("Forward", 1, Match(), (), FlowNote(purpose)) for purpose in (Purpose.NO_POD, Purpose.WORLD))
    assert one == other
    assert hash(one) == hash(other)
