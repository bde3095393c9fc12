"""Exercises of the lesson on choosing: judged by what is measured here and now, or by what is left after a crash."""

from helpers.exercises.form.checks import Always, Clean, Quick, Says
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "choosing"

three_systems = Exercise(
    name="three_systems",
    lesson=LESSON,
    kind="choose it",
    task="Three systems. `pictures` passes on a million bytes at a time. In `helpers` a reader may be killed while it "
    "waits, and the Python objects that are sent to the next one must arrive. In `settings` five processes look up "
    "and change entries of one dict, now and then. Choose a mechanism for each: `Pipe`, `Queue`, `SimpleQueue`, "
    "`shared memory` or `Manager`. The check measures your first choice here and now.",
    source="""
from helpers.measuring import mechanisms, round_trips

# yours
choices = {
    "pictures": "Manager",
    "helpers": "Manager",
    "settings": "shared memory",
}
# solution
choices = {
    "pictures": "shared memory",
    "helpers": "Pipe",
    "settings": "Manager",
}
# given
def pictures():
    chosen = {each.name.lower(): each for each in mechanisms.ALL}
    choice = chosen[choices["pictures"].lower()]
    return round_trips(choice, [1_000_000], budget=0.05).points[0].median
""",
    hints=[
        "Look at the figure on round trips: which line is lowest on the right?",
        "What had the next reader got when the first one was killed? One mechanism for objects lost none.",
        "A dict for several processes needs somebody who keeps it and answers. Which mechanism is such a somebody?",
    ],
    mistakes=[
        Mistake(
            "A manager is a process between the two: each message is packed, sent and unpacked twice.",
            'choices = {"pictures": "Manager", "helpers": "Pipe", "settings": "Manager"}\n',
            r"'pictures': 'Manager'",
            Kind.SLOW,
        ),
        Mistake(
            "A million bytes do not fit into the buffer of a pipe, so they go through it in many parts.",
            'choices = {"pictures": "Pipe", "helpers": "Pipe", "settings": "Manager"}\n',
            r"'pictures': '(Pipe|SimpleQueue|Queue)'",
            Kind.SLOW,
        ),
        Mistake(
            "Who waits in `get()` of a queue holds its lock, and takes it along when he dies.",
            'choices = {"pictures": "shared memory", "helpers": "Queue", "settings": "Manager"}\n',
            r"'helpers': '(Queue|SimpleQueue)'",
            Kind.WRONG,
        ),
        Mistake(
            "The manager lives on, but the message that it held out to the dead reader is lost.",
            'choices = {"pictures": "shared memory", "helpers": "Manager", "settings": "Manager"}\n',
            r"'helpers': 'Manager'",
            Kind.WRONG,
        ),
        Mistake(
            "Our shared memory holds bytes of a fixed size, and no Python objects.",
            'choices = {"pictures": "shared memory", "helpers": "shared memory", "settings": "Manager"}\n',
            r"'(helpers|settings)': 'shared memory'",
            Kind.WRONG,
        ),
        Mistake(
            "Messages alone keep no dict: one process would have to own it and answer the others, as a manager does.",
            'choices = {"pictures": "shared memory", "helpers": "Pipe", "settings": "Queue"}\n',
            r"'settings': '(Pipe|SimpleQueue|Queue)'",
            Kind.WRONG,
        ),
        Mistake(
            "No mechanism has this name. Choose among: `Pipe`, `Queue`, `SimpleQueue`, `shared memory`, `Manager`.",
            'choices = {"pictures": "SharedMemory", "helpers": "Pipe", "settings": "Manager"}\n',
            r"'pictures': ",
            Kind.CRASHED,
        ),
    ],
    checks=[
        Quick("pictures", at_most=5, words="This is one picture, there and back."),
        Says("choices", {"helpers": "Pipe", "settings": "Manager"}, "What was measured is quick. But not all fits."),
    ],
    notice="One choice was measured, on this machine and now. The others follow from what is left after a crash, and "
    "from who keeps what all share.",
)

