"""Which server is meant, and who gets which key."""

from argparse import Namespace
from pathlib import Path

import pytest

from airos_edge.cli.server import server_of
from airos_edge.http import certificate


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIROS_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def meant(
    url: str | None = None, key: str | None = None, config: str = ""
) -> tuple[str, str | None]:
    file = None
    if config:
        file = Path("some.yaml")
        file.write_text(config)
    return server_of(Namespace(url=url, key=key, ca=None, config=file))[:2]


def test_without_an_address_it_is_the_daemon_of_the_configuration() -> None:
    assert meant() == ("ws://127.0.0.1:8765/v1/realtime", None)
    keyed = "server: {host: 0.0.0.0, port: 9000, api_keys: [sesame]}"
    assert meant(config=keyed) == ("ws://127.0.0.1:9000/v1/realtime", "sesame")
    assert meant(config="server: {host: '::1'}")[0] == "ws://[::1]:8765/v1/realtime"


def test_a_daemon_with_tls_is_reached_by_it_and_its_certificate_is_trusted(
    tmp_path: Path,
) -> None:
    made = certificate.make(tmp_path, ["127.0.0.1"])
    file = tmp_path / "airos.yaml"
    file.write_text(f"server: {{tls: {{certificate: {made.certificate}, key: {made.key}}}}}")
    url, _, ca = server_of(Namespace(url=None, key=None, ca=None, config=file))
    assert (url, ca) == ("wss://127.0.0.1:8765/v1/realtime", Path(made.certificate))
    own = Path("own.pem")
    assert server_of(Namespace(url=None, key=None, ca=own, config=file))[2] == own


def test_the_key_that_is_said_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIROS_KEY", "of the environment")
    assert meant(config="server: {api_keys: [sesame]}")[1] == "of the environment"
    assert meant(key="mine")[1] == "mine"


def test_the_key_of_the_configuration_goes_to_no_other_server() -> None:
    assert meant("ws://elsewhere:8765", config="server: {api_keys: [sesame]}")[1] is None


def test_openais_key_goes_to_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert meant("wss://api.openai.com/v1/realtime?model=x")[1] == "sk-secret"
    assert meant()[1] is None
    assert meant("wss://api.openai.com.example.org/v1/realtime")[1] is None
    assert meant("wss://elsewhere/v1/realtime?api.openai.com")[1] is None
