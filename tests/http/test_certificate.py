"""The certificate that the box makes for itself: real TLS clients trust it by its own file."""

import shutil
import ssl
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from airos_edge.errors import AirosError
from airos_edge.http import certificate


def test_it_is_for_the_names_and_addresses_of_the_box(tmp_path: Path) -> None:
    made = certificate.kept_or_made(tmp_path, ["192.168.1.7"], ["airos.example"])
    assert {"localhost", "127.0.0.1", "::1", "192.168.1.7", "airos.example"} <= set(made.names)
    assert any(name.endswith(".local") for name in made.names)


def test_its_key_is_for_its_owner_only(tmp_path: Path) -> None:
    made = certificate.kept_or_made(tmp_path, [])
    assert stat.S_IMODE(Path(made.key).stat().st_mode) == 0o600
    assert "PRIVATE" not in made.pem


def test_it_is_made_once_and_again_when_it_is_asked_for_or_lacks_a_name(tmp_path: Path) -> None:
    first = certificate.kept_or_made(tmp_path, [])
    assert certificate.kept_or_made(tmp_path, ["10.0.0.1"]) == first
    renewed = certificate.kept_or_made(tmp_path, [], renew=True)
    assert renewed.fingerprint != first.fingerprint
    assert "airos.lan" in certificate.kept_or_made(tmp_path, [], ["airos.lan"]).names


def test_its_file_vouches_for_it_under_the_strictest_rules(tmp_path: Path) -> None:
    """VERIFY_X509_STRICT is what Python 3.13 asks for; nothing else can be signed by what is trusted."""
    made = certificate.kept_or_made(tmp_path, [])
    context = ssl.create_default_context(cafile=made.certificate)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.certificate, made.key)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    there = server.wrap_bio(to_server, to_client, server_side=True)
    here = context.wrap_bio(to_client, to_server, server_hostname="localhost")
    for side in (here, there, here, there):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert here.getpeercert()
    leaf, authority = x509.load_pem_x509_certificates(made.pem.encode())
    constraints = x509.BasicConstraints
    assert not leaf.extensions.get_extension_for_class(constraints).value.ca
    assert authority.extensions.get_extension_for_class(constraints).value.ca


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is absent")
def test_openssl_verifies_it_by_its_own_file(tmp_path: Path) -> None:
    made = certificate.kept_or_made(tmp_path, [])
    file = made.certificate
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", file, file]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_what_cannot_be_a_name_or_a_place_is_said(tmp_path: Path) -> None:
    with pytest.raises(AirosError, match="'küche' is no name"):
        certificate.make(tmp_path, ["küche"])
    (tmp_path / "file").write_text("")
    with pytest.raises(AirosError, match="cannot be kept in"):
        certificate.make(tmp_path / "file", ["localhost"])
