"""A real kernel, and what can be seen of it from outside. It is told from others by marks that only it has."""

import ast
import mmap
import os
import re
import secrets
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any

import psutil
from jupyter_client import BlockingKernelClient, KernelManager

from helpers.supervision.runtime_folder import runtime_folder
from tests.campaign import witness

ROOT = Path(__file__).parents[2]
MARK = "TALKING_PROCESSES_CAMPAIGN"  # in the environment of a kernel and of all that it starts
SHARED_MEMORY = Path("/dev/shm")  # where semaphores and segments have names, if anywhere
STARTS_WITHIN = 60.0  # seconds
# the cell's own traceback, in the words to which IPython falls back: it cannot show a frame that is at no line, as in
# CPython 3.11 one that is just beginning
_UNFORMATTED = re.compile(
    r"Unexpected exception formatting exception\..*?assert isinstance\(frame_info\.lineno, int\).*?AssertionError\n?",
    re.DOTALL,
)
_TRACEBACK = re.compile(r"Traceback \(most recent call last\)|KeyboardInterrupt|Fatal Python error")


class NoAnswer(Exception):
    """The kernel is dead, or does not answer in time."""


class WrongAnswer(Exception):
    """The kernel answers with an error that does not belong there."""


class Scratch:
    """A folder for the temporary files of kernels that run one after another."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="campaign-"))
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()

    def files(self) -> set[Path]:
        """Return all that lies in the temporary folder."""
        return set(self.temporary.rglob("*"))

    def clear(self, files: set[Path]) -> None:
        """Remove some of it."""
        for path in files:
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Kernel:
    """A kernel with the witness in it."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.mark = "tp" + secrets.token_hex(3)  # as long as the name of a segment may be
        self._errors = scratch.folder / f"{self.mark}.stderr"
        moments = scratch.folder / f"{self.mark}.moments"
        moments.write_bytes(bytes(witness.MOMENTS_SIZE))
        with moments.open("r+b") as file:
            self._moments = mmap.mmap(file.fileno(), witness.MOMENTS_SIZE)
        # ports that are free now may be taken when the kernel opens them, sockets with names may not
        named = {"transport": "ipc", "ip": str(runtime_folder() / self.mark)} if os.name == "posix" else {}
        self._manager = KernelManager(**named)
        with self._errors.open("wb") as errors:
            self._manager.start_kernel(cwd=str(ROOT), env=self._environment(), stdout=errors, stderr=errors)
        self.pid: int = self._manager.provisioner.pid
        self._process = psutil.Process(self.pid)
        self._client: BlockingKernelClient = self._manager.client()
        self._client.start_channels()
        try:
            self._client.wait_for_ready(timeout=STARTS_WITHIN)
        except RuntimeError as error:
            error.add_note(self._errors.read_text(errors="replace"))
            raise
        self._streams = ""
        self._errors_read = 0
        self.execute("from tests.campaign import witness", STARTS_WITHIN)
        self.ask(f"witness.settle_in(witness.Path({str(moments)!r}), {self.mark!r})")

    def _environment(self) -> dict[str, str]:
        # ipykernel leaves the output of children alone when it believes that it is tested
        ours = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        folders = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.scratch.temporary))
        return {**ours, **folders, MARK: self.mark, "IPYTHONDIR": str(self.scratch.folder / "ipython")}

    # -- what it is asked to do --

    def submit(self, code: str) -> str:
        """Let the kernel run a cell; return the number of the request."""
        self._moments[:] = bytes(witness.MOMENTS_SIZE)
        return self._client.execute(code, store_history=False, stop_on_error=False)

    def result(self, request: str, within: float) -> str:
        """Wait for a cell to end; return the error that came out of it, or "".

        Raises NoAnswer when it has not ended within so many seconds.
        """
        reply = self._reply(request, within)
        return f"{reply['ename']}: {reply['evalue']}" if "ename" in reply else ""

    def execute(self, code: str, within: float = 30.0) -> str:
        """Run a cell, and return as `result` does."""
        return self.result(self.submit(code), within)

    def ask(self, expression: str, within: float = 5.0) -> Any:
        """Return the value of an expression, as far as its repr is a literal.

        Raises NoAnswer when there is none within so many seconds, WrongAnswer when it is an error.
        """
        request = self._client.execute("", store_history=False, user_expressions={"it": f"repr({expression})"})
        reply = self._reply(request, within)
        it = reply.get("user_expressions", {}).get("it", reply)
        if it["status"] != "ok":
            raise WrongAnswer(f"{expression}: {it.get('ename')}: {it.get('evalue')}")
        return ast.literal_eval(ast.literal_eval(it["data"]["text/plain"]))

    def _reply(self, request: str, within: float) -> dict[str, Any]:
        answers_it = lambda message: message["parent_header"].get("msg_id") == request  # noqa: E731
        return self._message(self._client.get_shell_msg, answers_it, within)["content"]

    def _message(self, get: Callable[..., Any], wanted: Callable[[dict[str, Any]], bool], within: float) -> dict:
        """Wait for a message that is wanted; take in what the kernel shows meanwhile."""
        until = time.monotonic() + within
        while time.monotonic() < until and self.is_alive():
            with suppress(Empty):
                message = get(timeout=0.1)
                if message["msg_type"] == "stream":
                    self._streams += message["content"]["text"]
                if wanted(message):
                    return message
        raise NoAnswer(f"no answer within {within:.1f} s" if self.is_alive() else "the kernel is dead")

    # -- what is done to it --

    def interrupt(self) -> None:
        """Interrupt as Jupyter does: the kernel and what is in its process group."""
        if hasattr(os, "killpg"):
            # at once, while Jupyter's own way takes a millisecond in which the cell may end
            os.killpg(self.pid, signal.SIGINT)
        else:
            self._manager.interrupt_kernel()

    def kill(self, group: bool) -> None:
        """Kill the kernel as by `kill -9`, and with `group` whatever is in its process group."""
        if group:
            os.killpg(self.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def shut_down(self) -> None:
        """End the kernel as Jupyter does."""
        self._manager.shutdown_kernel()

    def close(self) -> None:
        """End the kernel and whatever is left of it."""
        self._client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)
        while left := self.processes():
            for pid in left:
                with suppress(psutil.NoSuchProcess):
                    psutil.Process(pid).kill()
        for name in self.semaphores():
            (SHARED_MEMORY / name).unlink(missing_ok=True)

    # -- what can be seen of it --

    def is_alive(self) -> bool:
        """Tell whether the process of the kernel is there."""
        return self._manager.is_alive()

    def moment(self, which: int) -> float:
        """Return when the cell began, was interrupted at its line, or ended; 0 when that has not been yet."""
        return witness.MOMENT.unpack_from(self._moments, which)[0]

    def processes(self) -> set[int]:
        """Return the pids of the kernel and all that descends from it, zombies among its children too."""
        found = set()
        for process in psutil.process_iter():
            # those of others cannot be read, and some end meanwhile
            with suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self.mark:
                    found.add(process.pid)
        with suppress(psutil.NoSuchProcess):
            found |= {child.pid for child in self._process.children(recursive=True)}
        return found

    def semaphores(self) -> set[str]:
        """Return the names of its semaphores and of its segments of shared memory."""
        return {path.name for path in SHARED_MEMORY.glob(f"*{self.mark}*")}

    def open_files(self) -> int:
        """Return how many files the kernel has open."""
        return self._process.num_fds() if hasattr(self._process, "num_fds") else self._process.num_handles()

    def new_tracebacks(self) -> str:
        """Return what the kernel and its children wrote since the last call, if that tells of tracebacks, else ""."""
        # what was written before the end mark has arrived when the mark has
        end = secrets.token_hex(8)
        self.ask(f"witness.write({end!r})")
        self._message(self._client.get_iopub_msg, lambda message: end in self._streams, within=5.0)
        written = self._errors.read_text(errors="replace")
        text, self._errors_read = self._streams + written[self._errors_read :], len(written)
        self._streams = ""
        text = _UNFORMATTED.sub("", text.replace(end, ""))
        return text if _TRACEBACK.search(text) else ""
