"""Which message met which call: found from the entries of all processes, without a word in the messages themselves."""

from collections import defaultdict
from collections.abc import Iterator

from helpers.recording.log import Entry

# outcomes of a call whose message is in the channel, or was about to be there when its process was killed
SENT = ("ok", "entering")
Met = Iterator[tuple[Entry, Entry]]  # of a message: the call that sent it, the call that got it


def met(entries: list[Entry]) -> Met:
    """Return the two calls of each message."""
    yield from _met_in_pipes(entries)
    yield from _met_in_queues(entries)
    yield from _met_at_managers(entries)


def _met_in_pipes(entries: list[Entry]) -> Met:
    """The n-th message into one side of a pipe comes out of the other side as the n-th."""
    sent, received = defaultdict(list), defaultdict(list)
    for entry in _in_order(entries):
        if entry.kind == "send":
            sent[entry.identity, entry.side].append(entry)
        elif entry.kind == "recv":
            received[entry.identity, entry.side].append(entry)
    duplex = {identity for identity, side in [*sent, *received] if side}
    for (identity, side), messages in sent.items():
        yield from zip(messages, received[identity, 1 - side if identity in duplex else side], strict=False)


def _met_in_queues(entries: list[Entry]) -> Met:
    """The n-th item that entered the pipe behind a queue is the n-th that left it.

    Items enter in the order in which the feeder threads send them; each feeder keeps the order of its process.
    """
    put, entered, got = defaultdict(list), defaultdict(list), defaultdict(list)
    for entry in _in_order(entries):
        if entry.kind == "put":
            put[entry.identity, entry.pid].append(entry)
        elif entry.kind == "feed":
            entered[entry.identity].append(entry)
        elif entry.kind == "get":
            got[entry.identity].append(entry)
    for identity, received in got.items():
        puts = {pid: iter(own) for (name, pid), own in put.items() if name == identity}
        if entered[identity]:
            # a pool writes past the queue's own put: then the entry is all there is
            order = [next(puts.get(entry.pid, iter(())), entry) for entry in entered[identity]]
        else:
            order = sorted((entry for own in puts.values() for entry in own), key=lambda entry: entry.order)
        yield from zip(order, received, strict=False)


def _met_at_managers(entries: list[Entry]) -> Met:
    """A request is served within the call that makes it; of several such calls, within the one that ends first."""
    calls = [entry for entry in entries if entry.kind == "call"]
    for served in sorted((entry for entry in entries if entry.kind == "serve"), key=lambda entry: entry.end):
        around = [
            call
            for call in calls
            if (call.identity, call.detail) == (served.identity, served.detail)
            and call.begin <= served.begin
            and served.end <= call.end
        ]
        if around:
            call = min(around, key=lambda call: call.end)
            calls.remove(call)
            yield call, served
            yield served, call


def _in_order(entries: list[Entry]) -> list[Entry]:
    """Return the entries whose message is in a channel, in the order in which messages entered or left."""
    return sorted((entry for entry in entries if entry.outcome in SENT), key=lambda entry: entry.order)
