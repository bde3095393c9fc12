"""Exercises of the lesson on synchronisation."""

from helpers.exercises.form.checks import Always, Breaks, Clean, Says
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "synchronisation"

bread = Exercise(
    name="bread",
    lesson=LESSON,
    kind="repair it",
    task="A baker bakes two loaves for two guests, and rings for each. Sometimes a guest is woken, and another one has "
    "eaten the loaf. He leaves hungry. Repair `eat`. `take` takes a loaf if there is one.",
    source="""
from multiprocessing import get_context


# yours
def eat(bell, loaves, eaten):
    with bell:
        if loaves.value == 0:
            bell.wait()
        take(loaves, eaten)
# solution
def eat(bell, loaves, eaten):
    with bell:
        while loaves.value == 0:
            bell.wait()
        take(loaves, eaten)
# given
def take(loaves, eaten):
    if loaves.value > 0:
        loaves.value -= 1
        eaten.value += 1


def bake(bell, loaves):
    for _ in range(2):
        with bell:
            loaves.value += 1
            bell.notify()


def program():
    ctx = get_context("spawn")
    bell, loaves, eaten = ctx.Condition(), ctx.Value("i", 0), ctx.Value("i", 0)
    children = [
        ctx.Process(target=eat, args=(bell, loaves, eaten), name=f"guest {n}")
        for n in (1, 2)
    ]
    children.append(ctx.Process(target=bake, args=(bell, loaves), name="baker"))
    for child in children:
        child.start()
    for child in children:
        child.join()
    return eaten.value
""",
    hints=[
        "Between the bell and the moment when `wait()` returns, somebody else may hold the lock.",
        "Who wakes does not know whether there is still a loaf. He has to look once more.",
        "And once more after the next bell: `while` instead of `if`.",
    ],
    mistakes=[
        Mistake(
            "You look while you do not hold the bell's lock. The baker may ring between your look and your sleep.",
            "def eat(bell, loaves, eaten):\n    while loaves.value == 0:\n        with bell:\n            bell.wait()\n"
            "    with bell:\n        take(loaves, eaten)\n",
            r"while loaves\.value == 0:\n        with bell",
        ),
        Mistake(
            "You look again and again, and keep the lock meanwhile. So the baker never comes in.",
            "def eat(bell, loaves, eaten):\n    with bell:\n        while loaves.value == 0:\n            pass\n"
            "        take(loaves, eaten)\n",
            r"while loaves\.value == 0:\n            pass",
        ),
        Mistake(
            "A time limit ends the sleep. It bakes no loaf.",
            "def eat(bell, loaves, eaten):\n    with bell:\n        if loaves.value == 0:\n            bell.wait(1)\n"
            "        take(loaves, eaten)\n",
            r"wait\((timeout=)?\d",
            Kind.WRONG,
        ),
        Mistake(
            "`wait_for` asks again when it is woken. So it needs a function: write `lambda:` before what is to hold.",
            "def eat(bell, loaves, eaten):\n    with bell:\n        bell.wait_for(loaves.value > 0)\n"
            "        take(loaves, eaten)\n",
            r"wait_for\((?!lambda)",
            Kind.CRASHED,
        ),
        Mistake(
            "You sleep without a look. If the loaf is there already, nobody rings for it again.",
            "def eat(bell, loaves, eaten):\n    with bell:\n        bell.wait()\n        take(loaves, eaten)\n",
            r"with bell:\n        bell\.wait\(\)",
        ),
    ],
    checks=[Always("program", 2), Clean("program")],
    notice="`while` looks before the sleep and after it. `bell.wait_for(lambda: loaves.value)` does the same.",
)

