"""Exercises of the first lesson: small, each of another kind."""

from helpers.exercises.form.checks import Always, Breaks, Clean, Says
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "start_here"

first_child = Exercise(
    name="first_child",
    lesson=LESSON,
    kind="build it",
    task="Write the lines that are missing: start the child, receive what it sends, wait for its end, and return what "
    "you received.",
    source="""
from multiprocessing import current_process, get_context


def greet(connection):
    connection.send(f"hello from {current_process().name}")


# yours
def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=greet, args=(theirs,), name="Ada")
    ...
# solution
def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=greet, args=(theirs,), name="Ada")
    child.start()
    heard = ours.recv()
    child.join()
    return heard
# given
# It is to return "hello from Ada".
""",
    hints=[
        "`ctx.Process` has only prepared the child. One method starts it, another one waits for its end.",
        "`child.start()`, then `heard = ours.recv()`, then `child.join()`. And a `return`.",
    ],
    mistakes=[
        Mistake(
            "Nobody has started the child, so nobody sends. `ctx.Process` only prepares it.",
            """
def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=greet, args=(theirs,), name="Ada")
    return ours.recv()
""",
            r"\A(?!.*start\(\))(?!.*run\(\)).*recv\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "`run()` does the work here, in the parent: no child was started. You want `start()`.",
            """
def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=greet, args=(theirs,), name="Ada")
    child.run()
    return ours.recv()
""",
            r"\.run\(\)",
        ),
        Mistake(
            "Only a child that was started can be waited for.",
            """
def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=greet, args=(theirs,), name="Ada")
    child.join()
    child.start()
    return ours.recv()
""",
            r"join\(\).*start\(\)",
            Kind.CRASHED,
        ),
        Mistake(
            "You have received the greeting, and did not return it.",
            """
def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=greet, args=(theirs,), name="Ada")
    child.start()
    ours.recv()
    child.join()
""",
            r"\A(?!.*return)",
            Kind.WRONG,
        ),
        Mistake(
            "You have the greeting, and nobody waits for the child's end. What stands below a `return` never runs.",
            """
def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=greet, args=(theirs,), name="Ada")
    child.start()
    return ours.recv()
    child.join()
""",
            r"start\(\).*return[^\n]*recv\(\)(\n    child\.join\(\))?\Z",
            Kind.WRONG,
        ),
        Mistake(
            "You listen at `theirs`, the end that the child speaks into. The greeting comes out at `ours`.",
            """
def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=greet, args=(theirs,), name="Ada")
    child.start()
    heard = theirs.recv()
    child.join()
    return heard
""",
            r"theirs\.recv\(\)",
            Kind.HANGS,
        ),
    ],
    checks=[Always("program", "hello from Ada"), Clean("program", children=1, does=("recv", "join"))],
    notice="These are the lanes of your own program: a start, a message, an end.",
)

too_early = Exercise(
    name="too_early",
    lesson=LESSON,
    kind="break it",
    task='The parent, `main`, does not wait for its child. "So it always reads 0", says the programmer: "a child '
    'takes long to start." The child takes two steps: it begins, and it writes. Then `main` takes one: it reads. '
    "Give an order in which `main` reads 1.",
    source="""
from multiprocessing import get_context

# yours
schedule = ["main", "child", "child"]
# solution
schedule = ["child", "child", "main"]
# given
def work(result):
    result.value = 1


def program():
    ctx = get_context("spawn")
    result = ctx.Value("i", 0)
    child = ctx.Process(target=work, args=(result,), name="child")
    child.start()
    return result.value
""",
    hints=["`main` is to read after the child has written.", "Let the child take both of its steps first."],
    mistakes=[
        Mistake(
            "The child has begun, and has not written yet. It needs its second step too.",
            'schedule = ["child", "main", "child"]\n',
            r"schedule = \['child', 'main'",
            Kind.WRONG,
        ),
    ],
    checks=[Breaks("program", 0, before=("main", "main"))],
    notice="Slow is not never. Without `join()` no line of the program says who is first.",
)

