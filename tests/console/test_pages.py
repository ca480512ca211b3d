"""The pages, as a browser gets them: the answers are those of the commands."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from ovsnp import load
from ovsnp.analysis.explain.answers import explain
from ovsnp.analysis.explain.explanation_text import lines
from ovsnp.analysis.explain.one_pod.one_pod import one_pod
from ovsnp.analysis.explain.one_pod.one_pod_text import one_pod_lines
from ovsnp.analysis.wording.places import Places
from ovsnp.errors import UsageError
from ovsnp.model.policy import NetworkPolicy
from tests.console.conftest import GOLDEN, Deleting, Open
from tests.console.editor.test_editor import fields
from tests.console.visitor import Reply

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{namespace: {namespace}, name: {name}}}
spec: {{podSelector: {{matchLabels: {{role: {role}}}}}, policyTypes: [{types}]}}
"""


def policies_of(reply: Reply) -> list[str]:
    """The names in the rows of the table."""
    return re.findall(r'<th scope="row"><a href="/policies/[^"]*">([^<]*)</a>', reply.body)


class TestPolicies:
    """The table."""

    @pytest.fixture
    def several(self, demo: Path) -> Path:
        texts = [
            POLICY.format(namespace="default", name="b-web", role="web", types="Ingress, Egress"),
            POLICY.format(namespace="other", name="a-client", role="client", types="Egress"),
        ]
        (demo / "more.yaml").write_text("---\n".join(texts))
        return demo

    def test_row_says_what_a_policy_selects(self, open_console: Open, demo: Path) -> None:
        row = open_console(demo).get("/policies").body.partition("<tbody>")[2]
        cells = [re.sub(r"<[^>]+>", "", each) for each in re.findall(r"<td[^>]*>(.*?)</td>", row)]
        assert cells[:5] == ["default", "pods role=db", "Ingress", "1", "2"]
        assert cells[5] == f"{demo}/policies.yaml:2"

    def test_table_is_sorted(self, open_console: Open, several: Path) -> None:
        visitor = open_console(several)
        assert policies_of(visitor.get("/policies")) == ["access-demo1", "b-web", "a-client"]
        assert policies_of(visitor.get("/policies?sort=name")) == ["a-client", "access-demo1", "b-web"]
        assert policies_of(visitor.get("/policies?sort=pods&order=descending"))[0] == "access-demo1"
        assert 'aria-sort="descending"' in visitor.get("/policies?sort=pods&order=descending").body
        assert policies_of(visitor.get("/policies?sort=nothing")) == ["access-demo1", "b-web", "a-client"]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("filter=WEB", ["b-web"]),
            ("filter=role%3Ddb", ["access-demo1"]),
            ("filter=egress+default", ["b-web"]),
            ("namespace=other", ["a-client"]),
            ("filter=nothing", []),
            ("page=99", ["access-demo1", "b-web", "a-client"]),
            ("page=-1", ["access-demo1", "b-web", "a-client"]),
            ("page=%C2%B2", ["access-demo1", "b-web", "a-client"]),
        ],
    )
    def test_table_is_filtered(self, open_console: Open, several: Path, query: str, names: list[str]) -> None:
        assert policies_of(open_console(several).get(f"/policies?{query}")) == names

    def test_long_table_has_pages(self, open_console: Open, demo: Path) -> None:
        texts = (POLICY.format(namespace="other", name=f"p-{n:03}", role="x", types="Egress") for n in range(250))
        (demo / "more.yaml").write_text("---\n".join(texts))
        visitor = open_console(demo)
        first, second = visitor.get("/policies"), visitor.get("/policies?page=2")
        assert "1 to 200 of 251" in first.text
        assert "201 to 251 of 251" in second.text
        assert len({*policies_of(first), *policies_of(second)}) == 251

    def test_no_agents_no_column(self, open_console: Open, demo: Path) -> None:
        assert "Enforced" not in open_console(demo).get("/policies").text


