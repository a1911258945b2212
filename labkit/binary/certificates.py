"""The CMS blob of a code signature: who signed, by certificates that lead where, and over which code directory.

Checks the RSA arithmetic (RFC 8017, PKCS #1 v1.5) of the signer over the code directory and of each certificate over
the one before, up to Apple's root, which is known by its hash. Dates, revocation, notarisation and policy are for a Mac
to say; keys other than RSA are said to be unknown. Layouts: RFC 5652 (CMS) and RFC 5280 (certificates).
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from labkit.binary import der
from labkit.binary.reading import MalformedError, plain

#: sha256 of Apple's root certificate, https://www.apple.com/certificateauthority/ ("Apple Inc. Root").
APPLE_ROOT_SHA256: Final = "b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024"
_MAX_BYTES: Final = 256 * 1024
_MAX_KEPT_BYTES: Final = 4096
_MAX_KEY_BITS: Final = 8192
_MAX_EXPONENT: Final = 1 << 32
_MAX_CHAIN: Final = 10

_OID_COMMON_NAME: Final = bytes.fromhex("550403")
_OID_MESSAGE_DIGEST: Final = bytes.fromhex("2a864886f70d010904")
_OID_RSA: Final = bytes.fromhex("2a864886f70d010101")
_HASHES: Final = {
    bytes.fromhex("2b0e03021a"): "sha1",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
    # with RSA, as certificates name them
    bytes.fromhex("2a864886f70d010105"): "sha1",
    bytes.fromhex("2a864886f70d01010b"): "sha256",
    bytes.fromhex("2a864886f70d01010c"): "sha384",
    bytes.fromhex("2a864886f70d01010d"): "sha512",
}
_DIGEST_OIDS: Final = {name: oid for oid, name in reversed(_HASHES.items())}


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What is needed of an X.509 certificate."""

    whole: bytes
    signed: bytes  # the part that its issuer signed
    serial: int
    issuer: bytes
    subject: bytes
    common_name: str
    key: tuple[int, int] | None  # modulus and exponent of an RSA key
    hash: str | None  # of its issuer's signature
    signature: bytes


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What a CMS blob holds."""

    signers: tuple[str, ...] = ()  # common names, the signer's certificate first
    from_apple: bool = False  # each certificate signed by the next, the last one Apple's root
    verified: bool | None = None  # the signer's key made this signature; None: not an RSA key
    hash: str | None = None
    digest: bytes = b""  # what the signer says the code directory's hash is

    def covers(self, directory: bytes) -> bool | None:
        """Return whether the signer's key signed this code directory; None when that key is not RSA."""
        if self.hash is None or self.verified is None:
            return None
        return self.verified and hashlib.new(self.hash, directory, usedforsecurity=False).digest() == self.digest


def read(data: bytes, unknown: list[str]) -> Signed:
    """Return what a CMS blob holds; what cannot be read is added to ``unknown``."""
    if not data:
        return Signed()
    if len(data) > _MAX_BYTES:
        unknown.append(f"the certificates' blob of {len(data)} bytes is not read")
        return Signed()
    try:
        return _read(data)
    except (MalformedError, IndexError, ValueError, RecursionError) as error:
        what = error.what if isinstance(error, MalformedError) else type(error).__name__
        unknown.append(f"the certificates' blob cannot be read: {what}")
        return Signed()


def _read(data: bytes) -> Signed:
    content = der.one(data).children()[1].children()[0].children()
    # one signer's certificates come in file after file, so they are kept; a big one is nobody's and would fill memory
    known = [
        (_kept if len(each.whole) <= _MAX_KEPT_BYTES else _certificate)(each.whole)
        for each in _tagged(content, der.CONTEXT_0).children()
    ]
    # version, signer (issuer and serial), hash, signed attributes, algorithm, signature
    signer = content[-1].children()[0].children()
    issuer, serial = signer[1].children()
    leaf = next((each for each in known if each.issuer == issuer.whole and each.serial == serial.integer()), None)
    if leaf is None:
        raise MalformedError("the signer's certificate is not there", 0)
    algorithm = _HASHES.get(signer[2].children()[0].content)
    attributes = signer[3]
    if attributes.tag != der.CONTEXT_0 or algorithm is None:
        raise MalformedError("a signature without attributes, or with a hash that is not known", 0)
    digest = _message_digest(attributes)
    signature = _tagged(signer[4:], der.OCTET_STRING).octets()
    # what is signed are the attributes under the tag of a SET (RFC 5652 5.4)
    message = bytes([der.SET]) + attributes.whole[1:]
    chain = _chain(leaf, known)
    return Signed(
        signers=tuple(each.common_name for each in chain),
        from_apple=_leads_to_apple(chain),
        verified=_verify(leaf.key, algorithm, message, signature),
        hash=algorithm,
        digest=digest,
    )


