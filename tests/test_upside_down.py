"""No sentence that a lesson says after a measurement is false, whatever was measured.

Each gets measurements turned upside down: as recorded, a thousand times as long and as short, swapped among those who
took part, and all the same. What it then says is held against these numbers. Lessons that count schedules measure
nothing, and are left out.
"""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.lessons import choosing, processes, queues, start_here
from helpers.lessons.processes import THREAD, ScriptRun
from helpers.measuring.advice import Survey, Task, advise
from helpers.measuring.proportion import Proportion
from helpers.measuring.repeats import Repeats
from helpers.measuring.timing import Measurement, Point
from helpers.recording.kinds import EventKind
from helpers.recording.trace import Event, ProcessInfo, Trace
from helpers.show import bars, cost_map, halves, lanes, latency, misses, outcomes, shares, steps, throughput
from helpers.show.figures.queue_depth import depth
from helpers.supervision import expect_failure
from helpers.supervision.child import ProcessReport
from helpers.words import A_DIFFERENCE, times_as_long
from tests.recorded_updates import recording as updates

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
UNITS = {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
COUNTED = {"interleavings", "synchronisation", "check"}  # lessons whose questions are about schedules


def cells_of(path):
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        said = ["".join(output.get("data", {}).get("text/plain", "")) for output in cell.get("outputs", ())]
        yield cell["cell_type"], "".join(cell["source"]), said


def recorded_bars():
    """Return the durations in seconds that each `bars` of a lesson has recorded, by lesson and number of its cell."""
    found = {}
    for path in NOTEBOOKS:
        for number, (_, source, said) in enumerate(cells_of(path)):
            if re.search(r"^bars\(", source, re.MULTILINE):
                words = said[-1].partition(". ")[2]
                rows = re.findall(r"(?:^|, )(.+?): ([\d.,]+) (s|ms|µs|ns)(?=, |\.$)", words)
                found[f"{path.stem} [{number}]"] = {n: float(v.replace(",", "")) * UNITS[u] for n, v, u in rows}
    return found


def turned(seconds):
    """Return durations as recorded and upside down."""
    backwards = dict(zip(seconds, list(seconds.values())[::-1], strict=True))
    same = dict.fromkeys(seconds, 0.01)
    scaled = [{name: factor * value for name, value in seconds.items()} for factor in (1000, 0.001)]
    return [seconds, *scaled, backwards, same]


def assert_compares(said, seconds):
    """Hold "longest: so many times as long as shortest" against the durations."""
    ratio = max(seconds.values()) / min(seconds.values())
    if ratio < A_DIFFERENCE:
        assert said.endswith(f"No difference: all are less than {A_DIFFERENCE} times apart")
        return
    compared = said.rpartition(" bytes. ")[2]
    longest, times, shortest = re.fullmatch(r"(.+): ([\d.,]+) times as long as (.+)", compared).groups()
    assert seconds[longest] == max(seconds.values())
    assert seconds[shortest] == min(seconds.values())
    assert float(times.replace(",", "")) == pytest.approx(ratio, rel=0.05)


# -- titles of figures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", recorded_bars().values(), ids=recorded_bars())
def test_bars_name_the_longest_and_the_shortest_of_what_they_show(seconds):
    assert len(seconds) >= 2
    for measured in turned(seconds):
        assert_compares(bars(measured).title, measured)


@given(st.dictionaries(st.sampled_from("abcde"), st.floats(1e-7, 100), min_size=2))
def test_durations_are_compared_as_they_are(seconds):
    assert_compares(times_as_long(seconds), seconds)


def measured(microseconds, sizes=(100, 10_000, 1_000_000), what="round trip"):
    """Return a Measurement by name, in which a message of each size takes so many microseconds, and a little more."""
    return {
        name: Measurement(
            name, what, "spawn", 1, tuple(Point(n, (round(1000 * us) + n,)) for n in sizes), Point(0, (1,))
        )
        for name, us in microseconds.items()
    }


RECORDED_TRIPS = {"Pipe": 33.0, "Queue": 80.6, "SimpleQueue": 44.7, "shared memory": 6.6, "Manager": 89.5}  # µs


@pytest.mark.parametrize("trips", turned(RECORDED_TRIPS))
def test_what_messages_cost_is_compared_as_measured(trips):
    runs = measured(trips)
    medians = {name: run.points[0].median for name, run in runs.items()}
    survey = Survey(runs, runs, dict.fromkeys(runs, 0.001), {}, {})
    assert_compares(latency(*runs.values()).title, medians)
    assert_compares(cost_map(survey).title, medians)
    asked = choosing.QUESTIONS["how_much_slower"]
    assert asked.judge(list(runs.values())) == medians["Manager"] / medians["shared memory"]
    rate = {name: max(point.size / point.median / 1e6 for point in run.points) for name, run in runs.items()}
    best, worst = re.findall(r"(?:^|; )([\w ]+): ([\d,]+) MB/s at best", throughput(*runs.values()).title)
    for (name, told), bound in ((best, max(rate.values())), (worst, min(rate.values()))):
        assert rate[name] == bound and float(told.replace(",", "")) == pytest.approx(bound, abs=0.5)


@pytest.mark.parametrize("trips", turned({"Pipe.send_bytes": 35.0, "Pipe": 57.8}))
def test_two_mechanisms_are_told_by_points_that_were_measured(trips):
    for part, run in zip(latency(*measured(trips).values()).title.split("; "), measured(trips).values(), strict=True):
        name, told = part.split(": ")
        assert name == run.name
        for words, point in zip(told.split("bytes")[:2], (run.points[0], run.points[-1]), strict=True):
            value, unit, size = re.search(r"([\d.,]+) (s|ms|µs|ns) with ([\d,]+) ", words).groups()
            assert int(size.replace(",", "")) == point.size
            assert float(value.replace(",", "")) * UNITS[unit] == pytest.approx(point.median, rel=0.005)


@given(st.lists(st.floats(1e-6, 1), min_size=3, max_size=6))
def test_a_jump_is_where_the_duration_jumps(values):
    sizes = [10**number for number in range(len(values))]
    title = steps(sizes, {"case": values}, "time").title
    if title.endswith("nowhere in this range"):
        assert values[0] > max(values) / 2
    else:
        before, after = (int(n.replace(",", "")) for n in re.search(r"between ([\d,]+) and ([\d,]+)", title).groups())
        assert max(values[: sizes.index(before) + 1]) <= max(values) / 2 < values[sizes.index(after)]


@given(st.integers(1, 500).flatmap(lambda runs: st.tuples(st.integers(0, runs), st.just(runs))))
def test_as_many_runs_are_said_to_lose_as_did(counted):
    lost, runs = counted
    repeats = Repeats({number: count for number, count in ((4, lost), (5, runs - lost)) if count}, 1.0)
    title = outcomes(repeats, lambda total: total < 5).title
    assert title.startswith(f"{lost} of {runs} run")
    low, high = repeats.share(lambda total: total < 5).interval
    bounds = [float(number) / 100 for number in re.findall(r"([\d.]+) %", title)]
    is_bound = {0: [high], runs: [low]}.get(lost, [low, high])
    assert bounds == pytest.approx(is_bound, rel=0.06)


@pytest.mark.parametrize("counts", [(0, 12, 20), (20, 12, 0), (0, 0, 0), (20, 20, 20), (3, 9, 5)])
def test_the_case_that_a_title_is_about_is_the_one_it_says(counts):
    losing = {f"case {number}": Proportion(count, 20) for number, count in enumerate(counts)}
    name, told = re.fullmatch(r"With a count of (case \d), (\d+) of 20 runs lost updates", shares(losing, "count of")
                              .title).groups()  # fmt: skip
    assert losing[name].count == int(told)
    above = [case for case in losing if losing[case].share > 0.5]
    assert name == above[0] if above else losing[name].count == max(counts)


def test_what_was_never_met_is_not_called_impossible():
    picture = misses({"coin": Proportion(42, 117), "free runs": Proportion(0, 500), "sure": Proportion(5, 5)})
    coin = next(row for row in picture.words.split(". ") if row.startswith("coin"))
    assert ", 0 % after" not in coin and "less than 0.0001 % after 100" in coin
    assert "free runs more than" in picture.title


# -- recordings --------------------------------------------------------------------------------------------------------

NAMES = ["parent", "child", "other"]


def recording(waits, kind=EventKind.RECV):
    """Return a recording in which process n waits in a call for so many ms as the n-th number says."""
    end = round(max(waits) * 10**6) + 1
    lives = [ProcessInfo(NAMES[number], 100 + number, None, 0, end) for number in range(len(waits))]
    events = [Event(number, kind, 0, round(wait * 10**6), "Pipe 1") for number, wait in enumerate(waits) if wait]
    return Trace(lives, events)


@pytest.mark.parametrize("waits", [(300, 40, 5), (300_000, 40_000, 5_000), (0.3, 0.04, 0.005), (5, 40, 300), (0, 0, 7)])
def test_lanes_name_who_waited_longest(waits):
    name, told = re.search(r"; (\w+) waited longest, ([\d.,]+) ms in recv", lanes(recording(waits)).title).groups()
    assert waits[NAMES.index(name)] == max(waits)
    assert float(told.replace(",", "")) == pytest.approx(max(waits), rel=0.05)


@pytest.mark.parametrize("limit", [None, 2])
@pytest.mark.parametrize("order", ["put put put get get get", "put get put get put get"])
def test_depth_says_the_most_that_the_queue_held(order, limit):
    events = [
        Event(0, EventKind(kind), at * 10**6, (at + 1) * 10**6, "Queue 1") for at, kind in enumerate(order.split())
    ]
    picture = depth(Trace([ProcessInfo("one", 1, None, 0, 10**8)], events), maxsize=limit)
    drawn = max(picture.figure.axes[0].lines[0].get_ydata())
    assert picture.title.startswith(f"The queue held {drawn:.0f} item")


def test_lost_updates_are_counted_in_either_order():
    # in one process and the other: moments of reading and of writing
    assert halves(updates([10, 20], [30, 40])).title == "2 updates, and the counter says 2: none lost"
    assert halves(updates([10, 40], [20, 30])).title == "2 updates, and the counter says 1: 1 lost"


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_workshop_says_who_waited_more(put_share, get_share):
    said = queues.who_waited(put_share, get_share)
    assert f"{put_share:.0%} of their time waiting in put(), consumers {get_share:.0%} in get()" in said
    if "Nobody" in said:
        assert max(put_share, get_share) < queues.LITTLE
    elif "Both" in said:
        assert put_share == pytest.approx(get_share, abs=queues.LITTLE)
    else:
        assert ("held back" in said) is (put_share > get_share)


# -- verdicts of questions ---------------------------------------------------------------------------------------------


def failed(results=None, /, **ends):
    """Return a failure: a process by name "ended" well, with an "error", or was "stopped" where it waited."""
    failure = expect_failure()
    failure.reports = [
        ProcessReport(name.replace("_", " "), 1, 1 if end == "error" else 0, end == "stopped", None)
        for name, end in ends.items()
    ]
    return failure if results is None else (results, failure)


OK, NO, STUCK = "ended", "error", "stopped"
TWO_THREADS = {"two threads": 0.612, "two processes": 0.294}
STARTS = {"fork": 0.0051, "spawn": 0.0406, THREAD: 0.0000682}
QUICK, SLOW = (
    {name: run["Queue"] for name, run in (("Queue", measured({"Queue": us})), ("SimpleQueue", measured({"Queue": 1})))}
    for us in (5, 50_000)
)


def advised(streams):
    return advise(Task(parties=6, size=1_000, rate=100), Survey(streams, streams, {}, {}, {}))


# what may be measured, and which answer it proves
PROVED = {
    "start_here.sharing": [(0, "0"), (1, "1")],
    "start_here.error": [(True, "nothing"), (False, "raises")],
    "processes.from_a_cell": [("hello from a cell", "arrives"), ("AttributeError: Can't get it", "fails")],
    "processes.unguarded": [
        (ScriptRun("child: hello\n", "", 0), "greets"),
        (ScriptRun("", "RuntimeError: no", 1), "refused"),
        (ScriptRun("child: hello\n", "", 1), "refused"),
    ],
    "processes.last_line": [
        (ScriptRun("parent: this is my last line\n", "", 0), "ended"),
        (ScriptRun("child: done. Is my parent still there? True\n", "", 0), "waits"),
        (ScriptRun("child: done. Is my parent still there? False\n", "", 0), "alone"),
    ],
    "pipe.who_waits": [
        (recording([300, 40]), "parent"),
        (recording([40, 300]), "child"),
        (recording([300, 300]), "both"),
        (recording([40, 40]), "nobody"),
    ],
    "pipe.sent_list": [("hello, ['bread']", "old"), ("hello, ['bread', 'milk']", "new")],
    "pipe.hang_up": [
        (failed(MainProcess=STUCK, child=STUCK), "waits"),
        (failed(MainProcess=STUCK, child=OK), "ends"),
        (failed(MainProcess=STUCK, child=NO), "error"),
    ],
    "pipe.shouting": [(80, "yes"), (79, "no"), (0, "no")],
    "queues.one_pill": [
        (failed(consumer_1=STUCK, consumer_2=OK, consumer_3=STUCK), "one"),
        (failed(consumer_1=OK, consumer_2=OK, consumer_3=STUCK), "two"),
        (failed(consumer_1=STUCK, consumer_2=STUCK, consumer_3=STUCK), "none"),
        (failed(MainProcess=STUCK, consumer_1=OK, consumer_2=OK, consumer_3=OK), "all"),
    ],
    "queues.look_then_get": [
        (failed(["it"], MainProcess=STUCK, consumer_1=STUCK, consumer_2=OK), "waits"),
        (failed(["it"], MainProcess=STUCK, consumer_1=OK, consumer_2=OK), "saw"),
        (failed(["it", "it"], consumer_1=OK, consumer_2=NO), "twice"),
    ],
    "shared_memory.overflow": [("-128", "-128"), ("128", "128"), ("an error", "an error")],
    "shared_memory.all_read_first": [(1, "1"), (5, "5")],
    "shared_memory.torn": [("10:59", "10:59"), ("9:59", "9:59")],
    "manager.one_read": [(Trace(), "0")],
    "manager.stranger": [
        (failed(friend=OK, stranger=NO), "error"),
        (failed(friend=NO, stranger=OK), "tally"),
        (failed(friend=OK, stranger=STUCK), "waits"),
    ],
    "manager.three_workers": [(1, "1"), (3, "3")],
    "manager.nested": [([], "[]"), ([1], "[1]")],
    "choosing.killed_in_get": [([], "none"), ([1, 2], "both"), ([2], "second"), ([1], "first"), ([2, 1], "both")],
    "choosing.six_parties": [(advised(QUICK), "Queue"), (advised(SLOW), "SimpleQueue")],
    "inside_a_queue.overtaking": [("from Bob", "yes"), ("from Ann", "no")],
    "inside_a_queue.late_change": [(["bread"], "old"), (["bread", "milk"], "new")],
    "inside_a_queue.edge": [(65_000, 65), (4_000, 4)],
}
BY_RATIO = {"start_here.twice", "processes.start_cost", "choosing.how_much_slower"}  # each has a test of its own


def questions():
    modules = [path.stem[3:] for path in NOTEBOOKS if path.stem[3:] not in COUNTED]
    return {
        f"{name}.{key}": asked
        for name in modules
        for key, asked in import_module(f"helpers.lessons.{name}").QUESTIONS.items()
    }


def judged_by_its_own_tests():
    """Return the questions that the tests of a lesson judge themselves."""
    for path in NOTEBOOKS:
        tests = (ROOT / "tests" / "lessons" / f"test_{path.stem[3:]}.py").read_text(encoding="utf-8")
        yield from (f"{path.stem[3:]}.{key}" for key in re.findall(r'QUESTIONS\["(\w+)"\]', tests))


def test_every_question_about_a_measurement_is_turned_upside_down():
    assert set(questions()) - {*PROVED, *BY_RATIO, *judged_by_its_own_tests()} == set()


@pytest.mark.parametrize(("name", "measured", "proved"), [(name, *row) for name in PROVED for row in PROVED[name]])
def test_a_verdict_is_what_was_measured(name, measured, proved):
    asked = questions()[name]
    assert asked.judge(measured) == proved
    assert proved in asked.answers or asked.unit


@pytest.mark.parametrize("times", turned(TWO_THREADS))
def test_the_pair_that_is_called_quicker_is_quicker(times):
    said = start_here.QUESTIONS["twice"].judge(times)
    ratio = times["two threads"] / times["two processes"]
    assert said == ("processes" if ratio >= 1.3 else "threads" if ratio <= 1 / 1.3 else "same")


@pytest.mark.parametrize("times", turned(STARTS))
def test_a_start_takes_as_many_times_as_long_as_is_said(times):
    said = processes.QUESTIONS["start_cost"].judge(times)
    ratio = times["spawn"] / times[THREAD]
    assert said == ("few" if ratio <= 10 else "some" if ratio <= 100 else "more")


# -- claims of others --------------------------------------------------------------------------------------------------


def served(by):
    """Return a recording of a parent (0) and a child (2) who ask, each served by the process of that number."""
    events = [Event(asker, EventKind.CALL, 0, 1, "dict 1", "copy") for asker in (0, 2)]
    return Trace([], [*events, *(Event(number, EventKind.SERVE, 0, 1, "dict 1", "copy") for number in by)])


TWELVE = [("consumer 1", ("Ann", number)) for number in range(12)]
PRICES = {
    "messages to one": 8.8,
    "a queue with one owner": 9.6,
    choosing.IN_SHARED_MEMORY: 1.7,
    "a manager and a lock": 305,
}
# what may be measured, and whether it shows the claim
SHOWN = {
    "queues.safe": [
        ((TWELVE, ["it"]), True),
        (([*TWELVE[1:], TWELVE[1]], ["it"]), False),
        ((TWELVE, ["it"] * 2), False),
    ],
    "queues.jobs": [
        ({"one shared queue": 280, "a queue each": 451}, True),
        ({"one shared queue": 4, "a queue each": 5}, False),
    ],
    "manager.server": [(served([1, 1]), True), (served([0, 2]), False), (served([]), False)],
    "choosing.pipe": [(1, True), (79, True), (80, False)],
    "choosing.queue": [([1, 2], True), ([], False), ([2], False)],
    "choosing.shared": [(2, True), (1, False)],
    "choosing.efficient": [({"pipe": 33.0, "look": 0.1}, True), ({"pipe": 0.1, "look": 33.0}, False)],
    "choosing.slower": [
        ({"shared memory": 0.4, "Manager": 220.0}, True),
        ({"shared memory": 220.0, "Manager": 0.4}, False),
        ({"shared memory": 1.0, "Manager": 1.9}, False),
    ],
    "choosing.messages": [
        ({"Pipe": 33.0, "Queue": 40.0, "Manager": 89.5}, True),
        ({"Pipe": 33.0, "Queue": 80.6, "Manager": 89.5}, False),
        ({"Pipe": 89.5, "Queue": 80.6, "Manager": 33.0}, False),
    ],
    "choosing.counters": [(PRICES, True), (PRICES | {"messages to one": 2}, False), (dict.fromkeys(PRICES, 1), False)],
}


def claims():
    modules = {path.stem: import_module(f"helpers.lessons.{path.stem[3:]}") for path in NOTEBOOKS}
    return {f"{name[3:]}.{key}": (name, claim) for name, module in modules.items()
            for key, claim in getattr(module, "CLAIMS", {}).items()}  # fmt: skip


def test_every_claim_is_tested_with_what_shows_it_and_with_what_does_not():
    assert set(SHOWN) == set(claims())
    assert all({shown for _, shown in rows} == {True, False} for rows in SHOWN.values())


@pytest.mark.parametrize(("name", "measured", "shown"), [(name, *row) for name in SHOWN for row in SHOWN[name]])
def test_a_claim_counts_as_shown_only_when_it_is(name, measured, shown):
    _, claim = claims()[name]
    assert (claim.verdict(measured) == "The claim is shown here.") is shown


@pytest.mark.parametrize("name", SHOWN)
def test_a_claim_is_quoted_with_its_threshold_before_it_is_judged(name):
    lesson, claim = claims()[name]
    cells = list(cells_of(ROOT / "notebooks" / f"{lesson}.ipynb"))
    call = f'CLAIMS["{name.partition(".")[2]}"].verdict('
    [judged] = [number for number, (_, source, _) in enumerate(cells) if call in source]
    before = " ".join(" ".join(source for kind, source, _ in cells[:judged] if kind == "markdown").split())
    assert f'"{claim.says}"' in before and claim.threshold in before


# -- prose -------------------------------------------------------------------------------------------------------------

# figures whose content differs from machine to machine; what stands below them must hold for each
MEASURED = re.compile(
    r"^\s*(?:bars|latency|throughput|steps|shares|outcomes|compare|cost_map|misses|strips|depth)\(", re.MULTILINE
)
RESULT = re.compile(
    r"\b(?:faster|slower|quicker|quickest|slowest|fastest|longer|costs? (?:more|less)|"
    r"so far apart|rare|hardly|nearly always|these differences)\b"
)
HEDGE = re.compile(
    r"\b(?:can|may|might|could|if|where|which|whether|depends|changes|differs|most|must|choose|so that)\b", re.I
)


def refutable(prose):
    """Return the sentences that state as a fact what a measurement above may refute."""
    sentences = re.split(r"(?<=[.?!:])\s+", " ".join(prose.split("\n## ")[0].split()))
    return [sentence for sentence in sentences if RESULT.search(sentence) and not HEDGE.search(sentence)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_text_below_a_measurement_states_its_result(path):
    measured, found = False, []
    for kind, source, _ in cells_of(path):
        if kind == "markdown" and measured:
            found += refutable(source)
        measured = measured if kind == "markdown" or "verdict(" in source else bool(MEASURED.search(source))
    assert found == []
