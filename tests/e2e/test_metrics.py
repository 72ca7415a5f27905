"""What a Prometheus server reads from a daemon that was asked something."""

from urllib.request import urlopen

from tests.e2e.conftest import StartDaemon


def test_a_turn_and_its_stages_are_counted(start_daemon: StartDaemon) -> None:
    daemon = start_daemon("--demo")
    assert daemon.airos("ask", "--quiet", "what time is it").returncode == 0
    with urlopen(f"http://127.0.0.1:{daemon.port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    turns = 'airos_turns_total{left="nothing",outcome="completed",tier="commands"} 1.0'
    assert turns in lines
    assert 'airos_stage_seconds_count{stage="speak"} 1.0' in lines
    assert "airos_conversations_total 1.0" in lines
    assert 'airos_part_state{part="asr",state="ok"} 1.0' in lines
    assert any(line.startswith("process_cpu_seconds_total ") for line in lines)
