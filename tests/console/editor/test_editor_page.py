"""The editor in a real browser: policies made by filling the form, and what the page says beside it."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from ovsnp.cli import ovsnp
from ovsnp.console.draft import DraftDocument, DraftSession, Edit
from ovsnp.console.editor.drafts import Drafts, SupersededError
from ovsnp.console.editor.stores import FileStore
from tests.console.conftest import Open, violations, wait_for
from tests.console.visitor import Visitor
from tests.matrix.browser import complaints
from tests.support.checkout import ROOT

POLICIES = ROOT / "containerlab" / "policies"
PICTURES = ROOT / "docs" / "images"
LARGEST_PICTURE = 100_000


class Editor:
    """The page, as a user sees it."""

    def __init__(self, chrome: Chrome, url: str) -> None:
        self.chrome, self.url = chrome, url

    def open(self, query: str = "") -> None:
        """Open the page, and leave the one before it."""
        self.chrome.execute_script(
            "addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)"
        )
        self.chrome.get(f"{self.url}/policies/edit{query}")
        self.settled()

    def field(self, name: str) -> WebElement:
        wait_for(self.chrome, f'[name="{name}"]:not([type=hidden])')
        found = self.chrome.find_element(By.CSS_SELECTOR, f'[name="{name}"]:not([type=hidden])')
        self.chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
        return found

    def type(self, name: str, text: str) -> None:
        """Type over what a field has; to empty it first would be a change, which draws some fields again."""
        self.field(name).send_keys(Keys.CONTROL, "a", Keys.NULL, text or Keys.DELETE)

    def choose(self, name: str, value: str) -> None:
        """Choose an option; the page may be drawn again."""
        old = self.field(name)
        redraws = old.get_attribute("data-redraw") is not None
        Select(old).select_by_value(value)
        if redraws:
            self.gone(old)

    def press(self, do: str) -> None:
        """Press a button of the form, and wait until the page is drawn again."""
        (*_, button) = self.chrome.find_elements(By.CSS_SELECTOR, f'button[value="{do}"]:not([hidden])')
        self.chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()
        self.gone(button)

    def save(self) -> None:
        """Save, and wait for the page of the policy."""
        self.chrome.find_element(By.CSS_SELECTOR, "button.first").click()
        WebDriverWait(self.chrome, 60).until(lambda driver: "/policies/edit" not in driver.current_url)
        wait_for(self.chrome, "[role=status].banner")

    def gone(self, element: WebElement) -> None:
        """Wait until the page has drawn something else in the place of an element."""
        WebDriverWait(self.chrome, 60).until(staleness_of(element))

    def settled(self) -> str:
        """The sentence of the complete answer."""
        script = "return document.querySelector('#progress').textContent"
        wait_for(self.chrome, "#summary:not(:empty)")
        WebDriverWait(self.chrome, 60).until(lambda driver: driver.execute_script(script) == "")
        return str(self.chrome.execute_script("return document.querySelector('#summary').textContent"))

    def says(self, sentence: str) -> None:
        """Wait for a sentence of the answer."""
        WebDriverWait(self.chrome, 60).until(lambda _: sentence in self.settled())

    def mistakes(self) -> dict[str, str]:
        """The mistakes that are shown, by field."""
        places = self.chrome.find_elements(By.CSS_SELECTOR, "[data-mistakes]:not(:empty)")
        return {str(each.get_attribute("data-mistakes")): each.text for each in places}


class HeldStore(FileStore):
    """A store that holds up the drawing of the page until a test lets it go on."""

    def __init__(self, directory: Path) -> None:
        super().__init__([str(directory)])
        self.goes_on = threading.Event()
        self.goes_on.set()

    def new_file(self, namespace: str, name: str) -> str:
        """Wait."""
        assert self.goes_on.wait(60)
        return super().new_file(namespace, name)


class SupersededOnce(Drafts):
    """Ends the first answer after its first part, as if another page had asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def stages(self, session: DraftSession, edit: Edit) -> Iterator[DraftDocument]:
        """The answers, the first time only one."""
        self.asked += 1
        for document in super().stages(session, edit):
            yield document
            if self.asked == 1:
                raise SupersededError


@pytest.fixture
def store(demo: Path) -> HeldStore:
    return HeldStore(demo)


@pytest.fixture
def drafts() -> SupersededOnce | Drafts:
    return Drafts()


