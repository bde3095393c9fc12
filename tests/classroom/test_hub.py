"""A class on a JupyterHub: four learners log in, run one lesson at once, and see each other's answers."""

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from helpers import workbook
from helpers.classroom import read_class
from helpers.exercises.queues import last_job
from helpers.lessons.queues import QUESTIONS, until
from tests.missing import skip_without

if os.name == "nt":
    pytest.skip("JupyterHub does not run on Windows", allow_module_level=True)
if missing := [name for name in ("jupyterhub", "configurable_http_proxy", "websocket") if find_spec(name) is None]:
    skip_without("JupyterHub", f"python -m pip install {' '.join(missing)}")

import websocket

PATIENCE = 60.0  # s until the Hub or a server is up, a cell has run, or all have ended; on a busy machine
COPY = "workbook/11_queues.ipynb"
CELLS = ('question(queues, "one_pill")', "one_pill.verdict(", "your_turn(")
QUESTION = QUESTIONS["one_pill"]
# each says something else, and half of them make the same usual mistake
ANSWERS = dict(zip(("Ada", "Bob", "Eva", "Max"), QUESTION.answers, strict=True))
MISTAKE = last_job.mistakes[0]
PROGRAMS = dict(zip(ANSWERS, [last_job.reference, last_job.with_part(MISTAKE.source)] * 2, strict=True))
SEEN = "print(at_a_glance(read_class(os.environ['TALKING_PROCESSES_CLASS'])).html())"
CONFIG = """
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allowed_users = {people!r}
c.JupyterHub.bind_url = "http://127.0.0.1:{}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.SimpleLocalProcessSpawner.home_dir_template = {home!r}
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"]
c.Spawner.start_timeout = c.Spawner.http_timeout = {patience}
{recipe}
"""


@contextmanager
def hub(folder: Path, shared: Path) -> Iterator[str]:
    """Start a Hub with its proxy, all files of which are in a folder; yield its address, and end all that it started.

    Learners have homes in that folder too. Raises TimeoutError where it is not up in time.
    """
    # what TEACHING.md tells who looks after a Hub
    taught = (workbook.ROOT / "TEACHING.md").read_text("utf-8")
    recipe = re.search(r"^ +c\.Spawner\.environment = \{.*?^ +\}$", taught, re.MULTILINE | re.DOTALL)[0]
    ports = free_ports(3)
    names = {
        "python": sys.executable,
        "proxy": str(Path(sys.executable).with_name("configurable-http-proxy")),
        "home": str(folder / "home" / "{username}"),
        "people": {*map(str.lower, ANSWERS)},
        "patience": PATIENCE,
        "recipe": textwrap.dedent(recipe).replace("/srv/class", str(shared)),
    }
    (folder / "jupyterhub_config.py").write_text(CONFIG.format(*ports, **names))
    (folder / "home").mkdir()
    log = folder / "log.txt"
    with log.open("w") as said:
        server = subprocess.Popen([sys.executable, "-m", "jupyterhub"], cwd=folder, stdout=said, stderr=said)
    try:
        until(lambda: "JupyterHub is now running" in log.read_text() or server.poll() is not None, PATIENCE)
        assert server.poll() is None, log.read_text()
        yield f"127.0.0.1:{ports[0]}"
    finally:
        # it ends the servers and its proxy, which end the kernels
        server.terminate()
        try:
            server.wait(PATIENCE)
        finally:
            left = at_work_in(folder)
            for process in left:
                process.kill()
            server.wait(PATIENCE)
    assert left == [], log.read_text()


