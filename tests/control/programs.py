"""Small programs that are wrong in the usual ways, each with its repaired twin. All are plain multiprocessing code.

Each takes the start method and returns its outcome. None prepares anything for a scheduler.
"""

import time
from contextlib import suppress
from multiprocessing import get_context


def run_all(ctx, *jobs):
    """Start one process for each (function, arguments), and wait for all."""
    children = [ctx.Process(target=function, args=arguments) for function, *arguments in jobs]
    for child in children:
        child.start()
    for child in children:
        child.join()


# -- lost update: a Value --------------------------------------------------------------------------------------------


def add_one(counter):
    counter.value += 1


def add_one_locked(counter):
    with counter.get_lock():
        counter.value += 1


def five_counters(method, add=add_one):
    ctx = get_context(method)
    counter = ctx.Value("i", 0)
    run_all(ctx, *[(add, counter)] * 5)
    return counter.value


def lost_update(method, add=add_one):
    ctx = get_context(method)
    counter = ctx.Value("i", 0)
    run_all(ctx, (add, counter), (add, counter))
    return counter.value


def add_twice(counter):
    add_one_locked(counter)
    add_one_locked(counter)


def two_locked_counters(method):
    """Two children, 28 switch points."""
    return lost_update(method, add_twice)


def many_steps(method, count):
    """One process, that takes and gives a lock again and again."""
    lock = get_context(method).Lock()
    for _ in range(count):
        with lock:
            pass


def no_lost_update(method):
    return lost_update(method, add_one_locked)


# -- two who read all, and write one item each ------------------------------------------------------------------------


def add_up(numbers, own):
    numbers[own] = sum(numbers[:])


def add_up_apart(method):
    ctx = get_context(method)
    numbers = ctx.Array("i", [1, 1])
    run_all(ctx, (add_up, numbers, 0), (add_up, numbers, 1))
    return sum(numbers[:])


# -- lost update: a dict of a manager --------------------------------------------------------------------------------


def add_to_total(shared, lock):
    shared["total"] += 1


def add_to_total_locked(shared, lock):
    with lock:
        shared["total"] += 1


def lost_update_in_dict(method, add=add_to_total):
    ctx = get_context(method)
    with ctx.Manager() as manager:
        shared, lock = manager.dict(total=0), ctx.Lock()
        run_all(ctx, (add, shared, lock), (add, shared, lock))
        return shared["total"]


def no_lost_update_in_dict(method):
    return lost_update_in_dict(method, add_to_total_locked)


# -- lost update: a file (grain="line") ------------------------------------------------------------------------------


def add_in_file(path, lock):
    number = int(path.read_text())
    path.write_text(str(number + 1))


def add_in_file_locked(path, lock):
    with lock:
        number = int(path.read_text())
        path.write_text(str(number + 1))


def lost_update_in_file(path, method, add=add_in_file):
    ctx = get_context(method)
    path.write_text("0")
    lock = ctx.Lock()
    run_all(ctx, (add, path, lock), (add, path, lock))
    return int(path.read_text())


def no_lost_update_in_file(path, method):
    return lost_update_in_file(path, method, add_in_file_locked)


def write_thrice(page, word):
    for _ in range(3):
        page.append(word)


def put_thrice(page, word):
    for _ in range(3):
        page.put(word)


def words_in_list(method):
    """Return the words that two children append to a list of a manager, in order."""
    ctx = get_context(method)
    with ctx.Manager() as manager:
        page = manager.list()
        run_all(ctx, (write_thrice, page, "a"), (write_thrice, page, "b"))
        return "".join(page)


def words_in_queue(method):
    """Return the words that two children put into a queue of a manager, in order."""
    ctx = get_context(method)
    with ctx.Manager() as manager:
        page = manager.Queue()
        run_all(ctx, (put_thrice, page, "a"), (put_thrice, page, "b"))
        return "".join(page.get() for _ in range(6))


# -- check, then act -------------------------------------------------------------------------------------------------


def take_seat(seats, name, taken):
    if "window" not in seats:
        seats["window"] = name
        with taken.get_lock():
            taken.value += 1


def take_seat_at_once(seats, name, taken):
    if seats.setdefault("window", name) == name:
        with taken.get_lock():
            taken.value += 1


def check_then_act(method, take=take_seat):
    ctx = get_context(method)
    with ctx.Manager() as manager:
        seats, taken = manager.dict(), ctx.Value("i", 0)
        run_all(ctx, (take, seats, "Ada", taken), (take, seats, "Bob", taken))
        return taken.value


