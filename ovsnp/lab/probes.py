"""Tries real connections: one probe agent in every node of the topology, all at the same time."""

import json
import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import msgspec

from ovsnp.errors import SwitchError
from ovsnp.lab import probe_agent
from ovsnp.lab.runtime.interface import Runtime


class Probe(msgspec.Struct, frozen=True):
    """One connection to try, from a node of the topology and one of its addresses.

    ``protocol`` is ``tcp``, ``udp``, ``sctp`` or ``icmp``; ``port`` is 0 for ICMP.
    """

    node: str
    protocol: str
    source: str
    destination: str
    port: int


class Result(msgspec.Struct, frozen=True):
    """The result of a probe; `ovsnp.lab.probe_agent` defines ``outcome`` and ``seen``."""

    outcome: str
    seen: str = ""

    @property
    def connected(self) -> bool:
        """Data went both ways."""
        return self.outcome == "connected"


def sctp_available() -> bool:
    """True if this kernel has SCTP."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP).close()
    except OSError:
        return False
    return True


class Agents:
    """Probe agents in some nodes, for the time of the context."""

    def __init__(self, runtime: Runtime, nodes: Iterable[str]) -> None:
        self._runtime = runtime
        self._nodes = list(nodes)
        self._agents: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Self:
        source = Path(probe_agent.__file__).read_text(encoding="utf-8")
        try:
            for node in self._nodes:
                command = [self._runtime.python(node), "-I", "-S", "-c", source]
                self._agents[node] = subprocess.Popen(
                    self._runtime.command(node, command),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def listen(self, servers: Mapping[str, Sequence[tuple[str, str, int]]]) -> None:
        """Have each node echo on its (protocol, address, port)s; raises SwitchError where one cannot."""
        self._ask({node: {"listen": list(wanted)} for node, wanted in servers.items()})

    def run(self, probes: Sequence[Probe], timeout: float, rate: float) -> list[Result]:
        """Try all probes, ``rate`` of them a second, at most ``timeout`` seconds each; results in the same order.

        Raises SwitchError where an agent fails.
        """
        within = len(probes) / rate
        indices: dict[str, list[int]] = {}
        for index, probe in enumerate(probes):
            indices.setdefault(probe.node, []).append(index)
        answers = self._ask(
            {
                node: {"within": within, "timeout": timeout, "probe": [_request(probes[index]) for index in mine]}
                for node, mine in indices.items()
            }
        )
        results: dict[int, Result] = {}
        for node, mine in indices.items():
            for index, (outcome, seen) in zip(mine, answers[node]["results"], strict=True):
                results[index] = Result(outcome, seen)
        return [results[index] for index in range(len(probes))]

    def _ask(self, requests: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Send a request to each node, then gather the answers; raises SwitchError where an agent fails."""
        for node, request in requests.items():
            stdin = _pipe(self._agents[node].stdin)
            try:
                stdin.write(json.dumps(request) + "\n")
                stdin.flush()
            except BrokenPipeError:
                # `_answer` raises the error, with the last output of the agent.
                continue
        return {node: self._answer(node) for node in requests}

    def _answer(self, node: str) -> dict[str, Any]:
        agent = self._agents[node]
        line = _pipe(agent.stdout).readline()
        if not line:
            raise SwitchError(
                f"{node}: the probe agent ended: {_pipe(agent.stderr).read().strip()[-500:] or 'it said nothing'}"
            )
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SwitchError(f"{node}: the probe agent: {answer['error']}")
        return answer

    def _end(self) -> None:
        for agent in self._agents.values():
            agent.kill()
        for agent in self._agents.values():
            agent.communicate()
        self._agents.clear()


def _request(probe: Probe) -> list[Any]:
    return [probe.protocol, probe.source, probe.destination, probe.port]


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise ValueError("the probe agent was started without pipes")
    return pipe
