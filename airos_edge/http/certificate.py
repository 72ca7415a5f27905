"""A certificate that the box makes for itself, for a house without a certificate authority."""

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airos_edge.errors import AirosError
from airos_edge.files import write_whole

if TYPE_CHECKING:
    from cryptography import x509

VALID_FOR = timedelta(days=825)
"""The longest that Apple's systems accept (support.apple.com/103769)."""
CLOCKS_DIFFER = timedelta(days=1)
CERTIFICATE, KEY = "certificate.pem", "key.pem"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One that lies in files. `fingerprint` is its SHA-256, as browsers show it."""

    certificate: str
    key: str
    names: tuple[str, ...]
    fingerprint: str
    expires: str
    pem: str


def kept_or_made(
    directory: Path, addresses: Sequence[str], more: Sequence[str] = (), renew: bool = False
) -> Certificate:
    """The one that was made there, or a new one for the box's own names, its addresses and `more`.

    It is new where there is none, where it is to be renewed, and where it lacks one of `more`. Raises
    AirosError.
    """
    there = kept(directory)
    if there is not None and not renew and set(more) <= set(there.names):
        return there
    return make(directory, [*names_of_the_box(addresses), *more])


def names_of_the_box(addresses: Sequence[str]) -> list[str]:
    """By what others may ask for it: its host name, that of mDNS, and its addresses."""
    host = socket.gethostname()
    names = ["localhost", host, f"{host.partition('.')[0]}.local", "127.0.0.1", "::1", *addresses]
    return [name.lower() for name in names if name]


def kept(directory: Path) -> Certificate | None:
    """The one that was made there. Raises AirosError where it cannot be read."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    folder = directory / "tls"
    try:
        pem = (folder / CERTIFICATE).read_bytes()
        leaf = x509.load_pem_x509_certificate(pem)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise AirosError(f"{folder / CERTIFICATE} cannot be read: {_reason(error)}") from error
    alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return Certificate(
        str(folder / CERTIFICATE),
        str(folder / KEY),
        tuple(str(name.value) for name in alternative),
        leaf.fingerprint(hashes.SHA256()).hex(":").upper(),
        f"{leaf.not_valid_after_utc:%Y-%m-%d}",
        pem.decode(),
    )


def make(directory: Path, names: Sequence[str]) -> Certificate:
    """A new one for these names and addresses, in place of the one before.

    It is signed by an authority of its own, whose key is forgotten at once: who trusts the file trusts
    this box and nothing that could still be signed. Browsers and phones refuse a certificate that is
    both authority and server. Raises AirosError where it cannot be written.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    host = socket.gethostname()
    issuer = named(f"Airos Edge on {host}")
    authority = _signed(
        x509.CertificateBuilder()
        .subject_name(issuer)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True),
        (authority_key, issuer),
        authority_key.public_key(),
    )
    leaf = _signed(
        x509.CertificateBuilder()
        .subject_name(named(host))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([*map(_name, dict.fromkeys(names))]), critical=False
        ),
        (authority_key, issuer),
        key.public_key(),
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder = directory / "tls"
    try:
        write_whole(folder / KEY, secret, 0o600)
        write_whole(
            folder / CERTIFICATE, leaf.public_bytes(pem) + authority.public_bytes(pem), 0o644
        )
    except OSError as error:
        raise AirosError(f"the certificate cannot be kept in {folder}: {error.strerror}") from error
    made = kept(directory)
    assert made is not None
    return made


def _signed(
    builder: "x509.CertificateBuilder", issuer: tuple[Any, "x509.Name"], public_key: Any
) -> "x509.Certificate":
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    now = datetime.now(UTC)
    issuer_key, issuer_name = issuer
    whose = x509.SubjectKeyIdentifier.from_public_key
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key
    return (
        builder.issuer_name(issuer_name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_DIFFER)
        .not_valid_after(now - CLOCKS_DIFFER + VALID_FOR)
        .add_extension(whose(public_key), critical=False)
        .add_extension(by(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _usage(authority: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
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


def _name(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name)
    except ValueError:
        raise AirosError(f"{name!r} is no name that a certificate can have; ASCII is") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it holds no PEM certificate"
