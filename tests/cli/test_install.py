"""`make install` and `make uninstall` on a machine that has something of the same name: it stays."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"
STUBS = ("systemctl", "systemd-sysusers")
"""What would reach this machine's own services."""


def on_a_machine(prepared: str, script: str, stubs: Path) -> str:
    """What the script says, and what is in /opt and /usr/local of its own afterwards."""
    program = shutil.which("unshare", path=SYSTEM) or pytest.skip("unshare is not installed")
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    unshare = [program, *user, "--mount"]
    if subprocess.run([*unshare, "/bin/true"], capture_output=True, check=False).returncode:
        pytest.skip("unshare cannot make a namespace here")
    for name in STUBS:
        (stubs / name).write_text("#!/bin/sh\n")
        (stubs / name).chmod(0o755)
    own = "mount -t tmpfs none /opt && mount -t tmpfs none /usr/local && mkdir /usr/local/bin"
    shown = "find /opt /usr/local -mindepth 1 ! -type d"
    story = f"{own} && {prepared} && {{ {script} 2>&1 || true; }} && {shown}"
    environment = {"PATH": f"{stubs}:{SYSTEM}"}
    return subprocess.run(
        [*unshare, "sh", "-c", story],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


@pytest.mark.parametrize(
    ("prepared", "theirs", "why"),
    [
        ("mkdir /opt/airos && touch /opt/airos/theirs", "/opt/airos/theirs", "has not made it"),
        ("touch /usr/local/bin/airos", "/usr/local/bin/airos", "is another program"),
    ],
)
def test_what_is_not_ours_is_neither_overwritten_nor_removed(
    prepared: str, theirs: str, why: str, tmp_path: Path
) -> None:
    install = "sh scripts/install no-python ''"  # with which nothing is begun in any case
    *said, left = on_a_machine(prepared, install, tmp_path).splitlines()
    assert why in said[-1]
    assert left == theirs
    assert on_a_machine(prepared, "sh scripts/uninstall", tmp_path).splitlines()[-1] == theirs
