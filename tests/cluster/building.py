"""The programs of a control plane, built from the Go modules in go.mod; kept outside the checkout for the next time."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.cache import CACHE, kept

HERE = Path(__file__).parent
GO = "go"
ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"
"""The variable of the environment that names a directory with ready programs, as for other projects' tests."""

NEEDED = ("etcd", "kube-apiserver", "kubectl")

PACKAGES: Mapping[str, str] = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
}
"""The Go package of each program, the fastest to build first."""

_VERSION = "k8s.io/component-base/version"
_SETTINGS = {"CGO_ENABLED": "0"}


class BuildError(Exception):
    """The programs are not there, or cannot be built here; the message says why and what to do."""


def programs() -> Path:
    """The directory with the programs; raises BuildError where they are not built yet."""
    if (given := _given()) is not None:
        return given
    directory = _directory()
    if not directory.is_dir():
        raise BuildError("the API server is not built yet; run make cluster")
    return directory


def built() -> Path:
    """The directory with the programs, built now if need be; raises BuildError."""
    return _given() or kept(_directory(), _fill)


def _given() -> Path | None:
    """The directory that the environment names."""
    if not (named := os.environ.get(ASSETS_VARIABLE)):
        return None
    if missing := [name for name in NEEDED if not shutil.which(name, path=named)]:
        raise BuildError(f"{ASSETS_VARIABLE} names {named}, which has no {', '.join(missing)}; unset it, or add them")
    return Path(named)


def _directory() -> Path:
    """The place in the cache for what go.mod, go.sum and this machine's Go make."""
    goes_in = [_go("env", "GOVERSION", "GOOS", "GOARCH"), repr(sorted(PACKAGES.items())), repr(_flags())]
    goes_in += [(HERE / file).read_text(encoding="utf-8") for file in ("go.mod", "go.sum")]
    return CACHE / f"cluster-{hashlib.sha256(repr(goes_in).encode()).hexdigest()[:12]}"


def _fill(directory: Path) -> None:
    _tell(f"Kubernetes {_kubernetes()} into {directory.parent}; the first time this takes about eight minutes")
    for name, package in PACKAGES.items():
        _tell(name)
        _go("build", *_flags(), "-o", str(directory / name), package)


def _flags() -> Sequence[str]:
    """The flags of `go build`; without them Kubernetes does not know its own version."""
    version = _kubernetes()
    major, minor, _ = version.removeprefix("v").split(".")
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    linking = " ".join(["-s -w", *(f"-X {_VERSION}.{name}={value}" for name, value in values.items())])
    return ("-trimpath", "-ldflags", linking)


def _kubernetes() -> str:
    """The version of Kubernetes in go.mod."""
    found = re.search(r"^\s*k8s\.io/kubernetes (v\S+)", (HERE / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]


def _go(*arguments: str) -> str:
    """Run Go in the directory of go.mod."""
    if not shutil.which(GO):
        raise BuildError(f"Go is not installed, and {ASSETS_VARIABLE} is not set; the API server is built with Go")
    environment = {**os.environ, **_SETTINGS}
    done = subprocess.run([GO, *arguments], cwd=HERE, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise BuildError(f"go {arguments[0]}: status {done.returncode}\n{said}")
    return done.stdout


def _tell(line: str) -> None:
    print(f"building the API server: {line}", flush=True)  # noqa: T201
