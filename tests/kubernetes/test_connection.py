"""Requests to an API server, and the sentence for each way in which they fail."""

import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ovsnp.errors import ApiServerError, InputError
from ovsnp.kubernetes.configuration import ApiServer
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.credentials import Anonymous, Credentials, FileToken, Impersonation
from ovsnp.kubernetes.failures import ExpiredError, NoSuchObjectError, RefusedError
from ovsnp.kubernetes.material import CertificateFiles, Material, Trust
from ovsnp.kubernetes.resources import NETWORK_POLICIES, PODS, SERVICE_CIDRS, WORKLOADS, Resource
from ovsnp.kubernetes.snapshot import read_snapshot
from tests.support.scripted_api import Answer, ScriptedApi, status
from tests.support.watching import api_server


@pytest.fixture
def connection(api: ScriptedApi) -> Iterator[ApiConnection]:
    with ApiConnection(api_server(api.url), read_timeout=30) as found:
        yield found


def sentence(api: ScriptedApi, connection: ApiConnection, code: int, **fields: str) -> str:
    """The error for a list of policies that is answered with this code."""
    api.next[NETWORK_POLICIES.path].append(lambda answer: answer.whole(code, status(code, **fields)))
    with pytest.raises(ApiServerError) as raised:
        connection.get(NETWORK_POLICIES, {})
    return str(raised.value)


def test_list_comes_whole_and_compressed(api: ScriptedApi, connection: ApiConnection) -> None:
    found = msgspec.json.decode(connection.get(PODS, {"limit": "5"}))
    assert [each["metadata"]["name"] for each in found["items"]] == ["web", "db"]
    (asked,) = api.asked
    assert asked.query == {"limit": "5"}
    assert asked.headers["accept-encoding"] == "gzip"
    assert asked.headers["user-agent"].startswith("ovsnp/")


def test_one_connection_serves_one_request_after_the_other(api: ScriptedApi, connection: ApiConnection) -> None:
    for _ in range(3):
        connection.get(PODS, {})
    assert len({asked.client for asked in api.asked}) == 1


def test_each_error_has_its_sentence(api: ScriptedApi, connection: ApiConnection) -> None:
    begin = "cluster test: list NetworkPolicy: "
    assert sentence(api, connection, 401) == (
        f"{begin}the API server does not know the user (401); renew the credentials of the kubeconfig"
    )
    said = 'networkpolicies.networking.k8s.io is forbidden: User "ann" cannot list'
    assert sentence(api, connection, 403, reason="Forbidden", message=said) == (
        f"{begin}forbidden: {said}; give to ann a ClusterRole with the rule"
        ' apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["list"]'
    )
    said = "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'a' with binding 'b' denied request: not yours"
    assert sentence(api, connection, 403, reason="Forbidden", message=said) == f"{begin}{said}"
    assert sentence(api, connection, 404) == (
        f"{begin}the API server has none; see kubectl api-resources, and install what defines the kind"
    )
    assert sentence(api, connection, 429, message="slow down") == (
        f"{begin}the API server has too many requests (429): slow down; ovsnp can try again later"
    )
    assert sentence(api, connection, 500, message="broken") == f"{begin}the API server fails (500): broken; see its log"
    assert sentence(api, connection, 409) == f"{begin}the API server refuses the request (409)"


def test_errors_have_their_kinds(api: ScriptedApi, connection: ApiConnection) -> None:
    for code, kind in ((410, ExpiredError), (404, NoSuchObjectError), (500, RefusedError)):
        api.next[PODS.path].append(lambda answer, code=code: answer.whole(code, "no Status"))
        with pytest.raises(kind):
            connection.get(PODS, {})


def test_server_that_is_not_there(connection: ApiConnection) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        with pytest.raises(ApiServerError) as raised, ApiConnection(api_server(url)) as other:
            other.get(PODS, {})
    assert str(raised.value) == (
        f"cluster test: {url}: the connection is refused; start the API server, or name another context with --context"
    )


