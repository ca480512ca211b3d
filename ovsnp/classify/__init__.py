"""Pass 3: peer sets to identities and prefixes, ports to masks, rules to clauses."""

from ovsnp.classify.classifier import Classifier

__all__ = ["Classifier"]
