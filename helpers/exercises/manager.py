"""Exercises of the lesson on managers."""

from helpers.exercises.form.checks import Always, Breaks, Clean, OneCall, Says
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "manager"

lost_at_the_clerk = Exercise(
    name="lost_at_the_clerk",
    lesson=LESSON,
    kind="break it",
    task="Two children each add one to an entry of a shared dict. Each takes three steps: it begins, it asks for the "
    "count, it sends a new one. Give an order in which the count ends with 1: a name for each step.",
    source="""
from multiprocessing import get_context

# yours
schedule = ["one", "one", "one", "two", "two", "two"]
# solution
schedule = ["one", "one", "two", "two", "two", "one"]
# given
def add_one(counts):
    counts["n"] = counts["n"] + 1


def program():
    ctx = get_context("spawn")
    counts = ctx.Manager().dict(n=0)
    one = ctx.Process(target=add_one, args=(counts,), name="one")
    two = ctx.Process(target=add_one, args=(counts,), name="two")
    one.start()
    two.start()
    one.join()
    two.join()
    return counts["n"]
""",
    hints=[
        "The clerk serves one request after the other. An addition is two requests.",
        "Both must have asked before either sends.",
    ],
    mistakes=[
        Mistake(
            "Here one has asked and sent before the other one asks. So nothing is lost.",
            'schedule = ["two", "two", "two", "one", "one", "one"]\n',
            r"schedule = \[('one', ){3,}|schedule = \[('two', ){3,}",
            Kind.WRONG,
        ),
        Mistake(
            "Its first step is only its begin. So here, too, one has sent before the other one asks.",
            'schedule = ["one", "two", "one", "one", "two", "two"]\n',
            r"schedule = \['one', 'two', 'one', 'one'",
            Kind.WRONG,
        ),
    ],
    checks=[Breaks("program", 2, before=("main", "main", "main"))],
    notice="The clerk made no mistake. It cannot know that two requests belong together.",
)

shared_lock = Exercise(
    name="shared_lock",
    lesson=LESSON,
    kind="repair it",
    task="The same two children, and the clerk keeps a lock for them. Repair `add_one`, so that nothing is lost.",
    source="""
from multiprocessing import get_context


# yours
def add_one(counts, lock):
    counts["n"] = counts["n"] + 1
# solution
def add_one(counts, lock):
    with lock:
        counts["n"] = counts["n"] + 1
# given
def program():
    ctx = get_context("spawn")
    clerk = ctx.Manager()
    counts, lock = clerk.dict(n=0), clerk.Lock()
    children = [
        ctx.Process(target=add_one, args=(counts, lock), name=name)
        for name in ("one", "two")
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return counts["n"]
""",
    hints=[
        "What must nobody do between the asking and the sending?",
        "`with lock:` around the whole line: both requests belong inside.",
    ],
    mistakes=[
        Mistake(
            "You hold the lock when you send. But you have asked before, and the count may be old by then.",
            """
def add_one(counts, lock):
    seen = counts["n"]
    with lock:
        counts["n"] = seen + 1
""",
            r"^    seen = counts\['n'\]\n    with lock",
            Kind.WRONG,
        ),
        Mistake(
            "You hold the lock twice, once for each request. Between the two it is free.",
            """
def add_one(counts, lock):
    with lock:
        seen = counts["n"]
    with lock:
        counts["n"] = seen + 1
""",
            r"with lock:.*\n    with lock:",
            Kind.WRONG,
        ),
        Mistake(
            "A `Value` brings a lock of its own, a dict of the manager does not. You are handed one: `lock`.",
            """
def add_one(counts, lock):
    with counts.get_lock():
        counts["n"] = counts["n"] + 1
""",
            r"counts\.get_lock",
            Kind.CRASHED,
        ),
        Mistake(
            "`+=` looks like one step. It is a `__getitem__` and a `__setitem__`: two requests.",
            """
def add_one(counts, lock):
    counts["n"] += 1
""",
            r"\A(?!.*(with |acquire)).*\+= 1",
            Kind.WRONG,
        ),
        Mistake(
            "This lock is your own: each child makes another one, and nobody else waits for it.",
            """
def add_one(counts, lock):
    import threading

    with threading.Lock():
        counts["n"] = counts["n"] + 1
""",
            r"with .*Lock\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "Who takes a lock by `acquire()` gives it back by `release()`. Here nobody does, and the next one waits.",
            """
def add_one(counts, lock):
    lock.acquire()
    counts["n"] = counts["n"] + 1
""",
            r"acquire\(\)(?!.*release\(\))",
            Kind.HANGS,
        ),
    ],
    checks=[Always("program", 2), Clean("program")],
    notice="Four requests for one addition: acquire, ask, send, release.",
)