class TestPolicy:
    """The page of one policy."""

    def test_text_is_that_of_the_file(self, open_console: Open, demo: Path) -> None:
        body = open_console(demo).get("/policies/default/access-demo1").body
        written = (demo / "policies.yaml").read_text().splitlines()
        for number, text in re.findall(r'<li id="L(\d+)"[^>]*><code>([^<]*)</code>', body):
            assert written[int(number) - 1] == text
        assert "metadata: {namespace: default, name: access-demo1}" in body
        assert re.findall(r'href="/pods/default/(db-\d)"', body) == ["db-0", "db-1"]

    def test_unknown_policy(self, open_console: Open, demo: Path) -> None:
        reply = open_console(demo).get("/policies/default/nothing")
        assert reply.status == 404
        assert "There is no NetworkPolicy default/nothing." in reply.text

    def test_deletion_is_asked_about(self, open_console: Open, demo: Path) -> None:
        visitor = open_console(demo)
        reply = visitor.get("/policies/default/access-demo1/delete")
        assert "The policy selects 2 pods." in reply.text
        assert visitor.get("/policies").text.count("Delete") == 1

    def test_refusal_of_a_deletion_is_shown(self, open_console: Open, demo: Path) -> None:
        def refuse(policy: NetworkPolicy) -> None:
            raise UsageError(f"{policy.key} has been changed <meanwhile>")

        visitor = open_console(demo, store=Deleting(demo, refuse))
        page = "/policies/default/access-demo1/delete"
        reply = visitor.post(page, {"csrf": visitor.csrf(page)})
        assert reply.status == 409
        assert "default/access-demo1 has been changed <meanwhile>" in reply.text


def plain(reply: Reply) -> list[str]:
    """The lines of an answer, without their indent."""
    said = reply.body.partition('<div class="said">')[2].partition("</div>")[0]
    return [Reply(0, {}, line).text for line in re.findall(r"<p class=\"in\d+\">(.*?)</p>", said)]


class TestAnswers:
    """Explain, and a pod's page, say what the commands say."""

    @pytest.mark.parametrize("case", ["ingress-pod-selector", "both-directions", "egress-ip-block", "dual-stack"])
    def test_explain(self, open_console: Open, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(GOLDEN / case)
        own = Path("cluster.yaml")
        paths = [str(own if own.exists() else Path("..", "cluster.yaml")), "policies.yaml"]
        cluster, visitor = load(paths), open_console(*paths)
        for source in cluster.pods[:3]:
            for destination in cluster.pods[:3]:
                asked = source.key, destination.key, "6379"
                found = explain(cluster, *asked)
                expected = [line.plain.strip() for line in lines(found.question, found.explanations, Places())]
                reply = visitor.get("/explain?from={}&to={}&port={}".format(*asked))
                assert plain(reply) == expected
                assert not found.explanations[0].ways[0].verdict.ingress.isolated_by or "#L" in reply.body

    def test_links_lead_to_the_lines(self, open_console: Open, demo: Path) -> None:
        visitor = open_console(demo)
        body = visitor.get("/explain?from=frontend&to=db&port=6379").body
        for url, line, place in re.findall(r'<a href="(/policies/[^#"]*)#L(\d+)">([^<]*)</a>', body):
            assert place == f"{demo}/policies.yaml:{line}"
            assert f'id="L{line}"' in visitor.get(url).body

    def test_question_without_a_port(self, open_console: Open, demo: Path) -> None:
        assert plain(open_console(demo).get("/explain?from=web-0&to=db-0"))[0] == (
            "DENIED   default/web-0 to default/db-0, all ports"
        )

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("from=nobody&to=db-0", "nobody"),
            ("from=web-0", "name both ends"),
            ("from=web-0&to=db-0&port=70000", "70000"),
            ("from=%00&to=db-0", ""),
        ],
    )
    def test_mistake_of_a_question(self, open_console: Open, demo: Path, query: str, sentence: str) -> None:
        reply = open_console(demo).get(f"/explain?{query}")
        assert reply.status == 400
        assert sentence in reply.text.partition("the answer is which ports are allowed.")[2]

    def test_pod(self, open_console: Open, demo: Path) -> None:
        cluster = load([str(demo)])
        visitor = open_console(demo)
        for pod in cluster.pods:
            title, *expected = (line.plain.strip() for line in one_pod_lines(one_pod(cluster, pod), Places()))
            reply = visitor.get(f"/pods/{pod.key}")
            assert plain(reply) == expected
            assert f"<h1>{title}</h1>" in reply.body

    def test_unknown_pod(self, open_console: Open, demo: Path) -> None:
        assert open_console(demo).get("/pods/default/nothing").status == 404

    def test_pods_are_filtered_and_sorted(self, open_console: Open, demo: Path) -> None:
        visitor, both = open_console(demo), ["default/frontend-1", "myproject/frontend-0"]
        for query, names in (
            ("", both),
            ("&sort=name", both[::-1]),
            ("&sort=labels", both),
            ("&order=descending", both[::-1]),
            ("&namespace=myproject", both[1:]),
        ):
            body = visitor.get(f"/pods?filter=role%3Dfrontend+node-2{query}").body
            assert re.findall(r'<th scope="row"><a href="/pods/([^"]*)"', body) == names, query
        nodes = re.findall(r'"Node" class="short">([^<]*)<', visitor.get("/pods?sort=node").body)
        assert nodes == sorted(nodes)