@pytest.fixture
def editor(chrome: Chrome, open_console: Open, demo: Path, store: HeldStore, drafts: Drafts) -> Iterator[Editor]:
    visitor: Visitor = open_console(demo, token=False, store=store, drafts=drafts)
    for log in ("browser", "performance"):
        chrome.get_log(log)
    chrome.get(f"{visitor.address.url}/session?token={visitor.token}")
    wait_for(chrome, "table")
    page = Editor(chrome, visitor.address.url)
    yield page
    store.goes_on.set()
    chrome.execute_script("addEventListener('beforeunload', (event) => event.stopImmediatePropagation(), true)")


def fill_frontend(editor: Editor) -> None:
    editor.press("add inbound")
    editor.type("inbound.0.ports.0.port", "6379")
    editor.choose("inbound.0.peers.0.pods.choice", "listed")
    editor.type("inbound.0.peers.0.pods.labels.0.key", "role")
    editor.type("inbound.0.peers.0.pods.labels.0.value", "frontend")


def fill_outbound(editor: Editor) -> None:
    editor.press("add outbound")
    editor.choose("outbound.0.portChoice", "all")


def demo1(editor: Editor) -> None:
    fill_frontend(editor)


def demo2(editor: Editor) -> None:
    editor.press("view advanced")
    editor.press("add inbound")
    editor.type("inbound.0.ports.0.port", "6379")
    editor.choose("inbound.0.peers.0.namespaces.choice", "listed")
    editor.type("inbound.0.peers.0.namespaces.labels.0.key", "project")
    editor.type("inbound.0.peers.0.namespaces.labels.0.value", "myproject")


def demo3(editor: Editor) -> None:
    fill_outbound(editor)
    editor.choose("outbound.0.peers.0.kind", "block")
    editor.type("outbound.0.peers.0.block", "172.16.0.0/16|172.16.0.40/32")


def demo4(editor: Editor) -> None:
    fill_frontend(editor)
    fill_outbound(editor)
    editor.choose("outbound.0.peers.0.pods.choice", "listed")
    editor.type("outbound.0.peers.0.pods.labels.0.key", "role")
    editor.type("outbound.0.peers.0.pods.labels.0.value", "web")


@pytest.mark.parametrize("fill", [demo1, demo2, demo3, demo4])
def test_demos_are_made_by_filling_the_form(editor: Editor, demo: Path, fill) -> None:  # type: ignore[no-untyped-def]
    (demo / "policies.yaml").unlink()
    name = f"access-{fill.__name__}"
    editor.open()
    editor.type("name", name)
    editor.type("selector.labels.0.key", "role")
    editor.type("selector.labels.0.value", "db")
    fill(editor)
    editor.save()
    (file,) = POLICIES.glob(f"*-{name}.yaml")
    assert yaml.safe_load((demo / f"{name}.yaml").read_text()) == yaml.safe_load(file.read_text())
    assert [each for each in complaints(editor.chrome) if "status of 4" not in each] == []


def test_an_edit_is_judged_while_it_is_typed(editor: Editor, demo: Path) -> None:
    """Mistakes come at their fields, old answers are marked, and the effect is that of diff; a save keeps the rest."""
    editor.open("?namespace=default&name=access-demo1")
    file = demo / "policies.yaml"
    before = file.read_text()
    editor.type("inbound.0.ports.0.port", "70000")
    editor.says("1 field needs a change first.")
    assert "70000" in editor.mistakes()["inbound.0.ports.0.port"]
    assert "earlier state" in editor.chrome.find_element(By.ID, "answers").text
    assert editor.field("inbound.0.ports.0.port").get_attribute("aria-invalid") == "true"
    editor.type("inbound.0.ports.0.port", "80-90")
    editor.says("Selects 2 pods; lines of connections gained: 1, lost: 1.")
    assert editor.mistakes() == {}
    assert not editor.chrome.find_elements(By.CSS_SELECTOR, ".old")
    shown = [each.text for each in editor.chrome.find_elements(By.CSS_SELECTOR, "#answer-effect li")]
    editor.save()
    old = demo.parent / "old"
    old.mkdir()
    (old / "policies.yaml").write_text(before)
    (old / "cluster.yaml").write_bytes((demo / "cluster.yaml").read_bytes())
    said = CliRunner().invoke(ovsnp, ["diff", "--effect", str(old), str(demo), "-o", "json", "--quiet"])
    effect = json.loads(said.stdout)
    lines = [*(("+", each) for each in effect["gained"]), *(("-", each) for each in effect["lost"])]
    assert len(shown) == len(lines) == 2
    for text, (sign, line) in zip(shown, lines, strict=True):
        ends = f"{line['sources']['text']} → {line['destinations']['text']} {line['ports']['text']}"
        assert text.startswith(f"{sign} {ends}")
    assert file.read_text() == before.replace("port: 6379", "port: 80, endPort: 90")


