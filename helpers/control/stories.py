"""A failing run in words and as a recording."""

import re
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.control.run import Execution, Step, Waiting
from helpers.control.states import Op
from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.trace import Event, Message, ProcessInfo, Trace

if TYPE_CHECKING:
    from helpers.control.checking import Result

__tracebackhide__ = True  # an instrument: never the place where somebody waits

_STEP = 1_000_000  # ns: a step lasts a millisecond in the trace
_MOST_LINES = 60  # of a story
_MOST_OUTCOMES = 6  # that a verdict names
_MOST_CHARACTERS = 200  # of an outcome
_UNDONE = "the later writes undo the earlier"
# what a traceback says of calls through this instrument, which are nobody's mistake
_FRAMES = re.compile(rf'^  File "{re.escape(str(Path(__file__).parent))}.*\n(?:    .*\n)*', re.MULTILINE)
_EVENTS = set(EventKind) - {
    EventKind.START,
    EventKind.BEGIN,
    EventKind.RUN,
    EventKind.FEED,
}  # of which a recording makes events


def story(run: Execution, reason: str, outcome: Hashable) -> str:
    """Return the run step by step, then what went wrong."""
    names = _names(run)
    width = max((len(step.participant) for step in run.steps), default=0)
    numbered = enumerate(run.steps, 1)
    lines = [f"{number:>4}  {step.participant:<{width}}  {_what(step, names)}" for number, step in numbered]
    if len(lines) > _MOST_LINES:
        left_out = len(lines) - _MOST_LINES
        lines[_MOST_LINES // 2 : -_MOST_LINES // 2] = [f"      ... {left_out} steps ..."]
    count = sum(step.cost for step in run.steps)
    head = f"{_headline(run, reason, outcome)} ({_plural(len(run.steps), 'step')}, {_plural(count, 'preemption')})"
    tail = [conflict(run, reason, outcome)]
    if written := _FRAMES.sub("", run.output).strip():
        tail += ["It wrote:", *("    " + line for line in written.splitlines()[-12:])]
    return "\n".join([head, *lines, *filter(None, tail)])


def in_words(step: Step) -> str:
    """Return who did what, and where."""
    label = step.op.thing.split("\t")[0]
    return f"{step.participant} came to {step.op.kind}{' on ' + label if label else ''} in line {step.op.place[1]}"


def end(run: Execution) -> str:
    """Return how a run ended."""
    if run.reason in (None, "outcome"):
        return f"the outcome {_short(run.outcome)} in {_plural(len(run.steps), 'step')}"
    return f"a {run.reason} ({run.words})" if run.words else f"a {run.reason}"


def conflict(run: Execution, reason: str, outcome: Hashable) -> str:
    """Return what went wrong in one or two sentences."""
    names = _names(run)
    if reason == "deadlock":
        return "\n".join(["Nobody can go on:", *(f"  - {_waits(waiting, names)}" for waiting in run.waiting)])
    if reason in ("crash", "livelock"):
        return f"{run.words}. {_preempted(run, names)}".strip()
    return _lost_update(run, names) or _preempted(run, names)


def trace(run: Execution) -> Trace:
    """Return the run as a recording in which each step lasts a millisecond."""
    names = _names(run)
    processes = {name: each for name, each in run.processes.items() if each.kind == "process"}
    index = {name: number for number, name in enumerate(processes)}
    lane = {name: index.get(name, index.get(each.parent, 0)) for name, each in run.processes.items()}
    last = len(run.steps) * _STEP
    infos = [
        ProcessInfo(name, each.pid, run.processes[each.parent].pid if each.parent else None, each.begin * _STEP,
                    last if each.end is None else each.end * _STEP, each.exitcode)
        for name, each in processes.items()
    ]  # fmt: skip
    undoing = _overwriting(run)
    events = [_event(run, number, step, step is undoing, lane, index, names) for number, step in enumerate(run.steps)]
    stuck = [
        Event(lane[each.participant], _kind(each.op.kind), _stopped(run, each.participant) * _STEP, last + _STEP,
              _name(each.op.thing, names), outcome=Outcome.NEVER_RETURNED, thread=_thread(each.participant, index))
        for each in run.waiting
    ]  # fmt: skip
    return Trace(infos, sorted(events + stuck, key=lambda event: event.begin), _messages(run, events))


def verdict(result: "Result") -> str:
    """Return what a check found, what that proves, and what not."""
    runs = f"{result.program}: {_plural(result.runs, 'run')} in {result.seconds:.1f} s"
    if result.failure:
        again = f"rerun({result.program}, {result.failure.schedule!r})"
        which = "each one" if result.strategy == "rerun" and result.runs > 1 else "the last one"
        return f"{runs}, and {which} failed.\n{result.failure.story}\nAgain: {again}"
    named = list(result.outcomes.items())[:_MOST_OUTCOMES]
    outcomes = ", ".join(f"{_short(outcome)} ({count})" for outcome, count in named)
    if len(result.outcomes) > _MOST_OUTCOMES:
        outcomes += f" and {len(result.outcomes) - _MOST_OUTCOMES} others"
    proof = (
        f"Every schedule with up to {_plural(result.exhausted, 'preemption')} was tried"
        if result.exhausted is not None
        else "Not every schedule was tried"
    )
    reach = "at operations on multiprocessing objects" if result.grain == "operation" else "at operations and lines"
    outcomes = outcomes or "none, it ends before it returns"
    return (
        f"{runs}, none failed. Outcomes: {outcomes}.\n{proof}, with switches {reach} only. What runs between two "
        f"switches (plain memory, C code) and other machines are out of its sight."
    )


def _headline(run: Execution, reason: str, outcome: Hashable) -> str:
    return f"The outcome is {_short(outcome)}" if reason == "outcome" else reason.capitalize()


def _names(run: Execution) -> dict[str, str]:
    """Call things by numbers in order of first use: "Lock 1", "Lock 2"."""
    counts: Counter[str] = Counter()
    names: dict[str, str] = {}
    for thing in [step.op.thing for step in run.steps] + [waiting.op.thing for waiting in run.waiting]:
        label, _, identity = thing.partition("\t")
        if identity.startswith("#") and thing not in names:
            counts[label] += 1
            names[thing] = f"{label} {counts[label]}"
        elif thing not in names:
            names[thing] = label
    return names


def _name(thing: str, names: dict[str, str]) -> str:
    return names.get(thing, thing.split("\t")[0])


def _what(step: Step, names: dict[str, str]) -> str:
    place = f"  ({_where(step.op)})" if step.op.place[1] and step.op.kind != "begin" else ""
    late = "time is up: " if step.times_out else ""
    detail = f": {step.detail}" if step.detail else ""
    switch = "  <- preempts" if step.cost else ""
    return f"{late}{step.op.kind} {_name(step.op.thing, names)}".rstrip() + f"{detail}{place}{switch}"


def _where(op: Op) -> str:
    file, line, _ = op.place
    in_cell = "ipykernel" in file or file.startswith("<ipython")
    return f"{'this cell' if in_cell else Path(file).name}, line {line}"


def _waits(waiting: Waiting, names: dict[str, str]) -> str:
    thing = _name(waiting.op.thing, names)
    line = f" (line {waiting.op.place[1]})" if waiting.op.place[1] else ", at its own end"
    holders = [holder for holder in waiting.holders if holder]
    if waiting.op.kind == "join":
        return f"{waiting.participant} waits for the end of {thing}{line}"
    if waiting.op.kind == "feed":
        return f"{waiting.participant} waits for somebody to read {thing}, whose pipe is full"
    held = f", held by {' and '.join(holders)}" if holders else ""
    return f"{waiting.participant} waits in {waiting.op.kind} for {thing}{held}{line}"


def _lost_update(run: Execution, names: dict[str, str]) -> str:
    """Name the participants that all read a thing before any of them wrote what it had made of it."""
    lost = _find_lost_update(run)
    if lost is None:
        return ""
    first, others = lost
    verb, both = ("either", "both read") if len(others) == 1 else ("any of them", "all read")
    who = " and ".join([first.participant, *others])
    # whether two writes to parts met in the same part is not known
    comes = "what the later one writes rests on an old reading" if _is_partial(first) else _UNDONE
    return f"{who} {both} {_name(first.op.thing, names)} before {verb} wrote: {comes}."


def _find_lost_update(run: Execution) -> tuple[Step, list[str]] | None:
    """Return the first write that is overwritten unseen, and who does so, having read before."""
    reads: dict[str, dict[str, Step]] = {}
    for step in run.steps:
        thing = step.op.thing
        if _is_reading(step):
            reads.setdefault(thing, {})[step.participant] = step
        elif _is_writing(step) and step.participant in reads.get(thing, {}):
            del reads[thing][step.participant]
            others = [name for name in reads[thing] if _blind_write(run, name, step)]
            if others:
                return step, others
    return None


def _overwriting(run: Execution) -> Step | None:
    """Return the write that undoes another one."""
    lost = _find_lost_update(run)
    return _blind_write(run, lost[1][0], lost[0]) if lost and not _is_partial(lost[0]) else None


def _is_reading(step: Step) -> bool:
    return step.op.kind == "read" or (step.op.kind == "call" and all(access[0] != "o" for access in step.accesses))


def _is_writing(step: Step) -> bool:
    return step.op.kind == "write" or (step.op.kind == "call" and any(access[0] == "o" for access in step.accesses))


def _is_partial(step: Step) -> bool:
    """Tell whether it writes to one item of an array or one field of a structure."""
    return any(access[0] == "u" for access in step.accesses)


def _blind_write(run: Execution, name: str, step: Step) -> Step | None:
    """Return what a participant next writes to the thing of this step, unless it reads that once more before."""
    later = run.steps[run.steps.index(step) :]
    own = (other for other in later if other.participant == name and other.op.thing == step.op.thing)
    first = next((other for other in own if _is_reading(other) or _is_writing(other)), None)
    return first if first and _is_writing(first) else None


def _preempted(run: Execution, names: dict[str, str]) -> str:
    """Say between which two operations the turn was taken, and what happened meanwhile."""
    for number in range(len(run.steps) - 1, 0, -1):
        step, before = run.steps[number], run.steps[number - 1]
        if not step.cost or before.participant == step.participant:
            continue
        back = next((later for later in run.steps[number:] if later.participant == before.participant), None)
        if back is None:
            continue
        between = run.steps[number : run.steps.index(back)]
        # what was changed says more than what was looked at
        meanwhile = (list(filter(_is_writing, between)) or [other for other in between if other.op.thing])[:4]
        done = (f"{other.participant} did {other.op.kind} {_name(other.op.thing, names)}" for other in meanwhile)
        return (
            f"{before.participant} was stopped between {before.op.kind} (line {before.op.place[1]}) and {back.op.kind} "
            f"(line {back.op.place[1]}); meanwhile {', '.join(done) or step.participant + ' went on'}."
        )
    return ""


def _event(
    run: Execution,
    number: int,
    step: Step,
    undoes: bool,
    lane: dict[str, int],
    index: dict[str, int],
    names: dict[str, str],
) -> Event:
    waited = (step.participant, False) not in run.steps[number - 1].options if number else False
    begin = step.waited_since if waited else number
    outcome = Outcome.TIMED_OUT if step.times_out else Outcome.OK
    if undoes:
        outcome = Outcome.LOST_UPDATE
    return Event(lane[step.participant], _kind(step.op.kind), begin * _STEP, (number + 1) * _STEP,
                 _name(step.op.thing, names), f"{step.op.kind} {step.detail}".strip(), outcome=outcome,
                 thread=_thread(step.participant, index))  # fmt: skip


def _kind(kind: str) -> EventKind:
    """Return the kind of event for an operation; those that a recording does not know are steps."""
    return EventKind(kind) if kind in _EVENTS else EventKind.STEP


def _thread(participant: str, index: dict[str, int]) -> str:
    return "MainThread" if participant in index else participant.rpartition(" ")[2]


def _stopped(run: Execution, participant: str) -> int:
    return max((number for number, step in enumerate(run.steps, 1) if step.participant == participant), default=0)


def _messages(run: Execution, events: list[Event]) -> list[Message]:
    """Match what went into a channel with what came out of it, in order."""
    sent: dict[str, list[Event]] = {}
    messages = []
    for step, event in zip(run.steps, events, strict=True):
        piped = (access for access in step.accesses if access[1].startswith("Pipe\t") and access[0] in "ho")
        channels = {channel: mode for mode, channel, *_ in piped}
        for channel, mode in channels.items():
            if mode == "h":
                sent.setdefault(channel, []).append(event)
            elif sent.get(channel) and step.detail:
                messages.append(Message(sent[channel].pop(0), event))
    return messages


def _short(outcome: Hashable) -> str:
    text = repr(outcome)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}... ({len(text):,} characters)"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
