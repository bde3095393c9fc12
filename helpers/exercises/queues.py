"""Exercises of the lesson on queues."""

from helpers.exercises.form.checks import Always, Breaks, Clean, Says
from helpers.exercises.form.exercise import Exercise, Mistake
from helpers.exercises.form.finding import Kind

LESSON = "queues"

last_job = Exercise(
    name="last_job",
    lesson=LESSON,
    kind="repair it",
    task="A worker adds up what is in the queue, until `empty()` says that nothing is left. Sometimes it stops too "
    "early. Repair `fill` and `add_up`, so that the sum is always 3.",
    source="""
from multiprocessing import get_context


# yours
def fill(jobs):
    for job in [1, 2]:
        jobs.put(job)


def add_up(jobs, done):
    total = 0
    while not jobs.empty():
        total += jobs.get()
    done.put(total)
# solution
def fill(jobs):
    for job in [1, 2, None]:
        jobs.put(job)


def add_up(jobs, done):
    total = 0
    while (job := jobs.get()) is not None:
        total += job
    done.put(total)
# given
def program():
    ctx = get_context("spawn")
    jobs, done = ctx.Queue(), ctx.Queue()
    child = ctx.Process(target=add_up, args=(jobs, done), name="worker")
    child.start()
    fill(jobs)
    total = done.get()
    child.join()
    return total
""",
    hints=[
        "A queue can be empty although more will come. Who knows that nothing more will come?",
        "The one who fills it knows. Let `fill` put a pill at the end, such as `None`.",
        "`while (job := jobs.get()) is not None:` takes jobs until the pill comes.",
    ],
    mistakes=[
        Mistake(
            "The worker waits for a pill, and nobody puts one.",
            """
def fill(jobs):
    for job in [1, 2]:
        jobs.put(job)


def add_up(jobs, done):
    total = 0
    while (job := jobs.get()) is not None:
        total += job
    done.put(total)
""",
            r"\A(?!.*(put\(None\)|, None\])).*is not None",
            Kind.HANGS,
        ),
        Mistake(
            "The pill lies before the jobs. Who has taken it looks for no job any more.",
            """
def fill(jobs):
    for job in [None, 1, 2]:
        jobs.put(job)


def add_up(jobs, done):
    total = 0
    while (job := jobs.get()) is not None:
        total += job
    done.put(total)
""",
            r"\[None, 1",
            Kind.WRONG,
        ),
        Mistake(
            "To sleep first makes it rare. `empty()` still tells of now, and not of what will come.",
            """
import time


def fill(jobs):
    for job in [1, 2]:
        jobs.put(job)


def add_up(jobs, done):
    time.sleep(1)
    total = 0
    while not jobs.empty():
        total += jobs.get()
    done.put(total)
""",
            r"sleep\(",
            Kind.WRONG,
        ),
        Mistake(
            "Who waits for a while and then gives up still believes that what is late will not come.",
            """
from queue import Empty


def fill(jobs):
    for job in [1, 2]:
        jobs.put(job)


def add_up(jobs, done):
    total = 0
    try:
        while True:
            total += jobs.get(timeout=1)
    except Empty:
        done.put(total)
""",
            r"Empty",
            Kind.WRONG,
        ),
        Mistake(
            "`qsize()` says no more than `empty()`: what is there now.",
            """
def fill(jobs):
    for job in [1, 2]:
        jobs.put(job)


def add_up(jobs, done):
    total = 0
    while jobs.qsize() > 0:
        total += jobs.get()
    done.put(total)
""",
            r"qsize\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "The pill is there, but the worker still believes `empty()`. Let it go on until it has got the pill.",
            """
def fill(jobs):
    for job in [1, 2, None]:
        jobs.put(job)


def add_up(jobs, done):
    total = 0
    while not jobs.empty():
        total += jobs.get()
    done.put(total)
""",
            r"None.*empty\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "The pill is no number. Ask whether it has come before you add.",
            """
def fill(jobs):
    for job in [1, 2, None]:
        jobs.put(job)


def add_up(jobs, done):
    total = 0
    while True:
        job = jobs.get()
        total += job
        if job is None:
            break
    done.put(total)
""",
            r"\+= \w+.*is None",
            Kind.CRASHED,
        ),
        Mistake(
            "Each `get()` takes another item out. Call it once a round, and keep what it returns.",
            """
def fill(jobs):
    for job in [1, 2, None]:
        jobs.put(job)


def add_up(jobs, done):
    total = 0
    while jobs.get() is not None:
        total += jobs.get()
    done.put(total)
""",
            r"get\(\) is not None.*get\(\)",
        ),
    ],
    checks=[Always("program", 3), Clean("program")],
    notice="Only who fills the queue knows when it is done. A pill says so, however many jobs there were.",
)

