"""Workers and scenarios for the tests of the schedules; worker processes import them from here."""

import os
import random
from multiprocessing import current_process
from queue import Empty, Full
from types import SimpleNamespace

from helpers.scheduling.program.scenario import Scenario


def interpret(program, numbers, locks, others):
    """Carry out a list of instructions: what hypothesis draws."""
    things, queue, ends, barrier, condition, more = others
    local = 0
    for verb, index in program:
        if verb == "read":
            local = numbers[index].value
            yield f"read {local}"
        elif verb == "write":
            numbers[index].value = local + 1
            yield
        elif verb == "add":
            numbers[index].value += 1
            yield
        elif verb == "add quietly":
            numbers[index].value += 2
        elif verb == "if":
            if numbers[index].value:
                local += 1
                yield "was set"
            yield
        elif verb == "acquire":
            yield locks[index].acquire()
        elif verb == "try":
            yield locks[index].acquire(block=False)
        elif verb == "release":
            locks[index].release()
            yield
        elif verb == "pause":
            yield
        elif verb == "set":
            things[index] = local
            yield
        elif verb == "get":
            local += things.get(index, 5)
            yield f"got {local}"
        elif verb == "pop":
            local += things.pop(index)
            yield
        elif verb == "put":
            queue.put(local)
            yield
        elif verb == "take":
            local += queue.get()
            yield
        elif verb == "send":
            ends[index].send(local)
            yield
        elif verb == "recv":
            local += ends[index].recv()
            yield
        elif verb == "poll":
            local += ends[index].poll()
            yield
        elif verb == "meet":
            barrier.wait()
            yield
        elif verb == "sleep":
            condition.acquire()
            condition.wait()
            condition.release()
            yield
        elif verb == "wake":
            condition.notify(index + 1)
            yield
        elif verb == "wake properly":
            with condition:
                condition.notify(index + 1)
            yield
        elif verb == "doze":
            with condition:
                local += condition.wait(timeout=1)
            yield
        elif verb in MORE:
            local += MORE[verb](more, index, local) or 0
            yield


def rlock_twice(more, index, local):
    """Take a reentrant lock once or twice, and give it back once."""
    for _ in range(1 + index):
        more.rlock.acquire()
    more.rlock.release()


def exchange(more, index, local):
    """Exchange a number, or only if it is 0."""
    return more.number.exchange(local + 1) if index else more.number.compare_exchange(0, 7)


def add_to_array(more, index, local):
    """Add to one place in an array."""
    more.array[index] += 1


def toggle(more, index, local):
    """Turn a plain variable over."""
    more.flag.value = not more.flag.value


def to_list(more, index, local):
    """Append to a list, or take from it."""
    return more.list.append(local) if index else more.list.pop()


def wait_for_event(more, index, local):
    """Wait for an event, or for a while."""
    return more.event.wait(timeout=1 if index else None)


def use_event(more, index, local):
    """Set an event, or set and clear it."""
    more.event.set()
    if index:
        more.event.clear()


def try_queue(more, index, local):
    """Put or get without waiting."""
    return more.fed.put(local, timeout=1) if index else more.fed.get_nowait()


def look_at_queue(more, index, local):
    """Ask a queue about itself."""
    return more.fed.empty() + 2 * more.fed.qsize() + 8 * more.fed.full()


def fill_pipe(more, index, local):
    """Send into a pipe that is soon full, from either end."""
    more.narrow[index].send(local)


def empty_pipe(more, index, local):
    """Receive from that pipe, or look."""
    return more.narrow[index].recv() if local % 2 else more.narrow[index].poll(1)


def close_pipe(more, index, local):
    """Close one end."""
    more.narrow[index].close()


def be_bound(more, index, local):
    """Take a permit of a bounded semaphore if there is one, or give one back."""
    return more.bounded.acquire(timeout=1) if index else more.bounded.release()


def choose(more, index, local):
    """Let chance decide."""
    return more.choice.choose()