def _tagged(values: tuple[der.Value, ...], tag: int) -> der.Value:
    for value in values:
        if value.tag == tag:
            return value
    raise MalformedError(f"no value with tag {tag:#x}", 0)


def _message_digest(attributes: der.Value) -> bytes:
    for attribute in attributes.children():
        name, values = attribute.children()[:2]
        if name.content == _OID_MESSAGE_DIGEST:
            return values.children()[0].octets()
    raise MalformedError("the signed attributes have no digest", 0)


def _certificate(whole: bytes) -> Certificate:
    value = der.one(whole)
    body, algorithm, signature = value.children()[:3]
    fields = body.children()
    if fields[0].tag == der.CONTEXT_0:  # the version, left out in version 1
        fields = fields[1:]
    serial, _algorithm, issuer, _validity, subject, key = fields[:6]
    return Certificate(
        whole=value.whole,
        signed=body.whole,
        serial=serial.integer(),
        issuer=issuer.whole,
        subject=subject.whole,
        common_name=_common_name(subject),
        key=_rsa_key(key),
        hash=_HASHES.get(algorithm.children()[0].content),
        signature=signature.content[1:],
    )


_kept = lru_cache(maxsize=64)(_certificate)


def _common_name(name: der.Value) -> str:
    for group in name.children():
        for pair in group.children():
            oid, text = pair.children()[:2]
            if oid.content == _OID_COMMON_NAME:
                return plain(text.content)
    return "?"


def _rsa_key(key: der.Value) -> tuple[int, int] | None:
    algorithm, bits = key.children()[:2]
    if algorithm.children()[0].content != _OID_RSA:
        return None
    modulus, exponent = (each.integer() for each in der.one(bits.content[1:]).children()[:2])
    sound = 0 < modulus.bit_length() <= _MAX_KEY_BITS and modulus > 0 and 0 < exponent < _MAX_EXPONENT
    return (modulus, exponent) if sound else None


def _chain(leaf: Certificate, known: list[Certificate]) -> list[Certificate]:
    chain = [leaf]
    while len(chain) < _MAX_CHAIN and chain[-1].issuer != chain[-1].subject:
        issuer = next((each for each in known if each.subject == chain[-1].issuer), None)
        if issuer is None:
            break
        chain.append(issuer)
    return chain


def _leads_to_apple(chain: list[Certificate]) -> bool:
    if hashlib.sha256(chain[-1].whole).hexdigest() != APPLE_ROOT_SHA256:
        return False
    return all(_issued(each, issuer) for each, issuer in pairwise(chain))


@lru_cache(maxsize=64)
def _issued(certificate: Certificate, issuer: Certificate) -> bool:
    return bool(_verify(issuer.key, certificate.hash or "", certificate.signed, certificate.signature))


def _verify(key: tuple[int, int] | None, algorithm: str, message: bytes, signature: bytes) -> bool | None:
    """Return whether an RSA signature holds (RFC 8017 8.2.2); None without an RSA key."""
    if key is None:
        return None
    if algorithm not in _DIGEST_OIDS:
        return False
    modulus, exponent = key
    size = (modulus.bit_length() + 7) // 8
    hashed = hashlib.new(algorithm, message, usedforsecurity=False).digest()
    oid = _DIGEST_OIDS[algorithm]
    named = bytes([0x30, len(oid) + 4, 0x06, len(oid)]) + oid + b"\x05\x00"
    info = named + bytes([0x04, len(hashed)]) + hashed
    info = bytes([0x30, len(info)]) + info
    wanted = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
    return pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big") == wanted