long_letter = Exercise(
    name="long_letter",
    lesson=LESSON,
    kind="repair it",
    task="A child puts a letter of a million characters, and ends. The parent never gets it. Repair `program`, so that "
    "it gets the letter, and still waits for the child's end.",
    source="""
from multiprocessing import get_context


# yours
def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=write, args=(letters,), name="child")
    child.start()
    child.join()
    return len(letters.get())
# solution
def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=write, args=(letters,), name="child")
    child.start()
    letter = letters.get()
    child.join()
    return len(letter)
# given
def write(letters):
    letters.put("x" * 1_000_000)


# program is to return 1000000.
""",
    hints=[
        "Behind the queue is a pipe, and a long letter does not fit into it. Who makes room?",
        "The child ends when its letter has gone through. So the parent must not wait for that end first.",
        "First `get`, then `join`.",
    ],
    mistakes=[
        Mistake(
            "`empty()` is believed: the child had not even begun when the parent looked. Now nobody takes its letter.",
            """
def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=write, args=(letters,), name="child")
    child.start()
    letter = "" if letters.empty() else letters.get()
    child.join()
    return len(letter)
""",
            r"empty\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "You end the child with its letter still in hand. Then nobody can get it.",
            """
def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=write, args=(letters,), name="child")
    child.start()
    child.terminate()
    child.join()
    return len(letters.get())
""",
            r"(terminate|kill)\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "A limit of the queue counts letters, not characters. The parent still waits for an end that waits for it.",
            """
def program():
    ctx = get_context("spawn")
    letters = ctx.Queue(maxsize=1)
    child = ctx.Process(target=write, args=(letters,), name="child")
    child.start()
    child.join()
    return len(letters.get())
""",
            r"Queue\((maxsize=)?\d+\)",
            Kind.HANGS,
        ),
        Mistake(
            "After that second the parent goes on, and only then takes the letter. Take it first: nobody need wait.",
            """
def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=write, args=(letters,), name="child")
    child.start()
    child.join(1)
    return len(letters.get())
""",
            r"join\((timeout=)?\d",
            Kind.WRONG,
        ),
        Mistake(
            "Behind a `SimpleQueue` is a pipe too. There the child waits in `put` itself until somebody reads.",
            """
def program():
    ctx = get_context("spawn")
    letters = ctx.SimpleQueue()
    child = ctx.Process(target=write, args=(letters,), name="child")
    child.start()
    child.join()
    return len(letters.get())
""",
            r"SimpleQueue\(",
            Kind.HANGS,
        ),
        Mistake(
            "You wait for a letter before anybody was started who could write it.",
            """
def program():
    ctx = get_context("spawn")
    letters = ctx.Queue()
    child = ctx.Process(target=write, args=(letters,), name="child")
    letter = letters.get()
    child.start()
    child.join()
    return len(letter)
""",
            r"get\(\).*start\(\)",
            Kind.HANGS,
        ),
    ],
    checks=[Always("program", 1_000_000), Clean("program", does=("get", "join"))],
    notice="Take everything out before you join the one who has put it in.",
)

