"""Certificates and keys, and the TLS settings that are made from them."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ovsnp.errors import Diagnostic, InputError, Span


class Material(msgspec.Struct, frozen=True):
    """PEM text: in a file, which may be replaced while ovsnp runs, or as data."""

    file: Path | None = None
    data: bytes = b""

    def read(self) -> bytes:
        """The text as it is now; raises InputError if the file cannot be read."""
        if self.file is None:
            return self.data
        try:
            return self.file.read_bytes()
        except OSError as error:
            raise self.mistake(f"cannot be read: {str(error.strerror).lower()}; check the kubeconfig") from None

    def mistake(self, message: str) -> InputError:
        """An error about the file; for data, about the field of the kubeconfig."""
        return InputError([Diagnostic(Span(str(self.file or "kubeconfig")), "", "", message)])


class Trust(msgspec.Struct, frozen=True):
    """Which certificates of the API server are accepted: by default those that the machine trusts."""

    authority: Material | None = None
    insecure: bool = False
    server_name: str | None = None


class CertificateFiles(msgspec.Struct, frozen=True):
    """The certificate of the client, and its key."""

    certificate: Material
    key: Material

    def read(self) -> bytes:
        """Both as they are now, in one text; raises InputError if a file cannot be read."""
        return self.certificate.read() + b"\n" + self.key.read()


def tls_context(trust: Trust, identity: bytes | None) -> ssl.SSLContext:
    """The TLS settings of a client; ``identity`` is its certificate and key in PEM.

    Raises InputError if a certificate or a key cannot be read.
    """
    context = ssl.create_default_context() if trust.authority is None else _trusting(trust.authority)
    if trust.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if identity is not None:
        with _private_file(identity) as file:
            try:
                context.load_cert_chain(file)
            except (ssl.SSLError, ValueError) as error:
                message = f"the client's certificate and key are no pair in PEM ({error}); check the kubeconfig"
                raise InputError([Diagnostic(Span("kubeconfig"), "", "", message)]) from None
    return context


def _trusting(authority: Material) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authority.read().decode("ascii", "replace"))
    except (ssl.SSLError, ValueError) as error:
        raise authority.mistake(f"the certificate authority is no certificate in PEM ({error})") from None


@contextmanager
def _private_file(text: bytes) -> Iterator[str]:
    """The name of a file in memory, which is gone afterwards: OpenSSL reads keys from files alone.

    The disk may be full or read-only, and a key does not belong there.
    """
    with os.fdopen(os.memfd_create("key"), "wb") as file:
        file.write(text)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"
