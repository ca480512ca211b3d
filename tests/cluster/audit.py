"""What ServiceAccounts have asked of the API server: its audit log."""

import json
from pathlib import Path
from typing import NamedTuple

POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    userGroups: ["system:serviceaccounts"]
  - level: None
"""
"""Only the requests of ServiceAccounts are logged, without their bodies."""


class Asked(NamedTuple):
    """A request as a rule of a role names it; ``resource`` is ``RESOURCE`` or ``RESOURCE/SUBRESOURCE``."""

    group: str
    resource: str
    verb: str


def asked_by(log: Path, user: str) -> set[Asked]:
    """The different requests of a user for objects."""
    found = set()
    for line in log.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["user"]["username"] == user and (target := event.get("objectRef")):
            resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
            found.add(Asked(target.get("apiGroup", ""), resource, event["verb"]))
    return found
