"""Pass 1: reads files, stdin or API objects into a `Cluster`; policies and pods keep their place in the file.

One run finds all mistakes and raises them as one `InputError`; there is no partial result. Cluster state that ovsnp
cannot use is no mistake: the `Cluster` lacks it and has a note about it.
"""

from ovsnp.manifests.loading import load, load_lists, load_objects
from ovsnp.manifests.passed_over import advice
from ovsnp.yaml_reader.location import locate
from ovsnp.yaml_reader.report import located

__all__ = ["advice", "load", "load_lists", "load_objects", "locate", "located"]
