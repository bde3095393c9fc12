"""Check: programs of plain multiprocessing code, wrong ones and right ones, and how soon a bug in one is met."""

import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.managers import DictProxy
from multiprocessing.queues import SimpleQueue
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.sharedctypes import SynchronizedArray as Array
from multiprocessing.synchronize import Barrier, Condition, Lock
from typing import TYPE_CHECKING, Any

from helpers import validate
from helpers.cards import Card
from helpers.contexts import Context
from helpers.measuring.proportion import Proportion
from helpers.measuring.repeats import Repeats, repeat
from helpers.questions import Question
from helpers.supervision.supervisor import supervised
from helpers.words import plural

if TYPE_CHECKING:
    from helpers.control import Result

SPAWN = get_context("spawn")
MOST_RUNS = 100_000
FREE_RUNS = 500
PANEL_RUNS = 100
TWO = 2  # children in the program that is searched again and again
PANEL_TIME = 15.0  # seconds that a check of the panel may take


def add_one(counter: Synchronized) -> None:
    """Add one to the counter that all share."""
    counter.value += 1


def add_one_locked(counter: Synchronized) -> None:
    """Add one to the counter while nobody else may."""
    with counter.get_lock():
        counter.value += 1


def count(ctx: Context = SPAWN) -> int:
    """Let five processes add one; return what the counter says."""
    counter = ctx.Value("i", 0)
    children = []
    for number in range(1, 6):
        name = f"child {number}"
        children.append(ctx.Process(target=add_one, args=(counter,), name=name))
    for child in children:
        child.start()
    for child in children:
        child.join()
    return counter.value


