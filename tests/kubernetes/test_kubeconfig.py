"""Which API server and which user a configuration names: as kubectl does, and every mistake in one sentence."""

import base64
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ovsnp.errors import ApiServerError, InputError, UsageError
from ovsnp.kubernetes import configuration
from ovsnp.kubernetes.configuration import ApiServer, context_names, find_api_server
from ovsnp.kubernetes.connection import ApiConnection
from ovsnp.kubernetes.resources import PODS

CLUSTER = {"server": "https://192.0.2.1:6443"}


def config(file: Path, **more: Any) -> Path:
    """A kubeconfig with one context, ``main``; an entry of ``more`` replaces a part of it."""
    written = {
        "current-context": "main",
        "clusters": [{"name": "c", "cluster": more.pop("cluster", CLUSTER)}],
        "users": [{"name": "u", "user": more.pop("user", {"token": "secret"})}],
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
        **more,
    }
    file.write_text(yaml.safe_dump(written, sort_keys=False))
    return file


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of a kubeconfig; there is none in the home, and no service account."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    return tmp_path / "config.yaml"


def token(server: ApiServer) -> str:
    return server.credentials.headers()["Authorization"]


def test_named_file_is_read(file: Path) -> None:
    server = find_api_server(config(file))
    assert (server.label, server.url, token(server)) == ("cluster main", "https://192.0.2.1:6443", "Bearer secret")


def test_password_of_the_url_is_in_no_message(file: Path) -> None:
    server = find_api_server(config(file, cluster={"server": "http://me:password@127.0.0.1:1/base"}))
    with (
        ApiConnection(server) as connection,
        pytest.raises(ApiServerError, match=r"http://127\.0\.0\.1:1/base") as caught,
    ):
        connection.get(PODS, {})
    assert "password" not in str(caught.value)


def test_file_in_the_home_is_read(file: Path) -> None:
    (file.parent / ".kube").mkdir()
    config(file.parent / ".kube" / "config")
    assert find_api_server().label == "cluster main"


def test_of_several_files_the_first_with_a_name_counts(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = config(file, **{"current-context": ""}, contexts=[{"name": "other", "context": {"cluster": "c2"}}])
    second = config(
        file.parent / "second",
        cluster={"server": "https://192.0.2.9"},
        user={"token": "hidden"},
        clusters=[
            {"name": "c", "cluster": {"server": "https://192.0.2.9"}},
            {"name": "c2", "cluster": {"server": "https://192.0.2.2/"}},
        ],
    )
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(file.parent / "absent"), str(first), str(second)]))
    assert (find_api_server().url, token(find_api_server())) == ("https://192.0.2.1:6443", "Bearer secret")
    other = find_api_server(context="other")
    assert (other.label, other.url, other.credentials.headers()) == ("cluster other", "https://192.0.2.2", {})
    assert context_names() == ["main", "other"]


def test_paths_are_relative_to_their_file(file: Path) -> None:
    (file.parent / "token").write_text("from a file\n")
    (file.parent / "ca.crt").write_text("an authority")
    cluster = {**CLUSTER, "certificate-authority": "ca.crt"}
    server = find_api_server(config(file, cluster=cluster, user={"tokenFile": "token", "token": "older"}))
    assert token(server) == "Bearer from a file"
    assert server.trust.authority
    assert server.trust.authority.read() == b"an authority"


def test_data_takes_precedence_over_a_file(file: Path) -> None:
    data = base64.b64encode(b"in the file").decode()
    cluster = {**CLUSTER, "certificate-authority": "absent", "certificate-authority-data": data}
    server = find_api_server(config(file, cluster=cluster))
    assert server.trust.authority
    assert server.trust.authority.read() == b"in the file"


def test_token_file_is_read_again_when_it_is_refused(file: Path) -> None:
    (file.parent / "token").write_text("one")
    credentials = find_api_server(config(file, user={"tokenFile": "token"})).credentials
    assert credentials.headers() == {"Authorization": "Bearer one"}
    assert not credentials.renew()
    (file.parent / "token").write_text("two")
    assert credentials.headers() == {"Authorization": "Bearer one"}
    assert credentials.renew()
    assert credentials.headers() == {"Authorization": "Bearer two"}
    (file.parent / "token").unlink()
    assert not credentials.renew()
    assert credentials.headers() == {"Authorization": "Bearer two"}


def test_token_file_is_read_again_after_a_minute(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file.parent / "token").write_text("one")
    credentials = find_api_server(config(file, user={"tokenFile": "token"})).credentials
    assert credentials.headers() == {"Authorization": "Bearer one"}
    (file.parent / "token").write_text("two")
    monkeypatch.setattr("ovsnp.kubernetes.credentials._TOKEN_AGE", -1.0)
    assert credentials.headers() == {"Authorization": "Bearer two"}


def test_user_with_a_password_and_another_user_to_act_as(file: Path) -> None:
    user = {"username": "a", "password": "b", "as": "other", "as-groups": ["x", "y"], "as-user-extra": {"k": ["v"]}}
    server = find_api_server(config(file, user=user))
    assert token(server) == "Basic " + base64.b64encode(b"a:b").decode()
    assert server.impersonation.headers() == [
        ("Impersonate-User", "other"),
        ("Impersonate-Group", "x"),
        ("Impersonate-Group", "y"),
        ("Impersonate-Extra-k", "v"),
    ]


