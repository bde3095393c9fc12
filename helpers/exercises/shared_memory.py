"""Exercises of the lesson on shared memory."""

from helpers.exercises.form.checks import Always, Breaks, Clean, Quick, Says
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "shared_memory"

till = Exercise(
    name="till",
    lesson=LESSON,
    kind="repair it",
    task="Two cashiers put money into one till. Sometimes an amount is lost. Repair `put_in`.",
    source="""
from multiprocessing import get_context


# yours
def put_in(till, amount):
    seen = till.value
    till.value = seen + amount
# solution
def put_in(till, amount):
    with till.get_lock():
        till.value += amount
# given
def program():
    ctx = get_context("spawn")
    till = ctx.Value("i", 0)
    cashiers = [
        ctx.Process(target=put_in, args=(till, 10), name=f"cashier {n}")
        for n in (1, 2)
    ]
    for cashier in cashiers:
        cashier.start()
    for cashier in cashiers:
        cashier.join()
    return till.value
""",
    hints=[
        "An amount is lost when both cashiers read before either writes. Nobody else may read in between.",
        "Every `Value` carries its own lock: `till.get_lock()`. Hold it with `with`.",
        "The reading and the writing both belong inside the same `with`.",
    ],
    mistakes=[
        Mistake(
            "`+=` on one line is still a reading and a writing. The order below gets in between the two.",
            "def put_in(till, amount):\n    till.value += amount\n",
            r"^def put_in\(till, amount\):\n    till\.value \+= amount$",
        ),
        Mistake(
            "You hold the lock while you write, but not while you read. What you read may be old by then.",
            "def put_in(till, amount):\n    seen = till.value\n    with till.get_lock():\n"
            "        till.value = seen + amount\n",
            r"^    seen = till\.value\n    with till\.get_lock",
            Kind.WRONG,
        ),
        Mistake(
            "You hold the lock twice, once for each half. Between the two it is free, and the other cashier comes in.",
            "def put_in(till, amount):\n    with till.get_lock():\n        seen = till.value\n"
            "    with till.get_lock():\n        till.value = seen + amount\n",
            r"with till\.get_lock\(\):.*\n    with till\.get_lock\(\):",
            Kind.WRONG,
        ),
        Mistake(
            "This lock is made anew in each process, so nobody else ever waits for it. "
            "A lock protects only if all hold the same one: that of the till.",
            "lock = get_context('spawn').Lock()\n\n\n"
            "def put_in(till, amount):\n    with lock:\n        till.value += amount\n",
            r"^lock = .*Lock\(\)$|with [^\n]*Lock\(\):",
            Kind.WRONG,
        ),
        Mistake(
            "Sleeping changes when something happens, and forbids no order. The one below is possible all the same.",
            "def put_in(till, amount):\n    import time\n    time.sleep(amount / 100)\n    till.value += amount\n",
            r"sleep\(",
            Kind.WRONG,
        ),
        Mistake(
            "Who takes a lock by `acquire()` gives it back by `release()`. Here nobody does, and the next one waits.",
            "def put_in(till, amount):\n    till.get_lock().acquire()\n    till.value += amount\n",
            r"acquire\(\)(?!.*release\(\))",
            Kind.HANGS,
        ),
    ],
    checks=[Always("program", 20), Clean("program")],
    notice="The lock belongs to the till, so whoever is handed the till is handed its lock too.",
)

lost_update = Exercise(
    name="lost_update",
    lesson=LESSON,
    kind="break it",
    task="Two children add one to a counter, each in three steps: it begins, it reads, it writes. Give an order in "
    "which the counter ends with 1: one name for each step.",
    source="""
from multiprocessing import get_context

# yours
schedule = ["one", "one", "one", "two", "two", "two"]
# solution
schedule = ["one", "one", "two", "two", "two", "one"]
# given
def add_one(counter):
    seen = counter.value
    counter.value = seen + 1


def program():
    ctx = get_context("spawn")
    counter = ctx.Value("i", 0)
    one = ctx.Process(target=add_one, args=(counter,), name="one")
    two = ctx.Process(target=add_one, args=(counter,), name="two")
    one.start()
    two.start()
    one.join()
    two.join()
    return counter.value
""",
    hints=[
        "Each child must read before the other one has written.",
        "The first step of a child is only its begin. It reads in its second step.",
        'Begin with `["one", "one", "two", "two"]`: now both have read, and both have seen 0.',
    ],
    mistakes=[
        Mistake(
            "Here one child has read and written before the other one reads. So nothing is lost.",
            'schedule = ["two", "two", "two", "one", "one", "one"]\n',
            r"schedule = \[('one', ){3,}|schedule = \[('two', ){3,}",
            Kind.WRONG,
        ),
        Mistake(
            "The first step of each is only its begin. So here, too, one has written before the other one reads.",
            'schedule = ["one", "two", "one", "one", "two", "two"]\n',
            r"schedule = \['one', 'two', 'one', 'one'",
            Kind.WRONG,
        ),
    ],
    checks=[Breaks("program", 2, before=("main", "main", "main"))],
    notice="You were the scheduler. This order is rare, and it is possible: that is what makes a race hard to find.",
)