pass_the_pill = Exercise(
    name="pass_the_pill",
    lesson=LESSON,
    kind="build it",
    task="Stop all workers with **one** pill. In the queue lie some jobs, and one `None` behind them. However many "
    "workers there are, all jobs are to be done, and all workers are to end. Write `work`: it puts `job * 10` into "
    "`done` for each job.",
    source="""
from multiprocessing import get_context


# yours
def work(jobs, done):
    ...
# solution
def work(jobs, done):
    while (job := jobs.get()) is not None:
        done.put(job * 10)
    jobs.put(None)
# given
def let_work(names, items):
    ctx = get_context("spawn")
    jobs, done = ctx.SimpleQueue(), ctx.SimpleQueue()
    for item in items:
        jobs.put(item)
    workers = [
        ctx.Process(target=work, args=(jobs, done), name=name)
        for name in names
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    total = 0
    while not done.empty():
        total += done.get()
    return total


def two_workers():
    return let_work(["ann", "bob"], [4, None])


def two_jobs():
    return let_work(["ann"], [4, 5, None])
""",
    hints=[
        "Begin with `while (job := jobs.get()) is not None:`. Then one worker ends. What becomes of the others?",
        "Who has taken the pill can leave it to the next one.",
        "After the loop: `jobs.put(None)`.",
    ],
    mistakes=[
        Mistake(
            "The pill goes to `done`, where the parent looks for results. The next worker waits in `jobs`.",
            """
def work(jobs, done):
    while (job := jobs.get()) is not None:
        done.put(job * 10)
    done.put(None)
""",
            r"done\.put\(None\)",
        ),
        Mistake(
            "One worker takes the only pill away with it, and the other one waits for ever.",
            """
def work(jobs, done):
    while (job := jobs.get()) is not None:
        done.put(job * 10)
""",
            r"\A(?!.*jobs\.put\()",
            Kind.HANGS,
        ),
        Mistake(
            "You give the pill back, and then go round and take it again. Who has had it must also end.",
            """
def work(jobs, done):
    while True:
        job = jobs.get()
        if job is None:
            jobs.put(None)
        else:
            done.put(job * 10)
""",
            r"\A(?!.*(break|return)).*while (True|1)",
            Kind.HANGS,
        ),
        Mistake(
            "A pill is no job: it cannot be multiplied. Ask for it first.",
            """
def work(jobs, done):
    while True:
        job = jobs.get()
        done.put(job * 10)
        if job is None:
            jobs.put(None)
            break
""",
            r"done\.put\(job \* 10\).*is None",
            Kind.CRASHED,
        ),
        Mistake(
            "One job each, and then they go. Who works alone leaves the rest undone: a worker needs a loop.",
            """
def work(jobs, done):
    job = jobs.get()
    if job is None:
        jobs.put(None)
        return
    done.put(job * 10)
""",
            r"\A(?!.*(while|for) )",
            Kind.WRONG,
        ),
    ],
    checks=[Always("two_jobs", 90), Always("two_workers", 40), Clean("two_workers")],
    notice="The pill goes from hand to hand. At the end it lies in the queue alone, whoever was last.",
)

in_stock = Exercise(
    name="in_stock",
    lesson=LESSON,
    kind="build it",
    task="A pipeline that never holds more than one part. `make` makes two. `sell` looks how many are "
    "made, and takes them. Write `program`: one queue, `make` in a child, `sell` here; return what `sell` returns.",
    source="""
from multiprocessing import get_context


def make(parts, made):
    for number in (1, 2):
        parts.put(number)
        made.value = number


def sell(parts, made):
    in_stock = made.value
    parts.get()
    parts.get()
    return "more than one" if in_stock > 1 else "never more than one"


# yours
def program():
    ctx = get_context("spawn")
    made = ctx.Value("i", 0)
    ...
# solution
def program():
    ctx = get_context("spawn")
    made = ctx.Value("i", 0)
    parts = ctx.Queue(maxsize=1)
    maker = ctx.Process(target=make, args=(parts, made), name="maker")
    maker.start()
    said = sell(parts, made)
    maker.join()
    return said
# given
# It is to return "never more than one".
""",
    hints=[
        "What holds a producer back when its consumer is slow?",
        "`ctx.Queue(maxsize=1)`. Start the maker, call `sell(parts, made)`, and join the maker at the end.",
    ],
    mistakes=[
        Mistake(
            "Nothing holds the maker back. Where the seller is slow, the parts pile up.",
            """
def program():
    ctx = get_context("spawn")
    made, parts = ctx.Value("i", 0), ctx.Queue()
    maker = ctx.Process(target=make, args=(parts, made), name="maker")
    maker.start()
    said = sell(parts, made)
    maker.join()
    return said
""",
            r"ctx\.Queue\(\)",
            Kind.WRONG,
        ),
        Mistake(
            "You wait for the maker's end before anything is sold. The maker waits for room, and nobody makes any.",
            """
def program():
    ctx = get_context("spawn")
    made, parts = ctx.Value("i", 0), ctx.Queue(maxsize=1)
    maker = ctx.Process(target=make, args=(parts, made), name="maker")
    maker.start()
    maker.join()
    return sell(parts, made)
""",
            r"join\(\).*sell\(",
            Kind.HANGS,
        ),
        Mistake(
            "The limit is too high: it is how many may wait in the queue.",
            """
def program():
    ctx = get_context("spawn")
    made, parts = ctx.Value("i", 0), ctx.Queue(maxsize=2)
    maker = ctx.Process(target=make, args=(parts, made), name="maker")
    maker.start()
    said = sell(parts, made)
    maker.join()
    return said
""",
            r"Queue\((maxsize=)?([2-9]|\d\d+)\)",
            Kind.WRONG,
        ),
        Mistake(
            "You sell before anybody was started who makes something.",
            """
def program():
    ctx = get_context("spawn")
    made, parts = ctx.Value("i", 0), ctx.Queue(maxsize=1)
    maker = ctx.Process(target=make, args=(parts, made), name="maker")
    said = sell(parts, made)
    maker.start()
    maker.join()
    return said
""",
            r"sell\(.*start\(\)",
            Kind.HANGS,
        ),
        Mistake(
            "A `SimpleQueue` has no limit. `ctx.Queue` has one.",
            """
def program():
    ctx = get_context("spawn")
    made, parts = ctx.Value("i", 0), ctx.SimpleQueue(maxsize=1)
    maker = ctx.Process(target=make, args=(parts, made), name="maker")
    maker.start()
    said = sell(parts, made)
    maker.join()
    return said
""",
            r"SimpleQueue\(",
        ),
    ],
    checks=[Always("program", "never more than one"), Clean("program", children=1, does=("get",))],
    notice="Back-pressure: the maker waits in `put`, in the lanes too, until the seller has taken one.",
)

