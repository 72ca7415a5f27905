"""Who may connect, as they meet it: `airos keys`, and the SDK's own client secrets."""

from typing import Any

import pytest
from openai import AsyncOpenAI, AuthenticationError, BadRequestError, PermissionDeniedError
from websockets.exceptions import InvalidStatus

from tests.e2e.conftest import Daemon, StartDaemon

pytestmark = pytest.mark.real_time
TRANSCRIPTION: Any = {
    "type": "transcription",
    "audio": {"input": {"transcription": {"language": "en"}}},
}


def client_of(daemon: Daemon, key: str) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=key, base_url=daemon.url, max_retries=0)


async def greeting(daemon: Daemon, key: str, **more: str) -> dict[str, object]:
    async with (
        client_of(daemon, key) as client,
        client.realtime.connect(extra_query=more) as connection,
    ):
        event = await connection.recv()
        return event.model_dump()["session"]  # type: ignore[no-any-return]


def made(daemon: Daemon, name: str, *options: str) -> str:
    return daemon.airos("keys", "add", name, *options).stdout.strip()


async def test_a_key_is_made_used_listed_and_revoked_while_the_daemon_runs(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon("--demo")
    assert "with any key" in daemon.log
    await greeting(daemon, "any", model="airos")
    key = made(daemon, "kitchen tablet")
    assert (await greeting(daemon, key, model="airos"))["type"] == "realtime"
    with pytest.raises(InvalidStatus, match="401"):
        await greeting(daemon, "any", model="airos")
    listed = daemon.airos("keys", "list").stdout
    assert "kitchen tablet" in listed
    assert "last used never" not in listed
    assert key not in listed
    async with (
        client_of(daemon, key) as client,
        client.realtime.connect(model="airos") as connection,
    ):
        await connection.recv()
        assert "everyone on this box" in daemon.airos("keys", "revoke", "kitchen tablet").stdout
        assert (await connection.recv()).error.code == "invalid_api_key"  # type: ignore[union-attr]
    assert "no key 'nobody'" in daemon.airos("keys", "revoke", "nobody").stderr


def test_keys_outlive_the_daemon_and_are_made_without_one(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    daemon.stop()
    made(daemon, "first")
    daemon.environment["AIROS_SERVER__HOST"] = "0.0.0.0"
    assert daemon.airos("check").returncode == 0
    daemon.airos("keys", "revoke", "first")
    refused = daemon.airos("check")
    assert refused.returncode == 78
    assert "airos keys add NAME" in refused.stderr
    assert "There is no key" in daemon.airos("keys", "list").stdout


async def test_a_client_secret_is_made_by_the_sdk_and_opens_the_session_it_describes(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon("--demo")
    async with client_of(daemon, made(daemon, "server")) as server:
        secret = await server.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session={"type": "realtime", "model": "airos", "instructions": "Be brief."},
        )
        transcription = await server.realtime.client_secrets.create(session=TRANSCRIPTION)
        with pytest.raises(BadRequestError, match=r"expires_after\.seconds"):
            await server.realtime.client_secrets.create(
                expires_after={"anchor": "created_at", "seconds": 5}
            )
    assert secret.value.startswith("ek_")
    assert secret.session.type == "realtime"
    assert (await greeting(daemon, secret.value))["instructions"] == "Be brief."
    assert (await greeting(daemon, transcription.value))["type"] == "transcription"
    async with client_of(daemon, secret.value) as page:
        with pytest.raises(PermissionDeniedError):
            await page.realtime.client_secrets.create()
    async with client_of(daemon, "ek_other") as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.realtime.client_secrets.create()


async def test_the_older_addresses_answer_in_the_older_form(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    async with client_of(daemon, "any") as client:
        session = await client.beta.realtime.sessions.create(
            modalities=["text"], voice="alloy", input_audio_format="pcm16", speed=1.25
        )
        transcription = await client.beta.realtime.transcription_sessions.create(
            input_audio_transcription={"model": "whisper-1"}
        )
    assert session.client_secret.value.startswith("ek_")
    assert (session.modalities, session.input_audio_format) == (["text"], "pcm16")
    greeted = await greeting(daemon, session.client_secret.value)
    assert greeted["output_modalities"] == ["text"]
    assert transcription.client_secret.value.startswith("ek_")
    assert (await greeting(daemon, transcription.client_secret.value))["type"] == "transcription"
