"""Exercises of the lesson on pipes."""

from helpers.exercises.form.checks import Always, Breaks, Clean, Says
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "pipe"

hang_up = Exercise(
    name="hang_up",
    lesson=LESSON,
    kind="repair it",
    task="A child counts messages until the other side hangs up. It waits for ever. Repair `count` and `program`, so "
    "that the parent hears the number 3.",
    source="""
from multiprocessing import get_context


def count(reader, writer, result):
    total = 0
    try:
        while True:
            reader.recv()
            total += 1
    except EOFError:
        result.send(total)


# yours
def program():
    ctx = get_context("spawn")
    reader, writer = ctx.Pipe(duplex=False)
    answer, result = ctx.Pipe(duplex=False)
    ends = (reader, writer, result)
    child = ctx.Process(target=count, args=ends, name="child")
    child.start()
    for word in ["one", "two", "three"]:
        writer.send(word)
    heard = answer.recv()
    child.join()
    return heard
# solution
def count(reader, writer, result):
    writer.close()
    total = 0
    try:
        while True:
            reader.recv()
            total += 1
    except EOFError:
        result.send(total)


def program():
    ctx = get_context("spawn")
    reader, writer = ctx.Pipe(duplex=False)
    answer, result = ctx.Pipe(duplex=False)
    ends = (reader, writer, result)
    child = ctx.Process(target=count, args=ends, name="child")
    child.start()
    for word in ["one", "two", "three"]:
        writer.send(word)
    writer.close()
    heard = answer.recv()
    child.join()
    return heard
# given
# The parent is to hear 3.
""",
    hints=[
        "`recv()` ends with EOFError when every copy of the write end is closed. How many copies are there?",
        "One copy is the parent's. Close it when all has been sent.",
        "The other copy is the child's own. Let `count` close it first of all.",
    ],
    mistakes=[
        Mistake(
            "The parent has hung up, but the child still holds a write end of its own. It waits for itself.",
            """
def program():
    ctx = get_context("spawn")
    reader, writer = ctx.Pipe(duplex=False)
    answer, result = ctx.Pipe(duplex=False)
    child = ctx.Process(target=count, args=(reader, writer, result), name="child")
    child.start()
    for word in ["one", "two", "three"]:
        writer.send(word)
    writer.close()
    heard = answer.recv()
    child.join()
    return heard
""",
            r"def program.*writer\.close\(\)\n    heard",
            Kind.HANGS,
        ),
        Mistake(
            "The parent hangs up too late: it waits for the answer first, and the child waits for the end.",
            """
def program():
    ctx = get_context("spawn")
    reader, writer = ctx.Pipe(duplex=False)
    answer, result = ctx.Pipe(duplex=False)
    child = ctx.Process(target=count, args=(reader, writer, result), name="child")
    child.start()
    for word in ["one", "two", "three"]:
        writer.send(word)
    heard = answer.recv()
    writer.close()
    child.join()
    return heard
""",
            r"answer\.recv\(\).*writer\.close\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "The child has closed its copy of the write end. The parent holds the other one, and never hangs up.",
            """
def count(reader, writer, result):
    writer.close()
    total = 0
    try:
        while True:
            reader.recv()
            total += 1
    except EOFError:
        result.send(total)


def program():
    ctx = get_context("spawn")
    reader, writer = ctx.Pipe(duplex=False)
    answer, result = ctx.Pipe(duplex=False)
    child = ctx.Process(target=count, args=(reader, writer, result), name="child")
    child.start()
    for word in ["one", "two", "three"]:
        writer.send(word)
    heard = answer.recv()
    child.join()
    return heard
""",
            r"\A(?!.*def program.*close\(\)).*writer\.close\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "An end that is closed can neither be handed over nor used. Start the child and send, then close.",
            """
def count(reader, writer, result):
    writer.close()
    total = 0
    try:
        while True:
            reader.recv()
            total += 1
    except EOFError:
        result.send(total)


def program():
    ctx = get_context("spawn")
    reader, writer = ctx.Pipe(duplex=False)
    answer, result = ctx.Pipe(duplex=False)
    child = ctx.Process(target=count, args=(reader, writer, result), name="child")
    writer.close()
    child.start()
    for word in ["one", "two", "three"]:
        writer.send(word)
    heard = answer.recv()
    child.join()
    return heard
""",
            r"def program.*writer\.close\(\).*(start|writer\.send)\(",
            Kind.CRASHED,
        ),
        Mistake(
            "A pause is no end: a parent that is slow today has not sent anything yet when the child gives up.",
            """
def count(reader, writer, result):
    total = 0
    while reader.poll(1):
        reader.recv()
        total += 1
    result.send(total)


def program():
    ctx = get_context("spawn")
    reader, writer = ctx.Pipe(duplex=False)
    answer, result = ctx.Pipe(duplex=False)
    child = ctx.Process(target=count, args=(reader, writer, result), name="child")
    child.start()
    for word in ["one", "two", "three"]:
        writer.send(word)
    heard = answer.recv()
    child.join()
    return heard
""",
            r"poll\(",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", 3), Clean("program", children=1, does=("send", "recv"))],
    notice="Who closes each end that is not needed hears the end of a conversation, however long it was.",
)

after_you = Exercise(
    name="after_you",
    lesson=LESSON,
    kind="repair it",
    task="Two children each want to hear the other's name. Both listen first, so neither speaks. Repair `meet`.",
    source="""
from multiprocessing import get_context


# yours
def meet(line, name, book):
    heard = line.recv()
    line.send(name)
    book.send(heard)
# solution
def meet(line, name, book):
    line.send(name)
    book.send(line.recv())
# given
def program():
    ctx = get_context("spawn")
    left, right = ctx.Pipe()
    books = [ctx.Pipe(duplex=False) for _ in range(2)]
    ann = ctx.Process(target=meet, args=(left, "ann", books[0][1]), name="ann")
    bob = ctx.Process(target=meet, args=(right, "bob", books[1][1]), name="bob")
    ann.start()
    bob.start()
    heard = [reader.recv() for reader, _ in books]
    ann.join()
    bob.join()
    return tuple(heard)
""",
    hints=[
        "Each waits for what only the other can do. Somebody has to speak first.",
        "A short message fits into the pipe, so `send` does not wait for a listener.",
        "Let both send before they receive.",
    ],
    mistakes=[
        Mistake(
            "A time limit ends the waiting, not the misunderstanding: now they part without a name.",
            "def meet(line, name, book):\n    heard = line.recv() if line.poll(1) else None\n    line.send(name)\n"
            "    book.send(heard)\n",
            r"poll\(",
        ),
        Mistake(
            "You send to the book before anybody has been heard.",
            "def meet(line, name, book):\n    line.send(name)\n    book.send(name)\n    line.recv()\n",
            r"book\.send\(name\)",
            Kind.WRONG,
        ),
        Mistake(
            "One only speaks, and the other only listens. Both want to hear a name, so both must do both.",
            """
def meet(line, name, book):
    if name == "ann":
        heard = line.recv()
    else:
        line.send(name)
    book.send(heard)
""",
            r"    heard = line\.recv\(\)\n    else:\n        line\.send\(name\)\n    book",
            Kind.CRASHED,
        ),
    ],
    checks=[Always("program", ("bob", "ann")), Clean("program")],
    notice="If both speak before they listen, messages must be short: `send` waits when the pipe is full. Where one "
    "listens first, they may be as long as you like.",
)

second_first = Exercise(
    name="second_first",
    lesson=LESSON,
    kind="break it",
    task="Two children each send their name into the same pipe: they begin, and send. The programmer thinks that `one` "
    "always arrives first. Give an order in which it does not: a name for each step.",
    source="""
from multiprocessing import get_context

# yours
schedule = ["one", "one", "two", "two"]
# solution
schedule = ["one", "two", "two", "one"]
# given
def tell(writer, name):
    writer.send(name)


def program():
    ctx = get_context("spawn")
    reader, writer = ctx.Pipe(duplex=False)
    one = ctx.Process(target=tell, args=(writer, "one"), name="one")
    two = ctx.Process(target=tell, args=(writer, "two"), name="two")
    one.start()
    two.start()
    one.join()
    two.join()
    return reader.recv(), reader.recv()
""",
    hints=[
        "Who was started first need not send first.",
        "The first step of a child is its begin, the second one its `send`.",
    ],
    mistakes=[
        Mistake(
            "Here `two` begins first, but `one` sends first all the same.",
            'schedule = ["two", "one", "one", "two"]\n',
            r"schedule = \['two', 'one', 'one', 'two'\]",
            Kind.WRONG,
        ),
    ],
    checks=[Breaks("program", ("one", "two"), before=("main", "main", "main"))],
    notice="The order of `start()` promises nothing about the order of messages.",
)

scatter = Exercise(
    name="scatter",
    lesson=LESSON,
    kind="build it",
    task="Scatter and gather: give each of the numbers 1 and 2 to a child of its own over a pipe, let it send back the "
    "square, and return the squares as a tuple, in the order of the numbers. `square` is there; write `program`.",
    source="""
from multiprocessing import get_context


def square(line):
    number = line.recv()
    line.send(number * number)


# yours
def program():
    ctx = get_context("spawn")
    ...
# solution
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe() for _ in range(2)]
    children = [ctx.Process(target=square, args=(end,)) for _, end in pipes]
    for child in children:
        child.start()
    for number, (line, _) in enumerate(pipes, 1):
        line.send(number)
    squares = tuple(line.recv() for line, _ in pipes)
    for child in children:
        child.join()
    return squares
# given
# It is to return the tuple (1, 4).
""",
    hints=[
        "Each child needs a pipe of its own: `ctx.Pipe()` twice.",
        "First send all numbers, then receive all answers. Else the children work one after the other.",
        "Receive in the order in which you made the pipes, and `join` at the end. Return `tuple(...)`.",
    ],
    mistakes=[
        Mistake(
            "All children share one pipe, so an answer does not tell whose it is.",
            """
def program():
    ctx = get_context("spawn")
    line, end = ctx.Pipe()
    children = [ctx.Process(target=square, args=(end,)) for _ in range(2)]
    for child in children:
        child.start()
    for number in (1, 2):
        line.send(number)
    squares = tuple(line.recv() for _ in children)
    for child in children:
        child.join()
    return squares
""",
            r"\A(?!.*Pipe\(.*Pipe\().*^    \w+, \w+ = ctx\.Pipe\(\)",
        ),
        Mistake(
            "You wait for the children before you have sent them anything.",
            """
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe() for _ in range(2)]
    children = [ctx.Process(target=square, args=(end,)) for _, end in pipes]
    for child in children:
        child.start()
        child.join()
    for number, (line, _) in enumerate(pipes, 1):
        line.send(number)
    return tuple(line.recv() for line, _ in pipes)
""",
            r"start\(\)\n        child\.join\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "A list is no tuple. Return `tuple(...)` of it.",
            """
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe() for _ in range(2)]
    children = [ctx.Process(target=square, args=(end,)) for _, end in pipes]
    for child in children:
        child.start()
    for number, (line, _) in enumerate(pipes, 1):
        line.send(number)
    return [line.recv() for line, _ in pipes]
""",
            r"return \[|return squares\Z",
            Kind.WRONG,
        ),
        Mistake(
            "They come in the order of arrival. Whoever is quick today need not be quick tomorrow.",
            """
def program():
    from multiprocessing.connection import wait

    ctx = get_context("spawn")
    pipes = [ctx.Pipe() for _ in range(2)]
    children = [ctx.Process(target=square, args=(end,)) for _, end in pipes]
    for child in children:
        child.start()
    for number, (line, _) in enumerate(pipes, 1):
        line.send(number)
    lines, squares = [line for line, _ in pipes], []
    while lines:
        for line in wait(lines):
            squares.append(line.recv())
            lines.remove(line)
    return tuple(squares)
""",
            r"in wait\(",
            Kind.WRONG,
        ),
        Mistake(
            "A tuple of one needs a comma: `args=(end,)`.",
            """
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe() for _ in range(2)]
    children = [ctx.Process(target=square, args=(end)) for _, end in pipes]
    for child in children:
        child.start()
    for number, (line, _) in enumerate(pipes, 1):
        line.send(number)
    return tuple(line.recv() for line, _ in pipes)
""",
            r"args=[\w.]+(\[\w+\])*\)",
            Kind.CRASHED,
        ),
    ],
    checks=[Always("program", (1, 4)), Clean("program", children=2, does=("send", "recv"))],
    notice="If both numbers go out before the first square is awaited, the children work at the same time. Do yours?",
)

ring = Exercise(
    name="ring",
    lesson=LESSON,
    kind="build it",
    task="A ring of processes: the parent sends 0 to the first child, each child adds one and sends on to the next, "
    "and the last one sends to the parent. Write `program` for three children, and return what comes round. `add_one` "
    "is there: a child with an end to receive from and one to send into.",
    source="""
from multiprocessing import get_context


def add_one(before, after):
    after.send(before.recv() + 1)


# yours
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe(duplex=False) for _ in range(4)]
    ...
# solution
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe(duplex=False) for _ in range(4)]
    children = [
        ctx.Process(target=add_one, args=(pipes[n][0], pipes[n + 1][1]))
        for n in range(3)
    ]
    for child in children:
        child.start()
    pipes[0][1].send(0)
    result = pipes[3][0].recv()
    for child in children:
        child.join()
    return result
# given
# It is to return 3.
""",
    hints=[
        "Draw it: parent, pipe 0, child 0, pipe 1, child 1, and so on. How many pipes are between?",
        "Child `n` receives from pipe `n`, and sends into pipe `n + 1`. `Pipe(duplex=False)` gives the reader first.",
        "Start all, send 0 into pipe 0, receive from pipe 3, then join all.",
    ],
    mistakes=[
        Mistake(
            "You wait for the children before anything is sent round.",
            """
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe(duplex=False) for _ in range(4)]
    children = [ctx.Process(target=add_one, args=(pipes[n][0], pipes[n + 1][1])) for n in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    pipes[0][1].send(0)
    return pipes[3][0].recv()
""",
            r"\.join\(\).*\.send\(0\)",
            Kind.HANGS,
        ),
        Mistake(
            "A pipe of one direction gives the reader first, the writer second. Somebody holds the wrong end.",
            """
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe(duplex=False) for _ in range(4)]
    children = [ctx.Process(target=add_one, args=(pipes[n][1], pipes[n + 1][0])) for n in range(3)]
    for child in children:
        child.start()
    pipes[0][1].send(0)
    result = pipes[3][0].recv()
    for child in children:
        child.join()
    return result
""",
            r"\[n\]\[1\]|\[n \+ 1\]\[0\]",
            Kind.CRASHED,
        ),
        Mistake(
            "You do the children's work here, one after the other: `add_one(...)` is a plain call.",
            """
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe(duplex=False) for _ in range(4)]
    children = [
        ctx.Process(target=add_one(pipes[n][0], pipes[n + 1][1]))
        for n in range(3)
    ]
    for child in children:
        child.start()
    pipes[0][1].send(0)
    return pipes[3][0].recv()
""",
            r"target=add_one\(",
            Kind.HANGS,
        ),
        Mistake(
            "All children share one pipe. So one may take what was meant for another, or what it has sent itself.",
            """
def program():
    ctx = get_context("spawn")
    there, back = ctx.Pipe(duplex=False), ctx.Pipe(duplex=False)
    children = [ctx.Process(target=add_one, args=(there[0], back[1])) for _ in range(3)]
    for child in children:
        child.start()
    there[1].send(0)
    result = back[0].recv()
    for child in children:
        child.join()
    return result
""",
            r"Process\(.*\) for _ in range\(3\)\]",
        ),
        Mistake(
            "`pipes[n]` is a pair of ends. A child needs one end of each: `pipes[n][0]` to receive from.",
            """
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe(duplex=False) for _ in range(4)]
    children = [ctx.Process(target=add_one, args=(pipes[n], pipes[n + 1])) for n in range(3)]
    for child in children:
        child.start()
    pipes[0][1].send(0)
    result = pipes[3][0].recv()
    for child in children:
        child.join()
    return result
""",
            r"pipes\[\w( \+ 1)?\][,)]",
            Kind.CRASHED,
        ),
        Mistake(
            "All wait for a number, and nobody sends the first one: 0, into pipe 0.",
            """
def program():
    ctx = get_context("spawn")
    pipes = [ctx.Pipe(duplex=False) for _ in range(4)]
    children = [ctx.Process(target=add_one, args=(pipes[n][0], pipes[n + 1][1])) for n in range(3)]
    for child in children:
        child.start()
    result = pipes[3][0].recv()
    for child in children:
        child.join()
    return result
""",
            r"\A(?!.*def program.*send\()",
            Kind.HANGS,
        ),
    ],
    checks=[Always("program", 3), Clean("program", children=3, does=("send", "recv"))],
    notice="One after the other, as the arrows show. In a ring everybody knows two neighbours, and nobody knows all.",
)

broken_line = Exercise(
    name="broken_line",
    lesson=LESSON,
    kind="explain it",
    task="Why does a reader wait for ever? Put the steps in order. Move the lines (in JupyterLab: Alt and an arrow "
    "key), and change nothing else.",
    source="""
# yours
order = [
    "the child waits in recv() for ever",
    "the parent closes its write end",
    "the child gets a copy of the write end",
    "a write end is still open: the child's own",
    "the child reads the last message",
]
# solution
order = [
    "the child gets a copy of the write end",
    "the parent closes its write end",
    "the child reads the last message",
    "a write end is still open: the child's own",
    "the child waits in recv() for ever",
]
# given
""",
    hints=["Copies are made when a child is started.", "The last line is what you see. The line before it says why."],
    mistakes=[
        Mistake(
            "The child cannot wait for what comes next before it has read the last message.",
            """
order = [
    "the child gets a copy of the write end",
    "the parent closes its write end",
    "the child waits in recv() for ever",
    "the child reads the last message",
    "a write end is still open: the child's own",
]
""",
            r"for ever'.*last message'",
            Kind.WRONG,
        ),
        Mistake(
            "An end that was closed can no longer be handed over. The child has its copy before.",
            """
order = [
    "the parent closes its write end",
    "the child gets a copy of the write end",
    "the child reads the last message",
    "a write end is still open: the child's own",
    "the child waits in recv() for ever",
]
""",
            r"the parent closes.*gets a copy",
            Kind.WRONG,
        ),
        Mistake(
            "The reason stands before what it brings about: why does the child wait?",
            """
order = [
    "the child gets a copy of the write end",
    "the parent closes its write end",
    "the child reads the last message",
    "the child waits in recv() for ever",
    "a write end is still open: the child's own",
]
""",
            r"for ever'.*still open",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "order",
            [
                "the child gets a copy of the write end",
                "the parent closes its write end",
                "the child reads the last message",
                "a write end is still open: the child's own",
                "the child waits in recv() for ever",
            ],
            "Not in this order.",
            also=[
                # the child may be quicker than the parent
                [
                    "the child gets a copy of the write end",
                    "the child reads the last message",
                    "the parent closes its write end",
                    "a write end is still open: the child's own",
                    "the child waits in recv() for ever",
                ]
            ],
        )
    ],
    notice="EOFError comes when the last copy is closed, in whichever process it is.",
)
