"""Review: what was answered wrong is asked again, later and mixed; when, says the box in which a question lies.

The rule is that of Sebastian Leitner, *So lernt man lernen* (1972): a question that was answered wrong lies in box 1,
one that was answered right goes one box up, and each box waits longer than the one before; here twice as long.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from helpers import validate
from helpers.cards import Card
from helpers.progress import Entry, Progress
from helpers.questions import Question

QUESTIONS: dict[str, Question] = {}  # none of its own: it asks those of the other lessons
WAITS = (1, 2, 4, 8, 16)  # days in box 1, 2, ...; who is right in the last one is asked no more


@dataclass(frozen=True)
class Item:
    """One question that is to be asked again."""

    lesson: str
    name: str  # the key of the question
    box: int  # from 1
    since: datetime  # when it came into its box
    happened: str = ""  # what the learner's machine came to; empty where it was not noted

    @property
    def due(self) -> datetime:
        """When it is asked again."""
        return self.since + timedelta(days=WAITS[self.box - 1])


@dataclass(frozen=True)
class Plan:
    """What is asked now, in this order, and what later, the soonest first."""

    due: tuple[Item, ...]
    later: tuple[Item, ...]


def plan(noted: Progress, now: datetime) -> Plan:
    """Return what is to be asked at a moment, and what after it.

    Raises TypeError for what is no progress or no moment, ValueError for a moment without a time zone.
    """
    validate.instance("noted", noted, Progress, "what progress.read() returns")
    validate.instance("now", now, datetime, "a moment, such as datetime.now(UTC)")
    if now.tzinfo is None:
        validate.refuse(ValueError, "now", "a moment with a time zone, such as datetime.now(UTC)", now)
    items = sorted(_boxes(noted.entries), key=lambda item: item.due)
    return Plan(_mixed(item for item in items if item.due <= now), tuple(item for item in items if item.due > now))


def _boxes(entries: Iterable[Entry]) -> list[Item]:
    """Follow each question through its boxes; one that was right at once has never come into any."""
    items: dict[tuple[str, str], Item] = {}
    for entry in entries:
        key, when = (entry.lesson, entry.name), _moment(entry.when)
        if entry.kind not in ("prediction", "review") or when is None:
            continue
        before = items.get(key)
        happened = entry.happened or (before.happened if before else "")
        if not entry.right:
            items[key] = Item(*key, 1, when, happened)
        elif before and entry.kind == "review":
            # a lesson that is run again shows its answer, so only a review counts
            if before.box == len(WAITS):
                del items[key]
            else:
                items[key] = Item(*key, before.box + 1, when, happened)
        elif before:
            items[key] = replace(before, happened=happened)
    return [item for item in items.values() if item.happened]


def _mixed(items: Iterable[Item]) -> tuple[Item, ...]:
    """Return items in their order, but never two of a lesson in a row where another one is left."""
    left, mixed = list(items), list[Item]()
    while left:
        other = next((item for item in left if not mixed or item.lesson != mixed[-1].lesson), left[0])
        mixed.append(other)
        left.remove(other)
    return tuple(mixed)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


CARD = Card(
    "Right: one box up. Wrong: back to box 1",
    {},
    {"box 1": (0, 0), "box 2": (1, 0), "box 3": (2, 0)},
    [("box 1", "box 2", "right"), ("box 2", "box 3", "right")],
    """\
box, days = 1, (1, 2, 4, 8, 16)
for right in (True, True, False):
    box = box + 1 if right else 1
    print(box, end=" ")
print("and then", days[box - 1], "day")""",
    "2 3 1 and then 1 day",
    [
        "What you read again seems known. Only an answer shows whether it is.",
        "An answer right after the lesson says little. Wait until you have nearly forgotten.",
        "A number that was measured belongs to your machine. Say why it is so large, not only how large.",
    ],
)
