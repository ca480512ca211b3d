"""Pass 1: files, stdin or API objects to a `Cluster`, each policy and pod with its place in the file.

Everything that is wrong is found in one run and raised as one `InputError`; nothing is read by halves. State of a
cluster that cannot be used is no mistake: the `Cluster` lacks it, and has a note about it.
"""

from ovsnp.manifests.loading import load, load_objects
from ovsnp.manifests.passed_over import advice
from ovsnp.yaml_reader.location import locate
from ovsnp.yaml_reader.report import located

__all__ = ["advice", "load", "load_objects", "locate", "located"]
