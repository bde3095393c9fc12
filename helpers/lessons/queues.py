"""Queue: the workers that run in the child processes, and the experiments that start them."""

import time
from collections.abc import Callable, Sequence
from multiprocessing import current_process
from multiprocessing.connection import Connection
from multiprocessing.queues import JoinableQueue, Queue, SimpleQueue
from multiprocessing.synchronize import Barrier
from queue import Empty
from typing import Any

from helpers import validate
from helpers.cards import Card
from helpers.contexts import Context
from helpers.questions import Claim, Question
from helpers.recording.recorder import record
from helpers.recording.trace import A_RECORDING, Trace
from helpers.supervision.supervisor import ExpectedFailure, supervised
from helpers.words import A_DIFFERENCE

PILL = None  # the item that tells a consumer to end
MOST = 16  # processes of a kind, in an experiment
MOST_ITEMS = 100_000
PANEL_JOBS = 24
LITTLE = 0.1  # of the time: too little waiting to speak of
A_QUEUE = "a queue, such as ctx.Queue()"
KINDS = ("Queue", "SimpleQueue", "a pipe each")


def post(mailbox: Queue, letter: str) -> None:
    """Leave one letter in the mailbox."""
    mailbox.put(letter)


def produce(jobs: Queue, name: str, count: int, seconds: float = 0.0) -> None:
    """Put numbered jobs, and take so many seconds to make each."""
    for number in range(count):
        time.sleep(seconds)
        jobs.put((name, number))


def consume(jobs: Queue, done: Queue, seconds: float) -> None:
    """Take jobs and work on each for so long, until a pill comes."""
    while (job := jobs.get()) is not None:
        time.sleep(seconds)
        done.put((current_process().name, job))


def put_ones(ones: Queue, times: int) -> None:
    """Put a 1 for each addition."""
    for _ in range(times):
        ones.put(1)


def keep_count(ones: Queue, result: Queue) -> None:
    """Own the counter: add what comes until a pill, then tell the sum."""
    count = 0
    while (one := ones.get()) is not None:
        count += one
    result.put(count)


def tick_off(jobs: JoinableQueue, seconds: float) -> None:
    """Take jobs for ever, work on each for so long, and tick it off."""
    while True:
        jobs.get()
        time.sleep(seconds)
        jobs.task_done()


def work_for(jobs: Queue) -> None:
    """Take jobs until a pill comes; a job is the number of seconds that it takes."""
    while (seconds := jobs.get()) is not None:
        time.sleep(seconds)


def take_one(jobs: Queue) -> None:
    """Wait for one job."""
    jobs.get()


def look_then_get(jobs: Queue, looked: Barrier, done: Queue) -> None:
    """Look whether there is a job, and only then take it."""
    if not jobs.empty():
        looked.wait()  # now everybody has looked
        done.put(jobs.get())


def just_get(jobs: Queue, start: Barrier, done: Queue) -> None:
    """Take a job without looking first, and be ready for there being none."""
    start.wait()
    try:
        done.put(jobs.get(timeout=0.3))
    except Empty:
        done.put("no job for me")


def put_many(mailbox: Queue | SimpleQueue, start: Barrier, count: int) -> None:
    """Put so many small items, as fast as it goes."""
    start.wait()
    for number in range(count):
        mailbox.put(number)


def send_many(writer: Connection, start: Barrier, count: int) -> None:
    """Like `put_many`, through a pipe that no one else writes to."""
    start.wait()
    for number in range(count):
        writer.send(number)


def out_of_order(received: Sequence[tuple[str, int]]) -> int:
    """Count the items that came out after a later one of the same producer; an item is (producer, number).

    Raises TypeError or ValueError for anything but a list of such items.
    """
    for number, item in enumerate(validate.sequence("received", received, "items (producer, number)", 0)):
        validate.sequence(f"received[{number}]", item, "a producer and a number", 2, 2)
    last: dict[str, int] = {}
    late = 0
    for name, number in received:
        late += number < last.get(name, number)
        last[name] = max(number, last.get(name, number))
    return late


def until(holds: Callable[[], bool], seconds: float = 4.0) -> None:
    """Wait until a condition holds; raise TimeoutError when it does not within `seconds`.

    Raises TypeError or ValueError for what is no function without arguments, or seconds not above 0 and at most 60.
    """
    validate.function("holds", holds, "a function without arguments", 0)
    end = time.monotonic() + validate.seconds("seconds", seconds, 60)
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"the condition did not hold within {seconds:g} s")
        time.sleep(0.002)


def someone_is_inside_get(mailbox: Queue) -> bool:
    """Tell whether a process waits in `get` at this moment, with the lock for readers in its hand."""
    validate.instance("mailbox", mailbox, Queue, A_QUEUE)
    # there is no public way to know
    readers_lock = vars(mailbox)["_rlock"]
    if readers_lock.acquire(block=False):
        readers_lock.release()
        return False
    return True