def test_host_that_has_no_address() -> None:
    with (
        pytest.raises(ApiServerError, match="the name of the host is unknown; check server in the kubeconfig"),
        ApiConnection(api_server("http://nowhere.invalid")) as connection,
    ):
        connection.get(PODS, {})


def test_server_that_never_answers(api: ScriptedApi) -> None:
    api.next[PODS.path].append(Answer.silence)
    with (
        pytest.raises(ApiServerError, match="no answer for too long; check the API server"),
        ApiConnection(api_server(api.url), read_timeout=0.1) as connection,
    ):
        connection.get(PODS, {})


def test_answer_that_breaks_off(api: ScriptedApi, connection: ApiConnection) -> None:
    def half(answer: Answer) -> None:
        answer.start()
        answer.text(b'{"items": [')
        answer.cut()

    api.next[PODS.path].append(half)
    with pytest.raises(ApiServerError, match="the connection broke off"):
        connection.get(PODS, {})


def with_credentials(api: ScriptedApi, credentials: Credentials) -> ApiServer:
    return msgspec.structs.replace(api_server(api.url), credentials=credentials)


def test_token_that_is_refused_is_renewed_once(api: ScriptedApi, tmp_path: Path) -> None:
    def refuse(answer: Answer) -> None:
        (tmp_path / "token").write_text("new")
        answer.whole(401, status(401))

    (tmp_path / "token").write_text("old")
    api.next[PODS.path] += [refuse]
    with ApiConnection(with_credentials(api, FileToken(tmp_path / "token"))) as connection:
        connection.get(PODS, {})
        assert [asked.headers["authorization"] for asked in api.asked] == ["Bearer old", "Bearer new"]
        api.next[PODS.path] += [refuse] * 2
        with pytest.raises(RefusedError, match="does not know the user"):
            connection.get(PODS, {})
    assert len(api.asked) == 3


def test_requests_may_act_as_another_user(api: ScriptedApi) -> None:
    server = msgspec.structs.replace(api_server(api.url), impersonation=Impersonation("ann", None, ("a",)))
    with ApiConnection(server) as connection:
        connection.get(PODS, {})
    assert (api.asked[0].headers["impersonate-user"], api.asked[0].headers["impersonate-group"]) == ("ann", "a")


@pytest.mark.parametrize(("method", "verb"), [("POST", "create"), ("PUT", "update"), ("PATCH", "patch")])
def test_objects_are_written(api: ScriptedApi, connection: ApiConnection, method: str, verb: str) -> None:
    path = f"{PODS.path}/a/status"
    api.next[path] += [lambda answer: answer.whole(200, {"done": True}), lambda answer: answer.whole(403, status(403))]
    merge = "application/merge-patch+json"
    assert connection.send(method, PODS, b'{"x": 1}', name="a/status", content_type=merge) == b'{"done": true}'
    (asked,) = api.asked
    assert (asked.method, asked.body, asked.headers["content-type"]) == (method, b'{"x": 1}', merge)
    with pytest.raises(RefusedError, match=f"{verb} Pod: forbidden.*verbs: ..{verb}"):
        connection.send(method, PODS, b"{}", name="a/status")


def test_close_ends_a_wait_for_a_line(api: ScriptedApi, connection: ApiConnection) -> None:
    waiting, failed = threading.Event(), threading.Event()

    def wait() -> None:
        try:
            with connection.lines(PODS, {"watch": "true", "resourceVersion": "9999"}) as lines:
                waiting.set()
                list(lines)
        except ApiServerError:
            failed.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    assert waiting.wait(30)
    connection.close()
    assert failed.wait(30)
    thread.join(30)


def test_snapshot_has_a_list_for_each_kind(api: ScriptedApi, connection: ApiConnection) -> None:
    api.unknown.add(SERVICE_CIDRS.path)
    found = read_snapshot(connection, [PODS, SERVICE_CIDRS])
    (pods,) = found.lists
    assert (found.label, msgspec.json.decode(pods)["kind"], found.lacking) == ("cluster test", "PodList", [])


