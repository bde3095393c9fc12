"""The same experiments on every machine of a Dask cluster, each machine on its own, with all results in one folder.

Dask hands out the work, sees when a worker is lost, and gives what it was doing to another worker of the same machine.
On the machine the experiment is a program of its own, since a worker is a daemon, which may have no children.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from helpers import validate
from helpers.experiments.files import ENDINGS, read_result, write_result
from helpers.experiments.session import Planned, check_planned
from helpers.words import plural

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_WITHIN = 5.0  # s
LOOK_EVERY = 1.0  # s between two looks at which workers are there
BACK_WITHIN = 30.0  # s for a machine without any worker to get one again
AT_LEAST = 120.0  # s that an experiment may take, however short it is
AT_MOST = 10  # times as long as expected, for a longer one
END_WITHIN = 15.0  # s for an interrupted experiment to end its children
NEEDS_DASK = "A Dask cluster needs the package distributed: type python -m pip install -e .[dask]"
NO_WORKER = "no worker of it is left"


class ClusterFailed(Exception):
    """The cluster cannot be used; the message says why, and what to do."""


@dataclass(frozen=True)
class Part:
    """An experiment on a machine: the file with its result, or why there is none."""

    machine: str
    experiment: str
    path: Path | None
    why: str = ""  # it is missing


def run_on_cluster(
    address: str,
    planned: Sequence[Planned],
    folder: str | os.PathLike[str],
    tell: Callable[[str], object] | None = None,
    again: bool = False,
    with_names: bool = False,
) -> Iterator[Part]:
    """Run experiments once on every machine of the cluster, and yield each part as soon as it is there, or is missing.

    Machines work side by side, each on one experiment at a time. Each has a folder of its own in `folder`, named by its
    place (machine-1, ...), or by its address `with_names`. `tell` hears in words of workers that are lost.

    Raises ClusterFailed, before anything starts, when Dask is not installed here, no scheduler answers within seconds,
    it has no workers, or there are results in the folder and `again` is false; TypeError or ValueError for what is not
    allowed.
    """
    validate.text("address", address)
    check_planned(planned)
    place = Path(validate.path("folder", folder))
    if tell is not None:
        validate.function("tell", tell, "a function of some words, or None", 1)
    validate.flag("again", again)
    validate.flag("with_names", with_names)
    if find_spec("distributed") is None:
        raise ClusterFailed(NEEDS_DASK)
    if not again and any(path.suffix in ENDINGS for path in place.glob("*/*.json*")):
        raise ClusterFailed(f"There are results in {place} already. Name another folder with --out, or use --again")
    return _Rerun(_connect(address), planned, place, tell or str, with_names).parts()


def _connect(address: str) -> "Client":
    from distributed import Client

    try:
        # no heartbeat of ours is needed, and nothing of ours becomes the default of who calls
        client = Client(address, timeout=CONNECT_WITHIN, set_as_default=False)
    except (OSError, ValueError, ImportError) as error:
        raise ClusterFailed(f"No Dask scheduler answers at {address} ({_last_line(str(error))}). An address is "
                            "written as tcp://scheduler:8786; dask scheduler starts one") from None  # fmt: skip
    if not _workers(client):
        client.close()
        raise ClusterFailed(f"The Dask scheduler at {address} has no workers. dask worker {address} starts one")
    return client


def _workers(client: "Client") -> dict[str, str]:
    """Return the host of each worker by the worker's address."""
    return {address: worker["host"] for address, worker in client.scheduler_info(n_workers=-1)["workers"].items()}


