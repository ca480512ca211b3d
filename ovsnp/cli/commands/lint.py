"""``ovsnp lint``."""

import sys
from functools import partial

import click

from ovsnp.analysis.lint import CHECKS, LintIndex, LintReport
from ovsnp.analysis.lint import lint as run_checks
from ovsnp.analysis.lint.absent import why_nothing_to_select
from ovsnp.analysis.lint.finding import Severity
from ovsnp.analysis.lint.findings_json import render_findings
from ovsnp.analysis.lint.findings_text import summary, text_lines, where
from ovsnp.analysis.lint.github import render_github
from ovsnp.analysis.lint.ignores import name_fault
from ovsnp.analysis.lint.sarif import render_sarif
from ovsnp.cli.options import OUTPUTS, Request, shared_options
from ovsnp.cli.planned import planned_clusters
from ovsnp.cli.terminal import Terminal
from ovsnp.errors import Exit, UsageError
from ovsnp.model.cluster import Cluster

_DOCUMENTS = {"json": render_findings, "sarif": render_sarif, "github": render_github}
_OPT_IN = ", ".join(name for name, check in CHECKS.items() if check.opt_in)


def _checks(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in CHECKS if name.startswith(incomplete)]


@click.command(epilog=f"Checks: {', '.join(CHECKS)}.")
@partial(shared_options, outputs=(*OUTPUTS, "sarif", "github"))
@click.option(
    "--select",
    multiple=True,
    metavar="ID",
    shell_complete=_checks,
    help=f"Run only this check; may be repeated.  [opt-in: {_OPT_IN}]",
)
@click.option(
    "--ignore", multiple=True, metavar="ID", shell_complete=_checks, help="Do not run this check; may be repeated."
)
@click.option(
    "--fail-on",
    type=click.Choice(Severity, case_sensitive=False),
    default=Severity.WARNING,
    help="Exit with 1 if a finding is this severe, or more.  [default: warning]",
)
def lint(request: Request, select: tuple[str, ...], ignore: tuple[str, ...], fail_on: Severity) -> None:
    """Find policies that do not do what they seem to do; exit with 1 if a finding is a warning or an error.

    A comment in a manifest ignores checks: # ovsnp: ignore=ID,ID. After an entry it applies to that line, on a line of
    its own to the next line, at the top of a document to the whole document.
    """
    checks = _chosen(select, ignore)
    (cluster,) = planned_clusters(request, request.cluster())
    index = LintIndex(
        cluster, request.service_cidrs, strict_nodes=request.strict_nodes, service_blocks=request.service_blocks
    )
    report = run_checks(index, checks)
    if request.output in _DOCUMENTS:
        click.echo(_DOCUMENTS[request.output](report), nl=False)
    else:
        console = Terminal(no_color=request.no_color or None, highlight=False, soft_wrap=True)
        for line in text_lines(report):
            console.write(line)
    _tell(request, cluster, report)
    if any(finding.severity.at_least(fail_on) for finding in report.findings):
        sys.exit(Exit.NO)


def _tell(request: Request, cluster: Cluster, report: LintReport) -> None:
    """Write to stderr what is not a finding: ignored findings, skipped checks and the summary."""
    for finding in report.ignored:
        request.detail(
            f"{where(finding.span)}: {finding.check} {finding.subject}: {finding.path}: ignored by a comment"
        )
    if report.skipped:
        why = why_nothing_to_select(cluster)
        request.tell(f"{why}, so these checks did not run: {', '.join(report.skipped)}")
    if not cluster.policies:
        request.tell("the input has no NetworkPolicy, so no pod is isolated")
    request.tell(summary(report))


def _chosen(select: tuple[str, ...], ignore: tuple[str, ...]) -> list[str]:
    """The checks to run, in their order; raises UsageError for an unknown identifier."""
    for option, names in (("--select", select), ("--ignore", ignore)):
        for name in names:
            if fault := name_fault(name):
                raise UsageError(f"{option}: {fault}")
    wanted = select or tuple(name for name, check in CHECKS.items() if not check.opt_in)
    return [name for name in CHECKS if name in wanted and name not in ignore]