full_clock = Exercise(
    name="full_clock",
    lesson=LESSON,
    kind="repair it",
    task="A process sets a clock from 9:59 to 10:00 while another one reads it. Repair both, so that the reader sees "
    "one of these two times and never a mixture.",
    source="""
from ctypes import Structure, c_int
from multiprocessing import get_context


class Clock(Structure):
    _fields_ = (("hour", c_int), ("minute", c_int))


# yours
def strike_ten(clock):
    clock.hour = 10
    clock.minute = 0


def look(clock, seen):
    seen[0] = clock.hour
    seen[1] = clock.minute
# solution
def strike_ten(clock):
    with clock.get_lock():
        clock.hour = 10
        clock.minute = 0


def look(clock, seen):
    with clock.get_lock():
        seen[0] = clock.hour
        seen[1] = clock.minute
# given
def program():
    ctx = get_context("spawn")
    clock = ctx.Value(Clock, 9, 59)
    seen = ctx.Array("i", 2, lock=False)
    bell = ctx.Process(target=strike_ten, args=(clock,), name="bell")
    eye = ctx.Process(target=look, args=(clock, seen), name="eye")
    bell.start()
    eye.start()
    bell.join()
    eye.join()
    return "whole" if tuple(seen) in {(9, 59), (10, 0)} else "torn"
""",
    hints=[
        "The hour and the minute belong together. When may somebody else look?",
        "A lock works only if both sides take it: the one who writes and the one who reads.",
        "`with clock.get_lock():` around both lines of `strike_ten`, and around both lines of `look`.",
    ],
    mistakes=[
        Mistake(
            "The writer holds the lock, but the reader never asks for it. A lock stops only those who take it.",
            "def strike_ten(clock):\n    with clock.get_lock():\n        clock.hour = 10\n"
            "        clock.minute = 0\n\n\n"
            "def look(clock, seen):\n    seen[0] = clock.hour\n    seen[1] = clock.minute\n",
            r"def strike_ten\(clock\):\n    with .*def look\(clock, seen\):\n    seen",
            Kind.WRONG,
        ),
        Mistake(
            "The reader holds the lock, but the writer never asks for it. A lock stops only those who take it.",
            "def strike_ten(clock):\n    clock.hour = 10\n    clock.minute = 0\n\n\n"
            "def look(clock, seen):\n    with clock.get_lock():\n        seen[0] = clock.hour\n"
            "        seen[1] = clock.minute\n",
            r"def strike_ten\(clock\):\n    clock.*def look\(clock, seen\):\n    with",
            Kind.WRONG,
        ),
        Mistake(
            "The minute first is no better than the hour first. Then it is 9:00 for a moment.",
            "def strike_ten(clock):\n    clock.minute = 0\n    clock.hour = 10\n\n\n"
            "def look(clock, seen):\n    seen[0] = clock.hour\n    seen[1] = clock.minute\n",
            r"def strike_ten\(clock\):\n    clock\.minute",
            Kind.WRONG,
        ),
        Mistake(
            "You take the lock for the hour, and once more for the minute. Between the two it is free.",
            "def strike_ten(clock):\n    with clock.get_lock():\n        clock.hour = 10\n"
            "        clock.minute = 0\n\n\n"
            "def look(clock, seen):\n    with clock.get_lock():\n        seen[0] = clock.hour\n"
            "    with clock.get_lock():\n        seen[1] = clock.minute\n",
            r"with clock\.get_lock\(\):\n[^\n]*\n    with clock\.get_lock",
            Kind.WRONG,
        ),
    ],
    checks=[Always("program", "whole"), Clean("program")],
    notice="Writer and reader hold the same lock. Nobody can look while only one hand has moved.",
)

