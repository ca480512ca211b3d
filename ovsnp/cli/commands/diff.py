"""``ovsnp diff``."""

import io
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource
from rich.text import Text

from ovsnp import load
from ovsnp.cli.options import Request, remove_missing_option, shared_options
from ovsnp.cli.planned import living_cluster, planned_clusters
from ovsnp.cli.ports import tell_left_out
from ovsnp.cli.terminal import Terminal
from ovsnp.document import document_text
from ovsnp.errors import Diagnostic, Exit, InputError, SwitchError, UsageError
from ovsnp.kubernetes.resources import FOLLOWED, WORKLOADS
from ovsnp.manifests import load_lists
from ovsnp.model.cluster import Cluster
from ovsnp.yaml_reader.sources import STDIN, read_sources

if TYPE_CHECKING:
    from ovsnp.analysis.diff.effect import Effect

_STYLES = {"-": "red", "+": "green", "@": "cyan", "=": "bold"}


@click.command()
@click.argument("sides", metavar="[[OLD] NEW]", nargs=-1, type=click.Path(readable=False))
@click.option(
    "--effect",
    is_flag=True,
    help="Show the connections that are gained and lost: between the manifests OLD and NEW (those of -f are in both),"
    " by NEW in the live cluster with --cluster, or by apply, without OLD and NEW.",
)
@remove_missing_option
@shared_options
def diff(request: Request, *, sides: tuple[str, ...], effect: bool, remove_missing: bool) -> None:
    """Show what apply would change on the bridge, as a unified diff of flows; nothing is changed.

    With --effect, show which connections the manifests NEW allow and OLD do not, and the reverse, in as few lines as
    possible; no Open vSwitch is needed. With --cluster, OLD is the live cluster, and NEW is what is applied to it: its
    objects replace those of the same name. With --effect and without OLD and NEW, show which connections of this node's
    pods the bridge would let pass after apply and does not let pass now, and the reverse. Exits with 1 if there are
    differences. If apply would refuse, diff gives the reason, and exits as apply would.
    """
    if request.ports:
        raise UsageError("--ports is for compile; diff reads the ports of the bridge that apply would change")
    if sides and not effect:
        raise UsageError("two sides are compared with --effect OLD NEW; what is on the bridge needs no names")
    if request.from_cluster and len(sides) > 1 and _is_typed("cluster"):
        raise UsageError(
            f"--effect --cluster takes NEW, which is applied to the cluster, or nothing; {len(sides)} given"
        )
    applied = request.from_cluster and len(sides) == 1
    if len(sides) not in (0, 2) and not applied:
        raise UsageError(f"--effect takes OLD and NEW, or none of them for the bridge; {len(sides)} given")
    if sides and remove_missing:
        raise UsageError("--remove-missing is about a bridge; OLD and NEW are manifests")
    if sides:
        sys.exit(_diff_effect(request, _applied(request, *sides) if applied else _clusters(request, *sides)))
    show = _diff_bridge_effect if effect else _diff_flows
    sys.exit(show(request, remove_missing=remove_missing))


def _diff_flows(request: Request, *, remove_missing: bool) -> Exit:
    from ovsnp.analysis.diff.flows import differences  # noqa: PLC0415
    from ovsnp.analysis.diff.flows.flow_changes_document import document  # noqa: PLC0415
    from ovsnp.analysis.diff.flows.flow_changes_text import text_lines  # noqa: PLC0415
    from ovsnp.apply import preview  # noqa: PLC0415 -- python-ovs takes time to import

    cluster = living_cluster(request)
    options = request.options(cluster)
    seen = preview(request.location, cluster, options, remove_missing=remove_missing)
    found = differences(seen, cluster)
    if request.output == "json":
        click.echo(document_text(document(options, found, seen)), nl=False)
    else:
        # Lines of flows stay as they are: patch reads them, and people copy them.
        _print(request, text_lines(options.bridge, found), no_wrap=True)
    tell_left_out(request, seen.without_port, seen.odd)
    return Exit.NO if found else Exit.DONE


