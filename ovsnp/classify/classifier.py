"""Pass 3 as a whole: rules and peers to clauses and identities."""

from ovsnp.classify.peers import Peers
from ovsnp.classify.rules import ClauseRules
from ovsnp.ir.clauses import PolicyChanges
from ovsnp.ir.node_changes import NodeChanges
from ovsnp.ir.ruleset import PeerTable
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction


class Classifier:
    """The numbers of subjects, identities and rules, and the clauses that are made of these."""

    def __init__(self, _: Options) -> None:
        self._peers = {table: Peers() for table in PeerTable}
        self._rules = {direction: ClauseRules(self._peers) for direction in Direction}

    def update(self, node: NodeChanges) -> PolicyChanges:
        """Take what changed of rules, and of the addresses of their peers; returns what changed of the clauses."""
        changes = node.rules
        told = {
            table: peers.update(changes.blocks[table], changes.listed[table]) for table, peers in self._peers.items()
        }
        sets = {table: names for table, (_, names) in told.items()}
        return PolicyChanges(
            node,
            {table: entries for table, (entries, _) in told.items()},
            {
                direction: rules.update(changes.isolated[direction], changes.rules[direction], sets)
                for direction, rules in self._rules.items()
            },
        )