def use_child(more, index, local):
    """Start a process and wait for it, or kill it."""
    if index:
        more.child.start()
        more.child.join()
    else:
        more.child.kill()
    return more.child.is_alive()


def be_a_child(number):
    """Add twice."""
    number.value += 1
    yield
    number.value += 1
    yield


MORE = {
    "rlock": rlock_twice,
    "exchange": exchange,
    "array": add_to_array,
    "flag": toggle,
    "list": to_list,
    "wait": wait_for_event,
    "event": use_event,
    "try queue": try_queue,
    "look": look_at_queue,
    "fill": fill_pipe,
    "empty": empty_pipe,
    "close": close_pipe,
    "bound": be_bound,
    "choose": choose,
    "child": use_child,
}


VERBS = [
    *("read", "write", "add", "add quietly", "if", "acquire", "try", "release", "pause", "set", "get", "pop"),
    *("put", "take", "send", "recv", "poll", "meet", "sleep", "wake", "wake properly", "doze", *MORE),
]


def more_of(objects, verbs):
    """Declare what some verbs need besides what all programs have."""
    more = SimpleNamespace()
    if "rlock" in verbs:
        more.rlock = objects.rlock("rlock")
    if "exchange" in verbs:
        more.number = objects.integer("number")
    if "array" in verbs:
        more.array = objects.array("array", [0, 1])
    if "flag" in verbs:
        more.flag = objects.value("flag", False)
    if "list" in verbs:
        more.list = objects.list("list", [3])
    if verbs & {"wait", "event"}:
        more.event = objects.event("event")
    if verbs & {"try queue", "look"}:
        more.fed = objects.queue("fed", 1, feeder=True)
    if verbs & {"fill", "empty", "close"}:
        more.narrow = objects.pipe("narrow", capacity=1)
    if "bound" in verbs:
        more.bounded = objects.bounded_semaphore("bounded", 1)
    if "choose" in verbs:
        more.choice = objects.choice("choice", 1, 10)
    if "child" in verbs:
        more.child = objects.process("child", be_a_child, objects.integer("of the child"))
    return more


def interpreted(programs):
    """Return the scenario of some programs that share objects of every kind; all is well while a is at most 1."""

    def programs_of(objects):
        numbers = [objects.integer("a"), objects.integer("b")]
        locks = [objects.lock("lock"), objects.semaphore("semaphore", 1)]
        queue, ends, barrier = objects.queue("queue", 1), objects.pipe("pipe"), objects.barrier("barrier", 2)
        used = {verb for program in programs for verb, _ in program}
        others = objects.dict("things", {0: 1}), queue, ends, barrier, objects.condition("condition")
        others += (more_of(objects, used),)
        return [(interpret, (tuple(program), numbers, locks, others)) for program in programs]

    return Scenario(
        programs_of,
        invariant=lambda shared: shared["a"] <= 1,
        raises=(KeyError, ValueError, AssertionError, IndexError, Empty, Full, EOFError, OSError),
    )


def of(worker, processes=1, raises=(), **start):
    """Return the scenario of some processes of one worker that share one integer."""

    def scenario(objects):
        return [(worker, (objects.integer("number", **start),))] * processes

    return Scenario(scenario, raises=raises)


def count_up(number):
    """Add for ever."""
    while True:
        number.value += 1
        yield


def count_to_400(number):
    """Add until there are enough."""
    while number.value < 400:
        number.value += 1
        yield


def write_by_chance(number):
    """Do something else every time."""
    number.value = random.getrandbits(60)
    yield


def never_yield(number):
    """Read in a loop without a yield."""
    while number.value == 0:
        pass
    yield


def write_own_name(number):
    """Do one thing in the process of the model and another in a worker process."""
    number.value = len(current_process().name)
    yield


def write_in_children_only(number):
    """Take a step more in a worker process than in the model."""
    number.value = 1
    yield "first"
    if current_process().name != "MainProcess":
        number.value = 2
        yield "second"


def stop_early_in_children(number):
    """Take a step less in a worker process than in the model."""
    number.value = 1
    yield "first"
    if current_process().name == "MainProcess":
        number.value = 2
        yield "second"


