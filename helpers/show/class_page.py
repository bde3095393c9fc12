"""The class at a glance: who predicted what before and after a discussion, and which exercise it is stuck at.

The page tells no right answer, since it is shown while people still think.
"""

from collections.abc import Mapping
from functools import lru_cache
from html import escape

from helpers import validate
from helpers.classroom.reading import Classroom, Standing, Vote
from helpers.measuring.proportion import Proportion
from helpers.show.figures.machines import machines
from helpers.show.theme import INK, PAPER, Picture, colour_of
from helpers.show.widgets.predict import html_of, questions_of
from helpers.words import plural

MOST_NUMBERS = 8  # different numbers that are shown as answers, those that most people gave
STYLE = f"""
body {{ font: 20px/1.4 "DejaVu Sans", sans-serif; max-width: 1200px; margin: 1em auto; padding: 0 1em }}
.tp-class {{ color: {INK}; background: {PAPER} }}
.tp-class table {{ border-collapse: collapse; width: 100% }}
.tp-class th, .tp-class td {{ text-align: left; padding: 2px 12px 2px 0; vertical-align: middle; background: none }}
.tp-class td.bars {{ width: 60% }}
.tp-class .bar {{ height: 14px; margin: 2px 0; box-sizing: border-box }}
.tp-class .before {{ border: 2px solid {colour_of(0)} }}
.tp-class .after {{ background: {colour_of(0)} }}
"""


class AtAGlance:
    """What a class did, to be shown in a cell or written as a page."""

    def __init__(self, classroom: Classroom) -> None:
        self.classroom = validate.instance("classroom", classroom, Classroom, "what read_class returns")

    def html(self) -> str:
        """Return it as HTML: questions, the latest first, exercises, machines, and files with problems."""
        parts = [f"<p><b>{escape(str(self))}</b></p>"]
        parts += [_vote(vote) for vote in reversed(self.classroom.votes)]
        if self.classroom.standings:
            parts.append(_standings(self.classroom.standings))
        if picture := self.picture:
            parts.append(f"<h2>Machines</h2>{picture.html()}")
        if self.classroom.problems:
            rows = "".join(f"<li>{escape(problem)}</li>" for problem in self.classroom.problems)
            parts.append(f"<h2>Files that need a look</h2><ul>{rows}</ul>")
        return f"<style>{STYLE}</style><div class='tp-class'>{''.join(parts)}</div>"

    def page(self, refresh: float) -> str:
        """Return it as a page that loads itself anew after so many seconds."""
        validate.seconds("refresh", refresh, 3600)
        return (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
            f'<meta http-equiv="refresh" content="{refresh:g}">\n<title>The class at a glance</title>\n'
            f"<h1>The class at a glance</h1>\n{self.html()}\n</html>\n"
        )

    @property
    def picture(self) -> Picture | None:
        """What all machines measured, if any did."""
        return _picture(self.classroom)

    def __str__(self) -> str:
        people = plural(len(self.classroom.people), "person").replace("persons", "people")
        stuck = next((each for each in self.classroom.standings if each.stuck), None)
        said = [f"{people} in this class."]
        if stuck:
            said.append(f"{stuck.stuck} of {stuck.tried} who tried {stuck.name} have not solved it yet.")
        return " ".join(said)

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": str(self)}


def at_a_glance(classroom: Classroom) -> AtAGlance:
    """Return what a class did, as one look; raises TypeError for anything but what `read_class` returns."""
    return AtAGlance(classroom)


def _vote(vote: Vote) -> str:
    asked = questions_of(vote.lesson).get(vote.name)
    labels = dict(asked.answers) if asked and asked.answers else {}
    unit = f" {asked.unit}" if asked and asked.unit else ""
    # of numbers those that most people gave, in their order
    given = sorted(
        set(vote.before) | set(vote.after), key=lambda each: -vote.before.get(each, 0) - vote.after.get(each, 0)
    )
    answers = (
        [*labels, *(each for each in given if each not in labels)]
        if labels
        else sorted(given[:MOST_NUMBERS], key=_size)
    )
    most = max([1, *vote.before.values(), *vote.after.values()])
    rows = "".join(
        f"<tr><th scope='row'>{html_of(labels.get(answer, answer + unit))}</th>"
        f"<td>{vote.before.get(answer, 0)} → {vote.after.get(answer, 0)}</td>"
        f"<td class='bars'>{_bar('before', vote.before.get(answer, 0), most)}"
        f"{_bar('after', vote.after.get(answer, 0), most)}</td></tr>"
        for answer in answers
    )
    title = html_of(asked.asks) if asked else escape(f"{vote.lesson}: {vote.name}")
    head = "<tr><th>answer</th><th>first → now</th><th>frame: first answer; solid: now</th></tr>"
    votes = plural(sum(vote.before.values()), "answer")
    return f"<h2>{title}</h2><p>{votes}, {escape(vote.lesson)}</p><table>{head}{rows}</table>"


def _bar(kind: str, count: int, most: int) -> str:
    # one that is empty keeps its place
    return f"<div class='bar {kind if count else ''}' style='width: {100 * count / most:.0f}%'></div>"


def _size(answer: str) -> tuple[float, str]:
    try:
        return float(answer), answer
    except ValueError:
        return float("inf"), answer


def _standings(standings: tuple[Standing, ...]) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{escape(each.name)}</th><td>{each.solved} of {each.tried}</td>"
        f"<td>{html_of(each.mistake)}{f' ({each.made_by} of {each.stuck})' if each.mistake else ''}</td></tr>"
        for each in standings
    )
    head = "<tr><th>exercise</th><th>solved by</th><th>usual mistake of those who have not</th></tr>"
    return f"<h2>Exercises</h2><table>{head}{rows}</table>"


@lru_cache(maxsize=2)
def _picture_of(durations: tuple, shares: tuple) -> Picture:
    # a page that is written again and again draws only what has changed
    return machines({name: dict(row) for name, row in durations}, {name: dict(row) for name, row in shares})


def _picture(classroom: Classroom) -> Picture | None:
    durations: dict[str, Mapping[str, float]] = {}
    shares: dict[str, Mapping[str, Proportion]] = {}
    for name, row in classroom.measured.items():
        times = {person: line.value for person, line in row.items() if line.kind == "duration" and line.value > 0}
        runs = {person: Proportion(line.count, line.runs) for person, line in row.items() if line.kind == "share"}
        durations |= {name: times} if times else {}
        shares |= {name: runs} if runs else {}
    if not durations and not shares:
        return None
    return _picture_of(
        *(tuple((name, tuple(row.items())) for name, row in rows.items()) for rows in (durations, shares))
    )
