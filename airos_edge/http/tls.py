"""TLS from files: what the daemon serves wss:// and https:// with, and what is wrong with them."""

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from airos_edge.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    certificate: str
    """A PEM file: the certificate, and those that vouch for it."""
    key: str
    """The PEM file of its private key, without a passphrase."""


def server_context(settings: Settings) -> ssl.SSLContext:
    """Raises ConfigError, which names the file and what is wrong with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_into(context, settings)
    return context


def load_into(context: ssl.SSLContext, settings: Settings) -> None:
    """Connections that begin from now on get this certificate. Raises ConfigError."""
    certificate, key = _readable("certificate", settings), _readable("key", settings)
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except _WantsPassphrase:
        why = f"server.tls.key: {key} has a passphrase; the daemon needs a key without one"
        raise ConfigError(why) from None
    except ssl.SSLError as error:
        raise ConfigError(_what_is_wrong(error, certificate, key)) from error


def expiry_of(settings: Settings) -> datetime:
    """Until when clients accept the certificate. Raises ConfigError."""
    from cryptography import x509

    path = _readable("certificate", settings)
    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except ValueError as error:
        raise ConfigError(f"server.tls.certificate: {path} holds no PEM certificate") from error


def refuse_unusable(settings: Settings | None) -> None:
    """Raises ConfigError where the daemon could not serve TLS with these files."""
    if settings is not None:
        server_context(settings)


def told(settings: Settings) -> tuple[str, bool]:
    """A sentence on how long it is good for, and whether it is still. Raises ConfigError."""
    until = expiry_of(settings)
    if until <= datetime.now(UTC):
        return (
            f"the certificate of server.tls expired on {until:%Y-%m-%d}: clients refuse it",
            False,
        )
    return f"the certificate of server.tls is valid until {until:%Y-%m-%d}", True


def _readable(name: str, settings: Settings) -> Path:
    path = Path(os.path.expanduser(getattr(settings, name)))
    try:
        path.read_bytes()
    except OSError as error:
        raise ConfigError(f"server.tls.{name}: {path} cannot be read: {error.strerror}") from error
    return path


class _WantsPassphrase(Exception):
    """OpenSSL would ask for it at the terminal, which a service has not."""


def _no_passphrase() -> str:
    raise _WantsPassphrase


def _what_is_wrong(error: ssl.SSLError, certificate: Path, key: Path) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"server.tls: the key {key} does not belong to the certificate {certificate}"
    if "-----BEGIN CERTIFICATE-----" not in certificate.read_text(errors="replace"):
        return f"server.tls.certificate: {certificate} holds no PEM certificate"
    if "PRIVATE KEY-----" not in key.read_text(errors="replace"):
        return f"server.tls.key: {key} holds no PEM private key"
    return f"server.tls: {certificate} and {key} cannot be used: {error.reason or error}"