def pause_in_the_model_only(number):
    """Go through pauses that a worker process has not."""
    number.value = 1
    yield
    if current_process().name == "MainProcess":
        yield
        yield


def pause_in_children_only(number):
    """Go through pauses that the model has not."""
    number.value = 1
    yield
    if current_process().name != "MainProcess":
        yield
        yield


def hang_in_children_only(number):
    """Never come to a yield in a worker process."""
    number.value = 1
    while current_process().name != "MainProcess":
        pass
    yield


def die(number):
    """End the process in the middle of a step."""
    number.value = 1
    if current_process().name != "MainProcess":
        os._exit(3)
    yield


def twice_the_same(number):
    """Go round loops whose variables do not tell how far they are."""
    for _ in (0, 0, 0):
        for letter in "aa":
            number.value += len(letter)
            yield


def keep_on_the_stack(number):
    """Keep a value on the interpreter's stack, and in no variable, while others step."""
    number.value = number.value + len([(yield "between"), (yield "again")]) - 1
    yield "written"


def hold_a_lambda(number):
    """Keep something in a variable that has no pickle."""
    plus = lambda x: x + 1  # noqa: E731
    for _ in range(2):
        seen = number.value
        yield
        number.value = plus(seen)
        yield


def remember_in_vain(number):
    """Keep what was read in a variable that is never read again."""
    for _ in range(3):
        seen = number.value
        yield f"saw {seen}"


def recover(number):
    """Use a variable after an exception that would else have been overwritten."""
    result = number.value
    yield
    try:
        yield
        assert number.value > 5
        result = 9
    except AssertionError:
        yield
    number.value = result + 1
    yield


def within(number):
    """Delegate to another generator."""
    yield from _add_slowly(number)
    yield from _add_slowly(number)


def _add_slowly(number):
    seen = number.value
    yield "seen"
    number.value = seen + 1
    yield "added"


def touch_at_the_end(number):
    """Write after the last yield."""
    yield "nothing yet"
    number.value += 1


def raise_if_set(number):
    """Fail where another process has been before."""
    if number.value:
        raise LookupError("somebody was here")
    yield "nobody was here"
    number.value = 1
    yield "I was here"


def wait_in_the_middle(number, lock):
    """Wait for a lock in the middle of a step."""
    number.value += 1
    lock.acquire()
    yield
    lock.release()
    yield


def middle_waiters(objects):
    """Two processes that wait in the middle of a step."""
    number, lock = objects.integer("number"), objects.lock("lock")
    return [(wait_in_the_middle, (number, lock))] * 2


def spin_on(mine, theirs):
    """Set a flag, then wait in a loop until the other's is cleared: for ever, if both do."""
    mine.value = 1
    yield
    while theirs.value:
        yield
    mine.value = 0
    yield


def polite_pair(objects):
    """Two processes that wait for each other in a loop."""
    one, other = objects.integer("one"), objects.integer("other")
    return [(spin_on, (one, other)), (spin_on, (other, one))]


def count_in_a_variable(number):
    """Remember for ever more."""
    count = 0
    while True:
        count += 1
        number.value = count
        yield


def up_and_down(number):
    """Break what others rely on, for a moment."""
    for value in (1, 2, 0):
        number.value = value
        yield


def circle(number):
    """Go round for ever, without counting."""
    while True:
        number.value = 1
        yield
        number.value = 0
        yield


def hold_and_wait(first, second):
    """Take two locks by `with`, and let the second wait."""
    with first:
        yield "first"
        with second:
            yield "both"
        yield "second released"


def crossed_with(objects):
    """Two locks in opposite order, by `with`."""
    one, other = objects.lock("one"), objects.lock("other")
    return [(hold_and_wait, (one, other)), (hold_and_wait, (other, one))]