class TestMistakes:
    """Manifests that change, and manifests with mistakes."""

    def test_change_is_seen(self, open_console: Open, demo: Path) -> None:
        visitor = open_console(demo)
        (demo / "more.yaml").write_text(POLICY.format(namespace="other", name="new", role="x", types="Egress"))
        assert "new" in policies_of(visitor.get("/policies"))
        (demo / "more.yaml").unlink()
        assert policies_of(visitor.get("/policies")) == ["access-demo1"]

    def test_last_good_state_stays(self, open_console: Open, demo: Path) -> None:
        visitor = open_console(demo)
        assert policies_of(visitor.get("/policies")) == ["access-demo1"]
        wrong = POLICY.format(namespace="other", name="new", role="x", types="Egress")
        (demo / "more.yaml").write_text(wrong.replace("name: new", "name: -"))
        reply = visitor.get("/policies")
        assert reply.status == 200
        assert policies_of(reply) == ["access-demo1"]
        assert "the pages show the last state without mistakes" in reply.text
        assert f"{demo}/more.yaml:3: NetworkPolicy other/-: metadata.name" in visitor.get("/input").text
        (demo / "more.yaml").unlink()
        assert "the last state" not in visitor.get("/policies").text

    def test_policy_that_is_not_understood_is_closed(self, open_console: Open, demo: Path) -> None:
        """It is in the table with the sentence, it isolates its pods, and the rest stays usable."""
        wrong = POLICY.format(namespace="default", name="new", role="frontend", types="Egress, Sideways")
        wrong = wrong.replace("spec: {", "spec: {egress: [{}], ")
        (demo / "more.yaml").write_text(wrong)
        visitor = open_console(demo)
        reply = visitor.get("/policies")
        assert policies_of(reply) == ["access-demo1", "new"]
        assert "1 policy is not understood" in reply.text
        assert "Sideways" in reply.text
        assert policies_of(visitor.get("/policies?filter=not+understood")) == ["new"]
        assert f"{demo}/more.yaml:4: NetworkPolicy default/new: spec.policyTypes" in visitor.get("/input").text
        assert "spec.policyTypes[1]" in visitor.get("/policies/default/new").text
        allowed = "/explain?from=frontend-0&to=db-0&port=6379"
        reply = visitor.get(allowed)
        assert "denied" in reply.text
        for answer in (reply, visitor.get("/pods/default/frontend-0"), visitor.get("/explain?from=frontend-0&to=db-0")):
            assert "note: default/new is not understood, so it allows nothing, whatever its rules say" in answer.text
        (demo / "more.yaml").write_text(wrong.replace(", Sideways", "").replace("Egress", "Ingress"))
        assert "not understood" not in visitor.get("/policies").text
        assert "denied" not in visitor.get(allowed).text

    @pytest.mark.parametrize("text", [b"kind: [", b"\xff\xfe\x00", b"{}", b"a: b\n"])
    def test_nothing_good_yet(self, open_console: Open, tmp_path: Path, text: bytes) -> None:
        file = tmp_path / "policy.yaml"
        file.write_bytes(text)
        visitor = open_console(file)
        for page in ("/policies", "/explain", "/matrix", "/pods", "/live"):
            reply = visitor.get(page)
            assert reply.status == 200
            assert str(file) in reply.text
            assert "Mend the files in an editor." in reply.text
        file.write_text(POLICY.format(namespace="other", name="new", role="x", types="Egress"))
        assert policies_of(visitor.get("/policies")) == ["new"]

    def test_lines_around_a_mistake(self, open_console: Open, tmp_path: Path) -> None:
        file = tmp_path / "policy.yaml"
        text = "".join(f"# <{number}>\n" for number in range(1, 9)) + "kind: [}\n" + "# end\n" * 9
        file.write_text(text)
        body = open_console(file).get("/input").body
        (line,) = re.findall(r"<mark>(.*?)</mark>", body)
        number = int(re.findall(r"policy\.yaml:(\d+):", body)[0])
        assert line == text.splitlines()[number - 1]
        assert [int(each) for each in re.findall(r'<li value="(\d+)"', body)] == [*range(number - 3, number + 4)]
        file.unlink()
        assert "<mark>" not in open_console(file).get("/input").body

    def test_nothing_is_written_while_a_file_has_mistakes(self, open_console: Open, demo: Path) -> None:
        """The effect that the page shows is that on the last state without mistakes."""
        visitor, delete = open_console(demo), "/policies/default/access-demo1/delete"
        edit = "/policies/edit?namespace=default&name=access-demo1"
        sent = fields(visitor.get(edit).body) | {"inbound.0.ports.0.port": "81"}
        deletes = fields(visitor.get(delete).body)
        before = (demo / "policies.yaml").read_bytes()
        (demo / "more.yaml").write_text(f"{POLICY}more: [")
        for target, known in (("/policies/save", sent), (delete, deletes)):
            reply = visitor.post(target, known)
            assert reply.status in (409, 422)
            assert "Nothing can be saved now: the objects have mistakes" in reply.text
        assert "the objects have mistakes" in visitor.post("/policies/draft", sent).body
        assert (demo / "policies.yaml").read_bytes() == before
        (demo / "more.yaml").unlink()
        assert visitor.post("/policies/save", sent).status == 303

    def test_file_that_is_gone(self, open_console: Open, demo: Path) -> None:
        visitor = open_console(demo / "cluster.yaml", demo / "policies.yaml")
        assert policies_of(visitor.get("/policies")) == ["access-demo1"]
        (demo / "policies.yaml").unlink()
        assert policies_of(visitor.get("/policies")) == ["access-demo1"]
        assert "cannot be read" in visitor.get("/input").text
        assert "podSelector" in visitor.get("/policies/default/access-demo1").text

    def test_notes(self, open_console: Open, demo: Path) -> None:
        (demo / "kustomization.yaml").write_text("resources: [policies.yaml]\n")
        assert "kustomization.yaml" in open_console(demo).get("/input").text


