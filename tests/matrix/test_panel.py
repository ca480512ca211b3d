"""The panel of the page, by mouse and keyboard, in a real browser."""

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By as Find

from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.reach.cells import Reach
from ovsnp.analysis.reach.parties import By
from ovsnp.manifests import load_objects
from ovsnp.oracle import judge, who
from tests.matrix.conftest import Golden, Show
from tests.matrix.page import cell_of, labels, panel, pod


def test_click_shows_the_rules_that_the_oracle_names(show: Show, golden: Golden) -> None:
    reach = golden("both-directions")
    cluster = reach.classes.clusters[0].cluster
    driver = show(View(reach))
    for source in reach.parties:
        for destination in reach.parties:
            cell = reach.cell(source, destination)
            if cell is None or source is destination:
                continue
            cell_of(driver, source.name, destination.name).click()
            ends = [reach.classes.ends[each.classes[4]].representative for each in (source, destination)]
            pair = [who(cluster, each) for each in ends]
            verdicts = [judge(cluster, *pair, each.representative) for each in reach.classes.traffic]
            sides = [side for verdict in verdicts for side in (verdict.egress, verdict.ingress)]
            text = panel(driver)
            assert text.splitlines()[1] == f"{source.name} to {destination.name}"
            assert _admitted(text) == {str(each) for side in sides for each in side.admitted_by}
            assert _isolated(text) == {each.key for side in sides for each in side.isolated_by}


def _admitted(text: str) -> set[str]:
    return {line.split(" admitted by ")[1].rsplit(" ", 1)[0] for line in text.splitlines() if " admitted by " in line}


def _isolated(text: str) -> set[str]:
    return {line.split(" ")[2] for line in text.splitlines() if line.startswith("isolated by ")}


def test_panel_tells_lines_and_why_a_connection_is_denied(show: Show, golden: Golden) -> None:
    driver = show(View(golden("ingress-pod-selector")))
    cell_of(driver, "default/web-0", "default/db").click()
    assert panel(driver).splitlines()[1:] == [
        "default/web-0 to default/db",
        "none",
        "Egress of default/web-0",
        "no policy isolates it for egress: all",
        "Ingress of default/db",
        "isolated by default/access-demo1 policies.yaml:2",
        "no rule of these admits it",
        "default/db: 2 pods",
    ]
    cell_of(driver, "default/frontend", "default/db").click()
    assert panel(driver).splitlines()[5:9] == [
        "Ingress of default/db",
        "isolated by default/access-demo1 policies.yaml:2",
        "6379/tcp admitted by default/access-demo1 ingress[0] policies.yaml:9",
        "pods role=frontend in namespace default; 6379/tcp",
    ]
    cell_of(driver, "nodes", "default/db").click()
    assert "pods and nodes always reach each other, whatever policies say" in panel(driver)
    cell_of(driver, "default/db", "default/db").click()
    assert "a pod always reaches itself, whatever policies say" in panel(driver)


def test_families_are_told_apart_where_they_differ(show: Show) -> None:
    pods = [pod("a", "10.0.0.1", "fd00::1"), pod("b", "10.0.0.2", "fd00::2")]
    rule = {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"port": 80}]}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "from-ten"}}
    objects = [*pods, policy | {"spec": {"podSelector": {}, "ingress": [rule]}}]
    driver = show(View(Reach(load_objects(objects), By.POD)))
    assert "default/a to default/b: IPv4: 80/tcp; IPv6: none" in labels(driver)
    cell_of(driver, "default/a", "default/b").click()
    assert {"IPv4", "IPv6"} <= set(panel(driver).splitlines())


def test_keyboard_moves_opens_and_closes(show: Show, golden: Golden) -> None:
    driver = show(View(golden("ingress-pod-selector")))
    for _ in range(5):
        ActionChains(driver).send_keys(Keys.TAB).perform()
    grid = driver.switch_to.active_element
    assert grid.get_attribute("id") == "grid"
    grid.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    assert panel(driver).splitlines()[1] == "default/frontend to default/db"
    grid.send_keys(Keys.ESCAPE)
    assert panel(driver) == ""
    assert driver.switch_to.active_element == grid
    grid.send_keys(Keys.END)
    active = driver.find_element(Find.ID, str(grid.get_attribute("aria-activedescendant")))
    assert str(active.get_attribute("aria-label")).startswith("default/frontend to outside/0.0.0.0/0")


_CONTRAST = """
const bright = text => {
  const [red, green, blue] = text.match(/[\\d.]+/g).map(Number)
    .map(each => each / 255).map(each => each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const ground = each => {
  const colour = getComputedStyle(each).backgroundColor;
  return colour === "rgba(0, 0, 0, 0)" ? ground(each.parentElement) : colour;
};
return Array.from(document.querySelectorAll("#status, #legend li, .label, .column, .words, #panel *, #keys"), each => {
  const [one, other] = [bright(getComputedStyle(each).color), bright(ground(each))].sort((a, b) => a - b);
  return [each.className + each.id + each.tagName, (other + 0.05) / (one + 0.05)];
});
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_in_light_and_dark(show: Show, golden: Golden, scheme: str) -> None:
    """The contrast is at least the one that WCAG 2.1, 1.4.3 requires."""
    driver = show(View(golden("ingress-pod-selector")))
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    body = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (body == "rgb(255, 255, 255)") is (scheme == "light")
    for source in ("default/web-0", "default/frontend", "nodes"):
        cell_of(driver, source, "default/db").click()
        found = driver.execute_script(_CONTRAST)
        assert len(found) > 50
        assert [each for each in found if each[1] < 4.5] == []
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