def test_required_fields_are_no_mistakes_before_a_user_reaches_them(editor: Editor) -> None:
    editor.open()
    assert editor.mistakes() == {}
    editor.field("name").send_keys(Keys.TAB)
    WebDriverWait(editor.chrome, 60).until(lambda _: editor.mistakes().keys() == {"name"})
    editor.press("check")
    assert editor.mistakes().keys() == {"name", "selector.labels.0.key"}


def test_form_and_yaml_are_views_of_one_object(editor: Editor) -> None:
    editor.open("?namespace=default&name=access-demo1")
    editor.press("view yaml")
    area = editor.field("text")
    text = str(area.get_attribute("value"))
    changed = "# a comment\n" + text.replace("6379", "81")
    editor.chrome.execute_script("arguments[0].value = arguments[1]", area, changed)
    editor.press("view simple")
    assert editor.field("inbound.0.ports.0.port").get_attribute("value") == "81"
    editor.type("inbound.0.ports.0.port", "82")
    editor.press("view yaml")
    assert editor.field("text").get_attribute("value") == changed.replace("81", "82")


def test_comments_of_the_yaml_view_are_saved(editor: Editor, demo: Path) -> None:
    file = demo / "policies.yaml"
    before = file.read_text()
    editor.open("?namespace=default&name=access-demo1")
    editor.press("view yaml")
    area = editor.field("text")
    area.send_keys(Keys.CONTROL, Keys.HOME)
    area.send_keys(Keys.NULL, "# mine", Keys.ENTER)
    editor.press("view simple")
    editor.type("inbound.0.ports.0.port", "82")
    editor.save()
    assert file.read_text() == before.replace("---\n", "---\n# mine\n").replace("6379", "82")


def test_an_edit_while_the_page_is_drawn_again_stays(editor: Editor, store: HeldStore) -> None:
    editor.open("?namespace=default&name=access-demo1")
    store.goes_on.clear()
    button = editor.chrome.find_element(By.CSS_SELECTOR, 'button[value="add inbound"]')
    editor.chrome.execute_script("arguments[0].click()", button)
    editor.type("inbound.0.ports.0.port", "80-90")
    assert not editor.chrome.find_elements(By.NAME, "inbound.1.portChoice")
    store.goes_on.set()
    editor.gone(button)
    assert editor.field("inbound.1.portChoice")
    assert editor.field("inbound.0.ports.0.port").get_attribute("value") == "80-90"
    editor.press("remove inbound.1")
    editor.says("Selects 2 pods; lines of connections gained: 1, lost: 1.")


@pytest.mark.parametrize("drafts", [SupersededOnce()])
def test_a_superseded_answer_is_asked_for_again(editor: Editor, drafts: SupersededOnce) -> None:
    editor.open("?namespace=default&name=access-demo1")
    editor.says("Selects 2 pods; no connection changes.")
    assert drafts.asked == 2
    assert not editor.chrome.find_elements(By.CSS_SELECTOR, ".old")


def test_a_policy_that_the_form_cannot_show_opens_as_yaml(editor: Editor, demo: Path) -> None:
    file = demo / "policies.yaml"
    before = file.read_text()
    file.write_text(before.replace("- from:", "- null # a mistake\n    - from:"))
    editor.open("?namespace=default&name=access-demo1")
    editor.says("1 field needs a change first.")
    assert "null is no rule" in editor.mistakes()["text"]
    editor.chrome.execute_script(
        "arguments[0].value = arguments[0].value.replace('- null #', '#')", editor.field("text")
    )
    editor.press("view simple")
    assert editor.field("inbound.0.ports.0.port").get_attribute("value") == "6379"
    editor.save()
    assert file.read_text() == before.replace("- from:", "# a mistake\n    - from:")


