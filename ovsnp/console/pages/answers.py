"""The answers of ``ovsnp explain`` as pages: one connection, all ports between two ends, or one pod."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.text import Text
from starlette.requests import Request
from starlette.responses import Response

from ovsnp.analysis.explain.explainer import Explainer
from ovsnp.analysis.explain.explanation_text import lines
from ovsnp.analysis.explain.one_pod.one_pod import one_pod
from ovsnp.analysis.explain.one_pod.one_pod_text import one_pod_lines
from ovsnp.analysis.explain.openings.openings import openings
from ovsnp.analysis.explain.openings.openings_text import opening_lines
from ovsnp.analysis.naming.ends import ClusterIPEnd
from ovsnp.analysis.naming.questions import Pairs, Question, Written, read_pairs, read_question
from ovsnp.analysis.wording.places import Places
from ovsnp.console.pages.awaited import ANSWER, COMPARING, Steps, awaited
from ovsnp.console.pages.linked_places import LinkedLocator
from ovsnp.console.pages.ordering import TableOrder
from ovsnp.console.pages.paging import part_of
from ovsnp.console.pages.said_lines import SaidLine, said_lines
from ovsnp.console.pages.site import Site, said, with_query
from ovsnp.console.pages.templating import render
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import OvsnpError, UsageError
from ovsnp.model.cluster import Pod

_POD_COLUMNS = {"name": "Name", "namespace": "Namespace", "node": "Node"}
"""The columns of the pods that can be sorted: fields of `Pod`."""

_OFFERED = 500
"""The most names that a field offers while a user types."""

_CLOSED = "is not understood, so it allows nothing, whatever its rules say"


class AnswerText(NamedTuple):
    """What an answer says, and what it assumes."""

    lines: Sequence[SaidLine]
    notes: Sequence[str] = ()


def explain(site: Site, request: Request, snapshot: WorkspaceSnapshot) -> Response:
    """The form of a question, and its answer; a mistake of the question stands above the form."""
    query = request.query_params
    source, destination, port = (query.get(name, "").strip() for name in ("from", "to", "port"))
    asked, refused = None, []
    if source and destination:
        try:
            asked = _asked(snapshot, Written(source, destination, port or None))
        except OvsnpError as error:
            refused = said(error)
    elif source or destination or port:
        refused = ["name both ends: From and To"]
    page = site.page(
        request,
        "explain.html.j2",
        "Explain",
        status=400 if refused else 200,
        asked={"from": source, "to": destination, "port": port},
        names=[pod.title for pod in snapshot.cluster.pods[:_OFFERED]],
        answer=ANSWER if asked else "",
        refused=refused,
    )
    return awaited(page, _explained(snapshot, asked)) if asked else page


def _explained(snapshot: WorkspaceSnapshot, asked: Pairs | Question) -> Steps:
    yield "Asking the policies of both ends …"
    return render("explain_answer.html.j2", {"answer": _answer(snapshot, asked)})


def pods(site: Site, request: Request, snapshot: WorkspaceSnapshot) -> Response:
    """The pods, sorted and filtered as the query says."""
    query = request.query_params
    wanted, namespace = query.get("filter", "").lower().split(), query.get("namespace", "")
    order = TableOrder.of(request, _POD_COLUMNS)
    found = [
        pod
        for pod in snapshot.cluster.pods
        if (not namespace or pod.namespace == namespace) and all(word in _words(pod) for word in wanted)
    ]
    found.sort(key=lambda pod: (getattr(pod, order.column) or "", pod.namespace, pod.name), reverse=order.descending)
    return site.page(
        request,
        "pods.html.j2",
        "Pods",
        part=part_of(found, query.get("page", "1")),
        order=order,
        filter=query.get("filter", ""),
        namespace=namespace,
        namespaces=sorted({pod.namespace for pod in snapshot.cluster.pods}),
        page_link=lambda number: with_query(request, page=str(number)),
    )


def pod(site: Site, request: Request, snapshot: WorkspaceSnapshot) -> Response:
    """All about one pod."""
    text = f"{request.path_params['namespace']}/{request.path_params['name']}"
    try:
        found = snapshot.pods.get((request.path_params["namespace"], request.path_params["name"]))
        if found is None:
            (found, *_) = snapshot.roster.pods(text)
    except UsageError as error:
        return site.page(request, "pod.html.j2", text, status=404, refused=said(error), answer="", pod=None)
    page = site.page(request, "pod.html.j2", found.title, refused=[], answer=ANSWER, pod=found)
    return awaited(page, _about(snapshot, found))


def _about(snapshot: WorkspaceSnapshot, pod: Pod) -> Steps:
    if not snapshot.has_relation:
        yield COMPARING
    relation = snapshot.relation()
    yield "Asking whom the pod reaches, and who reaches it …"
    locator = LinkedLocator(snapshot)
    text = [*one_pod_lines(one_pod(relation, pod, strict_nodes=snapshot.terms.strict_nodes), Places(locator))]
    # The first line is the name, which is the title.
    return render("explain_answer.html.j2", {"answer": _text(text[1:], (), locator)})


def _asked(snapshot: WorkspaceSnapshot, written: Written) -> Pairs | Question:
    """The question as `ovsnp explain` reads it: without a port it is about the ports that are allowed.

    Raises UsageError if there is no such end or port.
    """
    if written.port is None:
        pairs = read_pairs(snapshot.roster, written)
        if not any(isinstance(far, ClusterIPEnd) and far.service for _, far in pairs.pairs):
            return pairs
    return read_question(snapshot.roster, written)


def _answer(snapshot: WorkspaceSnapshot, asked: Pairs | Question) -> AnswerText:
    """The answer as `ovsnp explain` gives it."""
    locator = LinkedLocator(snapshot)
    places = Places(locator)
    if isinstance(asked, Pairs):
        opened = openings(snapshot.cluster, asked.pairs, strict_nodes=snapshot.terms.strict_nodes)
        text = [*opening_lines(asked, opened, places)]
    else:
        text = [*lines(asked, Explainer(snapshot.cluster, snapshot.terms).answers(asked), places)]
    return _text(text, asked.notes, locator)


def _text(text: Sequence[Text], notes: Sequence[str], locator: LinkedLocator) -> AnswerText:
    closed = [f"{key} {_CLOSED}" for key in sorted(locator.closed)]
    return AnswerText(said_lines(text, locator.links), (*notes, *closed))


def _words(pod: Pod) -> str:
    labels = (f"{key}={value}" for key, value in pod.labels.items())
    return "\n".join((pod.title, pod.key, pod.node or "", *labels)).lower()
