# SPDX-License-Identifier: Apache-2.0
"""Certificates made for one test, and a broker that listens with them."""

import os
import secrets
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from notary.local.broker import Broker
from notary.local.ports import LOOPBACK, free_port
from tests.iot_ingest.support import USERS

DAY = timedelta(days=1)
ACL = """\
user notary
topic readwrite #

user gateway
topic readwrite #
"""


class Authority:
    """One that signs certificates; its files can be read by the broker's account too."""

    def __init__(self, name: str) -> None:
        self.folder = Path(os.environ["NOTARY_OUTSIDE"]) / f"tls-{name}-{secrets.token_hex(4)}"
        self.folder.mkdir(mode=0o755)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._begin(self._name, self._key.public_key(), DAY)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.file = self._write("ca.pem", _pem(made.sign(self._key, hashes.SHA256())))

    def issue(
        self, host: str, *, lasts: timedelta = DAY, word: bytes | None = None
    ) -> tuple[Path, Path]:
        """Certificate and key for a host's name or address; the key under a pass phrase."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made in a test")])
        try:
            alternative: x509.GeneralName = x509.IPAddress(ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        made = self._begin(name, key.public_key(), lasts).add_extension(
            x509.SubjectAlternativeName([alternative]), critical=False
        )
        mark = secrets.token_hex(4)
        locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if word is not None:
            locked = serialization.BestAvailableEncryption(word)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
        )
        return (
            self._write(f"{mark}.pem", _pem(made.sign(self._key, hashes.SHA256()))),
            self._write(f"{mark}.key", text),
        )

    def _begin(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + lasts)
        )

    def _write(self, name: str, data: bytes) -> Path:
        file = self.folder / name
        file.write_bytes(data)
        file.chmod(0o644)
        return file


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class TlsBroker:
    """A broker of the test's own that listens with TLS too; `url` is that of the TLS port."""

    def __init__(
        self,
        folder: Path,
        certificate: tuple[Path, Path],
        clients: Authority | None = None,
        host: str = LOOPBACK,
    ) -> None:
        self.port = free_port()
        settings = {
            "listener": f"{self.port} {LOOPBACK}",
            "certfile": str(certificate[0]),
            "keyfile": str(certificate[1]),
        }
        if clients is not None:
            settings |= {"cafile": str(clients.file), "require_certificate": "true"}
        self.plain = Broker.open(folder, users=USERS, acl=ACL, settings=settings)
        self.url = f"mqtts://notary:{USERS['notary']}@{host}:{self.port}"

    def __enter__(self) -> "TlsBroker":
        return self

    def __exit__(self, *exception: object) -> None:
        self.plain.stop()
