"""A certificate authority for tests, such as a company runs for its own servers."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = dt.timedelta(days=1)


@frozen
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates.

    `path` holds the certificate of the authority itself, for clients to trust.
    """

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"authority {name}")])
        self._own = self._sign(
            self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=None)
        )
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *, expired: bool = False) -> Pair:
        """Issue a certificate for a host name, an IP address or a client."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        alternative = x509.SubjectAlternativeName(
            [
                x509.IPAddress(ipaddress.ip_address(name))
                if name[0].isdigit()
                else x509.DNSName(name)
            ]
        )
        pair = Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        pair.certificate.write_bytes(
            self._sign(
                subject, key.public_key(), alternative, days_left=-1 if expired else 1
            ).public_bytes(serialization.Encoding.PEM)
        )
        plain = serialization.NoEncryption()
        pair.key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        )
        pair.key.chmod(0o640)  # PostgreSQL requires this mode for a key that root owns
        return pair

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        extension: x509.ExtensionType,
        *,
        days_left: int = 1,
    ) -> x509.Certificate:
        today = dt.datetime.now(dt.UTC)
        unsigned = x509.CertificateBuilder(
            self._name,
            subject,
            key,
            x509.random_serial_number(),
            today - 2 * DAY,
            today + days_left * DAY,
        )
        identifiers = (
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
            x509.SubjectKeyIdentifier.from_public_key(key),
        )
        for each in (extension, *identifiers):
            unsigned = unsigned.add_extension(
                each, critical=isinstance(each, x509.BasicConstraints)
            )
        return unsigned.sign(self._key, hashes.SHA256())


def server_context(pair: Pair, clients: Path | None = None) -> ssl.SSLContext:
    """TLS of a server; with `clients` it requires a client certificate of that authority."""
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=str(clients) if clients else None
    )
    context.load_cert_chain(pair.certificate, pair.key)
    context.set_alpn_protocols(["postgresql"])
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
    return context
