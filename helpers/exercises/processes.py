"""Exercises of the lesson on processes."""

from helpers.exercises.form.checks import Always, Breaks, Clean, Says, Script
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "processes"

guard = Exercise(
    name="guard",
    lesson=LESSON,
    kind="repair it",
    task="The check runs this cell as a file, by `python guard.py`. The child crashes. Repair the script, so that the "
    "child greets and ends with 0.",
    source="""
# yours
from multiprocessing import get_context


def greet():
    print("child: hello")


ctx = get_context("spawn")
child = ctx.Process(target=greet)
child.start()
child.join()
print("parent: the child ended with", child.exitcode)
# solution
from multiprocessing import get_context


def greet():
    print("child: hello")


if __name__ == "__main__":
    ctx = get_context("spawn")
    child = ctx.Process(target=greet)
    child.start()
    child.join()
    print("parent: the child ended with", child.exitcode)
# given
""",
    hints=[
        "The child reads this file too, to find its worker. Which lines must it not carry out?",
        'In the program itself `__name__` is `"__main__"`. For the child that reads the file it is not.',
        'Put all that starts and joins under `if __name__ == "__main__":`. The worker stays at the left margin.',
    ],
    mistakes=[
        Mistake(
            "The child reads the file too, and comes to all that is not under the `if`: `start()` must not be there, "
            "nor in a function that is called there.",
            """
from multiprocessing import get_context


def greet():
    print("child: hello")


def main():
    ctx = get_context("spawn")
    child = ctx.Process(target=greet)
    child.start()
    child.join()
    print("parent: the child ended with", child.exitcode)


main()
""",
            r"\A(?!.*__name__)(?!.*try:)(?!.*'fork').*start\(\)",
        ),
        Mistake(
            "To catch the error is to hide it: the child still comes to `start()`, and is still refused.",
            """
from multiprocessing import get_context


def greet():
    print("child: hello")


try:
    ctx = get_context("spawn")
    child = ctx.Process(target=greet)
    child.start()
    child.join()
    print("parent: the child ended with", child.exitcode)
except RuntimeError:
    pass
""",
            r"\A(?!.*__name__).*try:",
        ),
        Mistake(
            "`join()` is not under the `if`, so the child comes to it too, with nobody to wait for.",
            """
from multiprocessing import get_context


def greet():
    print("child: hello")


ctx = get_context("spawn")
child = ctx.Process(target=greet)
if __name__ == "__main__":
    child.start()
child.join()
print("parent: the child ended with", child.exitcode)
""",
            r"^if .*^child\.join\(\)",
            Kind.CRASHED,
        ),
        Mistake(
            '`"__main__"` is a text, and needs its quotes.',
            """
from multiprocessing import get_context


def greet():
    print("child: hello")


if __name__ == __main__:
    ctx = get_context("spawn")
    child = ctx.Process(target=greet)
    child.start()
    child.join()
    print("parent: the child ended with", child.exitcode)
""",
            r"== __main__",
            Kind.CRASHED,
        ),
        Mistake(
            "Only the last line is under the `if`. The child still tries to start a child, and may not.",
            """
from multiprocessing import get_context


def greet():
    print("child: hello")


ctx = get_context("spawn")
child = ctx.Process(target=greet)
child.start()
child.join()
if __name__ == "__main__":
    print("parent: the child ended with", child.exitcode)
""",
            r"^child\.start\(\)",
            Kind.CRASHED,
        ),
        Mistake(
            "Now the worker is under the `if` too, and the child does not find it.",
            """
from multiprocessing import get_context

if __name__ == "__main__":

    def greet():
        print("child: hello")

    ctx = get_context("spawn")
    child = ctx.Process(target=greet)
    child.start()
    child.join()
    print("parent: the child ended with", child.exitcode)
""",
            r"^    def greet",
            Kind.CRASHED,
        ),
        Mistake(
            'The name of the program is `"__main__"`, with two underscores on each side. This `if` is never true.',
            """
from multiprocessing import get_context


def greet():
    print("child: hello")


if __name__ == "main":
    ctx = get_context("spawn")
    child = ctx.Process(target=greet)
    child.start()
    child.join()
    print("parent: the child ended with", child.exitcode)
""",
            r"__name__ == '(?!__main__')",
            Kind.WRONG,
        ),
        Mistake(
            "A copy of the parent needs no such line, but only `fork` makes copies, and not on every system.",
            """
from multiprocessing import get_context


def greet():
    print("child: hello")


ctx = get_context("fork")
child = ctx.Process(target=greet)
child.start()
child.join()
print("parent: the child ended with", child.exitcode)
""",
            r"'fork'",
            Kind.WRONG,
        ),
    ],
    checks=[Script("child: hello\nparent: the child ended with 0", quiet=True)],
    notice="The shape of a script: imports and workers at the left margin, all that is done under the `if`.",
)

