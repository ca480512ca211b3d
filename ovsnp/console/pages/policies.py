"""The table of policies, the page of one policy, and its deletion."""

from http import HTTPStatus
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ovsnp.analysis.wording.rules import label_words
from ovsnp.console.pages.ordering import TableOrder
from ovsnp.console.pages.paging import part_of
from ovsnp.console.pages.site import Fields, Site, policy_of, policy_url, said, with_query
from ovsnp.console.workspace.cluster_source import Enforcements
from ovsnp.console.workspace.snapshot import WorkspaceSnapshot
from ovsnp.errors import OvsnpError, Place
from ovsnp.model.policy import Direction, NetworkPolicy
from ovsnp.oracle.isolation import affects
from ovsnp.yaml_reader.paths import format_path

NOT_UNDERSTOOD = "not understood"
"""The words of the filter that find the policies that are not understood."""

APPENDED = "appended"
"""The query of the page of a policy that was saved at the end of a file that was there."""

_SELECTED = 200
"""The most pods that the page of a policy names."""


class PolicyRow(NamedTuple):
    """A policy as a row of the table."""

    name: str
    namespace: str
    selector: str
    directions: str
    rules: int
    pods: int
    enforced: str
    missing: int
    place: Place
    url: str
    not_understood: str
    words: str


_COLUMNS = {
    "name": "Name",
    "namespace": "Namespace",
    "selector": "Selector",
    "directions": "Directions",
    "rules": "Rules",
    "pods": "Pods",
    "enforced": "Enforced",
    "file": "File",
}


def policies(site: Site, request: Request, snapshot: WorkspaceSnapshot) -> Response:
    """The table: sorted and filtered as the query says."""
    query = request.query_params
    enforced = site.workspace.enforcements()
    columns = {name: title for name, title in _COLUMNS.items() if name != "enforced" or enforced}
    wanted = query.get("filter", "").lower().split()
    namespace, order = query.get("namespace", ""), TableOrder.of(request, columns)
    rows = [
        row
        for row in (_row(snapshot, each, enforced) for each in snapshot.policies.values())
        if (not namespace or row.namespace == namespace) and all(word in row.words for word in wanted)
    ]
    rows.sort(key=lambda row: (_sort_key(row, order.column), row.namespace, row.name), reverse=order.descending)
    return site.page(
        request,
        "policies.html.j2",
        "Policies",
        part=part_of(rows, query.get("page", "1")),
        columns=columns,
        order=order,
        filter=query.get("filter", ""),
        namespace=namespace,
        namespaces=sorted({policy.namespace for policy in snapshot.policies.values()}),
        span=lambda place: snapshot.texts.span(place, ()),
        done=query.get("deleted", ""),
        page_link=lambda number: with_query(request, page=str(number), deleted=""),
    )


def policy(site: Site, request: Request, snapshot: WorkspaceSnapshot) -> Response:
    """The text of a policy as it stands in its file, with the pods that it selects."""
    found = policy_of(request, snapshot)
    pods = sorted(snapshot.selected(found), key=lambda pod: pod.title)
    return site.page(
        request,
        "policy.html.j2",
        found.key,
        policy=found,
        text=snapshot.texts.text(found),
        file=snapshot.texts.title(found),
        pods=pods[:_SELECTED],
        left_out=max(0, len(pods) - _SELECTED),
        enforced=site.workspace.enforcements().get((found.namespace, found.name)),
        saved=request.query_params.get("saved", ""),
        appended=request.query_params.get("saved") == APPENDED,
        not_understood=closed_sentences(snapshot, found),
    )


def closed_sentences(snapshot: WorkspaceSnapshot, policy: NetworkPolicy) -> list[str]:
    """Why a policy is not understood; empty if it is."""
    mistakes = snapshot.closed.get(policy.key, ())
    return [f"{path}: {each.message}" if (path := format_path(each.path)) else each.message for each in mistakes]


def ask_deletion(site: Site, request: Request, snapshot: WorkspaceSnapshot) -> Response:
    """The question before a deletion."""
    return _ask(site, request, snapshot, [])


def delete(site: Site, request: Request, snapshot: WorkspaceSnapshot, fields: Fields) -> Response:
    """Delete a policy; a refusal is shown above the question."""
    found = policy_of(request, snapshot)
    if out_of_date := site.out_of_date(request):
        return _ask(site, request, snapshot, [out_of_date])
    try:
        site.store.delete(found, dict(fields).get("version", ""))
    except OvsnpError as error:
        return _ask(site, request, snapshot, said(error))
    return RedirectResponse(f"/policies?deleted={found.key}", HTTPStatus.SEE_OTHER)


def _ask(site: Site, request: Request, snapshot: WorkspaceSnapshot, refused: list[str]) -> Response:
    found = policy_of(request, snapshot)
    obstacle = site.obstacle(request, "delete", found.namespace, found.name)
    return site.page(
        request,
        "delete.html.j2",
        f"Delete {found.key}?",
        status=HTTPStatus.CONFLICT if refused else HTTPStatus.OK,
        policy=found,
        url=policy_url(found),
        pods=len(snapshot.selected(found)),
        place=snapshot.places.policy(found).span,
        refused=refused,
        obstacle=obstacle,
        version="" if obstacle else site.store.open(found).version,
        parts=("effect", "lint", "matrix"),
    )


def _row(snapshot: WorkspaceSnapshot, policy: NetworkPolicy, enforced: Enforcements) -> PolicyRow:
    directions = [each for each in Direction if affects(policy, each)]
    told = enforced.get((policy.namespace, policy.name))
    not_understood = "; ".join(closed_sentences(snapshot, policy))
    words = (
        policy.name,
        policy.namespace,
        str(policy.pod_selector),
        *directions,
        policy.place.file,
        NOT_UNDERSTOOD if not_understood else "",
    )
    return PolicyRow(
        policy.name,
        policy.namespace,
        f"pods {label_words(policy.pod_selector)}",
        ", ".join(directions),
        sum(len(policy.rules(each)) for each in directions),
        len(snapshot.selected(policy)),
        f"{len(told.enforcing)} of {len(told.nodes)} nodes" if told else "",
        len(told.lacking) if told else 0,
        policy.place,
        policy_url(policy),
        not_understood,
        "\n".join(words).lower(),
    )


def _sort_key(row: PolicyRow, column: str) -> tuple[object, ...]:
    match column:
        case "enforced":
            return (-row.missing, row.enforced)
        case "file":
            return row.place
        case _:
            value: int | str = getattr(row, column)
            return (value,)
