"""The page's cells and filters, in a real browser."""

from random import Random

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By as Find

from ovsnp.analysis.matrix.view import View
from ovsnp.analysis.matrix.words import Wording
from ovsnp.analysis.reach.cells import Cell, Reach
from ovsnp.analysis.reach.parties import By, Party
from ovsnp.manifests import load_objects
from tests.matrix.browser import complaints, requests
from tests.matrix.conftest import Golden, Show
from tests.matrix.page import labels, marks, pod, type_into
from tests.support.clusters import random_cluster

_DRAWN = "requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(arguments[0])))"
"""The browser reports a scroll in one frame, and the page draws in the next."""


def expected(reach: Reach, port: str = "") -> set[str]:
    """The labels that the cells should have: the matrix in words. Other tests compare the matrix with the oracle."""
    view = View(reach, port=port)
    wording = Wording(reach, view.asked)

    def says(cell: Cell | None, destination: Party) -> str:
        return "no pod takes part" if cell is None else wording.of(cell, destination)

    return {
        f"{source.name} to {destination.name}: {says(reach.cell(source, destination), destination)}"
        for source in reach.parties
        for destination in reach.parties
    }


def test_loads_from_the_file_alone_and_says_nothing_to_the_console(show: Show, golden: Golden) -> None:
    driver = show(View(golden("ingress-pod-selector")))
    asked = requests(driver)
    assert [each.partition(":")[0] for each in asked] == ["file"]
    assert complaints(driver) == []
    assert driver.title == "Who reaches whom"


@pytest.mark.parametrize(
    "case", ["ingress-pod-selector", "dual-stack", "named-ports-egress", "port-ranges", "protocols"]
)
def test_every_cell_says_what_the_matrix_says(show: Show, golden: Golden, case: str) -> None:
    reach = golden(case)
    assert labels(show(View(reach))) == expected(reach)


@pytest.mark.parametrize("seed", range(12))
def test_every_cell_of_random_clusters_says_what_the_matrix_says(show: Show, seed: int) -> None:
    reach = Reach(load_objects(random_cluster(Random(seed))), [*By][seed % 2], strict_nodes=seed % 3 == 0)
    driver = show(View(reach))
    assert labels(driver) == expected(reach)
    for port in ("80", "53/udp", "icmp"):
        type_into(driver, "port", port)
        assert labels(driver) == expected(reach, port)


def test_filters_narrow_rows_columns_and_ports(show: Show, golden: Golden) -> None:
    driver = show(View(golden("ingress-pod-selector")))
    type_into(driver, "from", "front")
    type_into(driver, "to", "DEFAULT/DB")
    assert labels(driver) == {"default/frontend to default/db: 6379/tcp", "myproject/frontend-0 to default/db: none"}
    assert driver.find_element(Find.ID, "status").text == "2 of 7 sources, 1 of 7 destinations"
    type_into(driver, "port", "80")
    assert labels(driver) == {"default/frontend to default/db: none", "myproject/frontend-0 to default/db: none"}
    assert marks(driver) == ["none", "none"]
    type_into(driver, "port", "redis")
    assert "default/frontend to default/db: 6379/tcp" in labels(driver)
    assert marks(driver) == ["all", "none"]
    type_into(driver, "from", "web-0, client")
    assert {label.split(" ")[0] for label in labels(driver)} == {"default/web-0", "other/client-0"}


def test_who_does_not_connect_can_be_left_out(show: Show, golden: Golden) -> None:
    driver = show(View(golden("ingress-pod-selector")))
    driver.find_element(Find.ID, "connected").click()
    assert driver.find_element(Find.ID, "status").text == "7 of 7 sources, 7 of 7 destinations"
    type_into(driver, "to", "db, web")
    type_into(driver, "port", "6379")
    type_into(driver, "from", "default, outside")
    assert labels(driver) == {
        "default/db to default/db: none",
        "default/db to default/web-0: 6379/tcp",
        "default/frontend to default/db: 6379/tcp",
        "default/frontend to default/web-0: 6379/tcp",
        "outside/0.0.0.0/0 to default/db: none",
        "outside/0.0.0.0/0 to default/web-0: 6379/tcp",
    }
    type_into(driver, "port", "80")
    assert {label.split(" to ")[1] for label in labels(driver)} == {"default/web-0: 80/tcp"}


@pytest.mark.parametrize("typed", ["70000", "80/tpc", "nobody"])
def test_port_that_is_none_is_said_and_admits_nothing(show: Show, golden: Golden, typed: str) -> None:
    driver = show(View(golden("ingress-pod-selector")))
    type_into(driver, "port", typed)
    assert typed in driver.find_element(Find.ID, "status").text
    assert driver.find_element(Find.ID, "port").get_attribute("aria-invalid") == "true"
    assert set(marks(driver)) <= {"none", "void"}


def test_a_pod_is_found_by_its_own_name(show: Show, golden: Golden) -> None:
    driver = show(View(golden("ingress-pod-selector")))
    type_into(driver, "from", "default/db-1")
    assert {label.split(" ")[0] for label in labels(driver)} == {"default/db"}


def test_options_of_the_command_are_what_the_page_shows(show: Show, golden: Golden) -> None:
    driver = show(View(golden("ingress-pod-selector"), ["myproject/"], ["default/db-0", "node/node-1"], "6379"))
    assert labels(driver) == {"myproject/frontend-0 to default/db: none", "myproject/frontend-0 to nodes: 6379/tcp"}
    assert driver.find_element(Find.ID, "port").get_attribute("value") == "6379"


@pytest.mark.usefixtures("small_window")
def test_large_matrix_is_drawn_where_it_is_looked_at(show: Show) -> None:
    pods = [pod(f"pod-{number}", f"10.0.{number // 250}.{number % 250 + 1}") for number in range(1500)]
    driver = show(View(Reach(load_objects(pods), By.POD)))
    grid = driver.find_element(Find.ID, "grid")
    assert len(labels(driver)) < 4_000
    driver.find_element(Find.ID, "connected").click()
    assert "too many" in driver.find_element(Find.ID, "status").text
    last = "default/pod-999 to default/pod-999: all"
    assert last not in labels(driver)
    grid.send_keys(Keys.CONTROL, Keys.END)
    driver.execute_async_script(_DRAWN)
    assert last in labels(driver)
    driver.execute_script("document.getElementById('grid').scrollTo(0, 0)")
    driver.execute_async_script(_DRAWN)
    assert last not in labels(driver)
    assert "default/pod-0 to default/pod-0: all" in labels(driver)


@pytest.mark.parametrize("length", [10, 63])
def test_heads_of_columns_have_at_most_three_lines(show: Show, length: int) -> None:
    names = [f"{letter}-{'long' * 16}"[:length] for letter in "abc"]
    reach = Reach(load_objects(pod(name, f"10.0.0.{number}") for number, name in enumerate(names, 1)), By.POD)
    heads = show(View(reach)).find_elements(Find.CSS_SELECTOR, ".column")
    assert len(heads) == len(names) + 1
    for head in heads:
        words = head.find_element(Find.TAG_NAME, "span")
        assert words.size["height"] <= 3 * 15
        assert head.get_attribute("title") in [*names, *(f"default/{name}" for name in names), "outside/0.0.0.0/0"]
        assert head.rect["y"] <= words.rect["y"]
        assert words.rect["y"] + words.rect["height"] <= head.rect["y"] + head.rect["height"]