missing_parts = Exercise(
    name="missing_parts",
    lesson=LESSON,
    kind="build it",
    task="Write the worker `look_for`. It has no pipe: it tells by its **exit code** how many of the wanted parts are "
    "not in the box. The check runs the cell as a file.",
    source="""
import sys
from multiprocessing import get_context


# yours
def look_for(wanted, box):
    ...
# solution
def look_for(wanted, box):
    missing = [part for part in wanted if part not in box]
    sys.exit(len(missing))
# given
if __name__ == "__main__":
    ctx = get_context("spawn")
    wanted = ["screw", "nut", "wheel"]
    for box in [["nut", "bell"], ["nut", "wheel", "screw"]]:
        child = ctx.Process(target=look_for, args=(wanted, box))
        child.start()
        child.join()
        print("missing:", child.exitcode)
""",
    hints=[
        "What a worker returns goes nowhere. How can it end with a number?",
        "`sys.exit(3)` ends a process with the exit code 3.",
        "`sys.exit(len([part for part in wanted if part not in box]))`",
    ],
    mistakes=[
        Mistake(
            "Nobody hears what a worker returns. It came to its end, so its exit code is 0.",
            "def look_for(wanted, box):\n    return len(set(wanted) - set(box))\n",
            r"\A(?!.*exit\().*return",
            Kind.WRONG,
        ),
        Mistake(
            "You have said it aloud, but the parent asks for an exit code.",
            "def look_for(wanted, box):\n    print(len(set(wanted) - set(box)))\n",
            r"\A(?!.*exit\().*print\(",
            Kind.WRONG,
        ),
        Mistake(
            "An error that nobody catches ends a process with 1, whatever number it has with it.",
            "def look_for(wanted, box):\n    raise ValueError(len(set(wanted) - set(box)))\n",
            r"raise (?!SystemExit)",
            Kind.CRASHED,
        ),
        Mistake(
            "`sys.exit` with a text prints the text, and ends the process with 1. Give it the number.",
            'def look_for(wanted, box):\n    sys.exit(f"{len(set(wanted) - set(box))} missing")\n',
            r"exit\((f?'|str)",
            Kind.CRASHED,
        ),
        Mistake(
            "A list is no number, so `sys.exit` prints it, and ends the process with 1. Give it the length.",
            "def look_for(wanted, box):\n    sys.exit([part for part in wanted if part not in box])\n",
            r"exit\((\[|list|set)",
            Kind.CRASHED,
        ),
        Mistake(
            "A box may hold what nobody wants. Count part by part, instead of comparing two lengths.",
            "def look_for(wanted, box):\n    sys.exit(len(wanted) - len(box))\n",
            r"len\(wanted\) - len\(box\)",
        ),
        Mistake(
            "`sys.exit` ends the worker at once, at the first part that is missing. Count them all before.",
            """
def look_for(wanted, box):
    missing = 0
    for part in wanted:
        if part not in box:
            missing += 1
            sys.exit(missing)
""",
            r"^    for .*^        .*exit\(",
            Kind.WRONG,
        ),
        Mistake(
            "You have counted the parts that are there.",
            "def look_for(wanted, box):\n    sys.exit(len(set(wanted) & set(box)))\n",
            r"(?<!not) in box| & ",
            Kind.WRONG,
        ),
    ],
    checks=[Script("missing: 2\nmissing: 0")],
    notice="An exit code is a small number, and the only thing that every process leaves. Longer news need a pipe.",
)

cut_short = Exercise(
    name="cut_short",
    lesson=LESSON,
    kind="break it",
    task="`main` starts an `office`, the office starts a `clerk`, and the clerk writes 1 into the book. The clerk is a "
    "daemon. Give an order in which the book stays at 0, though all end in order: a name for each step that is taken. "
    "The office begins, then starts the clerk, then ends. The clerk begins, then writes, if it lives to.",
    source="""
from multiprocessing import get_context

# yours
schedule = ["office", "office", "clerk", "clerk"]
# solution
schedule = ["office", "office", "office"]
# given
def write(book):
    book.value = 1


def work(book):
    ctx = get_context("spawn")
    clerk = ctx.Process(target=write, args=(book,), name="clerk", daemon=True)
    clerk.start()


def program():
    ctx = get_context("spawn")
    book = ctx.Value("i", 0)
    office = ctx.Process(target=work, args=(book,), name="office")
    office.start()
    office.join()
    return book.value
""",
    hints=["When does a daemon end?", "The office comes to its end before the clerk has written."],
    mistakes=[
        Mistake(
            "With the office the clerk has ended too, and takes no more steps. Leave out what no longer happens.",
            'schedule = ["office", "office", "office", "clerk", "clerk"]\n',
            r"('office'.*){3}'clerk'",
            Kind.WRONG,
        ),
        Mistake(
            "The clerk has written before the office came to its end.",
            'schedule = ["office", "office", "clerk", "clerk", "office"]\n',
            r"schedule = \['office', 'office', 'clerk', 'clerk'",
            Kind.WRONG,
        ),
    ],
    checks=[Breaks("program", 1, before=("main", "main"))],
    notice="A daemon ends with its parent, wherever it is.",
)