batches = Exercise(
    name="batches",
    lesson=LESSON,
    kind="repair it",
    task="A child sends 20,000 numbers through a pipe, each in a list of its own. Nearly all the time goes into the "
    "sending. The parent joins the lists that come. Let `send_all` send fewer and larger lists, and lose no number.",
    source="""
import time
from multiprocessing import get_context


# yours
def send_all(writer, numbers):
    for number in numbers:
        writer.send([number])
# solution
def send_all(writer, numbers):
    for at in range(0, len(numbers), 1000):
        writer.send(numbers[at : at + 1000])
# given
def work(writer, count):
    writer.send([])
    send_all(writer, list(range(count)))
    writer.send(None)


def collect(count):
    ctx = get_context("spawn")
    reader, writer = ctx.Pipe(duplex=False)
    child = ctx.Process(target=work, args=(writer, count), name="child")
    child.start()
    collected = reader.recv()
    begin = time.perf_counter()
    while (numbers := reader.recv()) is not None:
        collected += numbers
    seconds = time.perf_counter() - begin
    child.join()
    return collected, seconds


def program():
    return tuple(collect(5)[0])


def measured():
    collected, seconds = collect(20_000)
    if collected != list(range(20_000)):
        raise ValueError("some of the numbers are missing")
    return seconds
""",
    hints=[
        "Each message costs a system call on both sides, and wakes somebody, however little it carries.",
        "Cut the list: `numbers[at : at + 1000]` is a part of it.",
        "`range(0, len(numbers), 1000)` gives the places where the parts begin.",
    ],
    mistakes=[
        Mistake(
            "The last part is shorter than the others. You leave it out.",
            "def send_all(writer, numbers):\n    for at in range(0, len(numbers) - 1000, 1000):\n"
            "        writer.send(numbers[at : at + 1000])\n",
            r"range\(0, len\(numbers\) - ",
            Kind.WRONG,
        ),
        Mistake(
            "The last part is shorter than the others. What is left in the list after the loop is never sent.",
            "def send_all(writer, numbers):\n    part = []\n    for number in numbers:\n        part.append(number)\n"
            "        if len(part) == 1000:\n            writer.send(part)\n            part = []\n",
            r"if len\((\w+)\).*(\1 = \[\]|\1\.clear\(\))\Z",
            Kind.WRONG,
        ),
        Mistake(
            "You send the sum alone. The parent wants the numbers.",
            "def send_all(writer, numbers):\n    writer.send([sum(numbers)])\n",
            r"sum\(",
        ),
        Mistake(
            "Two numbers in a message are still ten thousand messages.",
            "def send_all(writer, numbers):\n    for at in range(0, len(numbers), 2):\n"
            "        writer.send(numbers[at : at + 2])\n",
            r"range\(0, len\(numbers\), \d\)",
            Kind.SLOW,
        ),
        Mistake(
            "To pack by yourself saves little. There are as many messages as before.",
            "def send_all(writer, numbers):\n    import pickle\n\n    for number in numbers:\n"
            "        writer.send_bytes(pickle.dumps([number]))\n",
            r"send_bytes",
            Kind.SLOW,
        ),
    ],
    checks=[
        Always("program", (0, 1, 2, 3, 4)),
        Clean("program"),
        Quick("measured", at_most=4, words="The price is paid for each message, not for each number."),
    ],
    notice="Fewer and larger messages. Look how few arrows there are.",
)