missed_bell = Exercise(
    name="missed_bell",
    lesson=LESSON,
    kind="break it",
    task="A guest looks for tea, and sleeps until the cook rings. The guest takes four steps: he begins, reads, takes "
    "the lock of the bell, waits. The cook takes five: he begins, takes the lock, writes, rings, gives the lock back. "
    "Give an order after which the guest sleeps for ever: a name for each step.",
    source="""
from multiprocessing import get_context

# yours
schedule = ["guest", "guest", "guest", "guest", "cook", "cook", "cook"]
# solution
schedule = [
    "guest", "guest", "cook", "cook", "cook", "cook", "cook", "guest", "guest"
]
# given
def drink(bell, ready):
    if not ready.value:
        with bell:
            bell.wait()


def cook(bell, ready):
    with bell:
        ready.value = 1
        bell.notify()


def program():
    ctx = get_context("spawn")
    bell, ready = ctx.Condition(), ctx.Value("i", 0)
    guest = ctx.Process(target=drink, args=(bell, ready), name="guest")
    cooks = ctx.Process(target=cook, args=(bell, ready), name="cook")
    guest.start()
    cooks.start()
    guest.join()
    cooks.join()
    return ready.value
""",
    hints=[
        "The bell rings for those who sleep at that moment, and for nobody else.",
        "The guest must look too early, and fall asleep too late.",
        'Begin with `["guest", "guest"]`: he has looked. Now let the cook do all that he has to do.',
    ],
    mistakes=[
        Mistake(
            "Here the guest sleeps when the bell rings. So he hears it.",
            'schedule = ["guest", "guest", "guest", "guest", "cook", "cook", "cook", "cook"]\n',
            r"schedule = \[('guest', ){4}",
        ),
        Mistake(
            "Here the tea is ready before the guest looks. He sees it, and does not go to sleep.",
            'schedule = ["cook", "cook", "cook", "cook", "cook", "guest", "guest"]\n',
            r"schedule = \[('cook', ){3,}",
        ),
    ],
    checks=[Breaks("program", 1, before=("main", "main", "main"), reason="deadlock")],
    notice="Nobody did anything wrong in the last step. The look and the sleep were torn apart long before.",
)