night_shift = Exercise(
    name="night_shift",
    lesson=LESSON,
    kind="repair it",
    task="The same office, at home. Repair `work`, so that the clerk has always written when the office is closed.",
    source="""
from multiprocessing import get_context


def write(book):
    book.value = 1


# yours
def work(book):
    ctx = get_context("spawn")
    clerk = ctx.Process(target=write, args=(book,), name="clerk", daemon=True)
    clerk.start()
# solution
def work(book):
    ctx = get_context("spawn")
    clerk = ctx.Process(target=write, args=(book,), name="clerk")
    clerk.start()
    clerk.join()
# given
def program():
    ctx = get_context("spawn")
    book = ctx.Value("i", 0)
    office = ctx.Process(target=work, args=(book,), name="office")
    office.start()
    office.join()
    return book.value
""",
    hints=[
        "A daemon is ended when its parent ends. Which of the two should wait for the other?",
        "`clerk.join()` waits for the clerk's end.",
    ],
    mistakes=[
        Mistake(
            "Sleeping makes the clerk's death rare, and not impossible. In the order below it is late all the same.",
            """
def work(book):
    import time

    ctx = get_context("spawn")
    clerk = ctx.Process(target=write, args=(book,), name="clerk", daemon=True)
    clerk.start()
    time.sleep(1)
""",
            r"sleep\(",
            Kind.WRONG,
        ),
        Mistake(
            "`join` with a time limit waits so long, and no longer. A clerk that is slow today is ended all the same.",
            """
def work(book):
    ctx = get_context("spawn")
    clerk = ctx.Process(target=write, args=(book,), name="clerk", daemon=True)
    clerk.start()
    clerk.join(1)
""",
            r"join\((timeout=)?\d",
            Kind.WRONG,
        ),
        Mistake(
            "`is_alive()` only looks. Who looks does not wait.",
            """
def work(book):
    ctx = get_context("spawn")
    clerk = ctx.Process(target=write, args=(book,), name="clerk", daemon=True)
    clerk.start()
    clerk.is_alive()
""",
            r"is_alive\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "You wait for a clerk that was never started.",
            """
def work(book):
    ctx = get_context("spawn")
    clerk = ctx.Process(target=write, args=(book,), name="clerk")
    clerk.join()
    clerk.start()
""",
            r"join\(\).*start\(\)",
            Kind.CRASHED,
        ),
        Mistake(
            "The daemon is the office itself now, or nobody. What ends too early is still the clerk.",
            """
def work(book):
    ctx = get_context("spawn")
    clerk = ctx.Process(target=write, args=(book,), name="clerk")
    clerk.daemon = True
    clerk.start()
""",
            r"daemon = True",
            Kind.WRONG,
        ),
        Mistake(
            "Now the office does the clerk's work itself. Nobody was started.",
            """
def work(book):
    ctx = get_context("spawn")
    clerk = ctx.Process(target=write, args=(book,), name="clerk", daemon=True)
    clerk.run()
""",
            r"clerk\.run\(\)|    write\(book\)",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", 1), Clean("program", children=2)],
    notice="There are two ways: the office joins the clerk, or the clerk is no daemon. A parent that ends in order "
    "joins all other children.",
)

together = Exercise(
    name="together",
    lesson=LESSON,
    kind="repair it",
    task="Two children go for a walk. Each waits at the gate until both are there. But they never meet. Repair `walk`.",
    source="""
from multiprocessing import get_context


# yours
def walk(children):
    for child in children:
        child.start()
        child.join()
# solution
def walk(children):
    for child in children:
        child.start()
    for child in children:
        child.join()
# given
def meet(gate):
    gate.wait()


def program():
    ctx = get_context("spawn")
    gate = ctx.Barrier(2)
    children = [
        ctx.Process(target=meet, args=(gate,), name=name)
        for name in ("ann", "bob")
    ]
    walk(children)
    return [child.exitcode for child in children].count(0)
""",
    hints=[
        "Who is started only when the other one has come back?",
        "First start all, then join all: two loops.",
    ],
    mistakes=[
        Mistake(
            "`join` with a time limit goes on without Ann, and then nobody has asked whether she has come back.",
            """
def walk(children):
    for child in children:
        child.start()
        child.join(1)
""",
            r"join\((timeout=)?\d",
            Kind.WRONG,
        ),
        Mistake(
            "They do meet. But nobody waits for them, so they are not back yet when they are counted.",
            """
def walk(children):
    for child in children:
        child.start()
""",
            r"\A(?!.*join\()",
            Kind.WRONG,
        ),
        Mistake(
            "You wait for the last one only. The other one may still be on the way.",
            """
def walk(children):
    for child in children:
        child.start()
    child.join()
""",
            r"^    child\.join\(\)|children\[-?\d\]\.join\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "To `run()` is to do the child's work here, in the parent. So it is the parent that waits at the gate.",
            """
def walk(children):
    for child in children:
        child.run()
""",
            r"\.run\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "Only a child that was started can be waited for.",
            """
def walk(children):
    for child in children:
        child.join()
        child.start()
""",
            r"join\(\).*start\(\)",
            Kind.CRASHED,
        ),
    ],
    checks=[Always("program", 2), Clean("program")],
    notice="Start all, then join all: their lanes lie side by side.",
)

how_it_ended = Exercise(
    name="how_it_ended",
    lesson=LESSON,
    kind="explain it",
    task="Which exit code does the child have, on Linux or macOS? Give each end its number, or `None`.",
    source="""
# yours
codes = {
    "its worker came to the last line": None,
    "its worker returned 5": None,
    "nobody caught its error": None,
    "it called sys.exit(5)": None,
    "its parent called kill()": None,
    "it is still at work": None,
}
# solution
codes = {
    "its worker came to the last line": 0,
    "its worker returned 5": 0,
    "nobody caught its error": 1,
    "it called sys.exit(5)": 5,
    "its parent called kill()": -9,
    "it is still at work": None,
}
# given
""",
    hints=[
        "0 says that all went well. What a worker returns goes nowhere.",
        "A number below 0 tells a signal. The table above says which one `kill()` sends.",
    ],
    mistakes=[
        Mistake(
            "What a worker returns is no exit code: nobody hears it.",
            """
codes = {
    "its worker came to the last line": 0,
    "its worker returned 5": 5,
    "nobody caught its error": 1,
    "it called sys.exit(5)": 5,
    "its parent called kill()": -9,
    "it is still at work": None,
}
""",
            r"returned 5': 5",
            Kind.WRONG,
        ),
        Mistake(
            "9 would be a child that called `sys.exit(9)`. A signal has a minus before its number.",
            """
codes = {
    "its worker came to the last line": 0,
    "its worker returned 5": 0,
    "nobody caught its error": 1,
    "it called sys.exit(5)": 5,
    "its parent called kill()": 9,
    "it is still at work": None,
}
""",
            r"kill\(\)': 9",
            Kind.WRONG,
        ),
        Mistake(
            "That is the number of SIGTERM, which `terminate()` sends. `kill()` sends SIGKILL.",
            """
codes = {
    "its worker came to the last line": 0,
    "its worker returned 5": 0,
    "nobody caught its error": 1,
    "it called sys.exit(5)": 5,
    "its parent called kill()": -15,
    "it is still at work": None,
}
""",
            r"kill\(\)': -?15",
            Kind.WRONG,
        ),
        Mistake(
            "As long as a child is at work it has no exit code, not even 0.",
            """
codes = {
    "its worker came to the last line": 0,
    "its worker returned 5": 0,
    "nobody caught its error": 1,
    "it called sys.exit(5)": 5,
    "its parent called kill()": -9,
    "it is still at work": 0,
}
""",
            r"at work': 0",
            Kind.WRONG,
        ),
        Mistake(
            "A number below 0 tells a signal. Python itself ends a process with 1 after an error.",
            """
codes = {
    "its worker came to the last line": 0,
    "its worker returned 5": 0,
    "nobody caught its error": -1,
    "it called sys.exit(5)": 5,
    "its parent called kill()": -9,
    "it is still at work": None,
}
""",
            r"error': -1",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "codes",
            {
                "its worker came to the last line": 0,
                "its worker returned 5": 0,
                "nobody caught its error": 1,
                "it called sys.exit(5)": 5,
                "its parent called kill()": -9,
                "it is still at work": None,
            },
            "Not all of them.",
        )
    ],
    notice="0 is well, above 0 the child's own word, below 0 a signal, None not yet.",
)
