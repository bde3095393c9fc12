"""Tables for `test_nonsense`: arguments that are valid, nonsense that is valid too, and what nobody calls by hand."""

import os
from datetime import UTC, datetime
from functools import cache
from multiprocessing import Pipe, get_context

from helpers.classroom.lines import Line
from helpers.classroom.reading import Classroom, Person
from helpers.control import Failure, Result
from helpers.exercises import Clean
from helpers.experiments import plan
from helpers.lessons import interleavings, pipe, start_here, synchronisation
from helpers.measuring import mechanisms
from helpers.measuring.advice import Survey, Task, advise
from helpers.measuring.compare import compare_results
from helpers.measuring.proportion import Proportion
from helpers.measuring.repeats import Repeats
from helpers.measuring.results import Case, Outcomes, Timings
from helpers.measuring.timing import Measurement, Point
from helpers.progress import Progress
from helpers.questions import Question
from helpers.recording.trace import Event, ProcessInfo, Trace
from helpers.scheduling.model.exploration import deadlock, explore
from helpers.scheduling.program.handles import SharedObjects
from helpers.scheduling.real.free_runs import Sample
from helpers.scheduling.real.replays import Replay
from helpers.show.class_page import AtAGlance
from helpers.show.figures.charts import bars
from helpers.show.widgets.panel import panel
from helpers.show.widgets.predict import Prediction

NAMES = [mechanism.name for mechanism in mechanisms.ALL]


def measurement(name="Pipe"):
    points = tuple(Point(size, (1000 + size,)) for size in (100, 1_000_000))
    return Measurement(name, "round trip", "spawn", 1, points, Point(0, (10,)))


def survey():
    measured = {name: measurement(name) for name in NAMES}
    arrived = {name: [1, 2] for name in NAMES}
    return Survey(measured, measured, dict.fromkeys(NAMES, 0.001), arrived, {"shared memory": 1e-6, "Manager": 1e-3})


def task():
    return Task(2, 100, 10)


@cache
def exploration():
    return explore(interleavings.increments())


@cache
def deadlocked():
    explored = explore(synchronisation.philosophers())
    return explored.follow(explored.shortest(deadlock))[-1].state


def sets():
    """Return results of two sets: durations and shares."""
    rows = Timings("round_trips", {}, {}, {"round trip": ((1e-6, 2e-6),)})
    cases = Outcomes("crash", {}, {}, {"Queue": Case({"none": 2}, "lost a message", 2)})
    return {name: {"round_trips": rows, "crash": cases} for name in ("spawn", "fork")}


def comparison():
    return compare_results(sets())


def trace():
    """Return a recording of a parent that adds one to a counter and waits for its child."""
    processes = [ProcessInfo("MainProcess", 1, None, 0, 9_000_000), ProcessInfo("child", 2, 1, 1, 8_000_000, 0)]
    events = [
        Event(0, "put", 100, 200, "Queue 1", size=10),
        Event(1, "get", 150, 300, "Queue 1", size=10),
        Event(0, "call", 400, 500, "dict 1", "__getitem__"),
        Event(0, "wait", 600, 9000, "Event 1"),
    ]
    return Trace(processes, events, [])


def replayed():
    steps = exploration().follow([0, 1, 0, 1])
    return Replay(steps, 1, steps[-1].state, trace())


def experiment(n):
    """Return what a panel shows."""
    return {"seconds": {"one": 1.0, "all": float(n)}}, f"{n} runs"


def classroom():
    return Classroom((Person("Ada", "0" * 8, {}, (Line(kind="answer", lesson="pipe", name="who", when="now"),)),), ())


