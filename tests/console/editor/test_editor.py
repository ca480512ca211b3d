"""The editor over HTTP: what its fields say, and what is saved."""

from html.parser import HTMLParser
from pathlib import Path

import yaml

from tests.console.conftest import Open
from tests.console.visitor import Visitor

EDIT = "/policies/edit"


class _Fields(HTMLParser):
    """The fields of a form as a browser sends them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._select = ""
        self._first: str | None = None
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.found.append((name, value))
        elif tag == "textarea":
            self._text = []
        elif tag == "select":
            self._select, self._first = name, None
        elif tag == "option" and self._select and (self._first is None or "selected" in given):
            self._first = value

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text is not None:
            self.found.append(("text", "".join(self._text).removeprefix("\n")))
            self._text = None
        if tag == "select":
            self.found.append((self._select, self._first or ""))
            self._select = ""


def fields(page: str) -> dict[str, str]:
    """The fields of the editor; the names of the demo are all different."""
    reader = _Fields()
    reader.feed(page)
    return dict(reader.found)


def pressed(visitor: Visitor, sent: dict[str, str], do: str, **changed: str) -> dict[str, str]:
    """The fields of the page after a button."""
    return fields(visitor.post(EDIT, {**sent, **changed, "do": do}).body)


def test_the_first_policy_is_made_in_an_empty_directory(open_console: Open, demo: Path, tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    visitor = open_console(policies, demo / "cluster.yaml")
    assert visitor.get("/policies").status == 200
    sent = fields(visitor.get(EDIT).body)
    sent |= {"name": "first", "selector.labels.0.key": "role", "selector.labels.0.value": "db"}
    saved = visitor.post("/policies/save", sent)
    assert (saved.status, saved.headers["location"]) == (303, "/policies/default/first?saved=1")
    assert (policies / "first.yaml").exists()
    assert "first" in visitor.get("/policies").body


def test_a_directory_without_anything_has_pages(open_console: Open, tmp_path: Path) -> None:
    visitor = open_console(tmp_path)
    for path in ("/policies", "/pods", "/matrix", EDIT):
        assert visitor.get(path).status == 200, path


def test_a_policy_is_made_by_the_form_and_saved_into_a_new_file(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    sent = fields(visitor.get(EDIT).body)
    sent |= {"name": "made", "selector.labels.0.key": "role", "selector.labels.0.value": "db"}
    sent = pressed(visitor, sent, "add inbound")
    sent |= {"inbound.0.ports.0.port": "6379", "inbound.0.peers.0.kind": "block"}
    sent = pressed(visitor, sent, "")
    sent |= {"inbound.0.peers.0.block": "172.17.0.0/16|172.17.1.0/24"}
    saved = visitor.post("/policies/save", sent)
    assert (saved.status, saved.headers["location"]) == (303, "/policies/default/made?saved=1")
    assert yaml.safe_load((demo / "made.yaml").read_text()) == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "made", "namespace": "default"},
        "spec": {
            "podSelector": {"matchLabels": {"role": "db"}},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"ipBlock": {"cidr": "172.17.0.0/16", "except": ["172.17.1.0/24"]}}],
                    "ports": [{"protocol": "TCP", "port": 6379}],
                }
            ],
        },
    }
    page = visitor.get(saved.headers["location"]).text
    assert f"Saved into {demo}/made.yaml:1." in page


def test_a_mistake_that_no_field_shows_names_its_path(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    text = pressed(visitor, fields(visitor.get(f"{EDIT}?namespace=default&name=access-demo1").body), "view yaml")
    form = pressed(visitor, text, "view simple", text=text["text"].replace("spec:", "spec:\n  order: 7"))
    assert "spec.order: unknown field; remove it" in visitor.post(EDIT, form | {"do": "check"}).text


def test_a_workload_of_another_namespace_is_a_mistake(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    sent = fields(visitor.get(EDIT).body) | {"namespace": "myproject", "workload": "Pod/db-0", "do": "reference"}
    assert "choose a workload of the policy&#39;s namespace" in visitor.post(EDIT, sent).body


def test_a_choice_comes_with_its_first_row(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    form = pressed(visitor, fields(visitor.get(EDIT).body), "add outbound")
    assert form["directions"] == "Egress"
    form = pressed(visitor, form, "", **{"outbound.0.peers.0.pods.choice": "listed"})
    assert form["outbound.0.peers.0.pods.labels.0.key"] == ""
    assert pressed(visitor, form | {"directions": "Ingress"}, "add selector.labels")["directions"] == "Ingress"


def test_a_rule_with_several_ports_opens_in_the_simple_form(open_console: Open, demo: Path) -> None:
    visitor, own = open_console(demo), f"{EDIT}?namespace=default&name=access-demo1"
    sent = pressed(visitor, fields(visitor.get(own).body), "add inbound.0.ports")
    assert visitor.post("/policies/save", sent | {"inbound.0.ports.1.port": "http"}).status == 303
    again = fields(visitor.get(own).body)
    assert (again["view"], again["inbound.0.ports.1.port"]) == ("simple", "http")


def test_a_mistake_of_the_whole_yaml_has_no_line(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    sent = pressed(visitor, fields(visitor.get(f"{EDIT}?namespace=default&name=access-demo1").body), "view yaml")
    for target in ("/policies/save", EDIT):
        reply = visitor.post(target, sent | {"text": "# nothing", "do": "view simple"})
        assert 'data-mistakes="text"><p>there is no object here; write a NetworkPolicy</p>' in reply.body
