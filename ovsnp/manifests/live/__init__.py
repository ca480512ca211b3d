"""Pass 1 for a live cluster: reads the objects that change, and returns what changes in the model."""

from ovsnp.manifests.live.live_objects import LiveObjects, ObjectUpdate

__all__ = ["LiveObjects", "ObjectUpdate"]