def juggle(things, steps):
    """Use each method of a dict."""
    things["a"] = [1, "x"]
    yield
    assert things["a"] == [1, "x"] and "a" in things and "b" not in things and len(things) == 1
    yield
    assert things.setdefault("a") == [1, "x"] and things.setdefault("b", 2) == 2
    yield
    assert things.get("c") is None and things.get("c", 7) == 7 and things.pop("b") == 2 and things.pop("b", 3) == 3
    yield
    del things["a"]
    yield
    steps.value = len(things)
    yield
    things["gone"]


def dict_methods(objects):
    """One process that uses each method of a dict, and ends with a KeyError."""
    return [(juggle, (objects.dict("things"), objects.integer("steps")))]


def release_too_often(lock):
    """Release a lock that nobody holds."""
    yield lock.acquire()
    lock.release()
    yield
    lock.release()


def over_release(objects):
    """A lock is released twice."""
    return [(release_too_often, (objects.lock("lock"),))]


def notify_everybody(condition, ready):
    """Wake all sleepers."""
    yield condition.acquire()
    ready.value = 1
    condition.notify_all()
    yield
    condition.release()
    yield


def sleep_until_ready(condition, ready):
    """Sleep until woken."""
    with condition:
        while not ready.value:
            condition.wait()
        yield "ready"


def alarm(objects):
    """Two sleepers and one who wakes both."""
    condition, ready = objects.condition("alarm"), objects.integer("ready")
    return [(sleep_until_ready, (condition, ready))] * 2 + [(notify_everybody, (condition, ready))]


def poll_once(end, answer):
    """Look for a message and take it if it is there."""
    if end.poll():
        answer.value = end.recv()
    yield


def send_one(end):
    """Send one message."""
    end.send(5)
    yield


def impatient(objects):
    """One sends, the other looks only once."""
    ours, theirs = objects.pipe("line")
    return [(send_one, (ours,)), (poll_once, (theirs, objects.integer("answer")))]


def write_meet_look(barrier, mine, theirs, seen):
    """Write a number, meet the other at a barrier in the plain words of multiprocessing, and look at its number."""
    mine.value = 1
    barrier.wait()
    seen.value = theirs.value
    yield


def plain_barrier(objects):
    """Two who meet at a barrier."""
    one, other, barrier = objects.integer("one"), objects.integer("other"), objects.barrier("barrier", 2)
    seen = objects.integer("seen by one"), objects.integer("seen by other")
    return [(write_meet_look, (barrier, one, other, seen[0])), (write_meet_look, (barrier, other, one, seen[1]))]


def wait_plainly(condition, ready, done):
    """Wait until ready."""
    with condition:
        while not ready.value:
            condition.wait()
        done.value = 1
    yield


def make_ready(condition, ready):
    """Say that it is ready."""
    with condition:
        ready.value = 1
        condition.notify_all()
    yield


def plain_condition(objects):
    """One waits until the other is ready."""
    condition, ready, done = objects.condition("condition"), objects.integer("ready"), objects.integer("done")
    return [(wait_plainly, (condition, ready, done)), (make_ready, (condition, ready))]


def notify_without_lock(condition, number):
    """Notify without the lock."""
    condition.notify()
    yield


def wait_without_lock(condition, number):
    """Wait without the lock."""
    condition.wait()
    yield


def acquire_twice(condition, number):
    """Take the lock of a condition twice."""
    with condition, condition:
        number.value += 1
    yield


def one_on_a_condition(worker):
    """Return the builder of a scenario with one worker that gets a condition and a number."""

    def scenario(objects):
        return [(worker, (objects.condition("condition"), objects.integer("number")))]

    return scenario


def sleep_until(condition, turn, asleep, mine):
    """Note that one is there, sleep until it is one's turn, and pass it on."""
    with condition:
        while asleep.value != mine:
            condition.release()
            yield
            condition.acquire()
        asleep.value += 1
        while turn.value != mine + 1:
            condition.wait()
        turn.value = mine + 2
        condition.notify()
    yield


def wake_the_first(condition, turn, asleep):
    """Wait until both sleep, then let the first have its turn, and wake one."""
    condition.acquire()
    while asleep.value != 2:
        condition.release()
        yield
        condition.acquire()
    turn.value = 1
    condition.notify()
    turn.value = 1
    condition.release()
    yield


