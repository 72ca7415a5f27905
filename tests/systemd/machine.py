"""A Debian with a systemd of its own, in a container without a network, thrown away afterwards."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
KEPT = CHECKOUT / ".systemd-root"
"""What takes long to make and is the same every time: the Debian, and the packages from the index."""
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
SUITE = os.environ.get("SUITE") or "bookworm"
PYTHON = PYTHONS[SUITE]
PACKAGES = "systemd,systemd-sysv,dbus,python3-venv,python3-systemd,make,nodejs,procps"
BOOT_LIMIT_S = 60


@dataclass
class Machine:
    """`leader` is its first process, as this side numbers it."""

    nspawn: subprocess.Popen[bytes]
    leader: int

    def try_to(self, command: str, limit_s: float = 60) -> subprocess.CompletedProcess[str]:
        """A line of shell, run by root inside."""
        enter = ["nsenter", f"--target={self.leader}", "--all"]
        clean = [
            "env",
            "-i",
            "HOME=/root",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
        ]
        return subprocess.run(
            [*enter, *clean, "sh", "-c", f"cd /root && {command}"],
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )

    def do(self, command: str, limit_s: float = 60) -> str:
        """What it prints; it must succeed."""
        ended = self.try_to(command, limit_s)
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}\n{self.journal()}"
        return ended.stdout.strip()

    def until(self, command: str, limit_s: float = 30) -> str:
        """What it prints as soon as it succeeds."""
        before = time.monotonic() + limit_s
        while (ended := self.try_to(command)).returncode != 0:
            assert time.monotonic() < before, (
                f"{command}\n{ended.stdout}{ended.stderr}\n{self.journal()}"
            )
            time.sleep(0.1)
        return ended.stdout.strip()

    def write(self, path: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        command = ["nsenter", f"--target={self.leader}", "--all", "tee", path]
        subprocess.run(command, input=data, stdout=subprocess.DEVNULL, check=True)

    def show(self, field: str) -> str:
        return self.do(f"systemctl show airos --value --property={field}")

    def journal(self, *options: str) -> str:
        return self.try_to(f"journalctl --quiet --unit=airos {' '.join(options)}").stdout


@contextmanager
def booted() -> Iterator[Machine]:
    """With this checkout as a copy in /root/airos, and the packages that it needs in /wheels."""
    root, wheels = _debian(), _wheels()
    copy = KEPT / "checkout"
    _copy_checkout(copy)
    command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"]
    command += [f"--directory={root}", "--volatile=overlay", "--private-network"]
    command += ["--console=pipe", "--machine=airos-test"]
    command += [f"--bind-ro={wheels}:/wheels", f"--bind-ro={copy}:/checkout"]
    command += ["SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"]  # where this machine has no cgroup v2
    with (KEPT / "console.log").open("wb") as console:
        nspawn = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT
        )
    try:
        machine = Machine(nspawn, _leader(nspawn))
        machine.until("systemctl is-system-running --wait", BOOT_LIMIT_S)
        machine.do("cp -R /checkout /root/airos")
        yield machine
    finally:
        nspawn.terminate()
        try:
            nspawn.wait(30)
        except subprocess.TimeoutExpired:
            nspawn.kill()
            nspawn.wait()


def _leader(nspawn: subprocess.Popen[bytes]) -> int:
    """The child of nspawn that is process 1 where it is; those before it only prepare that."""
    children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
    before = time.monotonic() + BOOT_LIMIT_S
    while True:
        assert nspawn.poll() is None, (KEPT / "console.log").read_text()
        assert time.monotonic() < before, "the container has no first process"
        for child in children.read_text().split():
            with suppress(FileNotFoundError):  # it has gone meanwhile
                status = Path(f"/proc/{child}/status").read_text()
                if re.search(r"^NSpid:.*\t1$", status, re.M):
                    return int(child)
        time.sleep(0.05)


def _debian() -> Path:
    root = KEPT / f"{SUITE}-{PACKAGES.replace(',', '+')}"
    if not root.exists():
        half = KEPT / "half"
        shutil.rmtree(half, ignore_errors=True)
        KEPT.mkdir(exist_ok=True)
        subprocess.run(
            ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", SUITE, half],
            check=True,
        )
        half.rename(root)
    return root


def _wheels() -> Path:
    """All that `make install` asks the package index for, as this machine is set up to reach it."""
    wheels = KEPT / f"wheels-{PYTHON}"
    asked_for = (CHECKOUT / "pyproject.toml").read_text()
    mark = wheels / "pyproject.toml"
    if not mark.exists() or mark.read_text() != asked_for:
        shutil.rmtree(wheels, ignore_errors=True)
        _download(wheels)
        mark.write_text(asked_for)
    return wheels


def _download(wheels: Path) -> None:
    import sys
    import tomllib

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    needed = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    needed += [*extras["whisper"], *extras["mcp"]]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels)]
    subprocess.run(
        [*command, f"--python-version={PYTHON}", "--only-binary=:all:", *needed], check=True
    )


def _copy_checkout(copy: Path) -> None:
    """What git knows of or would; no environment, no build."""
    shutil.rmtree(copy, ignore_errors=True)
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (CHECKOUT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, copy / name)
