"""Where the blocks of a page run: an environment that they may install into, and a gateway that they may log in to."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SFTP_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/ssh/sftp-server", "/usr/libexec/sftp-server")

Variables = dict[str, str]
"""Variables of the environment that a page's blocks get beside their own."""


def ran(*words: object, **options: object) -> str:
    """A command that must succeed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=600, check=False, **options)
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def own_environment(tmp_path_factory) -> Variables:
    """A fresh virtual environment with faultbench, and beside it whatever this Python has: torch is not installed again."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    ran(sys.executable, "-m", "venv", folder)
    stdlib = sysconfig.get_paths()["stdlib"]
    beside = [p for p in sys.path if Path(p).is_dir() and (not p.startswith(stdlib) or "site-packages" in p) and "lib-dynload" not in p]
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "zz_beside.pth").write_text("\n".join(beside) + "\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    own = (ROOT, f"pytest=={pytest.__version__}")  # whose commands must run this environment's Python
    ran(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps", *own, env=environment)
    return {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", "VIRTUAL_ENV": str(folder), "PYTHONPATH": ""}


@pytest.fixture(scope="session")
def gateway(tmp_path_factory) -> Iterator[Variables]:
    """`ssh gateway` and `scp FILE gateway:` reach a real OpenSSH server on this machine, in an empty folder beside a bare Python."""
    sftp_server = next((path for path in SFTP_SERVERS if Path(path).exists()), None)
    tools = {name: shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") for name in ("sshd", "ssh", "scp", "ssh-keygen")}
    if not (sftp_server and all(tools.values())):
        pytest.skip("there is no OpenSSH server here to be the gateway: apt-get install openssh-server openssh-client")
    folder = tmp_path_factory.mktemp("gateway")
    home, binaries = folder / "home", folder / "bin"
    home.mkdir()
    binaries.mkdir()
    for key in ("host", "client"):
        ran(tools["ssh-keygen"], "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", folder / key)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    # Who logs in starts in the empty folder. pip finds packages as it does here; nothing else of this environment goes along.
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith("PIP_") or name.upper().endswith("_PROXY")}
    kept["PIP_CACHE_DIR"] = ran(sys.executable, "-m", "pip", "cache", "dir").strip()
    kept |= {"HOME": str(home), "PATH": f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin"}
    exported = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in kept.items())
    session = folder / "session"
    session.write_text(f'#!/bin/sh\n{exported}cd "$HOME" && exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n')
    session.chmod(0o700)
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nPidFile none\nUsePAM no\nStrictModes no\n"
        f"AuthorizedKeysFile {folder / 'client.pub'}\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        f"PermitRootLogin prohibit-password\nForceCommand {session}\nSubsystem sftp {sftp_server}\n"
    )
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "ssh_config").write_text(
        f"Host gateway\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n  IdentityFile {folder / 'client'}\n"
        f"  IdentitiesOnly yes\n  BatchMode yes\n  StrictHostKeyChecking yes\n  UserKnownHostsFile {folder / 'known_hosts'}\n"
    )
    for name in ("ssh", "scp"):
        place = binaries / name
        place.write_text(f'#!/bin/sh\nexec {tools[name]} -F {folder / "ssh_config"} "$@"\n')
        place.chmod(0o755)

    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it locks up what it does not trust yet
    with (folder / "sshd.log").open("w") as log:
        server = subprocess.Popen([tools["sshd"], "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
    try:
        _wait_for(port, server, folder / "sshd.log")
        yield {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(port: int, server: subprocess.Popen, log: Path) -> None:
    """Until the server takes connections."""
    until = time.monotonic() + 30
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as there:
            if there.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"sshd does not take connections: {log.read_text()}")