def wrong_sleeper(objects):
    """A single `notify` is meant for the first of two sleepers: if the second gets it, both sleep for ever."""
    condition, turn, asleep = objects.condition("condition"), objects.integer("turn"), objects.integer("asleep")
    sleepers = [(sleep_until, (condition, turn, asleep, mine)) for mine in (0, 1)]
    return [*sleepers, (wake_the_first, (condition, turn, asleep))]


def spin_in_one_step(number):
    """Wait for what nobody does, in a loop of one step."""
    while not number.value:
        yield


def spin_in_two_steps(number):
    """Wait for what nobody does, in a loop of two steps."""
    while not number.value:
        yield "look"
        yield "look again"


def enter_by_test_and_set(door, rounds):
    """Spin until the door is free; go in and out."""
    while rounds is None or rounds > 0:
        while door.exchange(1):
            yield
        yield "inside"
        door.value = 0
        yield
        rounds = rounds and rounds - 1


def test_and_set(objects):
    """One who wants to go in once, and one who goes in for ever."""
    door = objects.integer("door")
    return [(enter_by_test_and_set, (door, 1)), (enter_by_test_and_set, (door, None))]


def enter_by_ticket(next_ticket, serving, rounds):
    """Draw a number, wait until it is called; go in and out."""
    while rounds is None or rounds > 0:
        mine = next_ticket.value
        next_ticket.value = (mine + 1) % 3
        yield "draw"
        while serving.value != mine:
            yield
        yield "inside"
        serving.value = (mine + 1) % 3
        yield
        rounds = rounds and rounds - 1


def tickets(objects):
    """One who wants to go in once, and one who goes in for ever."""
    drawn, serving = objects.integer("drawn"), objects.integer("serving")
    return [(enter_by_ticket, (drawn, serving, 1)), (enter_by_ticket, (drawn, serving, None))]


def one_runs_for_ever(objects):
    """One that has two steps, and one that goes round."""
    return [(within, (objects.integer("one"),)), (circle, (objects.integer("other"),))]


def apart(objects):
    """Two that share nothing."""
    return [(up_and_back, (objects.integer(name),)) for name in ("one", "other")]


def up_and_back(number):
    """Take two steps."""
    number.value = 1
    yield
    number.value = 0
    yield


def leave(number):
    """Exit."""
    yield
    raise SystemExit(3)


def put_then_get(queue, found):
    """Put an item, and get it at once, if it is there."""
    queue.put("item")
    try:
        found.value = len(queue.get_nowait())
    except Empty:
        found.value = -1
    yield


def put_and_look(objects):
    """One process, and the feeder of its queue."""
    return [(put_then_get, (objects.queue("queue", feeder=True), objects.integer("found")))]


def send_twice_then_receive(end):
    """Send two messages, and only then receive."""
    end.send(1)
    end.send(2)
    yield "sent"
    end.recv()
    end.recv()
    yield


def both_send_first(objects):
    """Two with a pipe that holds one message in each direction."""
    ends = objects.pipe("line", capacity=1)
    return [(send_twice_then_receive, (end,)) for end in ends]


def send_three_and_close(end):
    """Send some numbers, and close."""
    for number in (1, 2, 3):
        end.send(number)
        yield
    end.close()
    yield


def add_until_the_end(end, total):
    """Add what comes, until nothing more can come."""
    while True:
        try:
            number = end.recv()
        except EOFError:
            return
        total.value += number
        yield


def send_and_close(objects):
    """One who sends and closes, one who reads to the end."""
    ours, theirs = objects.pipe("line")
    return [(send_three_and_close, (ours,)), (add_until_the_end, (theirs, objects.integer("total")))]


def serve_for_ever(end):
    """Answer one question after another."""
    while True:
        question = end.recv()
        yield
        end.send(question * 2)
        yield


def ask_once(end, answer):
    """Ask one question."""
    end.send(21)
    yield
    answer.value = end.recv()
    yield