after_a_death = Exercise(
    name="after_a_death",
    lesson=LESSON,
    kind="repair it",
    task="Two readers wait at the same queue. One of them is killed, and the other one must still get its job. It may "
    "wait for ever. A mechanism is three functions: repair them.",
    source="""
from multiprocessing import get_context


# yours
def connect(ctx):
    queue = ctx.SimpleQueue()
    return [queue, queue]  # what each of the two readers waits at


def send(line, job):
    line.put(job)


def receive(line):
    return line.get()
# solution
def connect(ctx):
    return [ctx.Pipe(duplex=False) for _ in range(2)]


def send(line, job):
    line[1].send(job)


def receive(line):
    return line[0].recv()
# given
def read(line, told):
    told.send(receive(line))


def after_kill():
    ctx = get_context("spawn")
    lines, (answer, told) = connect(ctx), ctx.Pipe(duplex=False)
    first = ctx.Process(target=read, args=(lines[0], told), name="first")
    first.start()
    first.kill()
    first.join()
    second = ctx.Process(target=read, args=(lines[1], told), name="second")
    second.start()
    send(lines[1], "job")
    heard = answer.recv()
    second.join()
    return heard
""",
    hints=[
        "Who waits in `get()` holds the lock of the queue's readers. What becomes of it?",
        "What the two do not share, the one cannot take from the other.",
        "Give each reader a line of its own: `ctx.Pipe(duplex=False)`. The first end receives, the second one sends.",
    ],
    mistakes=[
        Mistake(
            "A `Queue` has the same lock for its readers as a `SimpleQueue`.",
            """
def connect(ctx):
    queue = ctx.Queue()
    return [queue, queue]


def send(line, job):
    line.put(job)


def receive(line):
    return line.get()
""",
            r"queue = ctx\.(Joinable)?Queue\(\)(?!.*timeout)",
            Kind.HANGS,
        ),
        Mistake(
            "A time limit lets the second reader give up. It does not give it the lock.",
            """
def connect(ctx):
    queue = ctx.Queue()
    return [queue, queue]


def send(line, job):
    line.put(job)


def receive(line):
    return line.get(timeout=5)
""",
            r"timeout",
        ),
        Mistake(
            "A pipe, and a lock that both readers hold while they wait: this is a queue once more.",
            """
def connect(ctx):
    line = (*ctx.Pipe(duplex=False), ctx.Lock())
    return [line, line]


def send(line, job):
    line[1].send(job)


def receive(line):
    with line[2]:
        return line[0].recv()
""",
            r"ctx\.Lock\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "Two ends of one line: what you send into `lines[1]` comes out at `lines[0]`, and the second reader has "
            "`lines[1]`. Each reader needs both ends of a line of its own.",
            """
def connect(ctx):
    return ctx.Pipe()


def send(line, job):
    line.send(job)


def receive(line):
    return line.recv()
""",
            r"return (list\()?ctx\.Pipe\(\)",
            Kind.HANGS,
        ),
    ],
    checks=[Always("after_kill", "job")],
    notice="A reader that dies takes along what it holds. Now it holds nothing that the other one needs.",
)

hops = Exercise(
    name="hops",
    lesson=LESSON,
    kind="explain it",
    task="Why is a look at a manager's dict slow? Put the steps of `shared['n']` in order. Move the lines (in "
    "JupyterLab: Alt and an arrow key), and change nothing else.",
    source="""
# yours
order = [
    "the manager wakes and unpacks the request",
    "the child unpacks the answer",
    "the child packs a request and sends it",
    "the manager packs the answer and sends it",
    "the manager looks into its dict",
]
# solution
order = [
    "the child packs a request and sends it",
    "the manager wakes and unpacks the request",
    "the manager looks into its dict",
    "the manager packs the answer and sends it",
    "the child unpacks the answer",
]
# given
""",
    hints=[
        "The dict is in the process of the manager. What has the child got?",
        "There is one message there and one back, and each is packed and unpacked.",
    ],
    mistakes=[
        Mistake(
            "The child unpacks last of all: before that nothing has come back.",
            """
order = [
    "the child packs a request and sends it",
    "the child unpacks the answer",
    "the manager wakes and unpacks the request",
    "the manager looks into its dict",
    "the manager packs the answer and sends it",
]
""",
            r"the child unpacks the answer'.*the manager",
            Kind.WRONG,
        ),
        Mistake(
            "The manager answers what it has found. It has to look first.",
            """
order = [
    "the child packs a request and sends it",
    "the manager wakes and unpacks the request",
    "the manager packs the answer and sends it",
    "the manager looks into its dict",
    "the child unpacks the answer",
]
""",
            r"packs the answer.*looks into",
            Kind.WRONG,
        ),
        Mistake(
            "Nobody wakes the manager before there is a request.",
            """
order = [
    "the manager wakes and unpacks the request",
    "the child packs a request and sends it",
    "the manager looks into its dict",
    "the manager packs the answer and sends it",
    "the child unpacks the answer",
]
""",
            r"unpacks the request.*packs a request",
            Kind.WRONG,
        ),
        Mistake(
            "What is it to look for? The manager knows that when it has unpacked the request.",
            """
order = [
    "the child packs a request and sends it",
    "the manager looks into its dict",
    "the manager wakes and unpacks the request",
    "the manager packs the answer and sends it",
    "the child unpacks the answer",
]
""",
            r"looks into.*unpacks the request",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "order",
            [
                "the child packs a request and sends it",
                "the manager wakes and unpacks the request",
                "the manager looks into its dict",
                "the manager packs the answer and sends it",
                "the child unpacks the answer",
            ],
            "Not in this order.",
        )
    ],
    notice="One of the five steps is the look. The other four are the price of a dict that lives somewhere else.",
)
