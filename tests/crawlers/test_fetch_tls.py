from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crawlers.model import FailureKind, Fetched, FetchFailed


def certificate(path, host: str, *, days: int = 2) -> None:
    """A self-signed certificate with its key in one file; negative days: expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    begin = datetime.now(UTC) - timedelta(days=10)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))


@pytest.fixture
async def secure(web, tmp_path):
    """Serves the same web over TLS; called with the certificate's host it gives the port."""
    servers = []

    async def serve(host: str, **more: int) -> tuple[int, str]:
        path = tmp_path / "both.pem"
        certificate(path, host, **more)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        server = await asyncio.start_server(web.serve, "127.0.0.1", 0, ssl=context)
        servers.append(server)
        return server.sockets[0].getsockname()[1], str(path)

    yield serve
    for server in servers:
        server.close()


async def test_a_trusted_certificate_of_that_name_is_accepted(web, secure, make_visitor, monkeypatch):
    port, path = await secure("press.test")
    monkeypatch.setenv("SSL_CERT_FILE", path)
    visitor = await make_visitor(ports=(port,))
    web.says("/feed", web.reply("200 OK", b"x"))
    assert isinstance(await visitor.get(f"https://press.test:{port}/feed"), Fetched)


async def test_a_redirect_down_to_http_is_refused(web, secure, make_visitor, monkeypatch):
    port, path = await secure("press.test")
    monkeypatch.setenv("SSL_CERT_FILE", path)
    visitor = await make_visitor(ports=(port,))
    web.says("/feed", web.reply("302 Found", b"", f"Location: {web.url('/plain')}"))
    result = await visitor.get(f"https://press.test:{port}/feed")
    assert isinstance(result, FetchFailed)
    assert result.kind is FailureKind.REDIRECT
    assert "/plain" not in web.paths()


@pytest.mark.parametrize(
    ("host", "days", "trusted"), [("press.test", 2, False), ("other.test", 2, True), ("press.test", -1, True)]
)
async def test_untrusted_foreign_and_expired_certificates_are_refused(
    web, secure, make_visitor, monkeypatch, host, days, trusted
):
    port, path = await secure(host, days=days)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", path)
    visitor = await make_visitor(ports=(port,))
    result = await visitor.get(f"https://press.test:{port}/feed")
    assert isinstance(result, FetchFailed)
    assert result.kind is FailureKind.TLS
    assert "press.test" in result.message
    assert web.asked == []
