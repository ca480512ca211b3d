"""The errors of the containerlab runtime where a program is missing or a step fails, and the file that it deploys."""

import io
import tarfile
from pathlib import Path

import jsonschema
import msgspec
import pytest

from ovsnp.errors import InputError, SwitchError
from ovsnp.lab.datapath import DatapathType
from ovsnp.lab.runtime import CONTAINERLAB, RUNTIMES
from ovsnp.lab.runtime.clab_file import standalone
from ovsnp.lab.runtime.containerlab import complaints, pack
from ovsnp.yaml_reader.yaml_text import yaml_documents
from tests.support.checkout import ROOT

SHIPPED = ROOT / "containerlab" / "ovsnp.clab.yml"
SCHEMA = ROOT.parent / "shared" / "containerlab" / "clab.schema.json"


def parsed(text: str) -> dict[str, object]:
    return next(yaml_documents(text.encode())).value


def test_without_docker_and_containerlab_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SwitchError, match=r"Docker \(Debian: apt-get install docker\.io.*and containerlab \(.*netns"):
        RUNTIMES[CONTAINERLAB].check_machine(DatapathType.NETDEV)


def test_without_the_daemon_it_says_to_start_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for program in ("docker", "containerlab"):
        (tmp_path / program).write_text("#!/bin/sh\necho cannot connect >&2\nexit 1\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(SwitchError, match=r"daemon does not answer; start it .*cannot connect"):
        RUNTIMES[CONTAINERLAB].check_machine(DatapathType.NETDEV)


def test_a_deploy_whose_commands_failed_failed() -> None:
    failed = "12:00:00 INFO Creating lab\n12:00:01 ERRO Failed to execute command node=n1 rc=1"
    assert complaints(failed, 0) == ["12:00:01 ERRO Failed to execute command node=n1 rc=1"]
    assert complaints("12:00:00 INFO Creating lab", 0) == []
    assert complaints("12:00:00 INFO Creating lab\n12:00:01 ERRO no image", 1) == ["12:00:01 ERRO no image"]
    assert complaints("", 2) == ["status 2"]


def test_the_deployed_file_has_the_labs_name_and_stands_alone() -> None:
    original, changed = parsed(SHIPPED.read_text()), parsed(standalone(SHIPPED, "other"))
    assert changed["name"] == "other"
    binds = [bind for group in changed["topology"]["groups"].values() for bind in group.get("binds", [])]
    assert binds
    assert all(Path(bind.split(":")[0]).is_absolute() and Path(bind.split(":")[0]).exists() for bind in binds)
    for value in (original, changed):
        del value["name"]
        for group in value["topology"]["groups"].values():
            group.pop("binds", None)
    assert original == changed


def test_a_file_whose_name_cannot_be_told_apart_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "odd.clab.yml"
    file.write_text("{name: x, topology: {nodes: {n: {binds: [b]}}}}\n")
    with pytest.raises(InputError, match="on a line of its own"):
        standalone(file, "other")


@pytest.mark.skipif(not SCHEMA.exists(), reason="containerlab's schema of topology files is not here")
def test_the_deployed_file_is_valid_for_containerlab() -> None:
    schema = msgspec.json.decode(SCHEMA.read_bytes())
    jsonschema.validators.validator_for(schema)(schema).validate(parsed(standalone(SHIPPED, "other")))


def test_manifests_are_packed_as_they_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container skips files that are no manifests as this machine does."""
    monkeypatch.chdir(tmp_path)
    written = {"dir/sub/a.yaml": "a", "dir/values.yaml": "v", "b.json": "b", "other/a.yaml": "o"}
    for file, text in written.items():
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(text)
    archive, there = pack(["dir", "dir/values.yaml", "b.json", "../" + tmp_path.name + "/other/"])
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(tmp_path, filter="data")
    inside = [tmp_path / path.lstrip("/") for path in there]
    assert [path.name for path in inside] == ["dir", "values.yaml", "b.json", "other"]
    files = [[file for file in (path, *path.rglob("*")) if file.is_file()] for path in inside]
    assert [sorted(file.read_text() for file in each) for each in files] == [["a", "v"], ["v"], ["b"], ["o"]]
    Path("other/a.yaml").write_text("new")
    assert not set(there) & set(pack(["dir", "other"])[1])
