"""Exercises of the lesson on checking programs; control runs them, so they need Linux or macOS."""

from helpers.exercises.form.checks import Always, Breaks, Clean, Finds, Quick, Says
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "check"

late_riser = Exercise(
    name="late_riser",
    lesson=LESSON,
    kind="break it",
    task="Two children add one. The second sleeps for a second first, so that the first is surely done by then. Is it? "
    "Each takes four steps: it begins, sleeps, reads, writes. Give an order in which the counter ends with 1.",
    source="""
import time
from multiprocessing import get_context

# yours
schedule = [
    "early", "early", "early", "early", "late", "late", "late", "late"
]
# solution
schedule = [
    "early", "early", "early", "late", "late", "late", "late", "early"
]
# given
def add_after(counter, seconds):
    time.sleep(seconds)
    counter.value += 1


def program():
    ctx = get_context("spawn")
    counter = ctx.Value("i", 0)
    early = ctx.Process(target=add_after, args=(counter, 0), name="early")
    late = ctx.Process(target=add_after, args=(counter, 1), name="late")
    early.start()
    late.start()
    early.join()
    late.join()
    return counter.value
""",
    hints=[
        "A sleep says how long a process waits at least. Who says that the other one is awake meanwhile?",
        "On a busy machine `early` may read, and then be held up for longer than `late` sleeps.",
        'Begin with `["early", "early", "early"]`: it has read 0. Now let `late` do all its steps.',
    ],
    mistakes=[
        Mistake(
            "Here `late` sleeps first, but `early` still reads and writes before `late` reads.",
            'schedule = ["late", "late", "early", "early", "early", "early", "late", "late"]\n',
            r"schedule = \['late', ('late', )?'early', 'early', 'early', 'early'",
            Kind.WRONG,
        ),
        Mistake(
            "Here one of them has written before the other one reads, as the sleeper hoped. Part reading and writing.",
            'schedule = ["late", "late", "late", "late", "early", "early", "early", "early"]\n',
            r"schedule = \[('late', ){4}|schedule = \[('early', ){4}",
            Kind.WRONG,
        ),
    ],
    checks=[Breaks("program", 2, before=("main", "main", "main"))],
    notice="A second is long, and promises nothing. Only what forbids an order repairs a program.",
)