in_step = Exercise(
    name="in_step",
    lesson=LESSON,
    kind="repair it",
    task="Two workers hold the number 1 each. Both are to set their own number to the sum of the two, and then to note "
    "the sum of the new ones. Both should note 4. A barrier is there, but one worker is too fast. Repair `work`.",
    source="""
from multiprocessing import get_context


# yours
def work(meeting, table, noted, mine):
    total = sum(table[:])
    table[mine] = total
    meeting.wait()
    noted[mine] = sum(table[:])
# solution
def work(meeting, table, noted, mine):
    total = sum(table[:])
    meeting.wait()
    table[mine] = total
    meeting.wait()
    noted[mine] = sum(table[:])
# given
def program():
    ctx = get_context("spawn")
    meeting = ctx.Barrier(2)
    table, noted = ctx.Array("i", [1, 1]), ctx.Array("i", 2)
    shared = (meeting, table, noted)
    workers = [
        ctx.Process(target=work, args=(*shared, n), name=f"worker {n}")
        for n in (0, 1)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return tuple(noted[:])
""",
    hints=[
        "When may a worker write? When the other one has read what it writes over.",
        "When may it note the new sum? When the other one has written.",
        "These are two meetings: one before the writing, one after it.",
    ],
    mistakes=[
        Mistake(
            "You have moved the meeting. Now both have read before one writes, but who notes may be too early.",
            "def work(meeting, table, noted, mine):\n    total = sum(table[:])\n    meeting.wait()\n"
            "    table[mine] = total\n    noted[mine] = sum(table[:])\n",
            r"meeting\.wait\(\)\n    table\[mine\] = total\n    noted",
            Kind.WRONG,
        ),
        Mistake(
            "Two meetings one after the other are one. Nothing happens between them.",
            "def work(meeting, table, noted, mine):\n    total = sum(table[:])\n    table[mine] = total\n"
            "    meeting.wait()\n    meeting.wait()\n    noted[mine] = sum(table[:])\n",
            r"meeting\.wait\(\)\n    meeting\.wait\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "Only one of them comes to the meeting. It waits there for ever.",
            "def work(meeting, table, noted, mine):\n    total = sum(table[:])\n    if mine == 0:\n"
            "        meeting.wait()\n    table[mine] = total\n    meeting.wait()\n    noted[mine] = sum(table[:])\n",
            r"if mine",
            Kind.HANGS,
        ),
        Mistake(
            "You hold a lock while you wait for the other one, and the other one needs it to come.",
            "def work(meeting, table, noted, mine):\n    with table.get_lock():\n        total = sum(table[:])\n"
            "        meeting.wait()\n        table[mine] = total\n    meeting.wait()\n"
            "    noted[mine] = sum(table[:])\n",
            r"with table\.get_lock\(\):\n.*^        meeting\.wait",
            Kind.HANGS,
        ),
        Mistake(
            "A lock keeps the two apart. Here they have to keep step, and for that a lock does nothing.",
            "def work(meeting, table, noted, mine):\n    with table.get_lock():\n        total = sum(table[:])\n"
            "        table[mine] = total\n    meeting.wait()\n    noted[mine] = sum(table[:])\n",
            r"with table\.get_lock\(\)",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", (4, 4)), Clean("program")],
    notice="All read, all meet, all write, all meet. A barrier stands at each edge of such a phase.",
)

reading_room = Exercise(
    name="reading_room",
    lesson=LESSON,
    kind="build it",
    task="Build a read-write lock. A writer takes `lock.room`, and must be alone. Readers may be inside together: the "
    "first one takes the room for all of them, the last one gives it back. The class below lets in one at a time.",
    source="""
from multiprocessing import get_context


# yours
class ReadWriteLock:
    def __init__(self, ctx):
        self.room = ctx.Lock()

    def begin_reading(self):
        self.room.acquire()

    def end_reading(self):
        self.room.release()
# solution
class ReadWriteLock:
    def __init__(self, ctx):
        self.room = ctx.Lock()
        self.readers = ctx.Value("i", 0)

    def begin_reading(self):
        with self.readers.get_lock():
            self.readers.value += 1
            if self.readers.value == 1:
                self.room.acquire()

    def end_reading(self):
        with self.readers.get_lock():
            self.readers.value -= 1
            if self.readers.value == 0:
                self.room.release()
# given
def write(lock, page):
    with lock.room:
        page[0] = 1
        page[1] = 1


def read(lock, page, meeting):
    lock.begin_reading()
    if meeting:
        meeting.wait()
    elif page[0] != page[1]:
        page[2] = 1
    lock.end_reading()


def program(meeting=None):
    ctx = get_context("spawn")
    lock, page = ReadWriteLock(ctx), ctx.Array("i", 3)
    reader = dict(target=read, args=(lock, page, meeting))
    children = [ctx.Process(**reader), ctx.Process(**reader)]
    if not meeting:
        children.append(ctx.Process(target=write, args=(lock, page)))
    for child in children:
        child.start()
    for child in children:
        child.join()
    return "torn" if page[2] else "whole"


def side_by_side():
    return program(get_context("spawn").Barrier(2))
""",
    hints=[
        'Count the readers who are inside, in a `ctx.Value("i", 0)` that is made in `__init__`.',
        "Who makes it 1 takes the room. Who makes it 0 gives it back.",
        "To count and to act on the count belongs together: hold the counter's own lock, `get_lock()`, from the one to "
        "the other.",
    ],
    mistakes=[
        Mistake(
            "A plain number is copied into each process. So every reader counts herself alone, as the first one.",
            """
class ReadWriteLock:
    def __init__(self, ctx):
        self.room = ctx.Lock()
        self.readers = 0

    def begin_reading(self):
        self.readers += 1
        if self.readers == 1:
            self.room.acquire()

    def end_reading(self):
        self.readers -= 1
        if self.readers == 0:
            self.room.release()
""",
            r"self\.\w+ = 0$",
        ),
        Mistake(
            "Nobody protects the count. Two readers may both make it 1, and then it never comes to 0 when it should.",
            """
class ReadWriteLock:
    def __init__(self, ctx):
        self.room = ctx.Lock()
        self.readers = ctx.Value("i", 0)

    def begin_reading(self):
        self.readers.value += 1
        if self.readers.value == 1:
            self.room.acquire()

    def end_reading(self):
        self.readers.value -= 1
        if self.readers.value == 0:
            self.room.release()
""",
            r"def begin_reading\(self\):\n        self\.readers\.value \+= 1",
        ),
        Mistake(
            "The count is protected, but what follows from it is not: between the two another reader comes or goes.",
            """
class ReadWriteLock:
    def __init__(self, ctx):
        self.room = ctx.Lock()
        self.readers = ctx.Value("i", 0)

    def begin_reading(self):
        with self.readers.get_lock():
            self.readers.value += 1
        if self.readers.value == 1:
            self.room.acquire()

    def end_reading(self):
        with self.readers.get_lock():
            self.readers.value -= 1
        if self.readers.value == 0:
            self.room.release()
""",
            r"value \+= 1\n( {12}[^\n]*\n)*        if ",
        ),
        Mistake(
            "Who took an RLock gives it back. Here the first reader takes it, and the last one gives it back.",
            """
class ReadWriteLock:
    def __init__(self, ctx):
        self.room = ctx.RLock()
        self.readers = ctx.Value("i", 0)

    def begin_reading(self):
        with self.readers.get_lock():
            self.readers.value += 1
            if self.readers.value == 1:
                self.room.acquire()

    def end_reading(self):
        with self.readers.get_lock():
            self.readers.value -= 1
            if self.readers.value == 0:
                self.room.release()
""",
            r"RLock\(",
        ),
        Mistake(
            "Nobody who reads takes the room, so the writer comes in while they read.",
            """
class ReadWriteLock:
    def __init__(self, ctx):
        self.room = ctx.Lock()

    def begin_reading(self):
        pass

    def end_reading(self):
        pass
""",
            r"def begin_reading\(self\):\n        pass",
            Kind.WRONG,
        ),
        Mistake(
            "The first reader takes the room, and nobody gives it back.",
            """
class ReadWriteLock:
    def __init__(self, ctx):
        self.room = ctx.Lock()
        self.readers = ctx.Value("i", 0)

    def begin_reading(self):
        with self.readers.get_lock():
            self.readers.value += 1
            if self.readers.value == 1:
                self.room.acquire()

    def end_reading(self):
        with self.readers.get_lock():
            self.readers.value -= 1
""",
            r"acquire\(\)(?!.*release\(\))",
            Kind.HANGS,
        ),
        Mistake(
            "The room is still for one at a time: two readers can never meet inside.",
            """
class ReadWriteLock:
    def __init__(self, ctx):
        self.room = ctx.Lock()
        self.inside = ctx.Lock()

    def begin_reading(self):
        self.inside.acquire()
        self.room.acquire()

    def end_reading(self):
        self.room.release()
        self.inside.release()
""",
            r"def begin_reading\(self\):.*self\.room\.acquire\(\)\n\n",
            Kind.HANGS,
        ),
    ],
    checks=[Always("side_by_side", "whole"), Always("program", "whole"), Clean("program")],
    notice="The first of a group locks for all, the last one unlocks. Readers may still keep a writer out for ever.",
)

bank = Exercise(
    name="bank",
    lesson=LESSON,
    kind="build it",
    task="Build a bank whose transfers neither deadlock nor lose. Two transfers go in opposite directions, while an "
    "auditor adds up both accounts: he must always find 200. Each account has a lock of its own, `get_lock()`. Write "
    "`transfer`.",
    source="""
from multiprocessing import get_context


# yours
def transfer(accounts, source, target, amount):
    accounts[source].value -= amount
    accounts[target].value += amount
# solution
def transfer(accounts, source, target, amount):
    first, second = sorted((source, target))
    with accounts[first].get_lock(), accounts[second].get_lock():
        accounts[source].value -= amount
        accounts[target].value += amount
# given
def audit(accounts, found):
    with accounts[0].get_lock(), accounts[1].get_lock():
        found.value = accounts[0].value + accounts[1].value


def program():
    ctx = get_context("spawn")
    accounts, found = [ctx.Value("i", 100) for _ in range(2)], ctx.Value("i")
    there, back = (accounts, 0, 1, 30), (accounts, 1, 0, 20)
    children = [
        ctx.Process(target=transfer, args=there, name="there"),
        ctx.Process(target=transfer, args=back, name="back"),
        ctx.Process(target=audit, args=(accounts, found), name="auditor"),
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return accounts[0].value, accounts[1].value, found.value
""",
    hints=[
        "While money is on its way, nobody may look at either account. So hold both locks.",
        "If one holds the first lock and the other one the second, both wait for ever. Which order do all agree on?",
        "The accounts have numbers: `sorted((source, target))`.",
    ],
    mistakes=[
        Mistake(
            "Both locks are held, but each transfer begins with its own source. The two go in opposite order.",
            "def transfer(accounts, source, target, amount):\n"
            "    with accounts[source].get_lock(), accounts[target].get_lock():\n"
            "        accounts[source].value -= amount\n        accounts[target].value += amount\n",
            r"accounts\[source\]\.get_lock\(\).*accounts\[target\]\.get_lock\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "One lock after the other: between the two the money is nowhere, and the auditor misses it.",
            "def transfer(accounts, source, target, amount):\n"
            "    with accounts[source].get_lock():\n        accounts[source].value -= amount\n"
            "    with accounts[target].get_lock():\n        accounts[target].value += amount\n",
            r"get_lock\(\):\n        accounts\[source\]\.value -= amount\n    with",
            Kind.WRONG,
        ),
        Mistake(
            "You hold the lock of one account, and use two.",
            "def transfer(accounts, source, target, amount):\n    with accounts[source].get_lock():\n"
            "        accounts[source].value -= amount\n        accounts[target].value += amount\n",
            r"with accounts\[\w+\]\.get_lock\(\):\n        accounts\[source\]\.value -= amount\n        accounts",
        ),
        Mistake(
            "Each process has made a lock of its own, which nobody else ever takes.",
            "bank = get_context('spawn').Lock()\n\n\ndef transfer(accounts, source, target, amount):\n    with bank:\n"
            "        accounts[source].value -= amount\n        accounts[target].value += amount\n",
            r"\.R?Lock\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "If the second lock is not free you give up, and the transfer is never made. Nobody was told.",
            "def transfer(accounts, source, target, amount):\n    with accounts[source].get_lock():\n"
            "        if accounts[target].get_lock().acquire(block=False):\n"
            "            accounts[source].value -= amount\n            accounts[target].value += amount\n"
            "            accounts[target].get_lock().release()\n",
            r"if .*acquire\(",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", (90, 110, 200)), Clean("program")],
    notice="Nobody meets the accounts while money is on its way, and nobody waits in a circle.",
)

between = Exercise(
    name="between",
    lesson=LESSON,
    kind="explain it",
    task="Two processes run the lines below. Which lines of the one can run between two lines of the other? And can an "
    'update be lost: `"yes"` or `"no"`?',
    source="""
# process a                         process b
# 1  with lock:                     4  seen = total.value
# 2      seen = total.value         5  with lock:
# 3      total.value = seen + 1     6      total.value = seen + 1

# yours
lines = {
    "of b, between 2 and 3": [4, 5, 6],
    "of a, between 4 and 5": [],
    "can an update be lost?": "no",
}
# solution
lines = {
    "of b, between 2 and 3": [4],
    "of a, between 4 and 5": [1, 2, 3],
    "can an update be lost?": "yes",
}
# given
""",
    hints=[
        "Between 2 and 3 process a holds the lock. Which lines of b need it?",
        "Between 4 and 5 nobody holds the lock.",
        "What b has seen in line 4 may be old in line 6.",
    ],
    mistakes=[
        Mistake(
            "A lock stops only those who ask for it. Line 4 does not ask.",
            """
lines = {
    "of b, between 2 and 3": [],
    "of a, between 4 and 5": [1, 2, 3],
    "can an update be lost?": "yes",
}
""",
            r"between 2 and 3': \[\]",
            Kind.WRONG,
        ),
        Mistake(
            "Line 5 waits as long as a is inside. So neither 5 nor 6 can come between 2 and 3.",
            """
lines = {
    "of b, between 2 and 3": [4, 5, 6],
    "of a, between 4 and 5": [1, 2, 3],
    "can an update be lost?": "yes",
}
""",
            r"between 2 and 3': \[4, 5",
            Kind.WRONG,
        ),
        Mistake(
            "After line 4 process b holds nothing. All that a does can come in between.",
            """
lines = {
    "of b, between 2 and 3": [4],
    "of a, between 4 and 5": [],
    "can an update be lost?": "yes",
}
""",
            r"between 4 and 5': \[\]",
            Kind.WRONG,
        ),
        Mistake(
            "Try the order 4, 1, 2, 3, 5, 6.",
            """
lines = {
    "of b, between 2 and 3": [4],
    "of a, between 4 and 5": [1, 2, 3],
    "can an update be lost?": "no",
}
""",
            r"be lost\?': 'no'",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "lines",
            {
                "of b, between 2 and 3": [4],
                "of a, between 4 and 5": [1, 2, 3],
                "can an update be lost?": "yes",
            },
            "Not all of it.",
        )
    ],
    notice="Process b locks its writing alone. The lock is there, and does not hold the look and the act together.",
)
