"""Programs that use every kind of object once, for the tests of the switch points."""

import mmap
from multiprocessing import connection, get_context
from multiprocessing.shared_memory import SharedMemory
from queue import Empty, Full

from tests.control.programs import run_all


def touch_locks(lock, rlock, semaphore, bounded):
    with lock, rlock, rlock:
        semaphore.acquire()
        if bounded.acquire(timeout=1):
            bounded.release()
    semaphore.release()


def locks(method):
    ctx = get_context(method)
    tools = ctx.Lock(), ctx.RLock(), ctx.Semaphore(1), ctx.BoundedSemaphore(1)
    run_all(ctx, (touch_locks, *tools), (touch_locks, *tools))
    return tools[0].acquire(False), tools[0].acquire(False)


def wait_for_event(event, found):
    found.put(event.wait(5))


def event(method):
    ctx = get_context(method)
    happened, found = ctx.Event(), ctx.SimpleQueue()
    child = ctx.Process(target=wait_for_event, args=(happened, found))
    child.start()
    happened.set()
    child.join()
    return found.get(), happened.is_set()


def meet(barrier, found):
    found.put(barrier.wait())


def barrier(method):
    ctx = get_context(method)
    three, found = ctx.Barrier(3), ctx.SimpleQueue()
    run_all(ctx, *[(meet, three, found)] * 3)
    return tuple(sorted(found.get() for _ in range(3)))


def double_all(numbers):
    for index in range(len(numbers)):
        with numbers.get_lock():
            numbers[index] *= 2


def array(method):
    ctx = get_context(method)
    numbers = ctx.Array("i", [1, 2])
    run_all(ctx, (double_all, numbers), (double_all, numbers))
    return tuple(numbers[:])


def echo(end):
    end.send(end.recv() + 1)
    end.close()


def duplex_pipe(method):
    ctx = get_context(method)
    ours, theirs = ctx.Pipe()
    child = ctx.Process(target=echo, args=(theirs,))
    child.start()
    theirs.close()
    ours.send(1)
    answer = ours.recv()
    try:
        ours.recv()
    except EOFError:
        answer = answer, "end"
    child.join()
    return answer


def send_twice(size, one, other):
    one.send_bytes(b"x" * size)
    other.recv_bytes()


def both_send_much(method, size=1_000_000):
    """Both ends send more than goes into the pipe before either reads."""
    ctx = get_context(method)
    ours, theirs = ctx.Pipe()
    run_all(ctx, (send_twice, size, ours, ours), (send_twice, size, theirs, theirs))
    return "done"


def both_send_little(method):
    return both_send_much(method, size=10)


def wait_for_two(method):
    ctx = get_context(method)
    one, other = ctx.Pipe(duplex=False), ctx.Pipe(duplex=False)
    children = [
        ctx.Process(target=writer.send, args=(name,)) for name, (_, writer) in zip("ab", (one, other), strict=True)
    ]
    for child in children:
        child.start()
    found = []
    waiting = [one[0], other[0]]
    while waiting:
        for reader in connection.wait(waiting):
            found.append(reader.recv())
            waiting.remove(reader)
    for child in children:
        child.join()
    return "".join(found)


def do_tasks(tasks):
    while tasks.get() is not None:
        tasks.task_done()


def joinable_queue(method):
    ctx = get_context(method)
    tasks = ctx.JoinableQueue()
    child = ctx.Process(target=do_tasks, args=(tasks,))
    child.start()
    tasks.put("one")
    tasks.put("two")
    tasks.join()
    tasks.put(None)
    child.join()
    return "joined"


def try_to_get(queue, found):
    try:
        found.put(queue.get(timeout=3600))
    except Empty:
        found.put("empty")


def get_with_timeout(method):
    ctx = get_context(method)
    queue, found = ctx.Queue(), ctx.SimpleQueue()
    child = ctx.Process(target=try_to_get, args=(queue, found))
    child.start()
    queue.put("item")
    child.join()
    return found.get()


def full_queue(method):
    ctx = get_context(method)
    queue = ctx.Queue(maxsize=1)
    queue.put(1)
    try:
        queue.put(2, timeout=1)
    except Full:
        found = "full"
    return found, queue.get()


def answer_calls(address, ready):
    with connection.Listener(address, authkey=b"secret") as listener:
        ready.set()
        with listener.accept() as line:
            line.send(line.recv() * 2)


def listener_and_client(folder, method):
    ctx = get_context(method)
    (folder / "line").unlink(missing_ok=True)
    address, ready = str(folder / "line"), ctx.Event()
    child = ctx.Process(target=answer_calls, args=(address, ready))
    child.start()
    ready.wait()
    with connection.Client(address, authkey=b"secret") as line:
        line.send(21)
        answer = line.recv()
    child.join()
    return answer


def impatient_client(folder, method):
    ctx = get_context(method)
    (folder / "line").unlink(missing_ok=True)
    address, ready = str(folder / "line"), ctx.Event()
    child = ctx.Process(target=answer_calls, args=(address, ready), daemon=True)
    child.start()
    try:
        with connection.Client(address, authkey=b"secret") as line:
            line.send(21)
            return line.recv()
    except (FileNotFoundError, ConnectionError):
        return "nobody there"


def take_managed(lock, queue, event, total):
    event.wait()
    with lock:
        total.value = total.value + queue.get()


def managed_objects(method):
    ctx = get_context(method)
    with ctx.Manager() as manager:
        lock, queue, event, total = manager.Lock(), manager.Queue(), manager.Event(), manager.Value("i", 0)
        jobs = [ctx.Process(target=take_managed, args=(lock, queue, event, total)) for _ in range(2)]
        for job in jobs:
            job.start()
        queue.put(1)
        queue.put(2)
        event.set()
        for job in jobs:
            job.join()
        return total.value


def square(number):
    return number * number


def pool_map(method):
    with get_context(method).Pool(2) as pool:
        return tuple(pool.map(square, [1, 2, 3]))


def first_finished(method):
    with get_context(method).Pool(2) as pool:
        return tuple(pool.imap_unordered(square, [1, 2]))


def look_at_child(method):
    ctx = get_context(method)
    child = ctx.Process(target=square, args=(2,))
    child.start()
    alive = child.is_alive()
    child.join()
    return alive, child.exitcode, child.is_alive()


def add_to_bytes(memory):
    number = memory[0]
    memory[0] = number + 1


def add_to_block(name):
    block = SharedMemory(name)
    add_to_bytes(block.buf)
    block.close()


def plain_memory(kind, method):
    """Two processes add one to the same byte, without a lock."""
    ctx = get_context(method)
    if kind == "SharedMemory":
        block = SharedMemory(create=True, size=1)
        run_all(ctx, (add_to_block, block.name), (add_to_block, block.name))
        total = block.buf[0]
        block.close()
        block.unlink()
        return total
    memory = mmap.mmap(-1, 1) if kind == "mmap" else ctx.RawArray("b", 1)
    run_all(ctx, (add_to_bytes, memory), (add_to_bytes, memory))
    return memory[0]
