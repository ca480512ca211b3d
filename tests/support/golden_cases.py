"""The golden cases in tests/golden: a case is a folder with a configuration, policies and flows."""

from pathlib import Path

from ovsnp.cli.settings_file import read_mapping
from ovsnp.manifests import load
from ovsnp.model.cluster import Cluster
from ovsnp.model.options import Encap, Options
from tests.support.checkout import ROOT

GOLDEN = ROOT / "tests" / "golden"
CASES = sorted(file.parent.name for file in GOLDEN.glob("*/ovsnp.yaml"))


def manifests(case: str) -> list[Path]:
    """The files that the configuration names."""
    return [GOLDEN / case / name for name in read_mapping(GOLDEN / case / "ovsnp.yaml")["manifests"]]


def cluster_of(case: str) -> Cluster:
    """The cluster of the case."""
    return load([str(path) for path in manifests(case)])


def options_of(case: str) -> Options:
    """The options of the configuration, without the node."""
    written = read_mapping(GOLDEN / case / "ovsnp.yaml")
    return Options(
        encap=Encap(written.get("encap", Encap.GENEVE)),
        strict_nodes=bool(written.get("strict-nodes")),
        masquerade=bool(written.get("masquerade")),
        service_blocks=bool(written.get("service-blocks")),
        log_drops=bool(written.get("log-drops")),
    )