# by the name of a parameter, or by "function.parameter" where that name means something else; made when needed
VALID = {
    "advice": lambda: advise(task(), survey()),
    "additions": lambda: 2,
    "allowed": lambda: "something else",
    "broken": lambda: lambda outcome: outcome < 2,
    **dict.fromkeys(
        ["Always.program", "Breaks.program", "Clean.program", "Finds.program", "Quick.program"], lambda: "program"
    ),
    "Exercise.checks": lambda: [Clean("program")],
    "Exercise.hints": lambda: ["think"],
    "Exercise.kind": lambda: "repair it",
    "Exercise.source": lambda: "# yours\n# solution\n# given\n",
    "Exercise.name": lambda: "of_nonsense",  # it takes the place of whatever has its name
    "Exercise.task": lambda: "Repair it.",
    "Mistake.source": lambda: "pass",
    "Mistake.words": lambda: "Not so.",
    "Says.value": lambda: 1,
    "OneCall.calls": lambda: "two_calls",
    "clock": lambda: lambda: datetime.now(UTC),
    "noted": lambda: Progress((), 0),
    "now": lambda: datetime.now(UTC),
    "Script.prints": lambda: "hello",
    "Proof.scenario": lambda: "program",
    "classroom": classroom,
    "files": lambda: 2,
    "learners": lambda: 2,
    "lines": lambda: 2,
    **dict.fromkeys(["did.kind", "tell.kind", "did.answer"], lambda: "answer"),
    "tell.lesson": lambda: "pipe",
    "join.nickname": lambda: "Ada",
    "call": lambda: lambda: None,
    "machines.durations": lambda: {"a pipe": {"Ada": 1e-5}},
    "machines.shares": lambda: {"a race": {"Ada": Proportion(1, 2)}},
    "refresh": lambda: 2.0,
    "checks": lambda: [start_here.Check("Python", "3.11", True)],
    "children": lambda: 2,
    "colour": lambda: "red",
    "consumers": lambda: 2,
    "count": lambda: 1,
    "counts": lambda: {1: 2, 2: 3},
    "ctx": lambda: get_context("spawn"),
    "durations": lambda: [0.1, 0.2],
    "expected": lambda: 1,
    "experiment": lambda: lambda: 1,
    "explored": exploration,
    "failure": lambda: Failure("outcome", 1, ("main",), None),
    "found.result": lambda: Result("count", 1, {1: 1}, 2, None, "bounded", "operation", 1, 0.1),
    "goals": lambda: {"stop": deadlock},
    "height": lambda: 2.0,
    "high": lambda: 1000,
    "how": lambda: "one call",
    "in_advance": lambda: 1,
    "increments": lambda: 1,
    "items": lambda: 10,
    "jobs": lambda: [0.1, 0.1],
    "kilobytes": lambda: 1,
    "kind": lambda: "get",
    "late": lambda: 0.1,
    "links": lambda: [("parent", "child", "pipe")],
    "lock": lambda: False,
    "losing": lambda: {"two": Proportion(1, 2)},
    "lost": lambda: lambda outcome: outcome < 2,
    "low": lambda: 1,
    "making_ms": lambda: 1,
    "maxsize": lambda: 1,
    "mechanism": lambda: mechanisms.PIPE,
    "met": lambda: {"coin": Proportion(1, 2), "bounded": 3},
    "most": lambda: 5,
    "messages": lambda: 1,
    "method": lambda: "spawn",
    "name": lambda: "value",
    "noun": lambda: "run",
    "number": lambda: 1,
    "outcome": lambda: 1,
    "parties": lambda: 2,
    "played": replayed,
    "predicate": lambda: deadlock,
    "play.program": lambda: "count",
    "play.strategy": lambda: "bounded",
    "program": lambda: dict,
    "rerun.schedule": lambda: ("main",),
    "pid": os.getpid,
    "process": lambda: 0,
    "processes": lambda: ["parent", "child"],
    "producers": lambda: 1,
    "rate": lambda: 10,
    "received": lambda: [("a", 1)],
    "repeats": lambda: Repeats({1: 2, 2: 3}, 1.0),
    "right": lambda: 1,
    "run": trace,
    "runs": lambda: 2,
    "scenario": interleavings.increments,
    "schedule": lambda: [0, 1, 0, 1],
    "schedules": lambda: {"in turn": [0, 1]},
    "seconds": lambda: 1.0,
    "seen": lambda: Sample(10, {1: 4, 2: 6}, 0),
    **dict.fromkeys(["share", "put_share", "get_share"], lambda: 0.5),
    "shared": lambda: True,
    "size": lambda: 100,
    "sizes": lambda: [10, 20],
    "state": deadlocked,
    "steps": lambda: exploration().follow([0, 1, 0, 1]),
    "survey": survey,
    "take_first": lambda: False,
    "way": lambda: "coin",
    "task": task,
    "thinking_ms": lambda: 1,
    "thousand_numbers": lambda: 1,
    "title": lambda: "a title",
    "total": lambda: 2,
    "unit": lambda: "ms",
    "updates": lambda: 10,
    "value": lambda: 1,
    "what": lambda: "processes",
    "window_ms": lambda: 1,
    "work_ms": lambda: 1,
    "workers": lambda: 2,
    "reader": lambda: Pipe(duplex=False)[0],
    "trips": lambda: survey().trips,
    "streams": lambda: survey().streams,
    "set_up": lambda: survey().set_up,
    "arrived": lambda: survey().arrived,
    # the same word for something else
    "Survey.rate.name": lambda: "Pipe",
    "Mechanism.connect": lambda: mechanisms.connect_pipe,
    "Mechanism.receive": lambda: lambda end: end.recv(),
    "Mechanism.send": lambda: lambda end, message: end.send(message),
    "count_together.way": lambda: "messages to one",
    "one_of.allowed": lambda: ["yes", "no"],
    "function.arguments": lambda: 1,
    "instance.kind": lambda: complex,
    "one_of.value": lambda: "yes",
    "Repeats.mean.number": lambda: float,
    "Repeats.share.predicate": lambda: bool,
    "Scenario.build": lambda: interleavings.increments().build,
    "SharedObjects.array.values": lambda: [1, 2],
    "SharedObjects.process.worker": lambda: interleavings.increment,
    "Survey.updates": lambda: survey().updates,
    "bars.seconds": lambda: {"slow": 0.3, "quick": 0.1},
    "growth.explored": lambda: {1: exploration(), 2: exploration()},
    "tracked.items": lambda: ["pipe", "queue"],
    "panel.knobs": lambda: {"n": (1, 2, 1)},
    "play.guests": lambda: 2,
    "play.places": lambda: 1,
    "play.stay_ms": lambda: 10,
    "question.lesson": lambda: pipe,
    "question.key": lambda: "who_waits",
    "panel.experiment": lambda: experiment,
    "panel.draw": lambda: bars,
    "stage.process": get_context("spawn").Process,
    "start_and_join.join_before_the_next_start": lambda: False,
    "try_worker.worker": lambda: lambda connection: None,
    "text": lambda: "print()",
    "within": lambda: 1.0,
    "shares.what": lambda: "workers",
    "steps.seconds": lambda: {"one way": [0.1, 0.2]},
    "stream_time.kind": lambda: "Queue",
    "until.holds": lambda: lambda: True,
    "Ratio.margin": lambda: 2.0,
    "ratio.margin": lambda: 2.0,
    "Ratio.estimate": lambda: 1.0,
    "Ratio.low": lambda: 0.9,
    "Ratio.high": lambda: 1.1,
    "after": lambda: [[1.0], [2.0]],
    "before": lambda: [[1.0], [2.0]],
    "comparison": comparison,
    "first": lambda: Proportion(1, 2),
    "second": lambda: Proportion(1, 2),
    "folders": lambda: ["results"],
    "Comparison.only.words": lambda: "round trip",
    "ShareRow.differs.name": lambda: "fork",
    "sets": sets,
    "Case.counts": lambda: {"5": 2},
    "Case.hits": lambda: 1,
    **dict.fromkeys([f"{kind}.experiment" for kind in ("Outcomes", "Timings")], lambda: "crash"),
    "Outcomes.cases": lambda: {"a program": Case({"5": 2}, "lost an update", 0)},
    "Timings.series": lambda: {"round trip": ((1e-6, 2e-6),)},
    "machine": dict,
    "settings": dict,
    "folder": lambda: "results",
    "path": lambda: "results/crash.jsonl",
    "planned": lambda: plan(["start_up"]),
    "write_result.result": lambda: Outcomes("crash", {}, {}, {"a program": Case({"5": 2}, "lost an update", 0)}),
    "update_time.kind": lambda: "Value",
    "update_time.times": lambda: 10,
}

