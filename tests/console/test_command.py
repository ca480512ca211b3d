"""``ovsnp console`` as a user runs it."""

import http.client
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.kubernetes.test_connection import certificate
from tests.support.applying import ovsnp
from tests.support.checkout import ROOT


@contextmanager
def running(*words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in the background, and the URL that it prints."""
    command = [sys.executable, "-m", "ovsnp", "console", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal(demo: Path, number: signal.Signals) -> None:
    with running("-f", demo, "--listen", "127.0.0.1:0") as (process, url):
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "", "")


def test_tls(demo: Path, tmp_path: Path) -> None:
    files = certificate(tmp_path, "console")
    pair = ["--tls-cert", files.certificate.file, "--tls-key", files.key.file]
    with running("-f", demo, "--listen", "127.0.0.1:0", *pair) as (_, url):
        parts = urlsplit(url)
        assert parts.scheme == "https"
        context = ssl.create_default_context(cafile=str(files.certificate.file))
        connection = http.client.HTTPSConnection(parts.netloc, timeout=60, context=context)
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.getheader("set-cookie", "").startswith("__Host-ovsnp-console-")
        assert "; Secure" in answer.getheader("set-cookie", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "no manifests; name them with -f"),
        (("-f", "-"), "stdin can be read once"),
        (("-f", ".", "--listen", "192.0.2.1:8780"), "give --tls-cert and --tls-key"),
        (("-f", ".", "--listen", "127.0.0.1:{port}"), "cannot listen at 127.0.0.1:{port}"),
        (("-f", ".", "--tls-cert", "cluster.yaml", "--tls-key", "cluster.yaml"), "cannot be used"),
        (("-f", ".", "--tls-cert", "nothing", "--tls-key", "nothing"), "No such file"),
    ],
)
def test_usage(demo: Path, words: tuple[str, ...], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = ovsnp("console", *(word.format(port=port) for word in words))
    assert answer.code == 2
    assert sentence.format(port=port) in answer.err
    assert answer.out == ""


@pytest.mark.parametrize("library", ["starlette", "uvicorn"])
def test_without_the_extra(demo: Path, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith(("ovsnp.console", library))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    answer = ovsnp("console", "-f", demo)
    assert answer.code == 2
    assert answer.err == f"ovsnp: the console needs {library}; install it: pip install 'ovsnp[console]'\n"