def test_service_account_of_a_pod(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "SERVICE_ACCOUNT", file.parent)
    (file.parent / "token").write_text("of the pod")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    server = find_api_server()
    assert (server.label, server.url) == ("cluster of this pod", "https://[fd00::1]:443")
    assert token(server) == "Bearer of the pod"
    assert find_api_server(config(file)).label == "cluster main"


PLUGIN = """
import json, os, sys
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
with open("runs", "a") as runs:
    runs.write("x")
status = json.loads(sys.argv[1]) | {"seen": info["spec"].get("cluster", {}).get("server"), "own": os.environ.get("OWN")}
if status.get("token") == "seen":
    status["token"] = f"{status['seen']} {status['own']}"
print(json.dumps({"apiVersion": info["apiVersion"], "kind": "ExecCredential", "status": status}))
"""


def plugin(file: Path, status: str, **more: object) -> ApiServer:
    """A configuration whose user has a plugin that prints this status."""
    (file.parent / "plugin.py").write_text(PLUGIN)
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(file.parent / "plugin.py"), status],
            "env": [{"name": "OWN", "value": "mine"}],
            **more,
        }
    }
    return find_api_server(config(file, user=user))


def test_plugin_prints_a_token_and_is_run_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    server = plugin(file, '{"token": "seen"}', provideClusterInfo=True)
    assert token(server) == token(server) == "Bearer https://192.0.2.1:6443 mine"
    assert (file.parent / "runs").read_text() == "x"
    assert server.credentials.renew()
    assert token(server)
    assert (file.parent / "runs").read_text() == "xx"


def test_plugin_is_run_again_when_its_token_expires(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    server = plugin(file, '{"token": "t", "expirationTimestamp": "2020-01-01T00:00:00Z"}')
    assert token(server) == token(server) == "Bearer t"
    assert (file.parent / "runs").read_text() == "xx"


def test_plugin_may_print_a_certificate(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    server = plugin(file, '{"clientCertificateData": "CERT", "clientKeyData": "KEY"}')
    assert (server.credentials.headers(), server.credentials.identity()) == ({}, b"CERT\nKEY")


@pytest.mark.parametrize(
    ("status", "more", "message"),
    [
        ("{}", {}, "prints no credentials: it has neither a token nor a certificate and its key; run it by hand"),
        ("[]", {}, "ended with 1; see what it says above"),
        ("{}", {"command": "no-such-program"}, "no-such-program cannot be run: no such file or directory; install it"),
        ("{}", {"command": "no-such-program", "installHint": "See x."}, "no such file or directory; See x."),
        ("{}", {"command": "echo"}, "its output is no ExecCredential in JSON; run it by hand"),
        ("{}", {"command": ""}, "missing; write the program that prints the credentials"),
        ("{}", {"apiVersion": "client.authentication.k8s.io/v1alpha1"}, "is no version that ovsnp reads"),
    ],
)
def test_plugin_that_prints_no_credentials(
    file: Path, monkeypatch: pytest.MonkeyPatch, status: str, more: dict[str, str], message: str
) -> None:
    monkeypatch.chdir(file.parent)
    server = plugin(file, status, **more)
    with pytest.raises(InputError, match=r"users\[0\].user.exec") as raised:
        server.credentials.headers()
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"cluster": {}}, ":4: clusters[0].cluster.server: missing; write the URL of the API server"),
        ({"cluster": {"server": "192.0.2.1"}}, "server: '192.0.2.1' is no URL of an API server; write https://"),
        ({"cluster": {"server": 7}}, "clusters[0].cluster.server: must be text, not the number 7; write it in quotes"),
        (
            {"cluster": {**CLUSTER, "certificate-authority": "x", "insecure-skip-tls-verify": True}},
            "insecure-skip-tls-verify: contradicts the certificate authority beside it; keep one of the two",
        ),
        ({"cluster": {**CLUSTER, "certificate-authority-data": "%"}}, "certificate-authority-data: is no base64"),
        ({"user": {"client-certificate": "x"}}, "users[0].user: client-key is missing"),
        ({"user": {"tokenFile": "absent"}}, "absent: the token cannot be read: no such file or directory"),
        ({"user": {"auth-provider": {"name": "gcp"}}}, "'gcp' is a provider that Kubernetes has removed; use a plugin"),
        ({"user": {"as-groups": ["x"]}}, "users[0].user.as: missing"),
        ({"users": []}, "contexts[0].context.user: users has no entry u; add it, or choose another context"),
        ({"clusters": None}, "contexts[0].context.cluster: clusters has no entry c"),
        ({"current-context": "x"}, "current-context: there is no context x; there are main"),
        ({"current-context": ""}, "current-context: names no current context; name one with --context"),
    ],
)
def test_mistakes_name_their_line_and_what_to_do(file: Path, more: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        find_api_server(config(file, **more)).credentials.headers()
    assert message in str(raised.value)


def test_files_that_are_no_kubeconfig(file: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: no such file or directory; name the kubeconfig"):
        find_api_server(file)
    file.write_text("a: [")
    with pytest.raises(InputError, match=f"{file}:2: "):
        find_api_server(file)
    file.write_text("- a\n")
    with pytest.raises(InputError, match="is no kubeconfig"):
        find_api_server(file)
    with pytest.raises(InputError, match="has no context other; there are main"):
        find_api_server(config(file), "other")


def test_without_a_configuration(file: Path) -> None:
    with pytest.raises(UsageError, match="there is no kubeconfig"):
        find_api_server()
    with pytest.raises(UsageError, match="--context x: there is no kubeconfig"):
        find_api_server(context="x")
