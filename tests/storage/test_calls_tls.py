"""Our connections to DynamoDB check the certificate of the host."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from botocore.exceptions import ConnectTimeoutError, SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.aws.connections import KeptConnections, Timeouts
from tests.storage.test_calls import EMPTY, PATIENT, request_to


def write_certificate(file: Path) -> None:
    """Write a key and a certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a host of a test")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "host.pem"
    write_certificate(file)
    return file


@pytest.fixture(scope="module")
def port(certificate: Path) -> Iterator[int]:
    """The port of a host that answers the first request of each connection over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
                with connection, context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(65536)
                    secured.sendall(EMPTY)
                    secured.recv(65536)
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=answer, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def send(port: int, verify: bool | str, host: str = "127.0.0.1") -> int:
    session = KeptConnections(PATIENT, verify)
    try:
        return session.send(request_to(f"https://{host}:{port}")).status_code
    finally:
        session.close()


def test_a_known_certificate_is_accepted(port: int, certificate: Path) -> None:
    assert send(port, str(certificate)) == 200
    assert send(port, verify=False) == 200


def test_an_unknown_certificate_and_one_of_another_host_are_refused(port: int, certificate: Path) -> None:
    with pytest.raises(SSLError):
        send(port, verify=True)
    with pytest.raises(SSLError):
        send(port, str(certificate), host="localhost")


def test_timeouts_hold_during_the_handshake() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"https://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(ConnectTimeoutError):
            KeptConnections(Timeouts(0.05, 30), verify=False).send(request_to(url))