two_lists = Exercise(
    name="two_lists",
    lesson=LESSON,
    kind="repair it",
    task="Each child writes onto a list of its own inside a shared dict, and no list changes. Repair `note`.",
    source="""
from multiprocessing import get_context


# yours
def note(book, shop):
    book[shop].append("milk")
# solution
def note(book, shop):
    things = book[shop]
    things.append("milk")
    book[shop] = things
# given
def program():
    ctx = get_context("spawn")
    book = ctx.Manager().dict(baker=["bread"], grocer=["salt"])
    children = [
        ctx.Process(target=note, args=(book, shop), name=shop)
        for shop in ("baker", "grocer")
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return str(book.copy())
""",
    hints=[
        "`book[shop]` asks the clerk for the list. What comes back is a copy.",
        "Change the copy, then send it back: `book[shop] = ...`.",
    ],
    mistakes=[
        Mistake(
            "`append` returns None. So it is None that you send back.",
            'def note(book, shop):\n    book[shop] = book[shop].append("milk")\n',
            r"\] = .*append\(",
            Kind.WRONG,
        ),
        Mistake(
            "You have changed your copy under another name. It is your copy still, and nobody has sent it back.",
            'def note(book, shop):\n    things = book[shop]\n    things.append("milk")\n',
            r"\A(?!.*book\[shop\] =).*^    (\w+) = book\[shop\]$.*\1\.append",
            Kind.WRONG,
        ),
        Mistake(
            "You send a list with the milk alone. What stood there before is gone.",
            'def note(book, shop):\n    book[shop] = ["milk"]\n',
            r"\] = \['milk'\]",
            Kind.WRONG,
        ),
        Mistake(
            "You send back the whole book as you saw it, and with it what the other child has changed meanwhile.",
            """
def note(book, shop):
    mine = book.copy()
    mine[shop].append("milk")
    book.update(mine)
""",
            r"book\.update\(",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", "{'baker': ['bread', 'milk'], 'grocer': ['salt', 'milk']}"), Clean("program")],
    notice="Asked, changed, assigned back. Each list had one writer, else this would lose updates too.",
)

last_seat = Exercise(
    name="last_seat",
    lesson=LESSON,
    kind="build it",
    task="Two children want the last seat. They ask whether one is free, and then take it: both get it. Make this "
    "**one call**: let `Seats.take` take a seat if one is free, and tell whether it did. Use it in `book`.",
    source="""
from multiprocessing import get_context
from multiprocessing.managers import SyncManager
from threading import Lock


# yours
class Seats:
    def __init__(self, free):
        self.free = free
        self.lock = Lock()

    def is_free(self):
        return self.free > 0

    def take(self):
        self.free -= 1


def book(seats, sold):
    if seats.is_free():
        seats.take()
        sold.append("a seat")
# solution
class Seats:
    def __init__(self, free):
        self.free = free
        self.lock = Lock()

    def take(self):
        with self.lock:
            if self.free == 0:
                return False
            self.free -= 1
            return True


def book(seats, sold):
    if seats.take():
        sold.append("a seat")
# given
class Office(SyncManager):
    pass


Office.register("Seats", Seats)


def program():
    ctx = get_context("spawn")
    office = Office(ctx=ctx)
    office.start()
    seats, sold = office.Seats(1), office.list()
    children = [
        ctx.Process(target=book, args=(seats, sold), name=n) for n in "AB"
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return len(sold)


def two_calls():
    seats = Seats(1)
    return seats.take, seats.take
""",
    hints=[
        "Between two requests anybody may ask. What is one request stays together.",
        "`take` looks and takes, and returns True or False. `book` asks it once.",
        "The manager serves each caller in a thread of its own. So `take` does all this under `with self.lock:`.",
    ],
    mistakes=[
        Mistake(
            "You look twice, and the second look is as old as the first when you take.",
            """
class Seats:
    def __init__(self, free):
        self.free = free
        self.lock = Lock()

    def is_free(self):
        with self.lock:
            return self.free > 0

    def take(self):
        with self.lock:
            self.free -= 1
            return True


def book(seats, sold):
    if seats.is_free() and seats.is_free():
        seats.take()
        sold.append("a seat")
""",
            r"is_free\(\) and",
            Kind.WRONG,
        ),
        Mistake(
            "Each method holds the lock, but the look and the taking are still two requests.",
            """
class Seats:
    def __init__(self, free):
        self.free = free
        self.lock = Lock()

    def is_free(self):
        with self.lock:
            return self.free > 0

    def take(self):
        with self.lock:
            self.free -= 1
            return True


def book(seats, sold):
    if seats.is_free():
        seats.take()
        sold.append("a seat")
""",
            r"if seats\.is_free\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "One request, but the manager serves each caller in a thread of its own. Between the look and the taking "
            "the other thread may come: hold `self.lock`.",
            """
class Seats:
    def __init__(self, free):
        self.free = free

    def take(self):
        if self.free == 0:
            return False
        self.free -= 1
        return True


def book(seats, sold):
    if seats.take():
        sold.append("a seat")
""",
            r"\A(?!.*(with |acquire))",
            Kind.WRONG,
        ),
        Mistake(
            "You hold the lock for the look and for the taking, but not from the one to the other.",
            """
class Seats:
    def __init__(self, free):
        self.free = free
        self.lock = Lock()

    def take(self):
        with self.lock:
            free = self.free
        if free == 0:
            return False
        with self.lock:
            self.free = free - 1
        return True


def book(seats, sold):
    if seats.take():
        sold.append("a seat")
""",
            r"with self\.lock.*with self\.lock",
            Kind.WRONG,
        ),
        Mistake(
            "You look before you hold the lock. What you saw may be old when you take.",
            """
class Seats:
    def __init__(self, free):
        self.free = free
        self.lock = Lock()

    def take(self):
        if self.free == 0:
            return False
        with self.lock:
            self.free -= 1
        return True


def book(seats, sold):
    if seats.take():
        sold.append("a seat")
""",
            r"def take\(self\):\n        if .*with self\.lock",
            Kind.WRONG,
        ),
        Mistake(
            "`take` takes the seat, and does not say so. It returns None, which `if` takes for a no.",
            """
class Seats:
    def __init__(self, free):
        self.free = free
        self.lock = Lock()

    def take(self):
        with self.lock:
            if self.free > 0:
                self.free -= 1


def book(seats, sold):
    if seats.take():
        sold.append("a seat")
""",
            r"def take\(self\):(?!.*return).*if seats\.take\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "`take` holds the lock when it asks `is_free`, which waits for the same lock. Look at `self.free` instead.",
            """
class Seats:
    def __init__(self, free):
        self.free = free
        self.lock = Lock()

    def is_free(self):
        with self.lock:
            return self.free > 0

    def take(self):
        with self.lock:
            if not self.is_free():
                return False
            self.free -= 1
            return True


def book(seats, sold):
    if seats.take():
        sold.append("a seat")
""",
            r"with self\.lock:\n[^\n]*self\.is_free\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "A full house leaves `take` with the lock in hand. `with self.lock:` gives it back on every way out.",
            """
class Seats:
    def __init__(self, free):
        self.free = free
        self.lock = Lock()

    def take(self):
        self.lock.acquire()
        if self.free == 0:
            return False
        self.free -= 1
        return True


def book(seats, sold):
    if seats.take():
        sold.append("a seat")
""",
            r"acquire\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "`take` says whether it took a seat, and `book` does not listen.",
            """
class Seats:
    def __init__(self, free):
        self.free = free
        self.lock = Lock()

    def take(self):
        with self.lock:
            if self.free == 0:
                return False
            self.free -= 1
            return True


def book(seats, sold):
    seats.take()
    sold.append("a seat")
""",
            r"^    seats\.take\(\)$",
            Kind.WRONG,
        ),
    ],
    checks=[OneCall("two_calls"), Always("program", 1), Clean("program")],
    notice="Look and act are one call now, and nobody who uses the class can do it wrongly.",
)

how_many = Exercise(
    name="how_many",
    lesson=LESSON,
    kind="explain it",
    task="How many requests does the manager get for each line? `book` is a shared dict, `things` a shared list of "
    "ten, `lock` a lock of the manager, `tally` an object with a method `add`.",
    source="""
# yours
requests = {
    'book["a"]': 0,
    'book["a"] += 1': 0,
    'with lock: book["a"] += 1': 0,
    'tally.add("a")': 0,
    "things[:]": 0,
    "list(things)": 0,
}
# solution
requests = {
    'book["a"]': 1,
    'book["a"] += 1': 2,
    'with lock: book["a"] += 1': 4,
    'tally.add("a")': 1,
    "things[:]": 1,
    "list(things)": 12,
}
# given
""",
    hints=[
        "`+=` asks, and then sends. To take a lock is a request, and to give it back is another one.",
        "`list(things)` asks for each thing, once for the length, and once more to find the end.",
    ],
    mistakes=[
        Mistake(
            "`+=` is short to write, but it reads and it writes.",
            """
requests = {
    'book["a"]': 1,
    'book["a"] += 1': 1,
    'with lock: book["a"] += 1': 3,
    'tally.add("a")': 1,
    "things[:]": 1,
    "list(things)": 12,
}
""",
            r"'book\[.a.\] \+= 1': 1\b",
            Kind.WRONG,
        ),
        Mistake(
            "The lock is kept by the manager too: it must be asked to take it, and asked to give it back.",
            """
requests = {
    'book["a"]': 1,
    'book["a"] += 1': 2,
    'with lock: book["a"] += 1': 2,
    'tally.add("a")': 1,
    "things[:]": 1,
    "list(things)": 12,
}
""",
            r"with lock: [^:]*': [23]\b",
            Kind.WRONG,
        ),
        Mistake(
            "`list` asks for one thing after the other. Only the slice comes as a whole.",
            """
requests = {
    'book["a"]': 1,
    'book["a"] += 1': 2,
    'with lock: book["a"] += 1': 4,
    'tally.add("a")': 1,
    "things[:]": 1,
    "list(things)": 1,
}
""",
            r"'list\(things\)': 1\b",
            Kind.WRONG,
        ),
        Mistake(
            "To `add`, the tally reads and writes too. But it does so in the manager, where nobody has to ask.",
            """
requests = {
    'book["a"]': 1,
    'book["a"] += 1': 2,
    'with lock: book["a"] += 1': 4,
    'tally.add("a")': 2,
    "things[:]": 1,
    "list(things)": 12,
}
""",
            r"'tally\.add\(.a.\)': [2-9]",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "requests",
            {
                'book["a"]': 1,
                'book["a"] += 1': 2,
                'with lock: book["a"] += 1': 4,
                'tally.add("a")': 1,
                "things[:]": 1,
                "list(things)": 12,
            },
            "Not all of them.",
        )
    ],
    notice="Each request is a way there and back. What one call can do in the manager, let one call do.",
)

who_keeps_it = Exercise(
    name="who_keeps_it",
    lesson=LESSON,
    kind="choose it",
    task="What would you take? Give each task one of these: `a pipe`, `a queue`, `shared memory`, `a manager`.",
    source="""
# yours
take = {
    "a number that all change a million times": "nothing",
    "questions and answers between two": "nothing",
    "jobs for whoever is free": "nothing",
    "a dict of settings, read now and then by five": "nothing",
}
# solution
take = {
    "a number that all change a million times": "shared memory",
    "questions and answers between two": "a pipe",
    "jobs for whoever is free": "a queue",
    "a dict of settings, read now and then by five": "a manager",
}
# given
""",
    hints=[
        "Each of the four is needed once.",
        "A request to a manager takes two processes that are woken. How often may that be?",
    ],
    mistakes=[
        Mistake(
            "A million requests: each wakes the manager, and its answer wakes you. Shared memory asks nobody.",
            """
take = {
    "a number that all change a million times": "a manager",
    "questions and answers between two": "a pipe",
    "jobs for whoever is free": "a queue",
    "a dict of settings, read now and then by five": "shared memory",
}
""",
            r"million times': 'a manager'",
            Kind.WRONG,
        ),
        Mistake(
            "Shared memory holds numbers and bytes. A dict has to be kept by somebody.",
            """
take = {
    "a number that all change a million times": "a queue",
    "questions and answers between two": "a pipe",
    "jobs for whoever is free": "a manager",
    "a dict of settings, read now and then by five": "shared memory",
}
""",
            r"by five': 'shared memory'",
            Kind.WRONG,
        ),
        Mistake(
            "A pipe is for two. Jobs lie in a queue until somebody is free.",
            """
take = {
    "a number that all change a million times": "shared memory",
    "questions and answers between two": "a queue",
    "jobs for whoever is free": "a pipe",
    "a dict of settings, read now and then by five": "a manager",
}
""",
            r"is free': 'a pipe'",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "take",
            {
                "a number that all change a million times": "shared memory",
                "questions and answers between two": "a pipe",
                "jobs for whoever is free": "a queue",
                "a dict of settings, read now and then by five": "a manager",
            },
            "Not all of them.",
        )
    ],
    notice="A manager keeps whatever Python can hold, and every use of it is a request.",
)