# an object of each class whose methods are called
INSTANCES = {
    "Comparison": comparison,
    "AtAGlance": lambda: AtAGlance(classroom()),
    "Exploration": exploration,
    "Fit": lambda: measurement().fit,
    "SharedObjects": SharedObjects,
    "Measurement": measurement,
    "Model": lambda: exploration().model,
    "Panel": lambda: panel(experiment, bars, n=(1, 2, 1)),
    "Prediction": lambda: Prediction(Question("Is it safe?", "It is.", {"yes": "yes", "no": "no"})),
    "Repeats": lambda: Repeats({1: 2, 2: 3}, 1.0),
    "ShareRow": lambda: comparison().share_rows[0],
    "Sample": lambda: Sample(10, {1: 4, 2: 6}, 0),
    "State": lambda: exploration()[0],
    "Survey": survey,
    "Trace": trace,
}

HASHABLE = (
    "none true minus zero half nan inf huge blank text bytes tuple object function class generator module ellipsis"
)
PICKLED = "none true minus zero half nan inf huge blank text bytes list tuple dict set object class ellipsis"
NO_FUNCTION = HASHABLE.replace("function class", "")
KINDS = (
    *("integer", "value", "array", "dict", "list", "lock", "rlock", "semaphore", "bounded_semaphore", "condition"),
    *("event", "barrier", "queue", "pipe", "choice", "process"),
)
# which nonsense makes sense after all; keys as in VALID, words as in `test_nonsense.nonsense`
MAKES_SENSE = {
    # helpers.validate
    "flag.value": "true",
    "hashable.value": HASHABLE,
    "number.value": "half",
    "compare_results.margin": "half",
    "path.value": "text",
    "seconds.value": "half",
    "sequence.value": "deep",
    "text.value": "text",
    # helpers.classroom
    "join.measurements": "true",
    "join.nickname": "text",
    "read_class.folder": "text",
    "share.nickname": "blank text",
    **dict.fromkeys(["did.answer", "did.mistake"], "blank text"),
    "did.name": "text",
    **dict.fromkeys(["tell.answer", "tell.lesson", "tell.mistake"], "blank text"),
    "tell.name": "text",
    "tell.right": "true",
    "tell.value": "zero half",
    "tell.count": "zero",
    "tell.runs": "zero",
    # helpers.lessons
    "kill_the_parent.text": "text",
    "look_at_once_ended.within": "half",
    "run_script.text": "text",
    "run_script.words": "text",
    "start_and_join.join_before_the_next_start": "true",
    # helpers.show
    "AtAGlance.page.refresh": "half",
    "machines.durations": "dict",
    "machines.shares": "dict",
    "canvas.height": "half",
    "canvas.width": "half",
    "colour_of.process": "zero",
    "depth.channel": "none",
    "depth.maxsize": "none",
    "in_main_thread.call": "class",
    "lanes.title": "none text",
    "model.links": "list tuple",
    "model.title": "blank text",
    "outcomes.case": "blank text",
    "switches.schedule": "list tuple",
    "show_source.workers": "class function",
    "start": "minus zero",
    "title": "text",
    "what": "text",
    # helpers.exercises
    **dict.fromkeys(["Always.program", "Breaks.program", "Clean.program", "Finds.program", "Quick.program"], "text"),
    "Always.otherwise": "blank text",
    "Always.outcome": HASHABLE,
    "Breaks.before": "list tuple",
    "Breaks.outcome": HASHABLE,
    "Finds.outcome": HASHABLE,
    "Finds.otherwise": "text",
    "Exercise.lesson": "blank text",
    "Exercise.mistakes": "list tuple",
    "Exercise.name": "text",
    "Exercise.notice": "blank text",
    "Exercise.task": "text",
    "Mistake.kind": "none",
    "Mistake.sign": "blank text",
    "Mistake.source": "text",
    "Mistake.words": "text",
    "Proof.grain": "blank text",
    "Proof.outcomes": "list tuple deep",
    "Proof.scenario": "text",
    "Clean.children": "zero",
    "Clean.does": "list tuple",
    "Quick.at_least": "zero half",
    "Quick.at_most": "half",
    "Quick.words": "blank text",
    "Says.also": "list tuple deep",
    "Says.name": "text",
    "Says.otherwise": "text",
    "Says.value": "true minus zero half nan inf huge blank text list dict deep",
    "check.trusts_first": "true",
    "OneCall.calls": "text",
    "Script.prints": "text",
    "Script.quiet": "true",
    # helpers.recording
    "Trace.to_chrome.path": "text",
    "record.deadline": "half",
    # helpers.show.explorer
    "explorer.goal": NO_FUNCTION,
    "explorer.grain": "none",
    "explorer_data.goals": "none dict",
    # helpers.scheduling
    "Exploration.__getitem__.number": "zero",
    "Exploration.follow.schedule": "list tuple",
    "Exploration.probability.outcome": NO_FUNCTION,
    "Exploration.schedule_to.number": "zero",
    "Exploration.successors.number": "zero",
    "Exploration.touches.number": "zero",
    "Model.follow.schedule": "list tuple",
    "Model.known": "none dict",
    "Sample.frequency.outcome": HASHABLE,
    "Scenario.endless": "list tuple",
    "Scenario.invariant": "none",
    "Scenario.outcome": "none",
    "Scenario.raises": "list tuple",
    "Scenario.title": "blank text",
    "SharedObjects.bounded_semaphore.value": "zero",
    "SharedObjects.choice.options": PICKLED,
    "SharedObjects.condition.lock": "none",
    "SharedObjects.dict.items": "none dict",
    "SharedObjects.integer.value": "minus zero",
    "SharedObjects.list.items": "list tuple",
    "SharedObjects.pipe.capacity": "zero",
    "SharedObjects.process.arguments": f"{PICKLED} function generator module deep",
    "SharedObjects.queue.feeder": "true",
    "SharedObjects.queue.maxsize": "zero",
    "SharedObjects.semaphore.value": "zero",
    "SharedObjects.value.value": "true minus zero half inf",
    "State.step.process": "zero",
    "ends_with.outcome": HASHABLE,
    "explore.max_states": "none",
    "graph_data.goals": "none dict",
    "keep_workers.deadline": "half",
    "lost_updates.steps": "list tuple",
    **dict.fromkeys([f"SharedObjects.{kind}.name" for kind in KINDS], "text"),
    "replay.deadline": "half",
    "replay.schedule": "list tuple",
    "sample.deadline": "half",
    "seed": "zero",
    "starves.process": "zero",
    "starves.progress": "none",
    "until": "none",
    # helpers.lessons
    "converse.kilobytes": "zero",
    "converse.thinking_ms": "zero",
    "count_often.lock": "true",
    "play.lock": "true",
    "panel.draw": "class function",
    "questions_of.lesson": "blank text",
    "panel.knobs": "true",
    "tracked.items": "deep",
    "count_often.window": "zero",
    "deal_out.shared": "true",
    "gather.readers": "list tuple",
    "is_whole.message": "bytes",
    "largest_item_that_lets_join.low": "zero",
    "leave_unread.take_first": "true",
    "late": "zero half",
    "out_of_order.received": "list tuple",
    "progress": "none",
    "search.seconds": "half",
    "send_time.duplex": "true",
    "send_time.size": "zero",
    "tickets": "zero",
    "turns.title": "blank text",
    "until.holds": "class",
    "until.seconds": "half",
    "whole_messages.expected": "zero",
    "who_waited.get_share": "zero",
    "who_waited.put_share": "zero",
    "who_waited.seconds": "half",
    "window_ms": "zero half",
    "workshop.making_ms": "zero half",
    "workshop.maxsize": "zero",
    "workshop.work_ms": "zero half",
    # helpers.supervision
    "expect_failure.deadline": "half",
    "supervised.deadline": "half",
    # helpers.experiments
    "plan.given": "none dict",
    "plan.names": "list tuple",
    "run_session.again": "true",
    "read_result.path": "text",
    "read_results.folder": "text",
    "run_session.folder": "text",
    "run_session.tell": "none",
    "run_session.with_names": "true",
    "write_result.folder": "text",
    # helpers.measuring
    **dict.fromkeys([f"Ratio.{name}" for name in ("estimate", "low", "high")], "zero half inf huge"),
    "Ratio.margin": "half inf huge",
    "ratio.margin": "half inf huge",
    "difference.z": "zero half",
    "Case.hits": "zero",
    "Case.what": "text",
    **{
        f"{kind}.{name}": words
        for kind in ("Outcomes", "Timings")
        for name, words in {"experiment": "text", "machine": "dict", "settings": "dict"}.items()
    },
    "Mechanism.name": "text",
    "Method.name": "text",
    "Fit.at.size": "zero half",
    "Measurement.at.size": "zero half",
    "Proportion.count": "zero",
    "Repeats.seconds": "zero half",
    "Survey.arrived": "dict",
    "Survey.set_up": "dict",
    "Survey.updates": "dict",
    "Task.survives_crash": "true",
    "call_time.call": "class",
    "one_way.budget": "half",
    "packed_for.program": "class",
    "repeat.experiment": "class",
    "round_trips.budget": "half",
    "wilson.count": "zero",
    "wilson.z": "zero half",
    # helpers.control
    "check.deadline": "half",
    "check.holds": "none",
    "check.program": "class",
    "found.right": (
        "none true minus zero half nan inf huge blank text bytes list tuple dict set object function class generator "
        "module ellipsis deep"
    ),
    "rerun.deadline": "half",
    "rerun.holds": "none",
    "rerun.program": "class",
    # helpers.words
    "duration.seconds": "zero half",
    "unit_of.seconds": "zero half",
    "percent.share": "zero",
    "plural.count": "zero",
    "plural.ending": "blank text",
    "plural.noun": "text",
    "rounded.number": "minus zero half",
}

