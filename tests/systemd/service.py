"""The service as systemd runs it, from its installation to its end: `make test-systemd`.

The tests are one story in its order, told by one machine. The file is named so that `make test`, which
needs no root and no container, does not find it.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.machine import CHECKOUT, Machine, booted

LIGHTS = ["kitchen light", "hall light", "garden light"]
CONFIG = f"""\
log: {{level: debug}}
home:
  devices: [{", ".join(f"{{name: {name}, domain: light}}" for name in LIGHTS)}]
"""
MODEL = """\
llm: {fast: {url: "http://127.0.0.1:8099/v1", model: tiny}}
router: {tiers: [commands, fast]}
tools: {notes: {command: python3, args: [-IS, /usr/local/lib/notes.py], allow: [echo]}}
"""
INSTALL = "PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels make --silent install"
SECRET = "7c1e5a-not-for-the-journal"
DROP_IN = "/etc/systemd/system/airos.service.d"


@pytest.fixture(scope="module")
def box() -> Iterator[Machine]:
    for program in ("mmdebstrap", "systemd-nspawn", "nsenter"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} (Debian: apt install mmdebstrap systemd-container)")
    if os.getuid() != 0:
        pytest.skip("needs root: sudo make test-systemd")
    with booted() as machine:
        yield machine


def configure(box: Machine, config: str = CONFIG) -> None:
    box.write("/etc/airos/config.yaml", config)


def put(box: Machine, program: str) -> None:
    box.write(f"/root/{program}", (Path(__file__).parent / program).read_bytes())


def drop_in(box: Machine, name: str, service: str) -> None:
    box.do(f"mkdir -p {DROP_IN}")
    box.write(f"{DROP_IN}/{name}.conf", f"[Service]\n{service}\n")
    box.do("systemctl daemon-reload")


def comes_back_after(box: Machine, hurt: str) -> None:
    """As another process, by itself."""
    before = box.show("MainPID")
    assert int(before) > 0, "a signal to 0 would hit all of us"
    box.do(hurt.format(before))
    box.until(
        f"test $(systemctl show airos --value -p MainPID) -gt 0 -a "
        f"$(systemctl show airos --value -p MainPID) != {before} && systemctl is-active airos"
    )
    assert "Airos says" in box.do("airos ask --quiet what time is it")


def test_it_is_installed_and_does_not_need_the_checkout_any_more(box: Machine) -> None:
    box.do("cp -R airos /tmp/airos && chown -R nobody /tmp/airos")
    refused = box.try_to("cd /tmp/airos && setpriv --reuid=nobody --clear-groups make install")
    assert "airos is installed by root: sudo make install" in refused.stderr
    assert "systemctl start airos" in box.do(f"cd airos && {INSTALL}", limit_s=400)
    assert box.do("systemctl is-enabled airos") == "enabled"
    assert box.do("stat -c '%U %G %a' /etc/airos/config.yaml") == "root airos 640"
    assert box.do("cd airos && find . -name build -o -name '*.egg-info'") == ""
    box.do("rm -r airos")


def test_it_starts_as_it_was_installed(box: Machine) -> None:
    box.do("systemctl start airos")
    assert box.show("User") == "airos"
    assert box.show("StatusText") == "Everything works"
    assert "Airos says" in box.do("airos ask --quiet what time is it")


def test_who_is_in_its_group_may_ask_and_who_is_not_is_told_so(box: Machine) -> None:
    box.do("useradd --create-home anna && useradd --create-home --groups airos ben")
    assert "Airos says" in box.do("su ben -c 'airos ask --quiet what time is it'")
    refused = box.try_to("su anna -c 'airos ask --quiet what time is it'")
    assert refused.returncode == 1
    assert "`sudo adduser anna airos`" in refused.stderr


def test_it_answers_what_is_typed_and_what_is_said(box: Machine) -> None:
    configure(box)
    box.do("systemctl restart airos")
    name = "turn-on-the-kitchen-light.wav"
    box.write(f"/root/{name}", (CHECKOUT / "examples" / name).read_bytes())
    answer = json.loads(box.do(f"airos ask --json --quiet --save /root/answer.wav {name}"))
    assert answer["transcript"] == "turn on the kitchen light"
    assert answer["answer"] == "Turned on the light"
    assert answer["left"] == "nothing"
    assert int(box.do("stat -c %s answer.wav")) > 10_000
    assert "kitchen light" in box.do("airos ask --quiet which lights are on")


# ---- hardened -----------------------------------------------------------------------------------


def test_it_may_do_little(box: Machine) -> None:
    status = box.do(f"cat /proc/{box.show('MainPID')}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["NoNewPrivs"] == "1"
    assert fields["Seccomp"] == "2"
    assert {int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert box.do("getent group audio").split(":")[2] in fields["Groups"].split()
    box.do("mkdir -p /home/anna/private")
    drop_in(
        box,
        "tried",
        "ExecStartPre=/bin/sh -c '"
        "touch /usr/x /etc/airos/x; ls /home/anna; touch /var/lib/airos/kept; echo tried'",
    )
    box.do("systemctl restart airos")
    tried = box.journal("-o cat")
    assert "touch: cannot touch '/usr/x': Read-only file system" in tried
    assert "touch: cannot touch '/etc/airos/x': Read-only file system" in tried
    assert "private" not in tried
    box.do("test -e /var/lib/airos/kept")


def test_programs_in_javascript_run_within_its_limits(box: Machine) -> None:
    """As MCP servers do: what compiles as it runs needs memory that can be written and executed."""
    hot = "let s = 0; for (let i = 0; i < 3e7; i++) s += i %% 7; console.log(`node says ${s}`)"
    drop_in(box, "tried", f'ExecStartPre=/usr/bin/node -e "{hot.replace("$", "$$")}"')
    box.do("systemctl restart airos")
    assert "node says 89999995" in box.journal("-o cat")
    box.do(f"rm {DROP_IN}/tried.conf && systemctl daemon-reload")


def test_a_tool_server_is_a_program_of_its_own_within_its_limits(box: Machine) -> None:
    box.write("/usr/local/lib/notes.py", (CHECKOUT / "tests" / "mcp_program.py").read_bytes())
    put(box, "model.py")
    box.do("systemd-run --unit=model python3 /root/model.py")
    configure(box, CONFIG + MODEL)
    box.do("systemctl restart airos")
    answer = json.loads(box.do("airos ask --json --quiet what is on my list"))
    assert (answer["answer"], answer["tier"]) == ("milk", "fast")
    box.do("pgrep --uid airos --full [n]otes.py")
    box.do("systemctl stop airos model && ! pgrep --full [n]otes.py")
    configure(box)
    box.do("systemctl start airos")


# ---- always up ----------------------------------------------------------------------------------


def test_killed_it_comes_back(box: Machine) -> None:
    comes_back_after(box, "kill -9 {}")


def test_a_loop_that_hangs_is_ended_says_where_it_hung_and_comes_back(box: Machine) -> None:
    drop_in(box, "watchdog", "WatchdogSec=2")
    box.do("systemctl restart airos")
    box.do("sleep 5")
    assert box.show("NRestarts") == "0", "while it does not hang it is left alone"
    comes_back_after(box, "kill -STOP {}")
    journal = box.journal("-o cat")
    assert "Watchdog timeout" in journal
    assert "Fatal Python error: Aborted" in journal
    assert "base_events.py" in journal
    box.do(f"rm {DROP_IN}/watchdog.conf && systemctl daemon-reload")


# ---- reload and stop ----------------------------------------------------------------------------


def begin_an_answer(box: Machine) -> None:
    put(box, "talk.py")
    box.do("airos ask --quiet turn on all lights")
    box.do("(/opt/airos/bin/python talk.py > talk.log 2>&1 &)")
    box.until("grep answering talk.log")


def test_reloaded_in_an_answer_it_goes_on_answering(box: Machine) -> None:
    begin_an_answer(box)
    configure(box, f"name: Maison\n{CONFIG}")
    pid = box.show("MainPID")
    box.do("systemctl reload airos")
    assert "done" not in box.do("cat talk.log")
    assert "Reloaded; changed: name." in box.journal("-o cat")
    box.until("grep 'done completed' talk.log")
    assert box.show("MainPID") == pid


def test_a_bad_configuration_makes_the_reload_fail_and_changes_nothing(box: Machine) -> None:
    configure(box, "name: [\n")
    assert box.try_to("systemctl reload airos").returncode != 0
    assert "/etc/airos/config.yaml:2:1: this is not YAML" in box.journal("-o cat")
    assert "hall light" in box.do("airos ask --quiet which lights are on")
    assert box.show("ActiveState") == "active"
    configure(box)


def test_stopped_in_an_answer_it_lets_it_end(box: Machine) -> None:
    begin_an_answer(box)
    box.do("systemctl stop airos")
    assert box.do("tail -n 2 talk.log") == "done completed\nclosed 1012"
    assert box.show("Result") == "success"
    assert box.show("ExecMainStatus") == "0"
    assert box.do("ls -A /run/airos 2>/dev/null || true") == ""


def test_with_a_bad_configuration_it_does_not_start_and_is_not_tried_again(box: Machine) -> None:
    configure(box, "server: {prot: 8765}\n")
    assert box.try_to("systemctl start airos").returncode != 0
    assert box.show("ExecMainStatus") == "78"
    assert box.show("ActiveState") == "failed"
    assert "server.prot: is unknown; try port" in box.journal("-o cat")
    configure(box)
    box.do("systemctl start airos")


# ---- the journal --------------------------------------------------------------------------------


def test_a_credential_lets_in_who_brings_it_and_is_nowhere_in_the_journal(box: Machine) -> None:
    put(box, "statuses.py")
    box.write("/etc/airos/key", SECRET)
    box.do("chmod 600 /etc/airos/key")
    drop_in(box, "key", "LoadCredential=key:/etc/airos/key")
    configure(box, f'server: {{api_keys: ["credential:key"]}}\n{CONFIG}')
    box.do("systemctl restart airos")
    assert box.do(f"python3 statuses.py {SECRET}") == "401 401 426"
    box.do("systemctl reload airos")
    assert "Reloaded" in box.journal("-o cat")
    assert SECRET not in box.do("journalctl -o export")


def test_levels_are_the_journals_own(box: Machine) -> None:
    configure(box, f"wake: {{words: [hey_jarvish]}}\n{CONFIG}")
    box.do("systemctl restart airos")
    assert "Going on without wake" in box.journal("-o cat -p warning")
    assert "is ready after" not in box.journal("-o cat -p warning")
    assert "is ready after" in box.journal("-o cat -p info")
    assert box.show("StatusText").startswith("wake failed (")
    configure(box)
    box.do("systemctl reload airos")
    assert box.show("StatusText") == "Everything works"


def test_with_systemd_python_the_journal_has_fields(box: Machine) -> None:
    box.do("ln -s /usr/lib/python3/dist-packages/systemd /opt/airos/lib/python3*/site-packages/")
    configure(box)
    box.do("systemctl restart airos")
    entry = json.loads(box.do("journalctl -o json -n 1 LOGGER=airos_edge.daemon"))
    assert entry["PRIORITY"] == "6"
    assert entry["_SYSTEMD_UNIT"] == "airos.service"
    assert entry["SYSLOG_IDENTIFIER"] == "airos"


# ---- a newer one, and none ----------------------------------------------------------------------


def test_installed_again_it_is_the_newer_one_and_the_configuration_is_left(box: Machine) -> None:
    box.do("cp -R /checkout airos")
    box.do("""echo '__version__ = "99.0"' >> airos/airos_edge/__init__.py""")
    before = box.show("MainPID")
    box.do(f"cd airos && {INSTALL}", limit_s=400)
    assert box.do("airos --version") == "airos 99.0"
    assert box.show("MainPID") != before
    assert box.do("cat /etc/airos/config.yaml") == CONFIG.strip()


def test_uninstalled_it_leaves_what_is_the_owners(box: Machine) -> None:
    said = box.do("cd airos && make --silent uninstall")
    assert "/etc/airos" in said
    assert "/var/lib/airos" in said
    box.do("test -e /etc/airos/config.yaml -a -e /var/lib/airos/kept")
    box.do("test ! -e /opt/airos -a ! -e /usr/local/bin/airos")
    assert box.try_to("systemctl start airos").returncode != 0
