"""Policies saved into files of a directory."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ovsnp.console.form import form_of, object_of
from ovsnp.console.saving import ConflictError, NotSavedError, PolicyFiles, PolicyName, WrittenPolicy
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


REDIS = PolicyName("default", "redis")


def policy(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"podSelector": {}}
    return {"spec": spec, "kind": "NetworkPolicy", "metadata": {"name": name}, "apiVersion": "networking.k8s.io/v1"}


def written(name: str, text: str = "") -> WrittenPolicy:
    return WrittenPolicy(policy(name), text)


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
    path = directory / "redis.yaml"
    found = files.read(str(path), REDIS)
    assert found.text == TEXT
    form = form_of(found.policy)
    form.inbound[0].ports[0].port = "6379-6380"
    changed = WrittenPolicy(object_of(form, found.policy), found.text)
    files.replace(str(path), REDIS, changed, found.version)
    after = TEXT.replace("port: 6379", "port: 6379\n          endPort: 6380")
    assert path.read_text() == after
    now = files.read(str(path), REDIS)
    assert (now.policy, now.text) == (changed.policy, after)
    assert now.version != found.version


def test_mode_owner_and_attributes_stay(files: PolicyFiles, directory: Path) -> None:
    path = directory / "redis.yaml"
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    before, number = path.stat(), path.stat().st_ino
    files.append(str(path), written("new"))
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != number
    assert after.st_mtime >= before.st_mtime
    assert path.read_text().startswith(TEXT + "---\napiVersion")


class TestChangesOfOthers:
    """A conflict is about the policy, and not about its file."""

    OTHER = "---\n# a policy of others\nkind: Pod\n"

    def test_another_document_does_not_matter(self, files: PolicyFiles, directory: Path) -> None:
        path = directory / "redis.yaml"
        version = files.read(str(path), REDIS).version
        path.write_text(f"# of others\nkind: Pod\n---\n{TEXT}{self.OTHER}")
        files.replace(str(path), REDIS, written("redis"), version)
        text = path.read_text()
        assert text.startswith("# of others\nkind: Pod\n---\n# Redis\n")
        assert text.endswith(self.OTHER)
        assert "6379" not in text
        files.delete(str(path), REDIS, files.read(str(path), REDIS).version)
        assert path.read_text() == f"# of others\nkind: Pod\n{self.OTHER}"

    def test_a_policy_of_another_api_group_is_another_one(self, files: PolicyFiles, directory: Path) -> None:
        path = directory / "redis.yaml"
        other = TEXT.replace("networking.k8s.io/v1", "crd.projectcalico.org/v1")
        path.write_text(f"{other}---\n{TEXT}")
        files.delete(str(path), REDIS, files.read(str(path), REDIS).version)
        assert path.read_text() == other
        files.append(str(path), written("redis"))
        assert files.read(str(path), REDIS).policy == policy("redis")

    @pytest.mark.parametrize(
        ("now", "message", "text"),
        [
            (TEXT.replace("6379", "6380"), "has changed since it was opened", TEXT.replace("6379", "6380")),
            (TEXT.replace("# the store", "# mine"), "has changed since", TEXT.replace("# the store", "# mine")),
            (TEXT.replace("name: redis", "name: other"), "no longer has NetworkPolicy default/redis", ""),
            ("# nothing\n", "no longer has NetworkPolicy default/redis", ""),
            (f"{TEXT}---\n{TEXT}", "NetworkPolicy default/redis 2 times", f"{TEXT}---\n{TEXT}"),
        ],
    )
    def test_conflicts_tell_the_text_now(
        self, files: PolicyFiles, directory: Path, now: str, message: str, text: str
    ) -> None:
        path = directory / "redis.yaml"
        version = files.read(str(path), REDIS).version
        path.write_text(now)
        for change in (
            lambda: files.replace(str(path), REDIS, written("redis"), version),
            lambda: files.delete(str(path), REDIS, version),
        ):
            with pytest.raises(ConflictError, match=message) as refused:
                change()
            assert refused.value.now == text
        assert path.read_text() == now

    def test_name_that_is_in_the_file_by_now(self, files: PolicyFiles, directory: Path) -> None:
        with pytest.raises(ConflictError, match="has NetworkPolicy default/redis already"):
            files.append(str(directory / "redis.yaml"), written("redis"))

    @pytest.mark.parametrize("again", [1, 100])
    def test_file_that_changes_during_a_save(
        self, files: PolicyFiles, directory: Path, monkeypatch: pytest.MonkeyPatch, again: int
    ) -> None:
        path = directory / "redis.yaml"
        synchronise = os.fsync
        changes = iter(range(again))

        def meanwhile(descriptor: int) -> None:
            synchronise(descriptor)
            if (number := next(changes, None)) is not None:
                path.write_text(f"{TEXT}# another {number}\n")

        monkeypatch.setattr(os, "fsync", meanwhile)
        if again == 1:
            files.append(str(path), written("new"))
            assert path.read_text().startswith(f"{TEXT}# another 0\n---\napiVersion")
        else:
            with pytest.raises(NotSavedError, match="changes again and again"):
                files.append(str(path), written("new"))
            assert path.read_text().startswith(f"{TEXT}# another")


def test_full_disk_leaves_the_old_file(files: PolicyFiles, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = directory / "redis.yaml"

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotSavedError, match="cannot be written: no space left on device"):
        files.append(str(path), written("new"))
    assert path.read_text() == TEXT


def test_new_file(files: PolicyFiles, directory: Path) -> None:
    path = directory / "inside" / "new.yaml"
    before = os.umask(0o027)
    try:
        files.create(str(path), written("new"))
    finally:
        os.umask(before)
    made = path.read_bytes()
    assert made.startswith(b"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: new\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_nlink == 1
    with pytest.raises(ConflictError, match="is there already"):
        files.create(str(path), written("other"))
    assert path.read_bytes() == made
    files.create(str(directory / "new.json"), written("other"))
    assert (directory / "new.json").read_text().startswith("{\n")
    assert len(load([str(directory)]).policies) == 3


def test_deleted_policy_goes_with_its_file_or_leaves_the_rest(files: PolicyFiles, directory: Path) -> None:
    path = str(directory / "redis.yaml")
    files.append(path, written("new"))
    new = PolicyName("default", "new")
    files.delete(path, new, files.read(path, new).version)
    assert Path(path).read_text() == TEXT
    files.delete(path, REDIS, files.read(path, REDIS).version)
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
        (files.append if os.path.exists(target) else files.create)(target, written("new"))
    assert outside.read_text() == TEXT
    assert not (directory.parent / "not-there.yaml").exists()


def test_link_inside_the_directory_is_followed_and_stays(files: PolicyFiles, directory: Path) -> None:
    link = directory / "inside" / "link.yaml"
    link.symlink_to("../redis.yaml")
    files.append(str(link), written("new"))
    assert link.is_symlink()
    assert "name: new" in (directory / "redis.yaml").read_text()


def test_file_that_was_named_is_the_only_one_beside_it(directory: Path) -> None:
    files = PolicyFiles([str(directory / "redis.yaml")])
    files.append(str(directory / "redis.yaml"), written("new"))
    with pytest.raises(NotSavedError, match="not in a directory"):
        files.create(str(directory / "other.yaml"), written("new"))


def test_refused_edit_names_the_file(files: PolicyFiles, directory: Path) -> None:
    path = directory / "aliases.yaml"
    header = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: one}\n"
    path.write_text(f"{header}a: &x {{y: 1}}\nb: *x\n")
    one = PolicyName("default", "one")
    found = files.read(str(path), one)
    changed = WrittenPolicy({**found.policy, "a": {"y": 2}}, found.text)
    with pytest.raises(NotSavedError, match=r"aliases.yaml: the change would reach other places"):
        files.replace(str(path), one, changed, found.version)


class TestTextOfTheUser:
    """What the user has written in the YAML view is what the file gets."""

    MINE = "# mine\n\nkind: NetworkPolicy # first\napiVersion: networking.k8s.io/v1\nspec: {podSelector: {}}\n"

    def saved(self, files: PolicyFiles, path: Path, text: str, name: str = "redis") -> str:
        """The file after a save of a text; the form has changed the name since."""
        found = files.read(str(path), REDIS)
        mine = yaml.safe_load(text)
        mine["metadata"]["name"] = name
        files.replace(str(path), REDIS, WrittenPolicy(mine, text), found.version)
        return path.read_bytes().decode()

    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_document(self, files: PolicyFiles, directory: Path, newline: str) -> None:
        path = directory / "redis.yaml"
        before, after = "# a\nkind: Pod\n\n--- # one\n\n", "\n\n...\n# b\n---\nkind: Pod # c"
        path.write_bytes(f"\ufeff{before}{TEXT}{after}".replace("\n", newline).encode())
        text = f"{self.MINE}metadata: {{name: redis}} # last\n"
        expected = f"\ufeff{before}{text}{after}".replace("\n", newline)
        assert self.saved(files, path, text) == expected
        assert self.saved(files, path, text, name="new") == expected.replace("{name: redis}", "{name: new}")

    def test_item_of_a_list(self, files: PolicyFiles, directory: Path) -> None:
        path = directory / "redis.yaml"
        item = "kind: NetworkPolicy\n  # here\n  metadata: {name: %s}\n\n  spec:\n    podSelector: {}\n"
        head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nitems:\n# first\n- "
        path.write_text(f"{head}{item % 'redis'}# second\n- {item % 'two'}")
        assert files.read(str(path), REDIS).text == (item % "redis").replace("\n  ", "\n")
        text = f"{self.MINE}metadata: {{name: redis}}\n"
        indented = text.strip().replace("\n\n", "\n").replace("\n", "\n  ").replace("mine\n", "mine\n\n")
        expected = f"{head}{indented}\n# second\n- {item % 'two'}"
        assert self.saved(files, path, text) == expected

    def test_new_file_and_end_of_a_file(self, files: PolicyFiles, directory: Path) -> None:
        text = f"---\n{self.MINE}metadata: {{name: new}}\n"
        new = WrittenPolicy(yaml.safe_load(text), text)
        files.create(str(directory / "new.yaml"), new)
        assert (directory / "new.yaml").read_text() == text
        files.append(str(directory / "redis.yaml"), new)
        assert (directory / "redis.yaml").read_text() == TEXT + text

    @pytest.mark.parametrize("text", ["%YAML 1.1\n---\n", "kind: Pod\n---\n"])
    def test_text_that_would_be_another_object_there_is_refused(
        self, files: PolicyFiles, directory: Path, text: str
    ) -> None:
        path = directory / "redis.yaml"
        path.write_text(f"---\n{TEXT}")
        text += f"{self.MINE}metadata: {{name: redis}}\n"
        mine = WrittenPolicy([*yaml.safe_load_all(text)][-1], text)
        with pytest.raises(NotSavedError):
            files.replace(str(path), REDIS, mine, files.read(str(path), REDIS).version)
        assert path.read_text() == f"---\n{TEXT}"

    def test_json_takes_no_comments(self, files: PolicyFiles, directory: Path) -> None:
        path = directory / "one.json"
        path.write_text(json.dumps(policy("one")))
        one = PolicyName("default", "one")
        found = files.read(str(path), one)
        assert yaml.safe_load(found.text) == found.policy
        changed = WrittenPolicy({**found.policy, "spec": {"podSelector": {}, "egress": []}}, found.text)
        commented = changed._replace(text=f"{found.text}# mine\n")
        for save in (
            lambda: files.replace(str(path), one, commented, found.version),
            lambda: files.create(str(directory / "two.json"), commented),
        ):
            with pytest.raises(NotSavedError, match=r"cannot take the comments of the YAML"):
                save()
        files.replace(str(path), one, changed, found.version)
        assert json.loads(path.read_text()) == changed.policy