# what is not called, by the reason; "Class" stands for its constructor
EXEMPT = {
    "an instrument fills it with what it has seen": (
        "Advice Allowance Check Crashed Event Exploration Fit Measurement Message Point ProcessInfo ProcessReport "
        "Item Plan Progress Replay Sample Starvation State Step Stint Trace Update Waiting Walks "
        "Failure Hump Result Entry ScriptRun Bereaved Comparison Row ShareRow"
    ),
    "one storey of an instrument calls it with the parts of another": (
        "Explorer KeeperEnd Model.crash Model.is_well Model.label Model.move "
        "Model.at_rest Model.check_declared Model.look Model.may_wait Model.must_wait "
        "Model.only_looks Model.outcome Panel "
        "Model.shared Model.text Picture Prediction Question QueueEnd SharedObjects SharedObjects.pack "
        "SharedObjects.unpack Prediction.is_right "
        "Placement Slot humps look page title Always.judge Breaks.judge Clean.judge Finds.judge Proof.judge "
        "Quick.judge Says.judge Script.judge "
        "OneCall.judge "
        "Progress.last_answer answer_of "
        "Exercise.with_part Exercise.own_part Exercise.judged Exercise.is_untouched Exercise.recognised "
        "Progress.predictions html_of Card Claim Claim.verdict DrawnCard DrawnCard.html give_way move_apart"
    ),
    "it runs in a child or a manager, with live objects": (
        "Letter Slot.put Tally.add Tally.total intrude visit add_squares leave rest"
    ),
    "this project calls it, with what stands in its source": (
        "Lesson PrivateName append keep note write control_groups missing opens refuse require write_page "
        "count count_after_sleep count_in_dict count_in_dict_locked count_locked letters tea tea_inside "
        "transfers transfers_in_order write_atomically"
    ),
    "it is given what the system wrote, or what workers sent": (
        "cached done_together group_folders limit quota user_and_threads"
    ),
    "what calls it has checked, or it is asked too often": (
        "State.take alone at_most_one_inside at_table first_rule in_step is_inside left_out without_error"
    ),
    "it shows anything": "shown",
    "it starts programs that are no children of multiprocessing, and its own tests give it nonsense": (
        "run_on_cluster Cluster Cluster.start_worker Cluster.kill busy_worker nap opened_elsewhere"
    ),
    "the page in the browser calls it, or a class of ours": (
        "Explorer.perform Live Live.perform Panel.perform Review.perform module"
    ),
}