blackboard = Exercise(
    name="blackboard",
    lesson=LESSON,
    kind="build it",
    task="Let a child write a sum into a block of shared memory. `SharedMemory(create=True, size=1)` makes a block of "
    "one byte, under a new name. `add_up` opens it by that name, and writes. Write `program`: it returns the byte, and "
    "in the end frees the block, so that nothing is left behind.",
    source="""
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory


def add_up(name, numbers):
    block = SharedMemory(name)
    block.buf[0] = sum(numbers)
    block.close()


# yours
def program():
    ctx = get_context("spawn")
    ...
# solution
def program():
    ctx = get_context("spawn")
    block = SharedMemory(create=True, size=1)
    child = ctx.Process(target=add_up, args=(block.name, [1, 2, 3]))
    child.start()
    child.join()
    result = block.buf[0]
    block.close()
    block.unlink()
    return result
# given
# It is to return 6, the sum of 1, 2 and 3.
""",
    hints=[
        "A block has a `name` and the bytes `buf`. The name is what the child needs, beside the numbers.",
        "Wait for the child with `join()` before you read the byte.",
        "At the end `close()` says that this process is done with the block, and `unlink()` frees it.",
    ],
    mistakes=[
        Mistake(
            "Nobody calls `unlink()`, so the block stays. `close()` only ends the view that one process has of it.",
            "def program():\n    ctx = get_context('spawn')\n    block = SharedMemory(create=True, size=1)\n"
            "    child = ctx.Process(target=add_up, args=(block.name, [1, 2, 3]))\n    child.start()\n"
            "    child.join()\n    result = block.buf[0]\n    block.close()\n    return result\n",
            r"block\.close\(\)",
            Kind.LEAKS,
        ),
        Mistake(
            "You read before the child has written. `join()` waits for its end.",
            "def program():\n    ctx = get_context('spawn')\n    block = SharedMemory(create=True, size=1)\n"
            "    child = ctx.Process(target=add_up, args=(block.name, [1, 2, 3]))\n    child.start()\n"
            "    result = block.buf[0]\n    child.join()\n    block.close()\n    block.unlink()\n    return result\n",
            r"buf\[0\].*\.join\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "The child looks for the block after you have freed it. Wait for the child first.",
            "def program():\n    ctx = get_context('spawn')\n    block = SharedMemory(create=True, size=1)\n"
            "    child = ctx.Process(target=add_up, args=(block.name, [1, 2, 3]))\n    child.start()\n"
            "    result = block.buf[0]\n    block.close()\n    block.unlink()\n    return result\n",
            r"\A(?!.*\.join\(\).*unlink\(\)).*unlink\(\)",
            Kind.CRASHED,
        ),
        Mistake(
            "Nobody has made a block of that name. Who makes one says `create=True`.",
            "def program():\n    ctx = get_context('spawn')\n    block = SharedMemory('board', size=1)\n"
            "    child = ctx.Process(target=add_up, args=('board', [1, 2, 3]))\n    child.start()\n"
            "    child.join()\n    return block.buf[0]\n",
            r"\A(?!.*create=True)",
            Kind.CRASHED,
        ),
    ],
    checks=[Always("program", 6), Clean("program")],
    notice="A block outlives the processes that use it. Whoever made it frees it, once, when all are done.",
)