def served(objects):
    """A server that never ends, and one who asks it."""
    ours, theirs = objects.pipe("line")
    return [(serve_for_ever, (theirs,)), (ask_once, (ours, objects.integer("answer")))]


def start_and_join(child, number, seen):
    """Start a process, wait for its end, and look what it did."""
    child.start()
    yield
    child.join()
    seen.value = number.value
    yield


def parent_and_child(objects):
    """One who starts another one."""
    number, seen = objects.integer("number"), objects.integer("seen")
    return [(start_and_join, (objects.process("child", be_a_child, number), number, seen))]


def hold_and_work(lock):
    """Work with a lock held."""
    with lock:
        yield "work"
        yield "more work"


def kill_and_lock(child, lock):
    """Start a process, kill it, and want its lock."""
    child.start()
    yield
    child.kill()
    yield
    with lock:
        yield


def parent_who_kills(objects):
    """One who kills another one, which may hold a lock."""
    lock = objects.lock("lock")
    return [(kill_and_lock, (objects.process("child", hold_and_work, lock), lock))]


def enter_by_exchange(door, inside):
    """Spin until the door was open; go in and out."""
    while door.exchange(1):
        yield
    inside.value += 1
    yield "inside"
    inside.value -= 1
    door.value = 0
    yield


def spin_lock(objects):
    """Two at a door."""
    return [(enter_by_exchange, (objects.integer("door"), objects.integer("inside")))] * 2


def toss_and_note(die, number):
    """Toss, and note what came."""
    number.value = die.choose()
    yield


def toss(objects):
    """One who tosses a die of three sides."""
    return [(toss_and_note, (objects.choice("die", 1, 2, 3), objects.integer("number")))]


def try_for_a_second(lock, got):
    """Try to get a lock, for a second."""
    if lock.acquire(timeout=1):
        got.value = 1
        lock.release()
    yield


def impatient_for_a_lock(objects):
    """One who holds a lock for a while, one who does not wait long for it."""
    lock, got = objects.lock("lock"), objects.integer("got")
    return [(hold_and_work, (lock,)), (try_for_a_second, (lock, got))]


def produce(queue, items):
    """Put items into the queue; wait while it is full."""
    for item in range(items):
        queue.put(item)
        yield f"put {item}"


def consume(queue, total, items):
    """Take items from the queue; wait while it is empty."""
    for _ in range(items):
        item = queue.get()
        yield f"got {item}"
        total.value += item
        yield f"add {item}"


def bounded_queue(maxsize=1, items=3):
    """One producer, one consumer, and a queue between them that is soon full. The outcome is the consumer's sum."""

    def build(objects):
        queue, total = objects.queue("queue", maxsize), objects.integer("total")
        return [(produce, (queue, items)), (consume, (queue, total, items))]

    return Scenario(build, outcome=lambda shared: shared["total"])


def meet(barrier, here, there):
    """Write a number before the meeting, read the other's after it."""
    here.value = 1
    yield "write"
    barrier.wait()
    yield "meet"
    there.value += there.value
    yield "double the other's"


def rendezvous():
    """Two processes meet at a barrier, so that each finds what the other wrote before."""

    def build(objects):
        one, other, barrier = objects.integer("one"), objects.integer("other"), objects.barrier("barrier", 2)
        return [(meet, (barrier, one, other)), (meet, (barrier, other, one))]

    return Scenario(build)


def ask(line, answer, question):
    """Send a question and keep the answer."""
    line.send(question)
    yield f"ask {question}"
    answer.value = line.recv()
    yield "hear the answer"


def reply(line):
    """Answer one question."""
    question = line.recv()
    yield f"hear {question}"
    line.send(question * 2)
    yield f"answer {question * 2}"


def telephone():
    """A question and its answer through a pipe. The outcome is the answer."""

    def build(objects):
        ours, theirs = objects.pipe("line")
        return [(ask, (ours, objects.integer("answer"), 21)), (reply, (theirs,))]

    return Scenario(build, outcome=lambda shared: shared["answer"])