pill_too_early = Exercise(
    name="pill_too_early",
    lesson=LESSON,
    kind="break it",
    task="Ann and Bob each put a job into one queue, and Ann puts the pill after hers. The worker takes jobs until the "
    "pill comes. Give an order in which Bob's job is left behind: a name for each step. Ann begins, puts her job, "
    "puts the pill. Bob begins, puts his job. The worker begins, and takes what comes, one thing a step.",
    source="""
from multiprocessing import get_context

# yours
schedule = ["ann", "ann", "bob", "bob", "ann", "worker", "worker", "worker"]
# solution
schedule = ["ann", "ann", "ann", "worker", "worker", "worker", "worker"]
# given
def put_all(jobs, items):
    for item in items:
        jobs.put(item)


def work(jobs, done):
    count = 0
    while jobs.get() is not None:
        count += 1
    done.put(count)


def program():
    ctx = get_context("spawn")
    jobs, done = ctx.SimpleQueue(), ctx.SimpleQueue()
    ann = ctx.Process(target=put_all, args=(jobs, ["a", None]), name="ann")
    bob = ctx.Process(target=put_all, args=(jobs, ["b"]), name="bob")
    worker = ctx.Process(target=work, args=(jobs, done), name="worker")
    children = [ann, bob, worker]
    for child in children:
        child.start()
    for child in children:
        child.join()
    return done.get()
""",
    hints=[
        "The worker ends at the pill. What must not be in the queue before the pill is?",
        "Let Ann take all her three steps before Bob puts.",
    ],
    mistakes=[
        Mistake(
            "Bob's job lies before the pill, so the worker takes it.",
            'schedule = ["bob", "bob", "ann", "ann", "ann"]\n',
            r"'bob', 'bob'.*'ann'",
            Kind.WRONG,
        ),
    ],
    checks=[Breaks("program", 2, before=("main", "main", "main", "main"))],
    notice="The pill must come after the last job of all producers, not of one. So the one who joins them puts it.",
)