class _Rerun:
    """Hands each machine one experiment after the other, and watches which workers are there."""

    def __init__(
        self, client: "Client", planned: Sequence[Planned], folder: Path, tell: Callable[[str], object], names: bool
    ) -> None:
        self.client, self.folder, self.tell, self.with_names = client, folder, tell, names
        self.workers = _workers(client)
        hosts = sorted(set(self.workers.values()))
        self.names = {host: _as_name(host) if names else f"machine-{n}" for n, host in enumerate(hosts, 1)}
        self.left = {host: list(planned) for host in hosts}
        self.running: dict[Future, tuple[str, Planned, float]] = {}  # host, what, and when it must be there
        self.empty: dict[str, float] = {}  # since when a machine has had no worker

    def parts(self) -> Iterator[Part]:
        """Yield each part when it is there, or is missing; whoever stops listening stops the experiments too."""
        from distributed import wait

        try:
            for host in self.names:
                self._start_next(host)
            while self.running:
                done = set()
                with suppress(TimeoutError), self.client.as_current():
                    done = wait(list(self.running), timeout=LOOK_EVERY, return_when="FIRST_COMPLETED").done
                for future in done:
                    host, each, _ = self.running.pop(future)
                    yield self._received(future, host, each)
                    self._start_next(host)
                yield from self._given_up()
        finally:
            self.client.cancel(list(self.running), force=True)
            self.client.close()

    def _start_next(self, host: str) -> None:
        if not self.left[host]:
            return
        each = self.left[host].pop(0)
        seconds = max(AT_LEAST, AT_MOST * each.experiment.seconds)
        # the host, not its workers: one that comes back has another address
        future = self.client.submit(
            measure_here, each.experiment.name, _as_texts(each.settings), seconds, self.with_names,
            workers=[host], allow_other_workers=False, pure=False,
        )  # fmt: skip
        self.running[future] = host, each, time.monotonic() + 2 * (seconds + END_WITHIN)

    def _received(self, future: "Future", host: str, each: Planned) -> Part:
        try:
            name, text = future.result(timeout=CONNECT_WITHIN)
            path = _kept(name, text, self.folder / self.names[host])
        # whatever goes wrong on another machine is told, and the others go on
        except Exception as error:
            return self._missing(host, each, f"{type(error).__name__}: {_last_line(str(error))}")
        finally:
            # Dask does a finished task again if its worker is lost while somebody still holds the future
            future.release()
        return Part(self.names[host], each.experiment.name, path)

    def _missing(self, host: str, each: Planned, why: str) -> Part:
        return Part(self.names[host], each.experiment.name, None, why)

    def _given_up(self) -> Iterator[Part]:
        """Yield what is missing: all that is left for a machine without workers, and what has taken too long."""
        self._look()
        now = time.monotonic()
        for future, (host, each, end) in list(self.running.items()):
            gone = now - self.empty.get(host, now) > BACK_WITHIN
            if gone or now > end:
                del self.running[future]
                self.client.cancel([future], force=True)
                yield self._missing(host, each, NO_WORKER if gone else "it took too long")
                if gone:
                    yield from (self._missing(host, other, NO_WORKER) for other in self.left[host])
                    self.left[host].clear()
                self._start_next(host)

    def _look(self) -> None:
        """Tell which workers have been lost since the last look."""
        before, self.workers = self.workers, _workers(self.client)
        there = set(self.workers.values())
        busy = {host for host, _, _ in self.running.values()}
        for address in before.keys() - self.workers.keys():
            host = before[address]
            if host not in busy:
                continue
            count = sum(other == host for other in self.workers.values())
            what = "what it was doing is done again by another" if count else f"one must come in {BACK_WITHIN:g} s"
            self.tell(f"{self.names[host]}: a worker was lost, {plural(count, 'other')} left there; {what}")
        self.empty = {host: self.empty.get(host, time.monotonic()) for host in busy - there}


def measure_here(name: str, settings: dict[str, str], seconds: float, with_names: bool) -> tuple[str, str]:
    """Run one experiment as a program of its own on the machine where this is called; return its file's name and text.

    `settings` are texts, as on the command line. If this process is killed, the program ends itself and its children.
    Raises ChildProcessError with the program's words when it fails, or has not ended after so many seconds.
    """
    validate.text("name", name)
    given = [f"-p{key}={value}" for key, value in validate.mapping("settings", settings, "texts by name", 0).items()]
    validate.seconds("seconds", seconds, 86_400)
    validate.flag("with_names", with_names)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "helpers.experiments", "run", name, *given, "--out", folder, "--while-stdin"]
        said = _run(command + ["--with-names"] * with_names, Path(folder) / "said", seconds)
        files = [path for path in Path(folder).iterdir() if path.suffix in ENDINGS]
        if len(files) != 1:
            raise ChildProcessError(f"{name} failed: {said}")
        return files[0].name, files[0].read_text(encoding="utf-8")


def _run(command: list[str], notes: Path, seconds: float) -> str:
    """Run a program that ends when its standard input does, and return the last line of what it said."""
    with notes.open("wb") as said, subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=said, stderr=said, cwd=Path(__file__).parents[2]
    ) as program:  # fmt: skip
        try:
            program.wait(seconds)
        except subprocess.TimeoutExpired:
            program.stdin.close()  # type: ignore[union-attr]
            try:
                program.wait(END_WITHIN)
            finally:
                program.kill()
            return f"it had not ended after {seconds:g} s"
    return _last_line(notes.read_text(encoding="utf-8", errors="replace"))


def _kept(name: str, text: str, folder: Path) -> Path:
    """Write a result that came as text into its folder, and return its file; UnusableFile when it is none."""
    with TemporaryDirectory() as spare:
        arrived = Path(spare, Path(name).name)
        arrived.write_text(text, encoding="utf-8", newline="\n")
        return write_result(read_result(arrived), folder)


def end_with_stdin() -> None:
    """Interrupt this program, and so end its children, when its standard input ends: who started it is gone."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        # as Ctrl-C does it, so that a blocked call wakes
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        else:
            signal.raise_signal(signal.SIGINT)

    # what a shell starts in the background ignores it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=watch, daemon=True).start()


def _as_texts(settings: Any) -> dict[str, str]:
    return {
        name: ",".join(map(str, value)) if isinstance(value, tuple) else str(value) for name, value in settings.items()
    }


def _as_name(host: str) -> str:
    return re.sub(r"[^\w.-]", "_", host)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
