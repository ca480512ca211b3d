"""What the endpoints of the editor answer to fields that no page of the console sends, and to changes of others."""

import json
from pathlib import Path

import pytest
import yaml

from ovsnp.console.editor.stores import FileStore
from ovsnp.console.saving import ConflictError, WrittenPolicy
from ovsnp.console.workspace.manifest_files import ManifestFiles
from ovsnp.console.workspace.workspace import Workspace
from ovsnp.oracle.terms import Terms
from tests.console.conftest import Open
from tests.console.editor.test_editor import EDIT, fields, pressed
from tests.console.visitor import Reply, Visitor

OWN = f"{EDIT}?namespace=default&name=access-demo1"
SAVE, DRAFT = "/policies/save", "/policies/draft"


def lines(reply: Reply) -> list[dict[str, object]]:
    return [json.loads(line) for line in reply.body.splitlines()]


def deep(levels: int) -> str:
    return '{"spec":' * levels + "{}" + "}" * levels


@pytest.mark.parametrize("target", [EDIT, SAVE])
@pytest.mark.parametrize(
    "wrong",
    [
        {"original": deep(100_000)},
        {"original": deep(500)},
        {"original": "["},
        {"original": "[]"},
        {"original": '"\\ud800"'},
        {"original": '{"metadata": "\\ud800"}'},
        {"original": '{"metadata": NaN}'},
        {"original": "9" * 5000},
        {"inbound.0" + ".a" * 5000: "1"},
        {f"inbound.{'9' * 5000}.portChoice": "all"},
        {"inbound.x.portChoice": "all"},
        {"inbound.0.portChoice": "some"},
        {"inbound.0.origin": "x"},
        {"name.x": "y"},
        {"directions": "Sideways"},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_fields_of_no_page_are_refused(open_console: Open, demo: Path, target: str, wrong: dict[str, str]) -> None:
    visitor = open_console(demo)
    sent = fields(visitor.get(EDIT).body) | {"name": "made"}
    before = {each: each.read_bytes() for each in demo.iterdir()}
    reply = visitor.post(target, sent | wrong)
    assert reply.status == 400, reply.text
    assert "The form is not one of this console" in reply.text
    assert "The form is not one of this console".lower() in str(lines(visitor.post(DRAFT, sent | wrong))[-1]).lower()
    assert {each: each.read_bytes() for each in demo.iterdir()} == before


@pytest.mark.parametrize(
    "do", [f"remove inbound.{'9' * 5000}", "remove name", "add name", "add x.y", "remove", "view x"]
)
def test_unknown_buttons_change_nothing(open_console: Open, demo: Path, do: str) -> None:
    visitor = open_console(demo)
    sent = fields(visitor.get(OWN).body)
    reply = visitor.post(EDIT, sent | {"do": do})
    assert reply.status in (200, 422)
    assert fields(reply.body)["name"] == "access-demo1"


def test_yaml_with_too_many_levels_is_a_mistake(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    sent = pressed(visitor, fields(visitor.get(OWN).body), "view yaml")
    for text in ("[" * 50_000, "kind: NetworkPolicy\nspec: " + "{a: " * 900 + "1" + "}" * 900, "\x00", "a: &a [*a]"):
        assert visitor.post(SAVE, sent | {"text": text}).status in (400, 422)
        assert visitor.post(DRAFT, sent | {"text": text}).status == 200


def test_more_fields_than_a_policy_has_are_refused(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    rows = {f"inbound.{number}.portChoice": "all" for number in range(30_000)}
    reply = visitor.post(EDIT, fields(visitor.get(EDIT).body) | rows)
    assert reply.status == 413
    assert "more than 20000 fields" in reply.text


@pytest.mark.parametrize(
    "path",
    [
        "/etc/made.yaml",
        "../made.yaml",
        "{demo}/../made.yaml",
        "{demo}/made.txt",
        "{demo}/.x/a.yaml",
        "{demo}/no/a.yaml",
        "a\0.yaml",
        "{demo}/" + "a" * 5000 + ".yaml",
    ],
    ids=lambda path: path[:20],
)
@pytest.mark.parametrize("field", ["file", "target"])
def test_paths_outside_of_the_directories_are_refused(open_console: Open, demo: Path, field: str, path: str) -> None:
    visitor = open_console(demo)
    sent = fields(visitor.get(EDIT).body) | {"name": "made", "selector.choice": "all", field: path.format(demo=demo)}
    reply = visitor.post(SAVE, sent)
    assert reply.status == 422, reply.text
    assert 'data-mistakes="file"><p>' in reply.body
    assert (lines(visitor.post(DRAFT, sent))[1]["mistakes"] or {}).keys() == {"file"}  # type: ignore[attr-defined]
    assert sorted(each.name for each in demo.iterdir()) == ["cluster.yaml", "policies.yaml"]
    assert fields(reply.body)["name"] == "made"


def test_text_is_escaped(open_console: Open, demo: Path) -> None:
    markup = '"><script>alert(1)</script>'
    visitor = open_console(demo)
    sent = fields(visitor.get(EDIT).body) | {"name": markup, "selector.labels.0.value": markup, "file": markup}
    for do in ("check", "view yaml"):
        assert "<script>alert" not in visitor.post(EDIT, sent | {"do": do}).body
    assert "<script>" not in visitor.post(DRAFT, sent).body.replace("\\u003c", "<").partition('"html"')[2]


def test_each_part_is_sent_once(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    sent = fields(visitor.get(OWN).body) | {"inbound.0.ports.0.port": "80"}
    found = lines(visitor.post(DRAFT, sent))
    assert [each["part"] for each in found if "part" in each] == ["notes", "pods", "effect", "lint", "matrix"]
    assert found[-1] == {"summary": "Selects 2 pods; lines of connections gained: 1, lost: 1."}


def test_deletion_is_judged(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    sent = fields(visitor.get("/policies/default/access-demo1/delete").body)
    parts = {each["part"]: str(each["html"]) for each in lines(visitor.post(DRAFT, sent)) if "part" in each}
    assert "pods" not in parts
    assert "Gained" in parts["effect"]


def test_a_name_that_is_taken_is_a_mistake(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    copy = fields(visitor.get(f"{EDIT}?copy=default/access-demo1").body)
    assert copy["name"] == "access-demo1-copy"
    reply = visitor.post(SAVE, copy | {"name": "access-demo1"})
    assert reply.status == 422
    assert "there is a NetworkPolicy default/access-demo1 already" in reply.text


def test_a_change_of_another_one_is_told_and_nothing_is_lost(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    sent = fields(visitor.get(OWN).body) | {"inbound.0.ports.0.port": "81"}
    file = demo / "policies.yaml"
    file.write_text(file.read_text().replace("port: 6379", "port: 6380") + "# another one was here\n")
    before = file.read_bytes()
    reply = visitor.post(SAVE, sent)
    assert reply.status == 422
    assert "has changed" in reply.text
    assert "Open it as it is now" in reply.text
    ports = "      ports: [{protocol: TCP, port: %s}]"
    for line in (f"- <del>{ports % 6379}", f"+ <ins>{ports % 6380}", "+ <ins># another one was here"):
        assert line in reply.body
    assert fields(reply.body)["inbound.0.ports.0.port"] == "81"
    assert file.read_bytes() == before


def test_a_deletion_is_of_the_policy_that_was_shown(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    page = "/policies/default/access-demo1/delete"
    asked = fields(visitor.get(page).body)
    file = demo / "policies.yaml"
    file.write_text(file.read_text().replace("6379", "6380"))
    refused = visitor.post(page, asked)
    assert refused.status == 409
    assert "has changed since it was opened" in refused.text
    file.write_text(f"{file.read_text()}---\n# another document\n")
    assert visitor.post(page, fields(refused.body)).status == 303
    assert "access-demo1" not in file.read_text()


class TestTextOfTheUser:
    """What is written in the YAML view is saved as it stands; the form then changes only its own spans."""

    def test_the_view_shows_the_lines_of_the_file(self, open_console: Open, demo: Path) -> None:
        file = demo / "policies.yaml"
        file.write_text(file.read_text().replace("spec:", "spec: # why"))
        visitor = open_console(demo)
        sent = pressed(visitor, fields(visitor.get(OWN).body), "view yaml")
        assert sent["text"] == file.read_text().removeprefix("---\n")

    @pytest.mark.parametrize("by_form", [False, True])
    def test_comments_are_saved(self, open_console: Open, demo: Path, by_form: bool) -> None:
        visitor = open_console(demo)
        file = demo / "policies.yaml"
        file.write_text(f"# license\n{file.read_text()}---\n# of others\nkind: Pod\n")
        before = file.read_text()
        sent = pressed(visitor, fields(visitor.get(OWN).body), "view yaml")
        text = f"# mine\n{sent['text']}".replace("6379}", "81 }").replace("spec:", "spec: # here")
        sent |= {"text": text.replace("\n", "\r\n")}
        if by_form:
            sent = pressed(visitor, sent, "view simple")
            sent |= {"inbound.0.ports.0.port": "82"}
            sent = pressed(visitor, pressed(visitor, sent, "view yaml"), "view simple")
            text = text.replace("81 }", "82 }")
        # Meanwhile another document of the file changes.
        file.write_text(file.read_text().replace("# of others", "# of many others"))
        assert visitor.post(SAVE, sent).status == 303
        document = before.removeprefix("# license\n---\n").partition("---")[0]
        assert file.read_text() == before.replace(document, text).replace("# of others", "# of many others")

    def test_comments_of_a_new_policy_and_of_a_copy(self, open_console: Open, demo: Path) -> None:
        visitor = open_console(demo)
        sent = fields(visitor.get(EDIT).body) | {"name": "made", "selector.choice": "all"}
        sent = pressed(visitor, sent, "view yaml")
        text = f"# why\n{sent['text']}"
        assert visitor.post(SAVE, sent | {"text": text}).status == 303
        assert (demo / "made.yaml").read_text() == text
        copy = fields(visitor.get(f"{EDIT}?copy=default/made").body)
        assert visitor.post(SAVE, copy).status == 303
        assert (demo / "made-copy.yaml").read_text() == text.replace("made", "made-copy")

    def test_text_that_the_form_cannot_change_in_place_is_written_anew_and_said(
        self, open_console: Open, demo: Path
    ) -> None:
        visitor = open_console(demo)
        sent = pressed(visitor, fields(visitor.get(OWN).body), "view yaml")
        labels = "{role: db}"
        text = sent["text"].replace(f"matchLabels: {labels}", f"matchLabels: &own {labels}", 1)
        text = f"# mine\n{text}".replace("{role: frontend}", "*own")
        sent = pressed(visitor, sent, "view simple", text=text) | {"selector.labels.0.value": "cache"}
        refused = visitor.post(SAVE, sent)
        assert refused.status == 422
        assert "as they use an anchor" in refused.text
        anew = visitor.post(EDIT, fields(refused.body) | {"do": "view yaml"})
        assert "the YAML is written anew, without the comments that it had" in anew.text
        assert "# mine" not in fields(anew.body)["text"]
        assert visitor.post(SAVE, fields(anew.body)).status == 303


def test_a_policy_that_another_one_deleted_can_be_kept(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    sent = fields(visitor.get(OWN).body)
    (demo / "policies.yaml").unlink()
    reply = visitor.post(SAVE, sent)
    assert reply.status == 422
    assert "there is no NetworkPolicy default/access-demo1 any more" in reply.text
    kept = pressed(visitor, fields(reply.body), "new")
    assert visitor.post(SAVE, kept).status == 303
    assert yaml.safe_load((demo / "access-demo1.yaml").read_text())["metadata"]["name"] == "access-demo1"


def test_a_rename_stays_in_its_place(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    file = demo / "policies.yaml"
    before = file.read_text()
    sent = fields(visitor.get(OWN).body)
    assert lines(visitor.post(DRAFT, sent))[0]["saveDoes"] == ""
    said = "Save renames default/access-demo1 to default/renamed: there is no default/access-demo1 then."
    assert lines(visitor.post(DRAFT, sent | {"name": "renamed"}))[0]["saveDoes"] == said
    saved = visitor.post(SAVE, sent | {"name": "renamed"})
    assert saved.headers["location"] == "/policies/default/renamed?saved=1"
    assert file.read_text() == before.replace("access-demo1", "renamed")


@pytest.mark.parametrize("field", ["file", "target"])
def test_a_new_policy_goes_to_the_end_of_a_file(open_console: Open, demo: Path, field: str) -> None:
    visitor = open_console(demo)
    file = demo / "policies.yaml"
    before = file.read_text()
    sent = fields(visitor.get(EDIT).body) | {"name": "made", "selector.choice": "all"}
    assert lines(visitor.post(DRAFT, sent))[0]["saveDoes"] == f"Save makes the file {demo}/made.yaml."
    sent |= {field: str(file)}
    said = f"{file} is there already: Save adds the policy at its end."
    assert lines(visitor.post(DRAFT, sent))[0]["saveDoes"] == said
    assert said in visitor.post(EDIT, sent | {"do": "check"}).text
    saved = visitor.post(SAVE, sent)
    assert "Saved at the end of a file that was there already:" in visitor.get(saved.headers["location"]).text
    assert file.read_text().startswith(before)
    assert len([*yaml.safe_load_all(file.read_text())]) == len([*yaml.safe_load_all(before)]) + 1


def test_what_the_simple_form_cannot_show_is_not_lost(open_console: Open, demo: Path) -> None:
    text = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: wide, namespace: default, annotations: {why: "<b>"}}
spec:
  podSelector: {matchExpressions: [{key: role, operator: In, values: ["", db]}]}
  ingress:
    - from: [{namespaceSelector: {}}, {podSelector: {}}]
      ports: [{port: 1}, {port: 2}]
"""
    (demo / "wide.yaml").write_text(text)
    visitor = open_console(demo)
    sent = fields(visitor.get(f"{EDIT}?namespace=default&name=wide").body)
    assert sent["view"] == "advanced"
    sent = pressed(visitor, sent, "view simple")
    assert sent["view"] == "advanced"
    for view in ("yaml", "advanced", "yaml", "simple"):
        sent = pressed(visitor, sent, f"view {view}")
    assert visitor.post(SAVE, sent).status == 303
    assert (demo / "wide.yaml").read_text() == text


def test_a_policy_that_the_form_cannot_show_opens_as_yaml(open_console: Open, demo: Path) -> None:
    file = demo / "policies.yaml"
    before = file.read_text()
    file.write_text(before.replace("- from:", "- null # a mistake\n    - from:"))
    visitor = open_console(demo)
    opened = fields(visitor.get(OWN).body)
    assert opened["shown"] == "yaml"
    assert "- null # a mistake" in opened["text"]
    assert visitor.post(SAVE, opened).status == 422
    assert visitor.post(SAVE, opened | {"text": opened["text"].replace("- null #", "#")}).status == 303
    assert file.read_text() == before.replace("- from:", "# a mistake\n    - from:")


def test_a_text_that_the_form_cannot_show_stays_as_yaml(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    sent = pressed(visitor, fields(visitor.get(OWN).body), "view yaml")
    text = sent["text"].replace("- from:", "- null\n    - from:")
    reply = visitor.post(EDIT, sent | {"text": f"# kept\n{text}", "do": "view simple"})
    assert fields(reply.body)["text"].startswith("# kept")
    assert fields(reply.body)["shown"] == "yaml"


class TestReadOnly:
    """The editor answers, and saves nothing."""

    def test_it_answers(self, open_console: Open, demo: Path) -> None:
        visitor: Visitor = open_console(demo, read_only=True)
        page = visitor.get(OWN)
        assert "--read-only" in page.text
        assert 'class="first" disabled' in page.body
        assert lines(visitor.post(DRAFT, fields(page.body)))[-1] == {
            "summary": "Selects 2 pods; no connection changes."
        }

    def test_it_saves_nothing(self, open_console: Open, demo: Path) -> None:
        visitor = open_console(demo, read_only=True)
        before = (demo / "policies.yaml").read_bytes()
        assert visitor.post(SAVE, fields(visitor.get(OWN).body) | {"inbound.0.ports.0.port": "1"}).status == 403
        assert (demo / "policies.yaml").read_bytes() == before


TWO = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: one, namespace: default}
spec: {podSelector: {matchLabels: {role: db}}, policyTypes: [Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: two, namespace: default}
spec: {podSelector: {matchLabels: {role: db}}, policyTypes: [Egress]}
"""


def test_a_policy_is_found_by_its_name_where_its_file_was_reordered(demo: Path) -> None:
    """A snapshot may have old places: of before a change, or of the last state without mistakes."""
    file = demo / "two.yaml"
    file.write_text(TWO)
    snapshot = Workspace(ManifestFiles([str(demo)], ()), Terms()).current().snapshot
    assert snapshot is not None
    policy, store = snapshot.policies["default", "one"], FileStore([str(demo)])
    shown = store.open(policy)
    one, two = TWO.split("---\n")
    file.write_text(f"{two}---\n{one}")
    assert store.open(policy) == shown
    changed = one.replace("Ingress", "Egress")
    store.replace(policy, WrittenPolicy(yaml.safe_load(changed), changed), shown.version)
    assert file.read_text() == f"{two}---\n{changed}"
    with pytest.raises(ConflictError, match=r"NetworkPolicy default/one .* has changed"):
        store.delete(policy, shown.version)
    store.delete(policy, store.open(policy).version)
    assert file.read_text() == two