def free_ports(number: int) -> list[int]:
    """Return ports at which nobody listens, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def at_work_in(folder: Path) -> list[psutil.Process]:
    """Return the processes that work in a folder, or below it."""
    at_work = psutil.process_iter(["cwd"])
    return [each for each in at_work if each.info["cwd"] and Path(each.info["cwd"]).is_relative_to(folder)]


class Learner:
    """One who has logged in, and whose server is up."""

    def __init__(self, name: str, address: str) -> None:
        self.name, self.address, self.token = name, address, ""
        user = f"hub/api/users/{name.lower()}"
        login = {"auth": {"username": name, "password": "any"}}
        self.token = json.loads(self.call("POST", f"{user}/tokens", login))["token"]
        self.call("POST", f"{user}/server")
        # it ends when the server is up, or cannot be started
        assert '"ready": true' in self.call("GET", f"{user}/server/progress")
        self.server = f"user/{name.lower()}"

    def call(self, method: str, path: str, content: Any = None) -> str:
        """Ask the Hub, or the own server, and return its answer."""
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"token {self.token}"} if self.token else {}
        )
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"http://{self.address}/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def open(self, path: str) -> "Kernel":
        """Start a kernel for a notebook, as JupyterLab does."""
        wanted = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        kernel = json.loads(self.call("POST", f"{self.server}/api/sessions", wanted))["kernel"]["id"]
        address = f"ws://{self.address}/{self.server}/api/kernels/{kernel}/channels"
        return Kernel(websocket.create_connection(address, PATIENCE, header=[f"Authorization: token {self.token}"]))


class Kernel:
    """A kernel at the other end of a WebSocket, and the widgets that it has opened."""

    def __init__(self, line: websocket.WebSocket) -> None:
        self.line, self.session = line, secrets.token_hex()
        self.widgets: dict[str, dict[str, Any]] = {}  # what each showed at first, by its number

    def ask(self, kind: str, content: dict[str, Any]) -> str:
        """Send a request, and return what is printed until it has been carried out.

        Raises AssertionError for an error in a cell, and WebSocketTimeoutException when nothing comes in time.
        """
        number = secrets.token_hex()
        header = {"msg_id": number, "msg_type": kind, "session": self.session, "username": "", "date": "",
                  "version": "5.3"}  # fmt: skip
        # by the metadata a lesson sees that there is a page, on which somebody may answer
        request = {"header": header, "parent_header": {}, "metadata": {"deletedCells": []}, "content": content}
        self.line.send(json.dumps(request | {"channel": "shell"}))
        printed = ""
        deadline = time.monotonic() + PATIENCE
        while True:
            self.line.settimeout(max(0.001, deadline - time.monotonic()))
            message = json.loads(self.line.recv())
            kind, content = message["msg_type"], message["content"]
            if message["parent_header"].get("msg_id") != number:
                continue
            assert kind != "error", "\n".join(content["traceback"])
            if kind == "stream":
                printed += content["text"]
            if kind == "comm_open":
                self.widgets[content["comm_id"]] = content["data"]["state"]
            if kind == "status" and content["execution_state"] == "idle":
                return printed

    def run(self, source: str) -> str:
        """Run a cell, and return what it prints."""
        return self.ask("execute_request", {"code": source, "silent": False, "allow_stdin": True})

    def tell(self, is_meant: Callable[[dict[str, Any]], bool], data: dict[str, Any]) -> None:
        """Do with a widget what its page does when somebody uses it."""
        (number,) = (number for number, shown in self.widgets.items() if is_meant(shown))
        self.ask("comm_msg", {"comm_id": number, "data": data})


def take_part(learner: Learner) -> Kernel:
    """Lay the copies, join the class, work at the lesson up to its first verdict, and have an exercise checked."""
    home = learner.open("home.ipynb")
    home.run("import subprocess, sys")
    for words in (["workbook"], ["class", "join", learner.name]):
        home.run(f"subprocess.run([sys.executable, '-m', 'helpers', *{words}], check=True, timeout={PATIENCE})")
    home.line.close()
    lesson = json.loads(learner.call("GET", f"{learner.server}/api/contents/{COPY}"))["content"]
    sources = [cell["source"] for cell in lesson["cells"] if cell["cell_type"] == "code"]
    asks, settles, begins = (next(n for n, source in enumerate(sources) if text in source) for text in CELLS)
    kernel = learner.open(COPY)
    for source in sources[: asks + 1]:
        kernel.run(source)
    answer = {"answered": QUESTION.answers[ANSWERS[learner.name]]}
    kernel.tell(lambda shown: shown.get("question") == QUESTION.asks, {"method": "update", "state": answer})
    for source in sources[asks + 1 : settles + 1]:
        kernel.run(source)
    kernel.run(sources[begins])
    kernel.run(f"%%mine {last_job.name}\n{PROGRAMS[learner.name]}")
    pressed = {"method": "custom", "content": {"task": "check"}}
    kernel.tell(lambda shown: last_job.name in shown.get("title", ""), pressed)
    return kernel


@pytest.mark.thorough
def test_four_on_a_hub_run_a_lesson_at_once_and_see_each_others_answers(tmp_path):
    (server := tmp_path / "hub").mkdir()
    (shared := tmp_path / "class").mkdir()
    with hub(server, shared) as address, ThreadPoolExecutor(len(ANSWERS)) as at_once:
        learners = list(at_once.map(Learner, ANSWERS, [address] * len(ANSWERS)))
        kernels = list(at_once.map(take_part, learners))
        front_doors = "import os; from helpers.classroom import read_class; from helpers.show import at_a_glance"
        pages = [kernel.run(f"{front_doors}\n{SEEN}") for kernel in kernels]
        for kernel in kernels:
            kernel.line.close()
    people = read_class(shared).by_name
    assert {name: person.lines[0].answer for name, person in people.items()} == ANSWERS
    for name in ANSWERS:
        # each has copies and progress of her own
        assert (server / "home" / name.lower() / "workbook" / "class.json").is_file()
    for page in pages:
        assert "<b>4 people in this class. 2 of 4 who tried last_job" in page
        for words in QUESTION.answers.values():
            assert f"<th scope='row'>{words}</th><td>1 → 1</td>" in page
        assert f"<td>2 of 4</td><td>{MISTAKE.words} (2 of 2)</td>" in page
