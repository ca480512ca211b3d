"""The answer, as a value, whether one end may connect to another, and why."""

from collections.abc import Sequence

import msgspec

from ovsnp.analysis.explain.explainer import Explainer
from ovsnp.analysis.explain.reasons import Explanation, Outcome, outcome
from ovsnp.analysis.naming.questions import Question, Written, read_question
from ovsnp.analysis.naming.roster import Roster
from ovsnp.model.address import Prefix
from ovsnp.model.cluster import Cluster
from ovsnp.oracle.terms import Terms


class Answer(msgspec.Struct, frozen=True):
    """The connections of a question, and an explanation of each connection.

    Where an end is several pods, there is one explanation for each port and outcome.
    """

    question: Question
    explanations: tuple[Explanation, ...]

    @property
    def outcome(self) -> Outcome:
        """Allowed or denied where all connections have that outcome; else mixed."""
        return outcome([each.outcome for each in self.explanations])


def explain(
    cluster: Cluster,
    source: str,
    destination: str,
    port: str | None = None,
    *,
    version: int | None = None,
    terms: Terms | None = None,
    service_cidrs: Sequence[Prefix] = (),
) -> Answer:
    """Ask the policies whether ``source`` may connect to ``destination``, and why.

    The ends and the port are written as for ``ovsnp explain`` (docs/explain.md): ``shop/cart``, ``node/NAME``,
    ``svc/shop/cart``, an address; ``6379``, ``53/udp``, the name of a port, ``icmp``. Without a port the answer is
    about each port of a Service, and elsewhere about traffic that has no ports. ``version`` is 4 or 6, for one address
    family only. ``service_cidrs`` are blocks of cluster IPs in addition to those that objects of the cluster name.

    Raises UsageError, with the nearest names, where an end or a port does not exist.

    >>> import ovsnp
    >>> pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "cart"}}
    >>> pod |= {"status": {"phase": "Running", "podIP": "10.0.0.1"}}
    >>> cluster = ovsnp.load_objects([pod])
    >>> ovsnp.explain(cluster, "192.0.2.1", "shop/cart", "8080").outcome
    <Outcome.ALLOWED: 'allowed'>
    """
    terms = terms or Terms()
    roster = Roster(cluster, service_cidrs, strict_nodes=terms.strict_nodes)
    return answer(roster, Written(source, destination, port, version), terms)


def answer(roster: Roster, written: Written, terms: Terms) -> Answer:
    """Ask the policies about the connections that a user wrote. Raises UsageError as `read_question` does."""
    question = read_question(roster, written)
    return Answer(question, Explainer(roster.cluster, terms).answers(question))
