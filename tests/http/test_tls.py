"""TLS from files: who is served by them, and what is said of files that will not do."""

import asyncio
import datetime
import shutil
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from airos_edge.errors import ConfigError
from airos_edge.http import certificate, tls
from airos_edge.http.listener import listen
from airos_edge.http.settings import Settings

pytestmark = pytest.mark.real_time


def made(folder: Path) -> tls.Settings:
    there = certificate.kept_or_made(folder, [])
    return tls.Settings(there.certificate, there.key)


def expired(folder: Path) -> tls.Settings:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    then = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    pem = serialization.Encoding.PEM
    old = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(then)
        .not_valid_after(then + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (folder / "old.pem").write_bytes(old.public_bytes(pem))
    (folder / "old.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    )
    return tls.Settings(str(folder / "old.pem"), str(folder / "old.key"))


async def alive(request: web.Request) -> web.Response:
    return web.json_response({"tls": request.secure})


async def fingerprint_at(port: int) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return bytes(shown)


async def test_who_trusts_the_certificate_is_served_and_nobody_is_without_tls(
    tmp_path: Path,
) -> None:
    settings = Settings(port=0, tls=made(tmp_path))
    assert settings.tls is not None
    trusting = ssl.create_default_context(cafile=settings.tls.certificate)
    routes = [web.get("/healthz", alive)]
    async with (
        listen(settings, routes, [], tmp_path / "control.sock") as doors,
        aiohttp.ClientSession() as client,
    ):
        for host in ("127.0.0.1", "localhost"):
            url = f"https://{host}:{doors.port}/healthz"
            async with client.get(url, ssl=trusting) as answer:
                assert await answer.json() == {"tls": True}
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.get(url)
        with pytest.raises(aiohttp.ClientError):
            await client.get(f"http://127.0.0.1:{doors.port}/healthz")


async def test_a_renewed_certificate_is_taken_up_and_one_that_does_not_fit_is_not(
    tmp_path: Path,
) -> None:
    settings = Settings(port=0, tls=made(tmp_path))
    assert settings.tls is not None
    async with listen(settings, [], [], tmp_path / "control.sock") as doors:
        before = await fingerprint_at(doors.port)
        certificate.make(tmp_path, ["localhost"])
        assert await fingerprint_at(doors.port) == before
        doors.renew(settings)
        renewed = await fingerprint_at(doors.port)
        assert renewed != before
        shutil.copy(expired(tmp_path).key, settings.tls.key)
        with pytest.raises(ConfigError, match="does not belong"):
            doors.renew(settings)
        assert await fingerprint_at(doors.port) == renewed


def test_how_long_it_is_good_for_is_told(tmp_path: Path) -> None:
    said, is_good = tls.told(made(tmp_path))
    assert is_good
    assert "is valid until 20" in said
    said, is_good = tls.told(expired(tmp_path))
    assert not is_good
    assert "expired on 2020-01-02" in said


def test_what_is_wrong_with_the_files_is_said(tmp_path: Path) -> None:
    good, old = made(tmp_path), expired(tmp_path)
    (tmp_path / "nothing").write_text("nothing")
    key = serialization.load_pem_private_key(Path(good.key).read_bytes(), None)
    (tmp_path / "locked").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    for certificate_file, key_file, said in (
        (
            str(tmp_path / "gone"),
            good.key,
            "server.tls.certificate: .*gone cannot be read: No such",
        ),
        (
            good.certificate,
            str(tmp_path / "gone"),
            "server.tls.key: .*gone cannot be read: No such",
        ),
        (good.certificate, old.key, "does not belong to the certificate"),
        (str(tmp_path / "nothing"), good.key, "nothing holds no PEM certificate"),
        (good.certificate, str(tmp_path / "nothing"), "nothing holds no PEM private key"),
        (good.certificate, str(tmp_path / "locked"), "has a passphrase"),
    ):
        with pytest.raises(ConfigError, match=said):
            tls.refuse_unusable(tls.Settings(certificate_file, key_file))
