"""The ClusterRole of docs/cluster.md allows what `--cluster` reads, and no more."""

import yaml

from ovsnp.kubernetes.resources import FOLLOWED, WORKLOADS
from tests.support.checkout import ROOT


def test_role_names_the_kinds_that_are_read() -> None:
    text = (ROOT / "docs" / "cluster.md").read_text()
    role = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    assert all(rule["verbs"] == ["list"] and len(rule["apiGroups"]) == 1 for rule in role["rules"])
    allowed = {(rule["apiGroups"][0], resource) for rule in role["rules"] for resource in rule["resources"]}
    assert allowed == {(each.group, each.plural) for each in (*FOLLOWED, *WORKLOADS)}