def together(ctx: Context, *jobs: tuple) -> None:
    """Start a process for each (worker, arguments ...), and wait for all."""
    children = [
        ctx.Process(target=worker, args=arguments, name=f"child {number}")
        for number, (worker, *arguments) in enumerate(jobs, 1)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()


def count_locked(ctx: Context = SPAWN) -> int:
    """Let five processes add one, each with the lock held from the reading to the writing."""
    counter = ctx.Value("i", 0)
    together(ctx, *[(add_one_locked, counter)] * 5)
    return counter.value


def add_after_sleep(counter: Synchronized, seconds: float) -> None:
    """Sleep for so long, then add one."""
    time.sleep(seconds)
    counter.value += 1


def count_after_sleep(ctx: Context = SPAWN) -> int:
    """Let five processes add one, each 0.2 s after the one before."""
    counter = ctx.Value("i", 0)
    jobs = [(add_after_sleep, counter, 0.2 * number) for number in range(5)]
    together(ctx, *jobs)
    return counter.value


def add_to_dict(shared: DictProxy) -> None:
    """Add one to what the dict says; nothing is there at first."""
    shared["count"] = shared.get("count", 0) + 1


def count_in_dict(ctx: Context = SPAWN) -> int:
    """Let two processes add one in the dict of a manager."""
    with ctx.Manager() as manager:
        shared = manager.dict()
        together(ctx, (add_to_dict, shared), (add_to_dict, shared))
        return shared["count"]


def add_to_dict_locked(shared: DictProxy, lock: Lock) -> None:
    """Look and add while nobody else may."""
    with lock:
        shared["count"] = shared.get("count", 0) + 1


def count_in_dict_locked(ctx: Context = SPAWN) -> int:
    """Let two processes add one in the dict of a manager, one at a time."""
    with ctx.Manager() as manager:
        shared, lock = manager.dict(), ctx.Lock()
        job = (add_to_dict_locked, shared, lock)
        together(ctx, job, job)
        return shared["count"]


def transfer(first: Lock, second: Lock, money: Array, amount: int) -> None:
    """Take money from Ann, and give it to Bob; each has a lock."""
    with first, second:
        money[0] -= amount
        money[1] += amount


def transfers(ctx: Context = SPAWN) -> tuple[int, ...]:
    """Move 30 from Ann to Bob, and 20 from Bob to Ann, at once."""
    ann, bob = ctx.Lock(), ctx.Lock()
    money = ctx.Array("i", [100, 100])
    there = (transfer, ann, bob, money, 30)
    back = (transfer, bob, ann, money, -20)
    together(ctx, there, back)
    return tuple(money[:])


def transfers_in_order(ctx: Context = SPAWN) -> tuple[int, ...]:
    """Make the two transfers, where both take Ann's lock first."""
    ann, bob = ctx.Lock(), ctx.Lock()
    money = ctx.Array("i", [100, 100])
    there = (transfer, ann, bob, money, 30)
    back = (transfer, ann, bob, money, -20)
    together(ctx, there, back)
    return tuple(money[:])


def wait_for_tea(bell: Condition, ready: Synchronized) -> None:
    """Look whether the tea is ready; if not, sleep until the bell rings."""
    if not ready.value:
        with bell:
            bell.wait()


def make_tea(bell: Condition, ready: Synchronized) -> None:
    """Make tea, and ring the bell for whoever sleeps."""
    with bell:
        ready.value = 1
        bell.notify()


def tea(ctx: Context = SPAWN, guest: Callable[..., None] = wait_for_tea) -> int:
    """Let one process wait for the tea that another makes."""
    bell, ready = ctx.Condition(), ctx.Value("i", 0)
    together(ctx, (guest, bell, ready), (make_tea, bell, ready))
    return ready.value


def wait_for_tea_inside(bell: Condition, ready: Synchronized) -> None:
    """Look and fall asleep while nobody else may ring."""
    with bell:
        while not ready.value:
            bell.wait()


def tea_inside(ctx: Context = SPAWN) -> int:
    """Let one process wait for the tea that another makes, and miss no bell."""
    return tea(ctx, wait_for_tea_inside)


def write(page: SimpleQueue, letter: str) -> None:
    """Write one letter three times."""
    for _ in range(3):
        page.put(letter)


def letters(ctx: Context = SPAWN) -> str:
    """Let two processes write on one page; return what stands there."""
    page = ctx.SimpleQueue()
    together(ctx, (write, page, "a"), (write, page, "b"))
    return "".join(page.get() for _ in range(6))


# the programs of the panel, and what each has to return
RIGHT = {
    count: 5,
    count_after_sleep: 5,
    count_in_dict: 2,
    transfers: (90, 110),
    tea: 1,
    count_locked: 5,
    count_in_dict_locked: 2,
    transfers_in_order: (90, 110),
    tea_inside: 1,
}
PROGRAMS = {program.__name__: program for program in RIGHT}
STRATEGIES = {"bounded": "bounded", "coin": "random", "PCT": "pct"}
WAYS = ("free runs", "coin", "PCT", "bounded")


def play(program: str, strategy: str, runs: int) -> tuple[dict[str, Any], str]:
    """Check one of PROGRAMS by one of STRATEGIES, in at most so many runs; the panel of the lesson.

    Return what `found` draws, and the story, or what was proved. Raises TypeError or ValueError for another program,
    another strategy, or runs that are not from 1 to 100; CannotCheck where this system cannot.
    """
    checked = PROGRAMS[validate.one_of("program", program, PROGRAMS)]
    drawn = STRATEGIES[validate.one_of("strategy", strategy, STRATEGIES)]
    validate.whole_number("runs", runs, 1, PANEL_RUNS)
    from helpers.control import check  # not above: children, who import this file, need none of it

    right = RIGHT[checked]
    result = check(checked, lambda outcome: outcome == right, runs, drawn, deadline=PANEL_TIME)
    picture = {"result": result, "right": right, "most": runs}
    return picture, _story(result) if result.failure else result.words


def _story(result: "Result") -> str:
    return f"{plural(result.runs, 'run')}, and the last one failed.\n{result.failure.story}"


def search(way: str, seconds: float = 3.0) -> Proportion | int:
    """Look for the bug of `count` in one of WAYS, with two children.

    Return the share of the runs that met it, out of those that chance decides: 500 "free runs" of this machine, or
    as many runs with "coin" or "PCT" as fit into the seconds. For "bounded", in which nothing is left to chance,
    return the number of the run that meets it.

    Raises TypeError or ValueError for another way, or seconds that are not from 1 to 60; CannotCheck where this
    system cannot.
    """
    validate.one_of("way", way, WAYS)
    validate.number("seconds", seconds, 1, 60, "s")
    if way == "free runs":
        repeats = _free_runs()
    elif way == "bounded":
        from helpers.control import check

        return check(_count_two, _is_right).runs
    else:
        repeats = _drawn_runs(STRATEGIES[way], seconds)
    return repeats.share(lambda total: not _is_right(total))


def _count_two() -> int:
    counter = SPAWN.Value("i", 0)
    together(SPAWN, *[(add_one, counter)] * TWO)
    return counter.value


def _is_right(total: int) -> bool:
    return total == TWO


def add_again(counter: Synchronized, start: Barrier, end: Barrier, runs: int) -> None:
    """In each run meet the others, add one, and meet them again."""
    for _ in range(runs):
        start.wait()
        add_one(counter)
        end.wait()


def _free_runs() -> Repeats:
    """Return what comes of runs in which no process has to start, and all begin at once: the best that luck can do."""
    with supervised(60):
        counter, start, end = SPAWN.Value("i", 0), SPAWN.Barrier(TWO + 1), SPAWN.Barrier(TWO + 1)
        for _ in range(TWO):
            SPAWN.Process(target=add_again, args=(counter, start, end, FREE_RUNS)).start()

        def run() -> int:
            counter.value = 0
            start.wait()
            end.wait()
            return counter.value

        return repeat(run, FREE_RUNS)


def _drawn_runs(strategy: str, seconds: float) -> Repeats:
    from helpers.control import check

    first = check(_count_two, runs=1)
    allowed = first.seconds + seconds  # to begin takes a while by itself
    drawn = check(_count_two, runs=MOST_RUNS, strategy=strategy, deadline=allowed)
    # the first run of each check is not drawn: it preempts nobody
    return Repeats(Counter(drawn.outcomes) - Counter(first.outcomes), max(0.0, drawn.seconds - first.seconds))


def _how_often(outcomes: dict[Any, int]) -> str:
    """Say how often the commonest outcome came."""
    return "always" if len(outcomes) == 1 else "often"


def _what_was_found(result: "Result") -> str:
    return "nothing" if result.failure is None else result.failure.reason


QUESTIONS = {
    "again": Question(
        "The same schedule again and again, in fresh processes. How often does the counter say the same as before?",
        {
            "always": "One process runs at a time, and the schedule says which. Nothing is left to chance.",
            "often": "So this program depends on more than its schedule.",
        },
        {"never": "never", "often": "often, but not always", "always": "every time"},
        judge=_how_often,
    ),
    "sleep": Question(
        "What does `check` find in `count_after_sleep`?",
        {
            "outcome": "A sleep makes the bad order rare. It does not forbid it, so sooner or later it comes.",
            "nothing": "No schedule that was tried came to anything but 5.",
            "deadlock": "Some of them wait for each other.",
        },
        {
            "nothing": "nothing: the children keep out of each other's way",
            "outcome": "a run that ends with fewer than 5",
            "deadlock": "children that wait for each other for ever",
        },
        judge=_what_was_found,
    ),
    "transfers": Question(
        "Both transfers begin at the same time. What is the worst that can happen?",
        {
            "outcome": "The accounts do not add up.",
            "deadlock": "Each holds the lock that the other one needs, and neither gives one back before it has both.",
            "nothing": "Every schedule that was tried ended with 90 and 110.",
        },
        {
            "nothing": "one waits for the other for a moment",
            "outcome": "money is lost",
            "deadlock": "both wait for ever",
        },
        judge=_what_was_found,
    ),
    "letters": Question(
        "`check` tried every schedule with up to two preemptions, and none wrote `ababab`. Can the page say so?",
        {
            "outcome": "After each letter but the last two somebody is preempted: more often than twice.",
            "nothing": "No schedule at all writes that.",
        },
        {
            "nothing": "no, every schedule has been tried",
            "outcome": "yes, with more preemptions",
            "machine": "yes, but only on another machine",
        },
        judge=_what_was_found,
    ),
}

CARD = Card(
    "One at a time: check picks who",
    {"child 1": (0, 0), "child 2": (2, 0)},
    {"check": (1, 0)},
    [("child 1", "check", "may I?"), ("check", "child 1", "later"), ("child 2", "check", "may I?"),
     ("check", "child 2", "go on")],
    """\
result = check(count, holds=lambda total: total == 5)
schedule = result.failure.schedule
print(result.failure.outcome)
again = rerun(count, schedule, times=3)
print(again.outcomes)""",
    "4\n{4: 3}",
    [
        "A sleep is no repair. It makes the bad order rare, and does not forbid it.",
        "No failure with two preemptions is a proof of just that.",
        "`check` sees operations on objects of `multiprocessing`, and not what plain memory does.",
    ],
    imports="from helpers.control import check, rerun\nfrom helpers.lessons.check import count",
)  # fmt: skip