def _diff_effect(request: Request, sides: Sequence[Cluster]) -> Exit:
    from ovsnp.analysis.diff.effect import compare  # noqa: PLC0415 -- needed only for --effect
    from ovsnp.oracle.terms import Terms  # noqa: PLC0415

    terms = Terms(request.strict_nodes, request.service_blocks)
    before, after = planned_clusters(request, *sides)
    if not (before.pods or after.pods):
        raise UsageError(
            "neither OLD nor NEW has pods, so no connection can change; name the cluster's objects with -f"
        )
    return _tell_effect(request, compare(before, after, terms))


def _diff_bridge_effect(request: Request, *, remove_missing: bool) -> Exit:
    from ovsnp import read_bridge  # noqa: PLC0415
    from ovsnp.analysis.diff.bridge import compare_bridge  # noqa: PLC0415
    from ovsnp.apply import preview  # noqa: PLC0415 -- python-ovs takes time to import

    cluster = living_cluster(request)
    options = request.options(cluster)
    seen = preview(request.location, cluster, options, remove_missing=remove_missing)
    try:
        bridge = read_bridge(seen.dumped)
    except ValueError as error:
        raise SwitchError(f"{options.bridge}: what flows let pass is unknown: {error}") from None
    tell_left_out(request, seen.without_port, seen.odd)
    return _tell_effect(request, compare_bridge(bridge, cluster, seen.ports, options))


def _tell_effect(request: Request, found: "Effect") -> Exit:
    from ovsnp.analysis.diff.effect.effect_document import document  # noqa: PLC0415
    from ovsnp.analysis.diff.effect.effect_text import text_lines  # noqa: PLC0415

    if request.output == "json":
        click.echo(document_text(document(found)), nl=False)
    else:
        _print(request, text_lines(found))
    return Exit.NO if found else Exit.DONE


def _clusters(request: Request, *sides: str) -> Sequence[Cluster]:
    """Load OLD and NEW, each with the manifests of -f; leaves out the configuration's, which are one of the sides."""
    common = request.manifests if _is_typed("filename") else ()
    if (*common, *sides).count(STDIN) > 1:
        raise UsageError("stdin can be read once; name a file for OLD or NEW")
    given = read_sources([STDIN] if STDIN in (*common, *sides) else [])
    if given.diagnostics:
        raise InputError(given.diagnostics)
    text = b"".join(source.data for source in given.files)
    loaded: list[Cluster] = []
    mistakes: list[Diagnostic] = []
    for side in sides:
        try:
            loaded.append(load((*common, side), ignore_kinds=request.ignore_kinds, stdin=io.BytesIO(text)))
        except InputError as error:
            mistakes += error.diagnostics
    if mistakes:
        raise InputError(mistakes)
    request.tell_notes(*loaded)
    return loaded


def _applied(request: Request, new: str) -> Sequence[Cluster]:
    """The live cluster as it is, and as it would be if the manifests NEW were applied to it."""
    snapshot = request.snapshot((*FOLLOWED, *WORKLOADS))
    loaded = [
        load_lists(snapshot.lists, snapshot.label, applied=applied, ignore_kinds=request.ignore_kinds)
        for applied in ((), (new,))
    ]
    request.tell_notes(*loaded)
    return loaded


def _is_typed(name: str) -> bool:
    """True if an option is on the command line, not in the configuration."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _print(request: Request, lines: Iterable[tuple[str, str]], *, no_wrap: bool = False) -> None:
    """Write lines, each in the colour of its kind."""
    console = Terminal(no_color=request.no_color or None, highlight=False, soft_wrap=True)
    for kind, text in lines:
        console.write(Text(text, style=_STYLES.get(kind, ""), no_wrap=no_wrap))
