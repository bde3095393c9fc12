"""Solutions that learners have found and that are not the reference, each by the name of its exercise."""

OWN_BASKET = """
def put_in(connection):
    basket.append("apple")
    connection.send(basket)


def program():
    ctx = get_context("spawn")
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=put_in, args=(theirs,), name="child")
    child.start()
    child.join()
    basket = ours.recv()
    return str(basket)
"""
GUARD = """
from multiprocessing import get_context


def greet():
    print("child: hello")


def main():
    ctx = get_context("spawn")
    child = ctx.Process(target=greet)
    child.start()
    child.join()
    print("parent: the child ended with", child.exitcode)


if __name__ == "__main__":
    main()
"""
HANG_UP = """
def count(reader, result):
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
    child = ctx.Process(target=count, args=(reader, result), name="child")
    child.start()
    for word in ["one", "two", "three"]:
        writer.send(word)
    writer.close()
    heard = answer.recv()
    child.join()
    return heard
"""
BROKEN_LINE = """
order = [
    "the child gets a copy of the write end",
    "the child reads the last message",
    "the parent closes its write end",
    "a write end is still open: the child's own",
    "the child waits in recv() for ever",
]
"""
LAST_JOB = """
def fill(jobs):
    for job in [1, 2]:
        jobs.put(job)
    jobs.put("stop")


def add_up(jobs, done):
    done.put(sum(iter(jobs.get, "stop")))
"""
THREE_SYSTEMS = """
choices = {
    "pictures": "Shared memory",
    "helpers": "pipe",
    "settings": "a manager",
}
"""
BATCHES = """
def send_all(writer, numbers):
    batch = []
    for number in numbers:
        batch.append(number)
        if len(batch) == 500:
            writer.send(batch)
            batch = []
    writer.send(batch)
"""
OWN_LOCK = """
class Till:
    def __init__(self, ctx):
        self.money = ctx.Value("i", 0)


class Cashier:
    def __init__(self, ctx, till):
        self.till = till
        self.lock = ctx.Lock()

    def put_in(self, amount):
        with self.lock, self.till.money.get_lock():
            self.till.money.value += amount
"""
GATE = """
def visit(door, inside):
    with door:
        inside.value += 1
        yield "enter"
        inside.value -= 1
        yield "leave"
"""
ALL = [
    ("own_basket", OWN_BASKET),
    ("guard", GUARD),
    ("hang_up", HANG_UP),
    ("broken_line", BROKEN_LINE),
    ("last_job", LAST_JOB),
    ("three_systems", THREE_SYSTEMS),
    ("batches", BATCHES),
    ("own_lock", OWN_LOCK),
    ("gate", GATE),
]
