"""The metrics of an agent, for Prometheus.

Names and units follow Prometheus' conventions: seconds and bytes, `_total` for counters, `_info` for a gauge that is
always 1. No label has a value that a user of the cluster chooses, but for those of collectors that are added.
"""

import platform
import time
from collections.abc import Iterator, Sized
from contextlib import contextmanager

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.registry import Collector

from ovsnp import __version__
from ovsnp.agent.observer import AgentObserver
from ovsnp.agent.report import AgentReport
from ovsnp.agent.serving.report_metrics import ReportCollector
from ovsnp.apply.plan import BridgePlan
from ovsnp.errors import OvsnpError
from ovsnp.flows.changes import FlowChanges
from ovsnp.kubernetes.events import KindListed, ObjectChange, RelistReason, WatchEvent, WatchProgress
from ovsnp.kubernetes.resources import FOLLOWED

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The media type of `AgentMetrics.metrics_text`."""

_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds: from one flow on an idle machine to an agent that has trouble."""

_KINDS = tuple(resource.kind for resource in FOLLOWED)


class AgentMetrics(AgentObserver):
    """Counts what an agent does; `metrics_text` may be called from any thread."""

    def __init__(self) -> None:
        # A series with the start time beside each counter would double the output, and `process_start_time_seconds`
        # says the same.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._report = ReportCollector(_KINDS)
        self._registry.register(self._report)
        ProcessCollector(registry=self._registry)
        self._started = time.monotonic()
        self._has_started = False
        self._waiting: dict[tuple[str, str, str], float] = {}
        self._declare_watches()
        self._declare_bridge()
        build = Info("ovsnp_build", "The version of ovsnp and of Python.", registry=self._registry)
        build.info({"version": __version__, "python_version": platform.python_version()})

    def add(self, collector: Collector) -> None:
        """Have `metrics_text` show the metrics of a collector, too."""
        self._registry.register(collector)

    def metrics_text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def received(self, event: WatchEvent) -> None:
        """Count an event; the time until its confirmation begins when its bytes came."""
        match event:
            case ObjectChange(body=body):
                self._events.labels(event.kind, "deletion" if body is None else "change").inc()
                self._wait_for(event)
            case WatchProgress(kind=kind):
                self._events.labels(kind, "bookmark").inc()
            case KindListed(kind=kind, reason=reason):
                self._lists.labels(kind, reason).inc()
                # The first lists are the start, which `start_duration_seconds` measures.
                for change in event.changes if reason != RelistReason.START else ():
                    self._wait_for(change)

    @contextmanager
    def transaction(self, changes: FlowChanges) -> Iterator[None]:
        """Measure a transaction, and count its messages."""
        begun = time.monotonic()
        try:
            yield
        except OvsnpError:
            self._count(changes, "error")
            raise
        self._durations.observe(time.monotonic() - begun)
        self._count(changes, "ok")

    def brought(self, plan: BridgePlan) -> None:
        """Count the messages of a bridge that was read and brought to the program."""
        self._resyncs.labels("ok").inc()
        self._count_flows("ok", [*plan.added, *plan.changed, *plan.replaced], plan.deleted)
        self._count_groups("ok", plan.groups_added, [*plan.groups_changed, *plan.groups_replaced], plan.groups_deleted)

    def failed(self) -> None:
        """Count an error after which the bridge must be read again."""
        self._resyncs.labels("error").inc()

    def confirmed(self) -> None:
        """Observe the time of all events that wait for their confirmation."""
        now = time.monotonic()
        if not self._has_started:
            self._has_started = True
            self._start.set(now - self._started)
        for (kind, _, _), received in self._waiting.items():
            self._realization.labels(kind).observe(now - received)
        self._waiting.clear()

    def reported(self, report: AgentReport) -> None:
        """Keep the report for the next `metrics_text`."""
        self._report.report = report

    def drops_lost(self, count: int) -> None:
        """Count dropped packets that the drop log had to leave out."""
        self._drops_lost.inc(count)

    def _declare_watches(self) -> None:
        self._realization = Histogram(
            "ovsnp_agent_realization_duration_seconds",
            "Time from the arrival of a change of an object until Open vSwitch has confirmed its flows.",
            ["kind"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._events = Counter(
            "ovsnp_agent_watch_events_total",
            "Events of the watches; type is change, deletion or bookmark.",
            ["kind", "type"],
            registry=self._registry,
        )
        self._lists = Counter(
            "ovsnp_agent_relists_total",
            "Lists of all objects of a kind; reason is start, expired (the server no longer has the version), failures"
            " (the watch failed again and again) or absent (the server did not know the kind).",
            ["kind", "reason"],
            registry=self._registry,
        )
        for kind in _KINDS:
            self._realization.labels(kind)
            for type_ in ("change", "deletion", "bookmark"):
                self._events.labels(kind, type_)
            for reason in RelistReason:
                self._lists.labels(kind, reason)

    def _declare_bridge(self) -> None:
        registry = self._registry
        self._start = Gauge(
            "ovsnp_agent_start_duration_seconds",
            "Time from the start of the agent until Open vSwitch has confirmed all flows; 0 before that.",
            registry=registry,
        )
        self._durations = Histogram(
            "ovsnp_agent_bundle_duration_seconds",
            "Time in which Open vSwitch carries out the changes of one update.",
            buckets=_BUCKETS,
            registry=registry,
        )
        self._resyncs = Counter(
            "ovsnp_agent_bridge_reads_total",
            "Attempts to read the bridge and to change what differs: at the start, and after each error.",
            ["result"],
            registry=registry,
        )
        self._flow_mods = Counter(
            "ovsnp_agent_flow_mods_total", "Flows that were sent.", ["command", "result"], registry=registry
        )
        self._group_mods = Counter(
            "ovsnp_agent_group_mods_total", "Groups that were sent.", ["command", "result"], registry=registry
        )
        self._drops_lost = Counter(
            "ovsnp_drop_log_lost_total", "Dropped packets that the drop log had to leave out.", registry=registry
        )
        for result in ("ok", "error"):
            self._resyncs.labels(result)
            self._count(FlowChanges(), result)

    def _wait_for(self, change: ObjectChange) -> None:
        # An object that changes again before its confirmation counts once, from its first change.
        self._waiting.setdefault((change.kind, change.namespace, change.name), change.received)

    def _count(self, changes: FlowChanges, result: str) -> None:
        self._count_flows(result, [*changes.added, *changes.changed], changes.deleted)
        self._count_groups(result, changes.groups_added, changes.groups_changed, changes.groups_deleted)

    def _count_flows(self, result: str, added: Sized, deleted: Sized) -> None:
        self._flow_mods.labels("add", result).inc(len(added))
        self._flow_mods.labels("delete", result).inc(len(deleted))

    def _count_groups(self, result: str, added: Sized, modified: Sized, deleted: Sized) -> None:
        for command, groups in (("add", added), ("modify", modified), ("delete", deleted)):
            self._group_mods.labels(command, result).inc(len(groups))