def test_focus_follows_the_rows(editor: Editor) -> None:
    editor.open("?namespace=default&name=access-demo1")
    editor.press("add inbound")
    active = "return document.activeElement.name + ' ' + document.activeElement.value"
    focus = lambda: str(editor.chrome.execute_script(active))  # noqa: E731
    assert focus().startswith("inbound.1.portChoice")
    editor.press("remove inbound.1")
    assert focus() == "do add inbound"
    editor.field("name").send_keys(Keys.ENTER)
    editor.says("no connection changes")
    assert len(editor.chrome.find_elements(By.CSS_SELECTOR, "fieldset.rule")) == 1


def test_labels_of_a_workload_are_taken_over(editor: Editor) -> None:
    editor.open()
    offered = [each.get_attribute("value") for each in Select(editor.field("workload")).options]
    choice = next(each for each in offered if each)
    Select(editor.field("workload")).select_by_value(choice)
    editor.press("reference")
    assert editor.field("selector.labels.0.key").get_attribute("value")
    old = editor.field("workload")
    editor.type("namespace", f"myproject{Keys.TAB}")
    editor.gone(old)
    assert [each.get_attribute("value") for each in Select(editor.field("workload")).options] == ["", "Pod/frontend-0"]
    assert editor.chrome.switch_to.active_element.get_attribute("name") == "selector.choice"


def test_line_number_of_a_mistake_leads_to_its_line(editor: Editor) -> None:
    editor.open("?namespace=default&name=access-demo1")
    editor.press("view yaml")
    editor.chrome.execute_script("arguments[0].value = 'kind: x\\nmetadata:\\n  nama: y'", editor.field("text"))
    editor.field("text").send_keys(Keys.END)
    editor.field("text").send_keys(" ")
    wait_for(editor.chrome, "button.link")
    editor.chrome.find_element(By.CSS_SELECTOR, "button.link").click()
    selected = "const area = document.activeElement; return area.value.slice(area.selectionStart, area.selectionEnd)"
    assert str(editor.chrome.execute_script(selected)).strip() == "kind: x"


def test_new_session_goes_on_with_the_form(editor: Editor) -> None:
    """A console that was started again has other secrets; a form that was open before keeps what a user has typed."""
    editor.open("?namespace=default&name=access-demo1")
    editor.chrome.execute_script("document.querySelector('[name=csrf]').value = 'of the session before'")
    editor.type("inbound.0.ports.0.port", "80-90")
    editor.says("lines of connections gained: 1, lost: 1")
    editor.chrome.delete_all_cookies()
    editor.type("inbound.0.ports.0.port", "81")
    editor.says("This page keeps what you have typed.")
    assert editor.field("inbound.0.ports.0.port").get_attribute("value") == "81"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_mistakes_and_answers_are_accessible(editor: Editor, axe: str, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    editor.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        editor.open("?namespace=default&name=access-demo1")
        for port, sentence in (("80-90", "gained: 1"), ("70000", "needs a change")):
            editor.type("inbound.0.ports.0.port", port)
            editor.says(sentence)
            moves = "return document.getAnimations().length"
            WebDriverWait(editor.chrome, 60).until(lambda driver: not driver.execute_script(moves))  # noqa: B023
            assert violations(editor.chrome, axe) == []
        editor.press("view advanced")
        editor.press("add inbound.0.peers.0.pods.expressions")
        assert violations(editor.chrome, axe) == []
        editor.press("view yaml")
        editor.settled()
        assert violations(editor.chrome, axe) == []
    finally:
        editor.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"),
    [("light", 1100, 560, "light"), ("dark", 1100, 560, "dark"), ("phone", 390, 844, "light")],
)
def test_pictures_of_the_page(
    editor: Editor, request: pytest.FixtureRequest, name: str, width: int, height: int, scheme: str
) -> None:
    """docs/console.md shows an edit; --update-golden makes the pictures again."""
    chrome, picture = editor.chrome, PICTURES / f"console-{name}.png"
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": name == "phone"}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    try:
        editor.open("?namespace=default&name=access-demo1")
        editor.type("inbound.0.ports.0.port", "80-90")
        editor.says("gained: 1")
        assert chrome.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        chrome.execute_script(
            "document.activeElement.blur(); scrollTo(0, arguments[0])", 0 if name != "phone" else 9999
        )
        if request.config.getoption("--update-golden"):
            picture.parent.mkdir(exist_ok=True)
            picture.write_bytes(chrome.get_screenshot_as_png())
    finally:
        chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert picture.stat().st_size < LARGEST_PICTURE