def act_at_once(method):
    return check_then_act(method, take_seat_at_once)


def sell(tickets):
    if tickets.value > 0:
        with tickets.get_lock():
            tickets.value -= 1


def sell_the_last(method):
    ctx = get_context(method)
    tickets = ctx.Value("i", 1)
    run_all(ctx, (sell, tickets), (sell, tickets))
    return tickets.value


# -- lock order ------------------------------------------------------------------------------------------------------


def transfer(first, second, accounts, source, target):
    with first, second:
        accounts[source] -= 10
        accounts[target] += 10


def lock_order(method, is_sorted=False):
    ctx = get_context(method)
    a, b = ctx.Lock(), ctx.Lock()
    accounts = ctx.Array("i", [100, 100])
    back = (a, b) if is_sorted else (b, a)
    run_all(ctx, (transfer, a, b, accounts, 0, 1), (transfer, *back, accounts, 1, 0))
    return tuple(accounts[:])


def sorted_locks(method):
    return lock_order(method, is_sorted=True)


# -- lock of the wrong object ----------------------------------------------------------------------------------------


def add_with_own_lock(method, counter, lock):
    with get_context(method).Lock():
        counter.value += 1


def add_with_given_lock(method, counter, lock):
    with lock:
        counter.value += 1


def wrong_lock(method, add=add_with_own_lock):
    ctx = get_context(method)
    counter, lock = ctx.Value("i", 0), ctx.Lock()
    run_all(ctx, (add, method, counter, lock), (add, method, counter, lock))
    return counter.value


def right_lock(method):
    return wrong_lock(method, add_with_given_lock)


# -- lost wake-up ----------------------------------------------------------------------------------------------------


def wait_carelessly(condition, ready):
    if not ready.value:
        with condition:
            condition.wait()


def wait_carefully(condition, ready):
    with condition:
        while not ready.value:
            condition.wait()


def wake(condition, ready):
    with condition:
        ready.value = 1
        condition.notify()


def lost_wake_up(method, sleeper=wait_carelessly):
    ctx = get_context(method)
    condition, ready = ctx.Condition(), ctx.Value("b", 0)
    run_all(ctx, (sleeper, condition, ready), (wake, condition, ready))
    return ready.value


def no_lost_wake_up(method):
    return lost_wake_up(method, wait_carefully)


# -- `if` instead of `while` round a condition -----------------------------------------------------------------------


def take_if(condition, stock):
    with condition:
        if stock.value == 0:
            condition.wait()
        stock.value -= 1


def take_while(condition, stock):
    with condition:
        while stock.value == 0:
            condition.wait()
        stock.value -= 1


def deliver(condition, stock):
    with condition:
        stock.value += 1
        condition.notify_all()
    with condition:
        stock.value += 1
        condition.notify_all()


def take_and_look(take, condition, stock, lowest):
    take(condition, stock)
    with lowest.get_lock():
        lowest.value = min(lowest.value, stock.value)


def if_for_while(method, take=take_if):
    """Return the lowest stock that was seen."""
    ctx = get_context(method)
    condition, stock, lowest = ctx.Condition(), ctx.Value("i", 0), ctx.Value("i", 0)
    taker = take_and_look, take, condition, stock, lowest
    run_all(ctx, taker, taker, (deliver, condition, stock))
    return lowest.value


def while_it_is(method):
    return if_for_while(method, take_while)


# -- a barrier used twice wrongly ------------------------------------------------------------------------------------


def two_rounds_by_hand(parties, arrived, gate, guard, log):
    for number in range(2):
        with guard:
            arrived.value += 1
            if arrived.value == parties * (number + 1):
                for _ in range(parties):
                    gate.release()
        gate.acquire()
        log.put(number)


def two_rounds(barrier, log):
    for number in range(2):
        barrier.wait()
        log.put(number)
        barrier.wait()


def barrier_by_hand(method):
    ctx = get_context(method)
    log = ctx.SimpleQueue()
    tools = ctx.Value("i", 0), ctx.Semaphore(0), ctx.Lock(), log
    run_all(ctx, *[(two_rounds_by_hand, 2, *tools)] * 2)
    return tuple(log.get() for _ in range(4))


def barrier_of_the_library(method):
    ctx = get_context(method)
    log, barrier = ctx.SimpleQueue(), ctx.Barrier(2)
    run_all(ctx, *[(two_rounds, barrier, log)] * 2)
    return tuple(log.get() for _ in range(4))