EVIL = "</code><script>document.title='owned'</script><img src=x onerror=alert(1)>\"'"


class TestEscaping:
    """No text becomes markup."""

    def test_text_of_a_policy(self, open_console: Open, demo: Path) -> None:
        policy = POLICY.format(namespace="other", name="new", role="x", types="Egress")
        (demo / "more.yaml").write_text(policy.replace("name: new", f'name: new, annotations: {{a: "{EVIL[:-2]}"}}'))
        reply = open_console(demo).get("/policies/other/new")
        assert EVIL[:-2] in reply.text
        assert "<img" not in reply.body

    def test_name_of_a_file(self, open_console: Open, demo: Path) -> None:
        file = demo / f"{EVIL.replace('/', '')}.yaml"
        file.write_text(POLICY.format(namespace="other", name="new", role="x", types="Egress"))
        visitor = open_console(demo)
        explained = "/explain?from=node/node-1&to=other/client-0"
        for page in ("/policies", "/policies/other/new", "/policies/other/new/delete", explained):
            body = visitor.get(page).body
            assert "<img" not in body
            assert "<script>" not in body
        file.write_text("kind: [")
        for page in ("/policies", "/input"):
            assert "<img" not in visitor.get(page).body

    @pytest.mark.parametrize(
        "page",
        [
            "/policies?filter={}",
            "/policies?sort={}",
            "/policies?deleted={}",
            "/explain?from={0}&to={0}&port={0}",
            "/pods?filter={}",
            "/live?pod={}",
            "/matrix?by={}",
            "/session?token={}",
            "/policies/{0}/{0}",
            "/pods/{0}/{0}",
            "/{}",
        ],
    )
    def test_what_a_user_types(self, open_console: Open, demo: Path, page: str) -> None:
        body = open_console(demo).get(page.format(quote(EVIL, safe=""))).body
        assert "<img" not in body
        assert "<script>" not in body
        assert 'value="</code>' not in body


def test_matrix_has_the_data_of_the_command(open_console: Open, demo: Path) -> None:
    visitor = open_console(demo)
    assert '"by":"workload"' in visitor.get("/matrix").body
    assert '"by":"pod"' in visitor.get("/matrix?by=pod").body
    assert "nobody" in visitor.get("/matrix?source=nobody").text


def test_live_page_says_that_there_is_no_agent(open_console: Open, demo: Path) -> None:
    assert "there is no /nonexistent/agent.sock" in open_console(demo).get("/live").text
