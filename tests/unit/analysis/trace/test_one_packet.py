"""A trace sends the packet of one pod, also where the question names several pods."""

from ovsnp.analysis.naming.ends import name_of
from ovsnp.analysis.naming.questions import Written, read_question
from ovsnp.analysis.naming.roster import Roster
from ovsnp.analysis.trace.tracing import one_packet
from tests.support import model_objects as b

CLUSTER = b.cluster(
    *(b.pod(f"default/web-{number}", f"10.20.0.1{number}", f"fd00::1{number}", app="web") for number in range(3)),
    b.pod("default/db", "10.20.0.20", "fd00::20"),
)


def test_first_pod_in_each_family_with_a_note() -> None:
    question = one_packet(read_question(Roster(CLUSTER), Written("app=web", "db", "80")))
    assert [name_of(each.source) for each in question.connections] == ["default/web-0"] * 2
    assert question.notes == ("a packet is of one pod, so this one is from default/web-0 to default/db",)


def test_question_about_one_pod_stays_as_it_is() -> None:
    question = read_question(Roster(CLUSTER), Written("web-1", "db", "80"))
    assert one_packet(question) is question
