"""Exercises of the lesson on what is inside a queue."""

from helpers.exercises.form.checks import Always, Breaks, Clean, Says
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "inside_a_queue"

own_mailbox = Exercise(
    name="own_mailbox",
    lesson=LESSON,
    kind="build it",
    task="Build a queue of your own from a pipe and locks. A letter goes through the pipe in two parts. Where two "
    "put, or two get, the parts of their letters are mixed up. Write the class `Mailbox`.",
    source="""
from multiprocessing import get_context


# yours
class Mailbox:
    def __init__(self, ctx):
        self.reader, self.writer = ctx.Pipe(duplex=False)

    def put(self, name, text):
        self.writer.send(name)
        self.writer.send(text)

    def get(self):
        return self.reader.recv(), self.reader.recv()
# solution
class Mailbox:
    def __init__(self, ctx):
        self.reader, self.writer = ctx.Pipe(duplex=False)
        self.reading, self.writing = ctx.Lock(), ctx.Lock()

    def put(self, name, text):
        with self.writing:
            self.writer.send(name)
            self.writer.send(text)

    def get(self):
        with self.reading:
            return self.reader.recv(), self.reader.recv()
# given
def post(mailbox, name):
    mailbox.put(name, f"from {name}")


def fetch(mailbox, mixed):
    name, text = mailbox.get()
    if text != f"from {name}":
        mixed.value = 1


def program():
    ctx = get_context("spawn")
    mailbox, mixed = Mailbox(ctx), ctx.Value("i", 0)
    ann = ctx.Process(target=post, args=(mailbox, "ann"), name="ann")
    ann.start()
    post(mailbox, "bob")
    for _ in range(2):
        fetch(mailbox, mixed)
    ann.join()
    return "mixed up" if mixed.value else "whole"


def two_who_get():
    ctx = get_context("spawn")
    mailbox, mixed = Mailbox(ctx), ctx.Value("i", 0)
    reader = ctx.Process(target=fetch, args=(mailbox, mixed), name="reader")
    reader.start()
    for name in ("ann", "bob"):
        post(mailbox, name)
    fetch(mailbox, mixed)
    reader.join()
    return "mixed up" if mixed.value else "whole"
""",
    hints=[
        "Both parts of a letter have to go in before anybody else puts something in. And out?",
        "Make the locks in `__init__`, so that all who are handed the mailbox are handed the same ones.",
        "Who waits for a letter must not keep out who brings it: one lock for writers, another one for readers.",
    ],
    mistakes=[
        Mistake(
            "One lock for both sides: who waits for a letter holds it, and nobody can bring one.",
            """
class Mailbox:
    def __init__(self, ctx):
        self.reader, self.writer = ctx.Pipe(duplex=False)
        self.lock = ctx.Lock()

    def put(self, name, text):
        with self.lock:
            self.writer.send(name)
            self.writer.send(text)

    def get(self):
        with self.lock:
            return self.reader.recv(), self.reader.recv()
""",
            r"with self\.(\w+):.*with self\.\1:",
            Kind.HANGS,
        ),
        Mistake(
            "The writers take turns, but two readers may each get a part of the same letter.",
            """
class Mailbox:
    def __init__(self, ctx):
        self.reader, self.writer = ctx.Pipe(duplex=False)
        self.writing = ctx.Lock()

    def put(self, name, text):
        with self.writing:
            self.writer.send(name)
            self.writer.send(text)

    def get(self):
        return self.reader.recv(), self.reader.recv()
""",
            r"def put\(self, name, text\):\n        with (?!.*def get\(self\):\n        with )",
        ),
        Mistake(
            "The readers take turns, but the writers do not: the parts go in one by one, as it happens.",
            """
class Mailbox:
    def __init__(self, ctx):
        self.reader, self.writer = ctx.Pipe(duplex=False)
        self.reading = ctx.Lock()

    def put(self, name, text):
        self.writer.send(name)
        self.writer.send(text)

    def get(self):
        with self.reading:
            return self.reader.recv(), self.reader.recv()
""",
            r"def put\(self, name, text\):\n        self\.writer.*def get\(self\):\n        with ",
        ),
        Mistake(
            "You make a new lock for each letter, so nobody ever waits at it.",
            """
class Mailbox:
    def __init__(self, ctx):
        self.reader, self.writer = ctx.Pipe(duplex=False)

    def put(self, name, text):
        with get_context("spawn").Lock():
            self.writer.send(name)
            self.writer.send(text)

    def get(self):
        with get_context("spawn").Lock():
            return self.reader.recv(), self.reader.recv()
""",
            r"with [^\n]*Lock\(\)",
        ),
        Mistake(
            "Each part has the lock for itself. Between the two another writer comes in.",
            """
class Mailbox:
    def __init__(self, ctx):
        self.reader, self.writer = ctx.Pipe(duplex=False)
        self.reading, self.writing = ctx.Lock(), ctx.Lock()

    def put(self, name, text):
        with self.writing:
            self.writer.send(name)
        with self.writing:
            self.writer.send(text)

    def get(self):
        with self.reading:
            return self.reader.recv(), self.reader.recv()
""",
            r"send\(name\)\n        with ",
        ),
        Mistake(
            "One part instead of two is a good thought. But a pipe itself carries a message in pieces, and two who "
            "read may each get some of them. Locks are needed all the same.",
            """
class Mailbox:
    def __init__(self, ctx):
        self.reader, self.writer = ctx.Pipe(duplex=False)

    def put(self, name, text):
        self.writer.send((name, text))

    def get(self):
        return self.reader.recv()
""",
            r"\A(?!.*Lock).*send\(\(",
        ),
        Mistake(
            "That is a queue that others have built. Build yours from the pipe, and from locks.",
            """
class Mailbox:
    def __init__(self, ctx):
        self.letters = ctx.SimpleQueue()

    def put(self, name, text):
        self.letters.put((name, text))

    def get(self):
        return self.letters.get()
""",
            r"Queue\(",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", "whole"), Always("two_who_get", "whole"), Clean("program", does=["send", "recv"])],
    notice="This is a SimpleQueue: a pipe, a lock for those who write, and a lock for those who read.",
)

last_letter = Exercise(
    name="last_letter",
    lesson=LESSON,
    kind="repair it",
    task="A child puts a million bytes into a queue. The parent waits for its end, and then takes them out. Both wait "
    "for ever. Repair it, so that the parent gets all the bytes, and sees the child's end.",
    source="""
from multiprocessing import get_context


# yours
def post(letters):
    letters.put(bytes(1_000_000))


def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=post, args=(letters,), name="child")
    child.start()
    child.join()
    return len(letters.get())
# solution
def post(letters):
    letters.put(bytes(1_000_000))


def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=post, args=(letters,), name="child")
    child.start()
    item = letters.get()
    child.join()
    return len(item)
# given
# It is to return 1000000.
""",
    hints=[
        "A child ends only when its feeder has sent everything. What does the feeder wait for?",
        "The pipe is full until somebody reads. Who could?",
        "First take the item out, then `join`.",
    ],
    mistakes=[
        Mistake(
            "Now the child ends without its feeder, and the item is thrown away. Nobody will ever send it.",
            """
def post(letters):
    letters.put(bytes(1_000_000))
    letters.cancel_join_thread()


def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=post, args=(letters,), name="child")
    child.start()
    child.join()
    return len(letters.get())
""",
            r"cancel_join_thread",
        ),
        Mistake(
            "You end the child by force. What its feeder had not sent is lost, and part of an item is of no use.",
            """
def post(letters):
    letters.put(bytes(1_000_000))


def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=post, args=(letters,), name="child")
    child.start()
    child.terminate()
    child.join()
    return len(letters.get())
""",
            r"terminate|kill",
        ),
        Mistake(
            "That `get` has a time limit helps nobody: the parent has not come so far. It still waits in `join`.",
            """
def post(letters):
    letters.put(bytes(1_000_000))


def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=post, args=(letters,), name="child")
    child.start()
    child.join()
    return len(letters.get(timeout=1))
""",
            r"join\(\)\n.*get\((True, |timeout=)",
            Kind.HANGS,
        ),
        Mistake(
            "A queue with room for more items is no larger pipe. `maxsize` counts items, and the bytes stay as many.",
            """
def post(letters):
    letters.put(bytes(1_000_000))


def program():
    ctx = get_context("spawn")
    letters = ctx.Queue(1000)
    child = ctx.Process(target=post, args=(letters,), name="child")
    child.start()
    child.join()
    return len(letters.get())
""",
            r"Queue\([^)]+\)",
            Kind.HANGS,
        ),
        Mistake(
            "The parent waits in vain until its time is up. Then it does what it could have done at once.",
            """
def post(letters):
    letters.put(bytes(1_000_000))


def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=post, args=(letters,), name="child")
    child.start()
    child.join(2)
    return len(letters.get())
""",
            r"join\((timeout=)?\d",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", 1_000_000), Clean("program", does=["join"])],
    notice="The order of two lines was all. With a small item the wrong order works, and waits for its day.",
)

shopping = Exercise(
    name="shopping",
    lesson=LESSON,
    kind="repair it",
    task="A child puts its shopping list into a queue, adds to it, and puts it in again. The parent should get first "
    "`['bread']`, then `['bread', 'milk']`. Sometimes milk is on both. Repair `post`.",
    source="""
from multiprocessing import get_context


# yours
def post(letters):
    shopping = ["bread"]
    letters.put(shopping)
    shopping.append("milk")
    letters.put(shopping)
# solution
def post(letters):
    shopping = ["bread"]
    letters.put(list(shopping))
    shopping.append("milk")
    letters.put(shopping)
# given
def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=post, args=(letters,), name="child")
    child.start()
    got = letters.get(), letters.get()
    child.join()
    return str(got)
""",
    hints=[
        "`put()` lays the list itself aside. When is it packed?",
        "The feeder packs it later, as it is then. Give it something that nobody changes.",
        "Put a copy: `list(shopping)`.",
    ],
    mistakes=[
        Mistake(
            "A second name for the same list is no copy.",
            'def post(letters):\n    shopping = ["bread"]\n    first = shopping\n    letters.put(first)\n'
            '    shopping.append("milk")\n    letters.put(shopping)\n',
            r"^    \w+ = shopping$",
            Kind.WRONG,
        ),
        Mistake(
            "After a sleep the feeder has most likely packed the list. Most likely is not always.",
            'def post(letters):\n    import time\n\n    shopping = ["bread"]\n    letters.put(shopping)\n'
            '    time.sleep(1)\n    shopping.append("milk")\n    letters.put(shopping)\n',
            r"sleep\(",
            Kind.WRONG,
        ),
        Mistake(
            "You copy the second list. It is the first one that is changed while it waits.",
            'def post(letters):\n    shopping = ["bread"]\n    letters.put(shopping)\n    shopping.append("milk")\n'
            "    letters.put(list(shopping))\n",
            r"put\(shopping\)\n.*put\((list\(shopping\)|shopping\.copy\(\)|shopping\[:\])\)",
            Kind.WRONG,
        ),
        Mistake(
            "`empty()` looks into the pipe. The list may still wait for the feeder, and the pipe is empty then, too.",
            'def post(letters):\n    shopping = ["bread"]\n    letters.put(shopping)\n    while not letters.empty():\n'
            '        pass\n    shopping.append("milk")\n    letters.put(shopping)\n',
            r"empty\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "`+=` changes the list that waits. `shopping = shopping + [...]` would make another one.",
            'def post(letters):\n    shopping = ["bread"]\n    letters.put(shopping)\n    shopping += ["milk"]\n'
            "    letters.put(shopping)\n",
            r"^    shopping \+= ",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", "(['bread'], ['bread', 'milk'])"), Clean("program")],
    notice="What you have put in is no longer yours. Put a copy, or never change it again.",
)

overtaken = Exercise(
    name="overtaken",
    lesson=LESSON,
    kind="break it",
    task="Ann begins, puts her letter, and gives a signal. Only then does Bob, who begins and waits for the signal, "
    "put his. Their feeders carry the letters: each begins, and feeds. Give an order in which Bob's letter comes out "
    "first. The names are `ann`, `ann feeder`, `bob` and `bob feeder`.",
    source="""
from multiprocessing import get_context

# yours
schedule = ["ann", "ann", "ann feeder", "ann feeder", "ann", "bob", "bob"]
# solution
schedule = [
    "ann", "ann", "ann", "bob", "bob", "bob", "bob feeder", "bob feeder"
]
# given
def post(letters, posted):
    letters.put("from Ann")
    posted.set()


def post_after(letters, posted):
    posted.wait()
    letters.put("from Bob")


def program():
    ctx = get_context("spawn")
    letters, posted = ctx.Queue(), ctx.Event()
    shared = (letters, posted)
    ann = ctx.Process(target=post, args=shared, name="ann")
    bob = ctx.Process(target=post_after, args=shared, name="bob")
    ann.start()
    bob.start()
    got = letters.get(), letters.get()
    ann.join()
    bob.join()
    return got
""",
    hints=[
        "`put()` has returned, but the letter lies on a list in Ann's process. Who carries it?",
        "Let Ann do all her three steps, and Bob his three, before any feeder begins.",
        "Then let Bob's feeder go first: it begins, and feeds.",
    ],
    mistakes=[
        Mistake(
            "Here Ann's feeder sends before Bob's. What is sent first comes out first.",
            'schedule = ["ann", "ann", "ann", "bob", "bob", "bob", "ann feeder", "ann feeder"]\n',
            r"^[^b]*'ann'.*'ann feeder', 'ann feeder'(?!.*'bob feeder', 'bob feeder', 'ann feeder')",
            Kind.WRONG,
        ),
        Mistake(
            "Bob waits for Ann's signal. He cannot put his letter before she has given it.",
            'schedule = ["bob", "bob", "bob", "bob feeder", "bob feeder", "ann", "ann", "ann"]\n',
            r"schedule = \['bob', 'bob'",
            Kind.WRONG,
        ),
    ],
    checks=[Breaks("program", ("from Ann", "from Bob"), before=("main", "main", "main"))],
    notice="Each feeder keeps the order of its own process. Between two processes a queue promises none.",
)

journey = Exercise(
    name="journey",
    lesson=LESSON,
    kind="explain it",
    task="Put the steps of an item through a `Queue` in order. Move the lines (in JupyterLab: Alt and an arrow key), "
    "and change nothing else.",
    source="""
# yours
order = [
    "the feeder packs the item",
    "put() lays the item on a list",
    "get() unpacks the item",
    "the feeder sends the bytes",
    "get() reads the bytes",
]
# solution
order = [
    "put() lays the item on a list",
    "the feeder packs the item",
    "the feeder sends the bytes",
    "get() reads the bytes",
    "get() unpacks the item",
]
# given
""",
    hints=[
        "Who packs the item: `put()`, or somebody else, later?",
        "Only bytes go through a pipe. So the item is packed before it is sent, and unpacked after it was read.",
    ],
    mistakes=[
        Mistake(
            "`put()` does not pack. That is why an error in packing comes too late, and a late change comes along.",
            """
order = [
    "the feeder packs the item",
    "put() lays the item on a list",
    "the feeder sends the bytes",
    "get() reads the bytes",
    "get() unpacks the item",
]
""",
            r"packs the item'.*put\(\) lays",
            Kind.WRONG,
        ),
        Mistake(
            "A pipe carries bytes, and knows nothing of items. Pack first, then send.",
            """
order = [
    "put() lays the item on a list",
    "the feeder sends the bytes",
    "the feeder packs the item",
    "get() reads the bytes",
    "get() unpacks the item",
]
""",
            r"sends the bytes'.*feeder packs",
            Kind.WRONG,
        ),
        Mistake(
            "`get()` has nothing to unpack before it has read the bytes.",
            """
order = [
    "put() lays the item on a list",
    "the feeder packs the item",
    "the feeder sends the bytes",
    "get() unpacks the item",
    "get() reads the bytes",
]
""",
            r"unpacks the item'.*reads the bytes'",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "order",
            [
                "put() lays the item on a list",
                "the feeder packs the item",
                "the feeder sends the bytes",
                "get() reads the bytes",
                "get() unpacks the item",
            ],
            "Not in this order.",
        )
    ],
    notice="Three of the five steps come after `put()` has done its own. So `put()` can tell you nothing about them.",
)

which_queue = Exercise(
    name="which_queue",
    lesson=LESSON,
    kind="choose it",
    task="`Queue` or `SimpleQueue`? Give each wish one of the two.",
    source="""
# yours
queues = {
    "put() itself raises an error in packing": "Queue",
    "put() returns although nobody reads": "SimpleQueue",
    "at most ten items lie there": "SimpleQueue",
    "a child may always end when its last put() has returned": "Queue",
}
# solution
queues = {
    "put() itself raises an error in packing": "SimpleQueue",
    "put() returns although nobody reads": "Queue",
    "at most ten items lie there": "Queue",
    "a child may always end when its last put() has returned": "SimpleQueue",
}
# given
""",
    hints=[
        "One of the two has a feeder. Which wishes need one, and which ones suffer from it?",
        "Only one of them takes a `maxsize`.",
    ],
    mistakes=[
        Mistake(
            "`SimpleQueue.put()` sends by itself. When the pipe is full it waits for a reader.",
            """
queues = {
    "put() itself raises an error in packing": "SimpleQueue",
    "put() returns although nobody reads": "SimpleQueue",
    "at most ten items lie there": "Queue",
    "a child may always end when its last put() has returned": "SimpleQueue",
}
""",
            r"nobody reads': 'SimpleQueue'.*ten items lie there': 'Queue'",
            Kind.WRONG,
        ),
        Mistake(
            "A `SimpleQueue` has no `maxsize`: it holds as many bytes as its pipe does.",
            """
queues = {
    "put() itself raises an error in packing": "SimpleQueue",
    "put() returns although nobody reads": "Queue",
    "at most ten items lie there": "SimpleQueue",
    "a child may always end when its last put() has returned": "SimpleQueue",
}
""",
            r"ten items lie there': 'SimpleQueue'",
            Kind.WRONG,
        ),
        Mistake(
            "A child with a feeder has to wait for it at its end. Without one, what was put was sent.",
            """
queues = {
    "put() itself raises an error in packing": "SimpleQueue",
    "put() returns although nobody reads": "Queue",
    "at most ten items lie there": "Queue",
    "a child may always end when its last put() has returned": "Queue",
}
""",
            r"in packing': 'SimpleQueue'.*has returned': 'Queue'",
            Kind.WRONG,
        ),
        Mistake(
            "The feeder of a `Queue` packs when `put()` has returned long ago. Then nobody can catch the error.",
            """
queues = {
    "put() itself raises an error in packing": "Queue",
    "put() returns although nobody reads": "Queue",
    "at most ten items lie there": "Queue",
    "a child may always end when its last put() has returned": "SimpleQueue",
}
""",
            r"in packing': 'Queue'",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "queues",
            {
                "put() itself raises an error in packing": "SimpleQueue",
                "put() returns although nobody reads": "Queue",
                "at most ten items lie there": "Queue",
                "a child may always end when its last put() has returned": "SimpleQueue",
            },
            "Not all of them.",
        )
    ],
    notice="What the feeder gives, it also takes: `put()` need not wait, so it cannot know what becomes of the item.",
)