def test_snapshot_names_every_kind_that_is_forbidden(api: ScriptedApi, connection: ApiConnection) -> None:
    def forbid(resource: Resource) -> None:
        api.next[resource.path].append(lambda answer: answer.whole(403, status(403)))

    for resource in (PODS, NETWORK_POLICIES):
        forbid(resource)
    with pytest.raises(ApiServerError) as raised:
        read_snapshot(connection, [PODS, NETWORK_POLICIES])
    assert [line.split(":")[1] for line in str(raised.value).splitlines()] == [" list Pod", " list NetworkPolicy"]
    forbid(WORKLOADS[0])
    found = read_snapshot(connection, [PODS, *WORKLOADS[:2]])
    assert len(found.lists) == 2
    assert [sentence.split(":")[1] for sentence in found.lacking] == [" list Deployment"]


def certificate(folder: Path, name: str) -> CertificateFiles:
    """A certificate of its own authority, for this host, and its key."""
    key, made = folder / f"{name}.key", folder / f"{name}.crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", key, "-out", made, "-days", "1", "-subj", f"/CN={name}"]
    subprocess.run([*command, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return CertificateFiles(Material(file=made), Material(file=key))


def let_expire(pair: CertificateFiles) -> None:
    """Replace a certificate by one that ended yesterday."""
    made = str(pair.certificate.file)
    command = ["openssl", "x509", "-in", made, "-signkey", str(pair.key.file), "-days", "-1", "-out", made]
    subprocess.run(command, check=True, capture_output=True)


def test_server_and_client_show_certificates(api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))  # the disk of a node may be full
    own, client = certificate(tmp_path, "server"), certificate(tmp_path, "client")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(own.certificate.file), str(own.key.file))
    context.load_verify_locations(str(client.certificate.file))
    context.verify_mode = ssl.CERT_REQUIRED
    api.use_tls(context)

    def names(trust: Trust, identity: CertificateFiles | None) -> int:
        server = ApiServer("cluster test", api.url, trust, Anonymous(), identity)
        with ApiConnection(server) as connection:
            return len(msgspec.json.decode(connection.get(PODS, {}))["items"])

    assert names(Trust(own.certificate), client) == 2
    assert names(Trust(insecure=True), client) == 2
    assert names(Trust(Material(data=own.certificate.read())), client) == 2
    with pytest.raises(ApiServerError, match=r"certificate is not valid: .*; check certificate-authority and server"):
        names(Trust(client.certificate), client)
    with pytest.raises(ApiServerError, match=r"certificate is not valid: .*[Hh]ostname"):
        names(Trust(own.certificate, server_name="other.example"), client)
    with pytest.raises(ApiServerError):
        names(Trust(own.certificate), None)
    with pytest.raises(InputError, match="are no pair in PEM"):
        names(Trust(own.certificate), CertificateFiles(client.certificate, own.key))
    with pytest.raises(InputError, match="the certificate authority is no certificate in PEM"):
        names(Trust(Material(data=b"no PEM")), client)

    authority = tmp_path / "authority.crt"
    authority.write_bytes(client.certificate.read())
    server = ApiServer("cluster test", api.url, Trust(Material(file=authority)), Anonymous(), client)
    with ApiConnection(server) as connection:
        with pytest.raises(ApiServerError, match="certificate is not valid"):
            connection.get(PODS, {})
        authority.write_bytes(own.certificate.read())
        assert connection.get(PODS, {})

    let_expire(own)
    context.load_cert_chain(str(own.certificate.file), str(own.key.file))
    with pytest.raises(ApiServerError, match="expired; check the clock of this machine, and renew the certificate"):
        names(Trust(own.certificate), client)


def test_proxy_of_the_kubeconfig_is_used(api: ScriptedApi) -> None:
    server = msgspec.structs.replace(api_server("http://behind.invalid"), proxy=api.url)
    with ApiConnection(server) as connection:
        assert len(msgspec.json.decode(connection.get(PODS, {}))["items"]) == 2
    with (
        pytest.raises(InputError, match="'socks5://proxy:1080' is no proxy that ovsnp can use; write"),
        ApiConnection(msgspec.structs.replace(server, proxy="socks5://me:password@proxy:1080")) as connection,
    ):
        connection.get(PODS, {})