def stream_time(method: str, kind: str, producers: int, items: int) -> float:
    """Return how long it takes, in seconds, until `items` small items in all have come from so many producers.

    `kind` is "Queue" or "SimpleQueue", one for all producers, or "a pipe each". Every producer sends the same number
    of items, and at least one. Raises TypeError or ValueError for what is out of range, or not known.
    """
    ctx = validate.context_of(method)
    validate.one_of("kind", kind, KINDS)
    validate.whole_number("producers", producers, 1, MOST)
    count = validate.whole_number("items", items, producers, MOST_ITEMS) // producers
    start = ctx.Barrier(producers + 1)
    with supervised(deadline=20):
        if kind == "a pipe each":
            pipes = [ctx.Pipe(duplex=False) for _ in range(producers)]
            take = [reader.recv for reader, _ in pipes]
            children = [ctx.Process(target=send_many, args=(writer, start, count)) for _, writer in pipes]
        else:
            mailbox = ctx.Queue() if kind == "Queue" else ctx.SimpleQueue()
            take = [mailbox.get] * producers
            children = [ctx.Process(target=put_many, args=(mailbox, start, count)) for _ in range(producers)]
        for child in children:
            child.start()
        start.wait()
        begin = time.perf_counter()
        for _ in range(count):
            for take_next in take:
                take_next()
        return time.perf_counter() - begin


def deal_out(method: str, jobs: Sequence[float], workers: int, shared: bool) -> float:
    """Return how long so many workers take for all jobs, in seconds; a job is the number of seconds that it takes.

    The workers take from one shared queue, or each from a queue of its own, into which the jobs are dealt in turn.
    Raises TypeError or ValueError for what is out of range, or not known.
    """
    ctx = validate.context_of(method)
    validate.whole_number("workers", workers, 1, MOST)
    validate.flag("shared", shared)
    for number, job in enumerate(validate.sequence("jobs", jobs, "seconds, one or more")):
        validate.number(f"jobs[{number}]", job, 0, 2, "seconds")
    with supervised(deadline=20):
        queues = [ctx.Queue()] * workers if shared else [ctx.Queue() for _ in range(workers)]
        start = ctx.Barrier(workers + 1)
        children = [ctx.Process(target=_work_from, args=(start, work_for, queue)) for queue in queues]
        for child in children:
            child.start()
        start.wait()
        begin = time.perf_counter()
        for number, task in enumerate([*jobs, *[PILL] * workers]):
            queues[number % workers].put(task)
        for child in children:
            child.join()
        return time.perf_counter() - begin


def _work_from(start: Barrier, worker: Callable[..., None], *arguments: Any) -> None:
    start.wait()
    worker(*arguments)


def workshop(
    producers: int, consumers: int, maxsize: int, making_ms: int, work_ms: int, method: str = "spawn"
) -> tuple[dict[str, Any], str]:
    """Let producers and consumers share a queue; return what `depth` draws, and who waited for whom in words.

    `maxsize` 0 is a queue without limit. Making a job takes a producer `making_ms`, working on it a consumer `work_ms`.
    Raises TypeError or ValueError for what is out of range, or not known.
    """
    ctx = validate.context_of(method)
    validate.whole_number("producers", producers, 1, MOST)
    validate.whole_number("consumers", consumers, 1, MOST)
    validate.whole_number("maxsize", maxsize, 0, 1_000)
    validate.number("making_ms", making_ms, 0, 100, "ms")
    validate.number("work_ms", work_ms, 0, 100, "ms")
    with record(deadline=20) as run:
        _run_workshop(ctx, producers, consumers, maxsize, making_ms / 1000, work_ms / 1000)
    return {"run": run, "maxsize": maxsize or None}, who_waited(*(waiting_share(run, kind) for kind in ("put", "get")))


