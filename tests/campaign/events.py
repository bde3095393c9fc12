"""One event after another is done to a kernel, and judged: what must never follow is a finding."""

import functools
import time
from collections.abc import Callable, Collection
from pathlib import Path

from tests.campaign import witness
from tests.campaign.kernels import Kernel, NoAnswer, Scratch, WrongAnswer
from tests.campaign.witness import Line

ANSWERS_WITHIN = 5.0  # seconds from an interrupt to the answer of the next cell, and from a kill to nothing left
STRIKES_WITHIN = 7.0  # seconds after which a block that stayed open has thrown its deadline into the kernel
GONE_WITHIN = 3.0  # seconds that killed processes and ending threads may take, on a busy machine too
BEGINS_WITHIN = 30.0  # seconds that a cell may take to begin, and one that nobody interrupts to end
TIE = 0.0001  # seconds between the end of a cell and an interrupt of which nobody can say which was first

# what is found -> what it means
COLUMNS = {
    "dead": "the kernel is dead, or does not answer",
    "lost": "no KeyboardInterrupt came out of the cell",
    "twice": "more than one did",
    "tracebacks": "a child, or the kernel outside the cell, showed a traceback",
    "library": "the standard library, signals or threads are not as before",
    "processes": "a process is left",
    "semaphores": "a semaphore or a segment of shared memory is left",
    "folders": "a temporary file or folder is left",
    "files": "more files are open than before",
}
Findings = dict[str, str]  # what was found, by column; empty when all is well
Event = Callable[..., Findings | None]


def _survived(event: Event) -> Event:
    """Let no answer and wrong answers be findings too, and have a sound kernel again afterwards."""

    @functools.wraps(event)
    def judged(self: "Subject", *args: object) -> Findings | None:
        try:
            found = event(self, *args)
        except NoAnswer as silence:
            found = {"dead": str(silence)}
        except WrongAnswer as error:
            found = {"twice": str(error)}
        if found:
            self._recover(found)
        return found

    return judged


