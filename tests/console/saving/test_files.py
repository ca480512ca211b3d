"""Policies saved into files of a directory."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ovsnp.console.form import form_of, object_of
from ovsnp.console.saving import ConflictError, NotSavedError, PolicyFiles
from ovsnp.errors import Place
from ovsnp.manifests import load

TEXT = """\
# Redis
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: redis   # the store
spec:
  podSelector: {}
  ingress:
    - ports:
        - port: 6379
"""


def policy(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"podSelector": {}}
    return {"spec": spec, "kind": "NetworkPolicy", "metadata": {"name": name}, "apiVersion": "networking.k8s.io/v1"}


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory of manifests; nothing but manifests is in it after a test."""
    found = tmp_path / "policies"
    (found / "inside").mkdir(parents=True)
    (found / "redis.yaml").write_text(TEXT)
    yield found
    assert not [*found.glob("**/.*")]


@pytest.fixture
def files(directory: Path) -> PolicyFiles:
    return PolicyFiles([str(directory)])


def test_policy_is_changed_by_form_where_it_stands(files: PolicyFiles, directory: Path) -> None:
    (found,) = load([str(directory)]).policies
    file = files.read(found.place.file)
    original = file.object_at(found.place)
    form = form_of(original)
    form.inbound[0].ports[0].port = "6379-6380"
    saved = files.replace(found.place, object_of(form, original), file.version)
    path = directory / "redis.yaml"
    assert path.read_text() == TEXT.replace("port: 6379", "port: 6379\n          endPort: 6380")
    assert saved == files.read(str(path))
    assert saved.version != file.version
    assert files.replace(found.place, object_of(form, original), saved.version) == saved


def test_mode_owner_and_attributes_stay(files: PolicyFiles, directory: Path) -> None:
    path = directory / "redis.yaml"
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    before, number = path.stat(), path.stat().st_ino
    files.append(str(path), policy("new"), files.read(str(path)).version)
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != number
    assert after.st_mtime >= before.st_mtime
    assert path.read_text().startswith(TEXT + "---\napiVersion")


def test_file_that_has_changed_is_a_conflict(files: PolicyFiles, directory: Path) -> None:
    path = directory / "redis.yaml"
    version = files.read(str(path)).version
    path.write_text(TEXT + "# more\n")
    place = Place(str(path))
    for change in (
        lambda: files.replace(place, policy("redis"), version),
        lambda: files.append(str(path), policy("new"), version),
        lambda: files.delete(place, version),
    ):
        with pytest.raises(ConflictError, match="has changed since it was read"):
            change()
    assert path.read_text() == TEXT + "# more\n"


def test_file_that_changes_during_a_save_is_a_conflict(
    files: PolicyFiles, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = directory / "redis.yaml"
    version = files.read(str(path)).version
    synchronise = os.fsync

    def meanwhile(descriptor: int) -> None:
        synchronise(descriptor)
        path.write_text("# another\n")

    monkeypatch.setattr(os, "fsync", meanwhile)
    with pytest.raises(ConflictError):
        files.append(str(path), policy("new"), version)
    assert path.read_text() == "# another\n"


def test_full_disk_leaves_the_old_file(files: PolicyFiles, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = directory / "redis.yaml"
    version = files.read(str(path)).version

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotSavedError, match="cannot be written: no space left on device"):
        files.append(str(path), policy("new"), version)
    assert path.read_text() == TEXT


def test_new_file(files: PolicyFiles, directory: Path) -> None:
    path = directory / "inside" / "new.yaml"
    before = os.umask(0o027)
    try:
        made = files.create(str(path), policy("new"))
    finally:
        os.umask(before)
    assert path.read_bytes() == made.data
    assert made.data.startswith(b"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: new\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_nlink == 1
    with pytest.raises(ConflictError, match="is there already"):
        files.create(str(path), policy("other"))
    assert path.read_bytes() == made.data
    assert files.create(str(directory / "new.json"), policy("other")).data.startswith(b"{\n")
    assert len(load([str(directory)]).policies) == 3


def test_deleted_policy_goes_with_its_file_or_leaves_the_rest(files: PolicyFiles, directory: Path) -> None:
    path = str(directory / "redis.yaml")
    two = files.append(path, policy("new"), files.read(path).version)
    one = files.delete(Place(path, 1), two.version)
    assert one is not None
    assert one.data == TEXT.encode()
    assert files.delete(Place(path), one.version) is None
    assert not Path(path).exists()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("../outside.yaml", "without .."),
        ("inside/../../outside.yaml", "without .."),
        ("/etc/passwd", "not in a directory"),
        ("new.txt", "choose such a name"),
        (".hidden.yaml", "hidden"),
        (".git/new.yaml", "hidden"),
        ("a\0.yaml", "is no path"),
        ("a\nb.yaml", "without control characters"),
        ("\u202elmay.yaml", "without control characters"),
        ("out/new.yaml", "not in a directory"),
        ("link.yaml", "not in a directory"),
        ("dangling.yaml", "not in a directory"),
        ("nowhere/new.yaml", "cannot be written"),
        ("inside.yaml", "is no regular file"),
        ("same.yaml", "hard links"),
    ],
)
def test_other_places_are_refused(files: PolicyFiles, directory: Path, path: str, message: str) -> None:
    outside = directory.parent / "outside.yaml"
    outside.write_text(TEXT)
    (directory / "out").symlink_to(directory.parent)
    (directory / "link.yaml").symlink_to(outside)
    (directory / "dangling.yaml").symlink_to(directory.parent / "not-there.yaml")
    (directory / "inside.yaml").mkdir()
    (directory / "kept.yaml").write_text(TEXT)
    os.link(directory / "kept.yaml", directory / "same.yaml")
    target = os.path.join(directory, path)
    with pytest.raises(NotSavedError, match=message):
        files.append(target, policy("new"), files.read(target).version) if os.path.exists(target) else files.create(
            target, policy("new")
        )
    assert outside.read_text() == TEXT
    assert not (directory.parent / "not-there.yaml").exists()


def test_link_inside_the_directory_is_followed_and_stays(files: PolicyFiles, directory: Path) -> None:
    link = directory / "inside" / "link.yaml"
    link.symlink_to("../redis.yaml")
    files.append(str(link), policy("new"), files.read(str(link)).version)
    assert link.is_symlink()
    assert "name: new" in (directory / "redis.yaml").read_text()


def test_file_that_was_named_is_the_only_one_beside_it(directory: Path) -> None:
    files = PolicyFiles([str(directory / "redis.yaml")])
    files.append(str(directory / "redis.yaml"), policy("new"), files.read(str(directory / "redis.yaml")).version)
    with pytest.raises(NotSavedError, match="not in a directory"):
        files.create(str(directory / "other.yaml"), policy("new"))


def test_refused_edit_names_the_file(files: PolicyFiles, directory: Path) -> None:
    path = directory / "aliases.yaml"
    path.write_text("kind: NetworkPolicy\na: &x {y: 1}\nb: *x\n")
    with pytest.raises(NotSavedError, match=r"aliases.yaml: the change would reach other places"):
        files.replace(
            Place(str(path)), {"kind": "NetworkPolicy", "a": {"y": 2}, "b": {"y": 1}}, files.read(str(path)).version
        )
