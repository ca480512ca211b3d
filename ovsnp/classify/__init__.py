"""Pass 3: turns peer sets into identities and prefixes, ports into masks, and rules into clauses."""

from ovsnp.classify.classifier import Classifier

__all__ = ["Classifier"]
