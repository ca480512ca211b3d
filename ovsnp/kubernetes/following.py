"""Follow a cluster: one thread for each kind, all of which hand their events to one queue."""

import threading
from collections.abc import Sequence
from queue import SimpleQueue

from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.events import WatchEvent
from ovsnp.kubernetes.pace import WatchPace
from ovsnp.kubernetes.reflector import Reflector
from ovsnp.kubernetes.resources import FOLLOWED, Resource
from ovsnp.kubernetes.store import Condense, as_it_came


def follow(
    connection: ApiConnection,
    queue: "SimpleQueue[WatchEvent]",
    stop: threading.Event,
    *,
    condense: Condense = as_it_came,
    resources: Sequence[Resource] = FOLLOWED,
    pace: WatchPace | None = None,
) -> list[threading.Thread]:
    """Start to hand all objects of the cluster, and every change of them, to a queue; returns the threads.

    ``condense`` makes the objects of lists smaller: a pod is 6 KiB, of which ovsnp reads a tenth.

    To end: set ``stop``, then close the connection, so that no thread waits for its server; the threads then end.
    """
    threads = [
        threading.Thread(
            target=Reflector(connection, resource, queue, stop, condense, pace).run,
            name=f"watch {resource.kind}",
            daemon=True,
        )
        for resource in resources
    ]
    for thread in threads:
        thread.start()
    return threads