short_lock = Exercise(
    name="short_lock",
    lesson=LESSON,
    kind="repair it",
    task="Three workers each think for 0.1 seconds, then add one. Nothing is lost, but they think one after the "
    "other. Let them think at the same time, and still lose nothing.",
    source="""
import time
from multiprocessing import get_context


# yours
def work(total, seconds):
    with total.get_lock():
        time.sleep(seconds)
        total.value += 1
# solution
def work(total, seconds):
    time.sleep(seconds)
    with total.get_lock():
        total.value += 1
# given
def work_between(barrier, total, seconds):
    barrier.wait()
    work(total, seconds)
    barrier.wait()


def measured():
    ctx = get_context("spawn")
    total, barrier = ctx.Value("i", 0), ctx.Barrier(4)
    shared = (barrier, total, 0.1)
    children = [
        ctx.Process(target=work_between, args=shared) for _ in range(3)
    ]
    for child in children:
        child.start()
    barrier.wait()
    begin = time.perf_counter()
    barrier.wait()
    seconds = time.perf_counter() - begin
    for child in children:
        child.join()
    return seconds


def program():
    ctx = get_context("spawn")
    total = ctx.Value("i", 0)
    children = [
        ctx.Process(target=work, args=(total, 0.1), name=f"worker {n}")
        for n in (1, 2)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return total.value
""",
    hints=[
        "Who thinks needs nothing that others use. Which line needs the lock?",
        "A critical section holds what must not be interrupted, and no more.",
        "Move `time.sleep` above the `with`.",
    ],
    mistakes=[
        Mistake(
            "Now they think at the same time, and updates are lost: the addition needs the lock.",
            "def work(total, seconds):\n    time.sleep(seconds)\n    total.value += 1\n",
            r"^def work\(total, seconds\):\n    time\.sleep\(seconds\)\n    total\.value \+= 1$",
            Kind.WRONG,
        ),
        Mistake(
            "The lock is held while a worker thinks, so the others wait for its thoughts.",
            "def work(total, seconds):\n    lock = total.get_lock()\n    lock.acquire()\n    time.sleep(seconds)\n"
            "    total.value += 1\n    lock.release()\n",
            r"acquire\(\).*sleep",
            Kind.SLOW,
        ),
        Mistake(
            "What was read before the thinking is old after it.",
            "def work(total, seconds):\n    seen = total.value\n    time.sleep(seconds)\n    with total.get_lock():\n"
            "        total.value = seen + 1\n",
            r"seen = total\.value.*with",
            Kind.WRONG,
        ),
        Mistake(
            "The lock is held where it is not needed, and not where it is: for the addition.",
            "def work(total, seconds):\n    with total.get_lock():\n        time.sleep(seconds)\n"
            "    total.value += 1\n",
            r"sleep\(seconds\)\n    total\.value \+= 1$",
            Kind.WRONG,
        ),
        Mistake(
            "Who does not think is quick indeed. But the workers are to think for 0.1 seconds each.",
            "def work(total, seconds):\n    with total.get_lock():\n        total.value += 1\n",
            r"\A(?!.*sleep\(seconds\))",
            Kind.WRONG,
        ),
    ],
    checks=[
        Always("program", 2),
        Clean("program"),
        Quick("measured", words="Who holds a lock keeps others waiting.", at_least=0.05),
    ],
    notice="The thinking overlaps in the lanes, and only the additions take turns.",
)

two_halves = Exercise(
    name="two_halves",
    lesson=LESSON,
    kind="explain it",
    task="Put the steps of a lost update in order. Move the lines (in JupyterLab: Alt and an arrow key), "
    "and change nothing else. Child 1 begins.",
    source="""
# yours
order = [
    "child 2 writes 1",
    "child 1 reads 0",
    "the counter says 1, though two have added one",
    "child 2 reads 0",
    "child 1 writes 1 over the 1",
]
# solution
order = [
    "child 1 reads 0",
    "child 2 reads 0",
    "child 2 writes 1",
    "child 1 writes 1 over the 1",
    "the counter says 1, though two have added one",
]
# given
""",
    hints=[
        "Both read the same number. So both have read before either writes.",
        "The last line tells the result. The line before it writes over a 1, so there must be one already.",
    ],
    mistakes=[
        Mistake(
            "Had child 2 read after a 1 was written, it would have read 1.",
            'order = [\n    "child 1 reads 0",\n    "child 1 writes 1 over the 1",\n    "child 2 reads 0",\n'
            '    "child 2 writes 1",\n    "the counter says 1, though two have added one",\n]\n',
            r"writes 1 over the 1'.*'child 2 reads 0'",
            Kind.WRONG,
        ),
        Mistake(
            "Had child 2 written before child 1 read, child 1 would have read 1.",
            'order = [\n    "child 2 reads 0",\n    "child 2 writes 1",\n    "child 1 reads 0",\n'
            '    "child 1 writes 1 over the 1",\n    "the counter says 1, though two have added one",\n]\n',
            r"'child 2 writes 1'.*'child 1 reads 0'",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "order",
            [
                "child 1 reads 0",
                "child 2 reads 0",
                "child 2 writes 1",
                "child 1 writes 1 over the 1",
                "the counter says 1, though two have added one",
            ],
            "This order is not possible, or loses nothing.",
        )
    ],
    notice="Each line is right by itself. What is wrong is their order, and no line of the program forbids it.",
)