own_basket = Exercise(
    name="own_basket",
    lesson=LESSON,
    kind="repair it",
    task="A child puts an apple into the basket, and the parent finds the basket empty. Repair `put_in` and `program`, "
    "so that the parent has the apple. A pipe is there already.",
    source="""
from multiprocessing import get_context

basket = []


# yours
def put_in(connection):
    basket.append("apple")


def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=put_in, args=(theirs,), name="child")
    child.start()
    child.join()
    return str(basket)
# solution
def put_in(connection):
    connection.send("apple")


def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=put_in, args=(theirs,), name="child")
    child.start()
    basket.append(ours.recv())
    child.join()
    return str(basket)
# given
# It is to return the text "['apple']".
""",
    hints=[
        "Each process has a basket of its own. What the child has in hand must be sent.",
        '`connection.send("apple")` in the child, `ours.recv()` in the parent.',
        "It is the parent that appends what it has received.",
    ],
    mistakes=[
        Mistake(
            "`global` is about one module in one process. The child's basket is another one.",
            """
def put_in(connection):
    global basket
    basket = basket + ["apple"]


def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=put_in, args=(theirs,), name="child")
    child.start()
    child.join()
    return str(basket)
""",
            r"global basket",
            Kind.WRONG,
        ),
        Mistake(
            "What is handed over in `args` is copied for the child. The apple is in the copy.",
            """
def put_in(into):
    into.append("apple")


def program():
    ctx = get_context("spawn")
    child = ctx.Process(target=put_in, args=(basket,), name="child")
    child.start()
    child.join()
    return str(basket)
""",
            r"args=\((\w+, )?basket",
            Kind.WRONG,
        ),
        Mistake(
            "The apple was sent, and nobody has received it.",
            """
def put_in(connection):
    connection.send("apple")


def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=put_in, args=(theirs,), name="child")
    child.start()
    child.join()
    return str(basket)
""",
            r"\A(?!.*recv\(\))(?!.*def program.*'apple').*\.send\(",
            Kind.WRONG,
        ),
        Mistake(
            "The parent waits for a message, and nobody sends one. `append` only fills the child's own basket.",
            """
def put_in(connection):
    basket.append("apple")


def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=put_in, args=(theirs,), name="child")
    child.start()
    basket.append(ours.recv())
    child.join()
    return str(basket)
""",
            r"\A(?!.*\.send\().*recv\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "`append` returns nothing, and that is what you have sent. Send the apple, or the basket.",
            """
def put_in(connection):
    connection.send(basket.append("apple"))


def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=put_in, args=(theirs,), name="child")
    child.start()
    basket.append(ours.recv())
    child.join()
    return str(basket)
""",
            r"send\(basket\.append\(",
            Kind.WRONG,
        ),
        Mistake(
            "This is an apple of the parent's own. The child's is still in the child's basket.",
            """
def put_in(connection):
    basket.append("apple")


def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=put_in, args=(theirs,), name="child")
    child.start()
    child.join()
    basket.append("apple")
    return str(basket)
""",
            r"def program.*'apple'",
            Kind.WRONG,
        ),
        Mistake(
            "It is to return the text `\"['apple']\"`: wrap the list into `str(...)`, as it was.",
            """
def put_in(connection):
    connection.send("apple")


def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=put_in, args=(theirs,), name="child")
    child.start()
    basket.append(ours.recv())
    child.join()
    return basket
""",
            r"return (?!str)",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", "['apple']"), Clean("program", children=1, does=("recv",))],
    notice="The arrow carries a copy of the apple. Nothing else connects the two memories.",
)

two_memories = Exercise(
    name="two_memories",
    lesson=LESSON,
    kind="explain it",
    task="Why does the parent still say 0 visits? Put the steps in order. Move the lines (in JupyterLab: Alt and an "
    "arrow key), and change nothing else.",
    source="""
# yours
order = [
    "the child adds one: its own variable is 1",
    "the parent imports the module: its variable is 0",
    "the parent looks: its own variable is 0 still",
    "the child imports the module: its own variable is 0",
    "the parent starts a child",
]
# solution
order = [
    "the parent imports the module: its variable is 0",
    "the parent starts a child",
    "the child imports the module: its own variable is 0",
    "the child adds one: its own variable is 1",
    "the parent looks: its own variable is 0 still",
]
# given
""",
    hints=[
        "The story begins with the parent, and it ends with the parent.",
        "A child must be started before it can import anything, and have the variable before it can add one.",
    ],
    mistakes=[
        Mistake(
            "A child can import nothing before it was started.",
            """
order = [
    "the parent imports the module: its variable is 0",
    "the child imports the module: its own variable is 0",
    "the parent starts a child",
    "the child adds one: its own variable is 1",
    "the parent looks: its own variable is 0 still",
]
""",
            r"'the child (adds|imports).*'the parent starts",
            Kind.WRONG,
        ),
        Mistake(
            "Had the parent looked before the child added one, the 0 would surprise nobody.",
            """
order = [
    "the parent imports the module: its variable is 0",
    "the parent starts a child",
    "the child imports the module: its own variable is 0",
    "the parent looks: its own variable is 0 still",
    "the child adds one: its own variable is 1",
]
""",
            r"the parent looks.*the child adds",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "order",
            [
                "the parent imports the module: its variable is 0",
                "the parent starts a child",
                "the child imports the module: its own variable is 0",
                "the child adds one: its own variable is 1",
                "the parent looks: its own variable is 0 still",
            ],
            "Not in this order.",
        )
    ],
    notice="There are two variables of one name. What the child does with its own, nobody else sees.",
)

which_one = Exercise(
    name="which_one",
    lesson=LESSON,
    kind="choose it",
    task="What would you take? Give each task one of these: `threads`, `processes`, `neither`. Your Python has a GIL, "
    "and your machine has four processors.",
    source="""
# yours
take = {
    "wait for a hundred web pages": "neither",
    "compute for an hour, on all processors": "neither",
    "add up ten numbers": "neither",
    "run a stranger's code, far from your variables": "neither",
}
# solution
take = {
    "wait for a hundred web pages": "threads",
    "compute for an hour, on all processors": "processes",
    "add up ten numbers": "neither",
    "run a stranger's code, far from your variables": "processes",
}
# given
""",
    hints=[
        "A thread that waits lets go of the GIL. A thread that computes does not.",
        "Each process has a memory of its own. It also takes time to start.",
    ],
    mistakes=[
        Mistake(
            "With a GIL, threads that compute take turns. An hour stays an hour.",
            """
take = {
    "wait for a hundred web pages": "threads",
    "compute for an hour, on all processors": "threads",
    "add up ten numbers": "neither",
    "run a stranger's code, far from your variables": "processes",
}
""",
            r"all processors': 'threads'",
            Kind.WRONG,
        ),
        Mistake(
            "To start a process takes far longer than to add up ten numbers. So does a thread.",
            """
take = {
    "wait for a hundred web pages": "threads",
    "compute for an hour, on all processors": "processes",
    "add up ten numbers": "processes",
    "run a stranger's code, far from your variables": "processes",
}
""",
            r"ten numbers': '(threads|processes)'",
            Kind.WRONG,
        ),
        Mistake(
            "All threads of a process share its variables: the stranger's code could change yours.",
            """
take = {
    "wait for a hundred web pages": "threads",
    "compute for an hour, on all processors": "processes",
    "add up ten numbers": "neither",
    "run a stranger's code, far from your variables": "threads",
}
""",
            r"your variables\": 'threads'",
            Kind.WRONG,
        ),
        Mistake(
            "A hundred processes, each with a memory of its own, only to wait? Threads wait as well, and cost less.",
            """
take = {
    "wait for a hundred web pages": "processes",
    "compute for an hour, on all processors": "processes",
    "add up ten numbers": "neither",
    "run a stranger's code, far from your variables": "processes",
}
""",
            r"web pages': 'processes'",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "take",
            {
                "wait for a hundred web pages": "threads",
                "compute for an hour, on all processors": "processes",
                "add up ten numbers": "neither",
                "run a stranger's code, far from your variables": "processes",
            },
            "Not all of them.",
        )
    ],
    notice="Threads to wait, processes to compute and to keep apart, and neither for what is done at once.",
)
