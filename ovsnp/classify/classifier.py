"""Pass 3 as a whole: turns rules and peers into clauses and identities."""

from ovsnp.classify.peers import Peers
from ovsnp.classify.rules import ClauseRules
from ovsnp.ir.clauses import PolicyChanges
from ovsnp.ir.node_changes import NodeChanges
from ovsnp.ir.ruleset import PeerTable
from ovsnp.model.options import Options
from ovsnp.model.policy import Direction


class Classifier:
    """Gives numbers to subjects, identities and rules, and makes clauses of them."""

    def __init__(self, _: Options) -> None:
        self._peers = {table: Peers() for table in PeerTable}
        self._rules = {direction: ClauseRules(self._peers) for direction in Direction}

    def update(self, node: NodeChanges) -> PolicyChanges:
        """Take the changes of the rules and of their peers' addresses; returns the changes of the clauses."""
        changes = node.rules
        updates = {
            table: peers.update(changes.blocks[table], changes.listed[table]) for table, peers in self._peers.items()
        }
        sets = {table: names for table, (_, names) in updates.items()}
        return PolicyChanges(
            node,
            {table: entries for table, (entries, _) in updates.items()},
            {
                direction: rules.update(changes.isolated[direction], changes.rules[direction], sets)
                for direction, rules in self._rules.items()
            },
        )
