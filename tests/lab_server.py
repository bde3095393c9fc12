"""JupyterLab as a process of its own, for tests that ask its server for kernels or look at it with a browser."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 60  # s


@contextmanager
def lab_server(command: list[str], cwd: Path, own: Path) -> Iterator[str]:
    """Start JupyterLab with `python` and this command; yield its address, token included, and end it afterwards.

    It starts in the folder `cwd`, and keeps its own files and settings in the folder `own`. Raises RuntimeError when it
    ends, and TimeoutError when nothing listens, before it can be used.
    """
    homes = {"JUPYTER_RUNTIME_DIR": str(own / "runtime"), "JUPYTERLAB_SETTINGS_DIR": str(own / "user-settings")}
    server = subprocess.Popen(
        [sys.executable, *command, "--no-browser", "--allow-root", "--ServerApp.port=0",
         f"--LabApp.app_settings_dir={_without_news(own)}"],
        cwd=cwd, stderr=subprocess.PIPE, text=True, env={**os.environ, **homes},
    )  # fmt: skip
    try:
        address = _address(server)
        _wait_until_it_listens(address)
        yield address
    finally:
        server.terminate()
        server.communicate(timeout=30)


def _without_news(own: Path) -> Path:
    """Write settings in which JupyterLab asks nobody for news, and lays no question over a page."""
    settings = own / "app-settings"
    settings.mkdir()
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (settings / "overrides.json").write_text(json.dumps(quiet))
    return settings


def _address(server: subprocess.Popen) -> str:
    for line in server.stderr:
        if match := re.search(r"http://(?:localhost|127\.0\.0\.1):\d+/\S+\?token=\w+", line):
            return match.group()
    raise RuntimeError("JupyterLab ended before it was up")


def _wait_until_it_listens(address: str) -> None:
    """Jupyter names its address shortly before it listens there."""
    where = urlsplit(address)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            return socket.create_connection((where.hostname, where.port), timeout=PATIENCE).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens at {address} after {PATIENCE} s")
