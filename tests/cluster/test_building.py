"""The programs are those that the environment names, or are built by Go; a Go of a few lines stands in for it."""

from pathlib import Path

import pytest

from tests.cluster import building
from tests.cluster.building import ASSETS_VARIABLE, NEEDED, BuildError, built, programs

GO = """#!/bin/sh
echo "$CGO_ENABLED $*" >>"$0.log"
case $1 in
env) echo go9.9.9 ;;
build)
	[ ! -e "$0.broken" ] || { echo "no such module" >&2; exit 1; }
	shift $(($# - 2))
	echo program >"$1"
	;;
esac
"""


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Go that builds in an instant; beside it the log of its arguments."""
    monkeypatch.delenv(ASSETS_VARIABLE, raising=False)
    monkeypatch.setattr(building, "CACHE", tmp_path / "cache")
    program = tmp_path / "bin" / "go"
    program.parent.mkdir()
    program.write_text(GO)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return program


def builds(go: Path) -> list[str]:
    return [line for line in Path(f"{go}.log").read_text().splitlines() if " build " in line]


def test_they_are_built_once(go: Path) -> None:
    directory = built()
    assert directory == built() == programs()
    assert {each.name for each in directory.iterdir()} == {*NEEDED}
    assert len(builds(go)) == len(NEEDED)


def test_they_are_static_and_know_their_version(go: Path) -> None:
    built()
    assert all(line.startswith("0 build -trimpath ") for line in builds(go))
    assert all("version.gitVersion=v1." in line for line in builds(go))


def test_another_go_builds_others(go: Path) -> None:
    first = built()
    go.write_text(GO.replace("9.9.9", "10.0.0"))
    assert built() != first


def test_nothing_is_built_for_a_test(go: Path) -> None:
    with pytest.raises(BuildError, match="run make cluster"):
        programs()
    assert not builds(go)


def test_an_error_of_go_is_named(go: Path) -> None:
    Path(f"{go}.broken").touch()
    with pytest.raises(BuildError, match="no such module"):
        built()


def test_without_go_the_message_says_what_is_missing(go: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(go.parent.parent))
    with pytest.raises(BuildError, match=rf"Go is not installed, and {ASSETS_VARIABLE} is not set"):
        programs()


def test_the_environment_names_ready_programs(go: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ASSETS_VARIABLE, str(tmp_path))
    for name in NEEDED:
        with pytest.raises(BuildError, match=rf"has no .*{name}"):
            programs()
        (tmp_path / name).touch(mode=0o755)
    assert programs() == built() == tmp_path
    assert not Path(f"{go}.log").exists()