# -- join before get -------------------------------------------------------------------------------------------------


def put_much(queue):
    queue.put(b"x" * 100_000)


def join_before_get(method):
    ctx = get_context(method)
    queue = ctx.Queue()
    run_all(ctx, (put_much, queue))
    return len(queue.get())


def get_before_join(method):
    ctx = get_context(method)
    queue = ctx.Queue()
    child = ctx.Process(target=put_much, args=(queue,))
    child.start()
    size = len(queue.get())
    child.join()
    return size


# -- `empty()` believed ----------------------------------------------------------------------------------------------


def put_three(queue):
    for number in range(3):
        queue.put(number)


def empty_believed(method):
    ctx = get_context(method)
    queue = ctx.Queue()
    child = ctx.Process(target=put_three, args=(queue,))
    child.start()
    found = []
    while not queue.empty():
        found.append(queue.get())
    child.join()
    return len(found)


def counted_instead(method):
    ctx = get_context(method)
    queue = ctx.Queue()
    child = ctx.Process(target=put_three, args=(queue,))
    child.start()
    found = [queue.get() for _ in range(3)]
    child.join()
    return len(found)


# -- two readers on one pipe -----------------------------------------------------------------------------------------


def read_one(end, guard, found):
    with suppress(EOFError):
        found.put(end.recv())


def read_one_guarded(end, guard, found):
    with guard:
        found.put(end.recv())


def two_readers(method, read=read_one):
    ctx = get_context(method)
    reader, writer = ctx.Pipe(duplex=False)
    found, guard = ctx.SimpleQueue(), ctx.Lock()
    writer.send("one")
    writer.send("two")
    run_all(ctx, (read, reader, guard, found), (read, reader, guard, found))
    return tuple(sorted([found.get(), found.get()]))


def guarded_readers(method):
    return two_readers(method, read_one_guarded)


# -- a pill too few --------------------------------------------------------------------------------------------------


def work_till_pill(tasks, done):
    while tasks.get() is not None:
        with done.get_lock():
            done.value += 1


def pill_too_few(method, pills=1):
    ctx = get_context(method)
    tasks, done = ctx.SimpleQueue(), ctx.Value("i", 0)
    for task in ("wash", *[None] * pills):
        tasks.put(task)
    run_all(ctx, (work_till_pill, tasks, done), (work_till_pill, tasks, done))
    return done.value


def pill_for_each(method):
    return pill_too_few(method, pills=2)


# -- sleep as a repair -----------------------------------------------------------------------------------------------


def write_answer(answer, written):
    answer.value = 42
    written.set()


def answer_after_sleep(method):
    ctx = get_context(method)
    answer, written = ctx.Value("i", 0), ctx.Event()
    child = ctx.Process(target=write_answer, args=(answer, written))
    child.start()
    time.sleep(0.1)
    found = answer.value
    child.join()
    return found


def answer_after_event(method):
    ctx = get_context(method)
    answer, written = ctx.Value("i", 0), ctx.Event()
    child = ctx.Process(target=write_answer, args=(answer, written))
    child.start()
    written.wait()
    found = answer.value
    child.join()
    return found


# name -> (wrong, its repaired twin, what the outcome has to be, why the wrong one fails)
PAIRS = {
    "lost update in a Value": (lost_update, no_lost_update, 2, "outcome"),
    "lost update in a Manager dict": (lost_update_in_dict, no_lost_update_in_dict, 2, "outcome"),
    "check, then act": (check_then_act, act_at_once, 1, "outcome"),
    "lock order": (lock_order, sorted_locks, (100, 100), "deadlock"),
    "lock of the wrong object": (wrong_lock, right_lock, 2, "outcome"),
    "lost wake-up": (lost_wake_up, no_lost_wake_up, 1, "deadlock"),
    "if instead of while": (if_for_while, while_it_is, 0, "outcome"),
    "barrier used twice": (barrier_by_hand, barrier_of_the_library, (0, 0, 1, 1), "deadlock"),
    "join before get": (join_before_get, get_before_join, 100_000, "deadlock"),
    "empty() believed": (empty_believed, counted_instead, 3, "outcome"),
    "two readers on one pipe": (two_readers, guarded_readers, ("one", "two"), "crash"),
    "a pill too few": (pill_too_few, pill_for_each, 1, "deadlock"),
    "sleep as a repair": (answer_after_sleep, answer_after_event, 42, "outcome"),
}