class Subject:
    """A kernel in which one block runs again and again, and what is usual there. It is replaced after each finding.

    The block is an expression, with the names of a module of blocks; the first cell is run before it in each kernel.
    Each event returns its findings, or None when it came too late to be one.
    """

    def __init__(self, block: str, module: str = "tests.campaign.blocks", first_cell: str = "") -> None:
        self.block = block
        self.first_cell = f"from {module} import *\n{first_cell}"
        self.scratch = Scratch()
        self._start()

    def close(self) -> None:
        """End the kernel, and leave nothing."""
        self.kernel.close()
        self.scratch.close()

    def _start(self) -> None:
        self.kernel = self._fresh_kernel()
        self.first_seconds, self.seconds = self._run(), self._run()
        self._get_used_to()

    def _fresh_kernel(self) -> Kernel:
        kernel = Kernel(self.scratch)
        if error := kernel.execute(self.first_cell):
            raise RuntimeError(f"the first cell fails: {error}")
        return kernel

    def _run(self) -> float:
        """Run the block undisturbed; return the seconds that it takes."""
        if error := self.kernel.execute(f"witness.run({self.block})"):
            raise RuntimeError(f"{self.block} fails by itself: {error}")
        return self.kernel.moment(witness.ENDED) - self.kernel.moment(witness.BEGAN)

    def _get_used_to(self) -> None:
        """Take what there is now as usual."""
        self.kernel.ask("witness.remember()")
        self.kernel.new_tracebacks()
        self.usual = {name: look() for name, look in self._looks().items()}
        self.usual_open_files = self.kernel.open_files()

    def _looks(self) -> dict[str, Callable[[], set]]:
        return {
            "processes": self.kernel.processes,
            "semaphores": self.kernel.semaphores,
            "folders": self.scratch.files,
        }

    def lines(self) -> list[Line]:
        """Return the lines of the instruments, and of what they call, that the block reaches."""
        lines = self.kernel.ask(f"witness.lines_of({self.block})", within=60)
        self._get_used_to()
        return lines

    # -- interrupts --

    @_survived
    def interrupt_after(self, seconds: float) -> Findings | None:
        """Interrupt the block so long after its begin."""
        return self._interrupt_after(seconds)

    @_survived
    def interrupt_first_after(self, seconds: float) -> Findings | None:
        """Interrupt the first block of a fresh kernel; the next must run, and leave nothing when the kernel ends."""
        self.close()
        self.scratch = Scratch()
        self.kernel = self._fresh_kernel()
        self._get_used_to()
        found = self._interrupt_after(seconds)
        if found is None:
            return None
        # what the first block opens once and for all is no finding
        found = {column: text for column, text in found.items() if column not in ("library", "folders", "files")}
        return found | self.end()

    def _interrupt_after(self, seconds: float) -> Findings | None:
        request = self._begin()
        if not self._is_busy_after(seconds):
            self.kernel.result(request, BEGINS_WITHIN)
            return None
        self.kernel.interrupt()
        return self._judge_interrupt(request, time.monotonic() + TIE)

    @_survived
    def interrupt_at(self, line: Line) -> Findings | None:
        """Let the block interrupt itself at a line."""
        request = self._begin(line)
        return self._judge_interrupt(request, None)

    def _begin(self, line: Line | None = None) -> str:
        request = self.kernel.submit(f"witness.run({self.block}, {line!r})")
        until = time.monotonic() + BEGINS_WITHIN
        while not self.kernel.moment(witness.BEGAN):
            if time.monotonic() > until:
                raise NoAnswer("the cell does not begin")
            time.sleep(0.001)
        return request

    def _is_busy_after(self, seconds: float) -> bool:
        until = self.kernel.moment(witness.BEGAN) + seconds
        while (left := until - time.monotonic()) > 0 and not self.kernel.moment(witness.ENDED):
            time.sleep(min(left, 0.005))
        return not self.kernel.moment(witness.ENDED)

    def _judge_interrupt(self, request: str, sent: float | None) -> Findings | None:
        until = time.monotonic() + ANSWERS_WITHIN
        try:
            error = self.kernel.result(request, ANSWERS_WITHIN)
        except NoAnswer:
            # an interrupt between the end of the cell and the reply costs the reply, which is the kernel's affair
            if not self.kernel.moment(witness.ENDED):
                raise
            error = ""
        sent = sent or self.kernel.moment(witness.INTERRUPTED)
        if not sent or 0 < self.kernel.moment(witness.ENDED) < sent:
            self._get_used_to()
            return None
        found = {} if error else {"lost": "the cell went on to its end"}
        self._let_answer(until, found)
        self._look_around(found)
        self._look_inside(error, found)
        return found

    def _let_answer(self, until: float, found: Findings) -> None:
        while (left := until - time.monotonic()) > 0:
            try:
                self.kernel.ask("1 + 1", left)
                return
            except WrongAnswer as error:
                found["twice"] = str(error)
        raise NoAnswer("errors for answers")

    def _look_around(self, found: Findings) -> None:
        pids, sockets = self.kernel.ask("witness.servers()")
        self.usual["processes"].update(pids)
        self.usual["folders"].update(map(Path, sockets))
        new = {name: lambda name=name, look=look: look() - self.usual[name] for name, look in self._looks().items()}
        found |= _left(new, GONE_WITHIN)

    def _look_inside(self, error: str, found: Findings) -> None:
        interrupts, changed = self.kernel.ask(f"witness.report({GONE_WITHIN})")
        if error and not interrupts:
            found["lost"] = f"{error} came out of the cell"
        if interrupts > 1:
            found["twice"] = f"{interrupts} in one traceback"
        if tracebacks := self.kernel.new_tracebacks():
            found["tracebacks"] = tracebacks
        if changed:
            found["library"] = "; ".join(changed)
        # what the traceback kept open is closed by now
        found |= _left({"files": lambda: range(self.usual_open_files, self.kernel.open_files())}, GONE_WITHIN)

    def _recover(self, found: Findings) -> None:
        if "dead" not in found and found.keys() & {"library", "twice"}:
            self._see_whether_it_dies(found)
        self._replace()

    def _replace(self) -> None:
        self.close()
        self.scratch = Scratch()
        self._start()

    def _see_whether_it_dies(self, found: Findings) -> None:
        until = time.monotonic() + STRIKES_WITHIN
        try:
            while time.monotonic() < until:
                self._let_answer(time.monotonic() + ANSWERS_WITHIN, found)
                time.sleep(0.2)
        except NoAnswer as silence:
            found["dead"] = str(silence)

    # -- ends --

    def kill_after(self, seconds: float, group: bool) -> Findings | None:
        """Kill the kernel, or its process group, so long after the begin of the block.

        Temporary folders may stay until the next kernel has opened a block.
        """
        request = self._begin()
        if not self._is_busy_after(seconds):
            self.kernel.result(request, BEGINS_WITHIN)
            return None
        self.kernel.kill(group)
        looks = self._looks()
        del looks["folders"]
        found = _left(looks, ANSWERS_WITHIN)
        self.kernel.close()
        files = self.scratch.files()
        self._start()
        if stays := files & self.scratch.files():
            found["folders"] = _listed(stays)
            self.scratch.clear(stays)
            self._get_used_to()
        return found

    def end(self) -> Findings:
        """Shut the kernel down after the block, as Jupyter does; nothing at all may stay."""
        error = self.kernel.execute(f"witness.run({self.block})")
        self.kernel.shut_down()
        found = _left(self._looks(), GONE_WITHIN) | ({"library": f"the block fails: {error}"} if error else {})
        self._replace()
        return found


def _left(looks: dict[str, Callable[[], Collection]], within: float) -> Findings:
    """Look until nothing is left, or so many seconds are over; return what still is."""
    until = time.monotonic() + within
    while left := {name: things for name, look in looks.items() if (things := look())}:
        if time.monotonic() > until:
            break
        time.sleep(0.01)
    return {name: _listed(things) for name, things in left.items()}


def _listed(things: Collection) -> str:
    return ", ".join(sorted(str(thing) for thing in things))
