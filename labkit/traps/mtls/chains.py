"""Chains of certificates made for one run: a root, intermediates, leaves; valid for an hour, in the rig's folder."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509 import Certificate, ExtensionType

_HOUR: Final = dt.timedelta(hours=1)
#: For clocks of containers that lag behind.
_BEFORE: Final = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class _Signer:
    certificate: "Certificate"
    key: "ec.EllipticCurvePrivateKey"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A leaf's files: its certificate alone, its key, and its intermediates, the one next to the leaf first."""

    name: str
    leaf: Path
    key: Path
    intermediates: tuple[Path, ...]


class Chains:
    """A root and what it signed; every file is PEM in one folder that only its owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700)
        self._root = _sign("labkit trap root", None, authority=True)
        self.root = self._write("root.pem", self._root.certificate)

    def identity(self, name: str, *, intermediates: int) -> Identity:
        """Make a leaf below so many intermediates; it is good for a server on 127.0.0.1 and for a client."""
        signer, files = self._root, list[Path]()
        for number in range(1, intermediates + 1):
            signer = _sign(f"{name} intermediate {number}", signer, authority=True)
            files.insert(0, self._write(f"{name}-intermediate-{number}.pem", signer.certificate))
        leaf = _sign(name, signer, authority=False)
        return Identity(
            name=name,
            leaf=self._write(f"{name}-leaf.pem", leaf.certificate),
            key=self._write_key(f"{name}.key", leaf.key),
            intermediates=tuple(files),
        )

    def bundle(self, name: str, *parts: Path) -> Path:
        """Write files one after another into one; what was there is replaced."""
        path = self._folder / name
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        return path

    def _write(self, name: str, certificate: "Certificate") -> Path:
        from cryptography.hazmat.primitives.serialization import Encoding

        path = self._folder / name
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        return path

    def _write_key(self, name: str, key: "ec.EllipticCurvePrivateKey") -> Path:
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        path = self._folder / name
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return path


def _sign(name: str, signer: _Signer | None, *, authority: bool) -> _Signer:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.certificate.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _HOUR)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    issuer_key = signer.key if signer else key
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    for extension, critical in _uses(authority=authority):
        builder = builder.add_extension(extension, critical=critical)
    return _Signer(builder.sign(issuer_key, hashes.SHA256()), key)


def _uses(*, authority: bool) -> list[tuple["ExtensionType", bool]]:
    from cryptography import x509

    usage = x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    if authority:
        return [(usage, True)]
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    purposes = [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH, x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
    return [(usage, True), (x509.ExtendedKeyUsage(purposes), False), (x509.SubjectAlternativeName(names), False)]