own_lock = Exercise(
    name="own_lock",
    lesson=LESSON,
    kind="repair it",
    task="Each cashier holds a lock while she puts money into the till. Amounts are lost all the same. Is the lock in "
    "the right object? Repair the two classes.",
    source="""
from multiprocessing import get_context


# yours
class Till:
    def __init__(self, ctx):
        self.money = ctx.Value("i", 0)


class Cashier:
    def __init__(self, ctx, till):
        self.till = till
        self.lock = ctx.Lock()

    def put_in(self, amount):
        with self.lock:
            self.till.money.value += amount
# solution
class Till:
    def __init__(self, ctx):
        self.money = ctx.Value("i", 0)
        self.lock = ctx.Lock()


class Cashier:
    def __init__(self, ctx, till):
        self.till = till

    def put_in(self, amount):
        with self.till.lock:
            self.till.money.value += amount
# given
def program():
    ctx = get_context("spawn")
    till = Till(ctx)
    cashiers = [Cashier(ctx, till), Cashier(ctx, till)]
    children = [
        ctx.Process(target=cashier.put_in, args=(10,), name=f"cashier {n}")
        for n, cashier in enumerate(cashiers)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return till.money.value
""",
    hints=[
        "How many cashiers are there, how many locks, and how many tills?",
        "What must be protected is the till. Who is handed the till should be handed its lock.",
        "Make the lock in `Till.__init__`, and write `with self.till.lock:`.",
    ],
    mistakes=[
        Mistake(
            "A lock in the body of a class is made anew in each process that imports the class.",
            """
class Till:
    def __init__(self, ctx):
        self.money = ctx.Value("i", 0)


class Cashier:
    lock = get_context("spawn").Lock()

    def __init__(self, ctx, till):
        self.till = till

    def put_in(self, amount):
        with self.lock:
            self.till.money.value += amount
""",
            r"^class \w+:\n    lock = ",
            Kind.WRONG,
        ),
        Mistake(
            "A new lock for each amount: nobody else ever holds it.",
            """
class Till:
    def __init__(self, ctx):
        self.money = ctx.Value("i", 0)


class Cashier:
    def __init__(self, ctx, till):
        self.till = till

    def put_in(self, amount):
        with get_context("spawn").Lock():
            self.till.money.value += amount
""",
            r"with [^\n]*Lock\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "A lock of `threading` is for the threads of one process. It cannot be sent to another one.",
            """
import threading


class Till:
    def __init__(self, ctx):
        self.money = ctx.Value("i", 0)
        self.lock = threading.Lock()


class Cashier:
    def __init__(self, ctx, till):
        self.till = till

    def put_in(self, amount):
        with self.till.lock:
            self.till.money.value += amount
""",
            r"threading",
            Kind.CRASHED,
        ),
        Mistake(
            "The till has a lock now, but each cashier still takes her own.",
            """
class Till:
    def __init__(self, ctx):
        self.money = ctx.Value("i", 0)
        self.lock = ctx.Lock()


class Cashier:
    def __init__(self, ctx, till):
        self.till = till
        self.lock = ctx.Lock()

    def put_in(self, amount):
        with self.lock:
            self.till.money.value += amount
""",
            r"class Till.*self\.lock = .*class Cashier.*with self\.lock",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", 20), Clean("program")],
    notice="One till, one lock. A lock belongs to the data that it protects, not to those who use them.",
)

one_or_each = Exercise(
    name="one_or_each",
    lesson=LESSON,
    kind="repair it",
    task="One lock for the whole bank, or one for each account? With `bank` nothing is lost, but all other transfers "
    "wait, too. Let them go on at the same time, and still lose nothing. Each account has a `get_lock()`.",
    source="""
import time
from multiprocessing import get_context


# yours
def transfer(bank, accounts, source, target, seconds):
    with bank:
        move(accounts, source, target, seconds)
# solution
def transfer(bank, accounts, source, target, seconds):
    first, second = sorted((source, target))
    with accounts[first].get_lock(), accounts[second].get_lock():
        move(accounts, source, target, seconds)
# given
def move(accounts, source, target, seconds):
    less, more = accounts[source].value - 10, accounts[target].value + 10
    time.sleep(seconds)  # the bank writes its books
    accounts[source].value, accounts[target].value = less, more


def work(meeting, *shared):
    meeting.wait()
    transfer(*shared)
    meeting.wait()


def begin(ways, worker, *more):
    ctx = get_context("spawn")
    bank, accounts = ctx.Lock(), [ctx.Value("i", 100) for _ in range(6)]
    args = (*more, bank, accounts)
    children = [ctx.Process(target=worker, args=(*args, *w)) for w in ways]
    for child in children:
        child.start()
    return children, accounts, bank


def measured():
    meeting, pairs = get_context("spawn").Barrier(4), [(0, 1), (2, 3), (4, 5)]
    children, *kept = begin([(*p, 0.2) for p in pairs], work, meeting)
    meeting.wait()
    clock = time.perf_counter()
    meeting.wait()
    seconds = time.perf_counter() - clock
    for child in children:
        child.join()
    return seconds


def program():
    children, accounts, _ = begin([(0, 1, 0), (1, 0, 0), (1, 2, 0)], transfer)
    for child in children:
        child.join()
    return tuple(account.value for account in accounts[:3])
""",
    hints=[
        "Who moves money between 0 and 1 need not wait for who moves it between 2 and 3. Which locks does each need?",
        "Both of its accounts, from the first look to the last writing.",
        "And in one order, `sorted((source, target))`, or two transfers may wait for each other for ever.",
    ],
    mistakes=[
        Mistake(
            "Each holds both locks, but takes its own source first. Two that go opposite ways block each other.",
            "def transfer(bank, accounts, source, target, seconds):\n"
            "    with accounts[source].get_lock(), accounts[target].get_lock():\n"
            "        move(accounts, source, target, seconds)\n",
            r"accounts\[source\]\.get_lock\(\), accounts\[target\]\.get_lock\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "Two accounts change, and you hold the lock of one.",
            "def transfer(bank, accounts, source, target, seconds):\n    with accounts[source].get_lock():\n"
            "        move(accounts, source, target, seconds)\n",
            r"with accounts\[(source|target)\]\.get_lock\(\):",
        ),
        Mistake(
            "Who moves between 0 and 1 holds another lock than who moves between 1 and 2. Both change account 1.",
            "def transfer(bank, accounts, source, target, seconds):\n"
            "    with accounts[min(source, target)].get_lock():\n        move(accounts, source, target, seconds)\n",
            r"with accounts\[m(in|ax)\([^\n]*\]\.get_lock\(\):",
            Kind.WRONG,
        ),
        Mistake(
            "Without a lock they do not wait, and lose money.",
            "def transfer(bank, accounts, source, target, seconds):\n    move(accounts, source, target, seconds)\n",
            r"seconds\):\n    move",
            Kind.WRONG,
        ),
        Mistake(
            "The lock of account 0 in each transfer: this is one lock for all again, under another name.",
            "def transfer(bank, accounts, source, target, seconds):\n    with accounts[0].get_lock():\n"
            "        move(accounts, source, target, seconds)\n",
            r"accounts\[0\]",
            Kind.SLOW,
        ),
        Mistake(
            "The account's locks are there, but whoever holds the bank's lock meanwhile keeps all others waiting.",
            "def transfer(bank, accounts, source, target, seconds):\n"
            "    with bank, accounts[source].get_lock(), accounts[target].get_lock():\n"
            "        move(accounts, source, target, seconds)\n",
            r"with bank",
            Kind.SLOW,
        ),
    ],
    checks=[
        Always("program", (100, 90, 110)),
        Clean("program"),
        Quick("measured", words="Who holds a lock that others do not need keeps them waiting for nothing."),
    ],
    notice="A lock for each account lets strangers pass. Its price is an order that all have to keep.",
)

catch_it = Exercise(
    name="catch_it",
    lesson=LESSON,
    kind="build it",
    task="`careless` has a fault: it looks before it locks. Write a test that finds it. `program` uses `withdraw` on "
    "an account with 100, and returns what is left. `holds` says whether that is right. The test must find the fault "
    "of `careless`, and nothing wrong with `careful`.",
    source="""
from multiprocessing import get_context


# yours
def program(withdraw):
    ctx = get_context("spawn")
    account = ctx.Value("i", 100)
    one = ctx.Process(target=withdraw, args=(account, 70), name="one")
    one.start()
    one.join()
    return account.value


def holds(money):
    return True
# solution
def program(withdraw):
    ctx = get_context("spawn")
    account = ctx.Value("i", 100)
    one = ctx.Process(target=withdraw, args=(account, 70), name="one")
    two = ctx.Process(target=withdraw, args=(account, 70), name="two")
    one.start()
    two.start()
    one.join()
    two.join()
    return account.value


def holds(money):
    return money >= 0
# given
def careless(account, amount):
    if account.value >= amount:
        with account.get_lock():
            account.value -= amount


def careful(account, amount):
    with account.get_lock():
        if account.value >= amount:
            account.value -= amount


def test_careful():
    return holds(program(careful))


def test_careless():
    return holds(program(careless))
""",
    hints=[
        "One process alone meets nobody. How many does this fault need, and at the same time?",
        "If the money is enough for all, `careless` does no harm. Let two want more than there is.",
        "What must never be? An account below zero. That is what `holds` has to refuse.",
    ],
    mistakes=[
        Mistake(
            "One process alone can do nothing wrong here.",
            """
def program(withdraw):
    ctx = get_context("spawn")
    account = ctx.Value("i", 100)
    one = ctx.Process(target=withdraw, args=(account, 70), name="one")
    one.start()
    one.join()
    return account.value


def holds(money):
    return money >= 0
""",
            r"\A(?!.*Process\(.*Process\()(?!.* for ).*Process\(",
            Kind.WRONG,
        ),
        Mistake(
            "The second starts when the first has ended. Check can only pick among those who are there together.",
            """
def program(withdraw):
    ctx = get_context("spawn")
    account = ctx.Value("i", 100)
    for name in ("one", "two"):
        child = ctx.Process(target=withdraw, args=(account, 70), name=name)
        child.start()
        child.join()
    return account.value


def holds(money):
    return money >= 0
""",
            r"(\w+)\.start\(\)\n\s+\1\.join\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "`holds` accepts whatever comes. Then nothing can ever fail.",
            """
def program(withdraw):
    ctx = get_context("spawn")
    account = ctx.Value("i", 100)
    one = ctx.Process(target=withdraw, args=(account, 70), name="one")
    two = ctx.Process(target=withdraw, args=(account, 70), name="two")
    one.start()
    two.start()
    one.join()
    two.join()
    return account.value


def holds(money):
    return True
""",
            r"return True",
            Kind.WRONG,
        ),
        Mistake(
            "There is enough for both, so both may withdraw. The look decides nothing here.",
            """
def program(withdraw):
    ctx = get_context("spawn")
    account = ctx.Value("i", 100)
    one = ctx.Process(target=withdraw, args=(account, 50), name="one")
    two = ctx.Process(target=withdraw, args=(account, 50), name="two")
    one.start()
    two.start()
    one.join()
    two.join()
    return account.value


def holds(money):
    return money >= 0
""",
            r"\(account, ([1-4]?\d|50)\)",
            Kind.WRONG,
        ),
        Mistake(
            "`holds` refuses what `careful` rightly comes to: of two who want 70 one gets it, and 30 is left.",
            """
def program(withdraw):
    ctx = get_context("spawn")
    account = ctx.Value("i", 100)
    one = ctx.Process(target=withdraw, args=(account, 70), name="one")
    two = ctx.Process(target=withdraw, args=(account, 70), name="two")
    one.start()
    two.start()
    one.join()
    two.join()
    return account.value


def holds(money):
    return money == 100
""",
            r"return money == (?!30$)",
            Kind.WRONG,
        ),
    ],
    checks=[
        Always(
            "test_careful",
            True,
            otherwise="Your test finds fault with `careful`, which has none: `holds` must return True for all that it "
            "may come to.",
        ),
        Finds("test_careless", True, "Your test finds nothing wrong with `careless`, in whatever order it runs."),
    ],
    notice="A check finds what the program lets happen and `holds` refuses. Below is the order that it found.",
)

what_is_proved = Exercise(
    name="what_is_proved",
    lesson=LESSON,
    kind="explain it",
    task="`check` found no failure, and says: all schedules with up to 2 preemptions tried. Which of these is proved? "
    "Write `proved` or `open`.",
    source="""
# yours
claims = {
    "no order with one preemption fails": "open",
    "no order with five preemptions fails": "proved",
    "with twice as many children nothing fails": "proved",
    "a failure that was found once can be repeated": "open",
}
# solution
claims = {
    "no order with one preemption fails": "proved",
    "no order with five preemptions fails": "open",
    "with twice as many children nothing fails": "open",
    "a failure that was found once can be repeated": "proved",
}
# given
""",
    hints=[
        "`Up to 2` includes 0 and 1, and says nothing about more.",
        "It ran this program, with these children. Another one was not run.",
        "A schedule decides, not luck.",
    ],
    mistakes=[
        Mistake(
            "`ababab` in this lesson needs more than two preemptions. No failure up to two says nothing about five.",
            """
claims = {
    "no order with one preemption fails": "proved",
    "no order with five preemptions fails": "proved",
    "with twice as many children nothing fails": "open",
    "a failure that was found once can be repeated": "proved",
}
""",
            r"five preemptions fails': 'proved'.*children nothing fails': 'open'",
            Kind.WRONG,
        ),
        Mistake(
            "More children make another program, with orders that nobody has tried.",
            """
claims = {
    "no order with one preemption fails": "proved",
    "no order with five preemptions fails": "open",
    "with twice as many children nothing fails": "proved",
    "a failure that was found once can be repeated": "proved",
}
""",
            r"children nothing fails': 'proved'",
            Kind.WRONG,
        ),
        Mistake(
            "All orders with one preemption are among those with up to two.",
            """
claims = {
    "no order with one preemption fails": "open",
    "no order with five preemptions fails": "open",
    "with twice as many children nothing fails": "open",
    "a failure that was found once can be repeated": "proved",
}
""",
            r"one preemption fails': 'open'",
            Kind.WRONG,
        ),
        Mistake(
            "`rerun` followed one schedule a hundred times, and it ended alike every time. `check` makes sure of that.",
            """
claims = {
    "no order with one preemption fails": "proved",
    "no order with five preemptions fails": "open",
    "with twice as many children nothing fails": "open",
    "a failure that was found once can be repeated": "open",
}
""",
            r"can be repeated': 'open'",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "claims",
            {
                "no order with one preemption fails": "proved",
                "no order with five preemptions fails": "open",
                "with twice as many children nothing fails": "open",
                "a failure that was found once can be repeated": "proved",
            },
            "Not all of them.",
        )
    ],
    notice="Read a result to its end: what was tried, up to where, and of which program.",
)
