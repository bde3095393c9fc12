"""Every exercise as its declaration says: the skeleton, the reference, and each usual mistake with its own words."""

import pkgutil
import sys
from importlib import import_module

import pytest

import helpers.exercises
from helpers.exercises.form.court import judged
from helpers.exercises.form.exercise import GIVEN, Exercise, all_known, named
from helpers.exercises.form.finding import Kind
from tests.exercises import other_solutions

LESSONS = [module.name for module in pkgutil.iter_modules(helpers.exercises.__path__) if not module.ispkg]
for lesson in LESSONS:
    import_module(f"helpers.exercises.{lesson}")
ALL = [each for each in all_known() if each.lesson in LESSONS]
MISTAKES = [(each, mistake) for each in ALL for mistake in each.mistakes]

thorough = pytest.mark.thorough
FIRST = [next(each for each in ALL if each.lesson == lesson) for lesson in LESSONS]
REFERENCES = [each if each in FIRST else pytest.param(each, marks=thorough) for each in ALL]

each_exercise = pytest.mark.parametrize("exercise", ALL, ids=lambda each: each.name)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_exercises_of_several_kinds(lesson):
    kinds = [each.kind for each in ALL if each.lesson == lesson]
    assert len(kinds) >= 4 and len(set(kinds)) >= 3


def test_exercises_have_names_of_their_own():
    # in their modules, since whatever is declared later takes the place of what has its name
    modules = [import_module(f"helpers.exercises.{lesson}") for lesson in LESSONS]
    names = [each.name for module in modules for each in vars(module).values() if isinstance(each, Exercise)]
    assert sorted(names) == sorted(each.name for each in ALL)


def test_no_exercise_hides_a_module_of_python():
    # what a learner writes becomes a module of that name
    assert [each.name for each in ALL if each.name in sys.stdlib_module_names] == []


@each_exercise
def test_the_untouched_skeleton_is_not_attempted(exercise):
    assert judged(exercise, exercise.skeleton).kind is Kind.NOT_ATTEMPTED
    assert judged(exercise, f"# a remark\n\n\n{exercise.skeleton}").kind is Kind.NOT_ATTEMPTED


@pytest.mark.parametrize("exercise", REFERENCES, ids=lambda each: each.name)
def test_the_reference_is_right_and_carries_no_sign_of_a_mistake(exercise):
    finding = judged(exercise, exercise.reference)
    assert finding.kind is Kind.RIGHT, finding
    if "def program" in exercise.reference:
        # lanes of a run, or the words of a proof, which runs nothing
        assert finding.story.startswith("Proved") if finding.trace is None else finding.trace.events


@thorough
@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=lambda each: getattr(each, "name", None))
def test_a_usual_mistake_is_caught_and_gets_its_own_words(exercise, mistake):
    text = exercise.with_part(mistake.source)
    finding = judged(exercise, text)
    assert finding.kind not in (Kind.RIGHT, Kind.NOT_ATTEMPTED, Kind.UNKNOWN), finding
    assert exercise.recognised(text, finding.kind) is mistake, finding


@pytest.mark.parametrize(("name", "part"), other_solutions.ALL)
def test_another_solution_is_right_too(name, part):
    exercise = named(name)
    finding = judged(exercise, exercise.with_part(part))
    assert finding.kind is Kind.RIGHT, finding


@each_exercise
def test_what_is_given_is_the_same_for_all_and_can_be_read(exercise):
    texts = [exercise.skeleton, exercise.reference, *(exercise.with_part(each.source) for each in exercise.mistakes)]
    assert len({text.partition(GIVEN)[2] for text in texts}) == 1
    assert max(len(line) for line in exercise.skeleton.splitlines()) <= 80
    for text in texts:
        compile(text, exercise.name, "exec")