both_looked = Exercise(
    name="both_looked",
    lesson=LESSON,
    kind="explain it",
    task="Two careful workers look before they take, and one of them waits for ever. Put the steps in order. Ann looks "
    "first, and takes first. Move the lines, and change nothing else.",
    source="""
# yours
order = [
    "Bob waits in get() for ever",
    "Ann looks: there is a job",
    "Bob looks: there is a job",
    "Bob calls get()",
    "Ann takes the job: the queue is empty",
]
# solution
order = [
    "Ann looks: there is a job",
    "Bob looks: there is a job",
    "Ann takes the job: the queue is empty",
    "Bob calls get()",
    "Bob waits in get() for ever",
]
# given
""",
    hints=[
        "What Bob has seen must have been true when he looked.",
        "Ann takes before Bob calls `get()`, and after Bob has looked.",
    ],
    mistakes=[
        Mistake(
            "Had Ann taken the job before Bob looked, he would have seen an empty queue.",
            """
order = [
    "Ann looks: there is a job",
    "Ann takes the job: the queue is empty",
    "Bob looks: there is a job",
    "Bob calls get()",
    "Bob waits in get() for ever",
]
""",
            r"'Ann takes.*'Bob looks",
            Kind.WRONG,
        ),
        Mistake(
            "Had Bob called `get()` before Ann took the job, he would have got it.",
            """
order = [
    "Ann looks: there is a job",
    "Bob looks: there is a job",
    "Bob calls get()",
    "Ann takes the job: the queue is empty",
    "Bob waits in get() for ever",
]
""",
            r"'Bob calls.*'Ann takes",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "order",
            [
                "Ann looks: there is a job",
                "Bob looks: there is a job",
                "Ann takes the job: the queue is empty",
                "Bob calls get()",
                "Bob waits in get() for ever",
            ],
            "Not in this order.",
        )
    ],
    notice="Between the look and the `get()` the queue has changed. So do not look: take, and be ready for nothing.",
)

queue_doctor = Exercise(
    name="queue_doctor",
    lesson=LESSON,
    kind="choose it",
    task="What helps? Give each complaint one of these: `maxsize`, `a pill for each`, `get before join`, "
    "`a queue for each`.",
    source="""
# yours
helps = {
    "the memory fills: one makes more than the other can use": "nothing",
    "all jobs are done, and three of four workers still wait": "nothing",
    "the parent waits for a child that has put a long list": "nothing",
    "one worker was killed in get(), and all others are stuck": "nothing",
}
# solution
helps = {
    "the memory fills: one makes more than the other can use": "maxsize",
    "all jobs are done, and three of four workers still wait": "a pill for each",
    "the parent waits for a child that has put a long list": "get before join",
    "one worker was killed in get(), and all others are stuck": "a queue for each",
}
# given
""",
    hints=[
        "Each remedy is needed once.",
        "Who was killed in `get()` had the lock for readers in its hand. Who else needs that lock?",
    ],
    mistakes=[
        Mistake(
            "A pill is an item like others: who cannot come into `get()` cannot take it either.",
            """
helps = {
    "the memory fills: one makes more than the other can use": "maxsize",
    "all jobs are done, and three of four workers still wait": "a queue for each",
    "the parent waits for a child that has put a long list": "get before join",
    "one worker was killed in get(), and all others are stuck": "a pill for each",
}
""",
            r"are stuck': 'a pill for each'",
            Kind.WRONG,
        ),
        Mistake(
            "A limit holds the child back even more. Somebody has to take the list out.",
            """
helps = {
    "the memory fills: one makes more than the other can use": "get before join",
    "all jobs are done, and three of four workers still wait": "a pill for each",
    "the parent waits for a child that has put a long list": "maxsize",
    "one worker was killed in get(), and all others are stuck": "a queue for each",
}
""",
            r"long list': 'maxsize'",
            Kind.WRONG,
        ),
        Mistake(
            "With a queue for each, all of them still fill. What makes a producer wait?",
            """
helps = {
    "the memory fills: one makes more than the other can use": "a queue for each",
    "all jobs are done, and three of four workers still wait": "a pill for each",
    "the parent waits for a child that has put a long list": "get before join",
    "one worker was killed in get(), and all others are stuck": "maxsize",
}
""",
            r"can use': 'a queue for each'",
            Kind.WRONG,
        ),
    ],
    checks=[
        Says(
            "helps",
            {
                "the memory fills: one makes more than the other can use": "maxsize",
                "all jobs are done, and three of four workers still wait": "a pill for each",
                "the parent waits for a child that has put a long list": "get before join",
                "one worker was killed in get(), and all others are stuck": "a queue for each",
            },
            "Not all of them.",
        )
    ],
    notice="Four complaints, four remedies: ask first who waits for whom.",
)