def _run_workshop(ctx: Context, producers: int, consumers: int, maxsize: int, making: float, work: float) -> None:
    jobs, done = ctx.Queue(maxsize), ctx.Queue()
    counts = [PANEL_JOBS // producers + (n < PANEL_JOBS % producers) for n in range(producers)]
    start = ctx.Barrier(producers + consumers)  # who is late to come has not waited
    shares = [(produce, jobs, f"P{n}", count, making) for n, count in enumerate(counts, 1)]
    makers = [ctx.Process(target=_work_from, args=(start, *share)) for share in shares]
    takers = [ctx.Process(target=_work_from, args=(start, consume, jobs, done, work)) for _ in range(consumers)]
    for child in [*takers, *makers]:
        child.start()
    for _ in range(PANEL_JOBS):
        done.get()
    for _ in takers:
        jobs.put(PILL)
    for child in [*takers, *makers]:
        child.join()


def who_waited(put_share: float, get_share: float) -> str:
    """Say who waited more of the time, 0 to 1: producers in `put`, or consumers in `get`.

    Raises TypeError or ValueError for what is no share.
    """
    validate.number("put_share", put_share, 0, 1)
    validate.number("get_share", get_share, 0, 1)
    words = f"Producers spent {put_share:.0%} of their time waiting in put(), consumers {get_share:.0%} in get()."
    if max(put_share, get_share) < LITTLE:
        return f"{words} Nobody waited for long."
    if abs(put_share - get_share) < LITTLE:
        return f"{words} Both waited about as much."
    if put_share > get_share:
        return f"{words} The producers were held back more; try more consumers."
    return f"{words} The consumers had too little to do; try more producers."


def waiting_share(run: Trace, kind: str) -> float:
    """Return the share of their time, 0 to 1, that children waited in "put" or "get" of the queue that is filled first.

    Their time is counted while jobs come in: from the first `put` of a child to the last.
    Raises TypeError when `run` is no recording, ValueError for any other kind, or when no child put anything.
    """
    validate.instance("run", run, Trace, A_RECORDING)
    validate.one_of("kind", kind, ("put", "get"))
    puts = [event for event in run.events if event.kind == "put" and event.process]
    if not puts:
        raise ValueError("run must be a recording in which a child put an item into a queue; there is none in it")
    channel = puts[0].channel
    begin, end = puts[0].begin, max(event.end for event in puts if event.channel == channel)
    calls = [event for event in run.events if (event.kind, event.channel) == (kind, channel) and event.process]
    waited = sum(max(0, min(event.end, end) - max(event.begin, begin)) for event in calls)
    return waited / ((end - begin) * len({event.process for event in calls}) or 1)


def _how_many_ended(failure: ExpectedFailure) -> str:
    waiting = sum(report.stopped for report in failure.reports if report.name.startswith("consumer"))
    return {0: "all", 1: "two", 2: "one"}.get(waiting, "none")


def _second_one(measured: tuple[list[Any], ExpectedFailure]) -> str:
    jobs_done, failure = measured
    if any(report.stopped for report in failure.reports if report.name.startswith("consumer")):
        return "waits"
    return "twice" if len(jobs_done) == 2 else "saw"


QUESTIONS = {
    "one_pill": Question(
        "Three consumers share a queue. After six jobs the parent puts one pill. What happens?",
        {
            "one": "Each item goes to one process only. A pill that was taken is gone for the others.",
        },
        {
            "all": "all three end",
            "two": "two end, one waits for ever",
            "one": "one ends, two wait for ever",
            "none": "all three wait for ever",
        },
        judge=_how_many_ended,
    ),
    "look_then_get": Question(
        "One job, two consumers. Both look, then both take. What happens to the one who comes second?",
        {
            "waits": "Each call is safe by itself. Between two calls anything may happen.",
        },
        {
            "saw": "it finds nothing there, and ends",
            "waits": "it waits for ever",
            "twice": "it gets the job a second time",
        },
        judge=_second_one,
    ),
}

CLAIMS = {
    "safe": Claim(
        "Queues are thread and process safe.",
        "none of the twelve jobs is lost or done twice, and one of the two consumers gets the one job",
        lambda measured: len({job for _, job in measured[0]}) == len(measured[0]) == 12 and len(measured[1]) == 1,
    ),
    "jobs": Claim(
        "Jobs through one queue.",
        f"a queue each takes at least {A_DIFFERENCE} times as long",
        lambda times: times["a queue each"] >= A_DIFFERENCE * times["one shared queue"],
    ),
}

CARD = Card(
    "A queue is a mailbox: each item goes to one of them",
    {"Ann": (0, 0), "Bob": (0, 1), "worker 1": (2, 0), "worker 2": (2, 1)},
    {"queue": (1, 0.5)},
    [("Ann", "queue", "put()"), ("Bob", "queue", "put()"), ("queue", "worker 1", "get()"),
     ("queue", "worker 2", "get()")],
    """\
jobs, done = ctx.Queue(), ctx.Queue()
ctx.Process(target=consume, args=(jobs, done, 0)).start()
for job in ["a job", None]:
    jobs.put(job)
print(done.get()[1])""",
    "a job",
    [
        "One pill ends one worker. Put in as many as there are workers.",
        "A worker that is killed inside `get()` leaves the queue locked for all.",
        "Between `empty()` and `get()` another may come. Use `get(timeout=...)`, and be ready for `Empty`.",
    ],
    imports="from helpers.lessons.queues import consume",
)  # fmt: skip
