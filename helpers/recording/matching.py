"""Which message met which call: found from the entries of all processes, without a word in the messages themselves."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from itertools import chain
from operator import itemgetter

from helpers.recording.kinds import EventKind, Outcome
from helpers.recording.log import Calls
from helpers.recording.trace import Event, Message

_first = itemgetter(0)


def messages(found: Iterable[Calls]) -> list[Message]:
    """Return all messages; the events of the calls are known by now."""
    by_kind = defaultdict(list)
    for calls in found:
        # a message may have got through although its sender was killed before the call returned
        if calls.outcome is Outcome.OK or calls.is_entering:
            by_kind[calls.kind].append(calls)
    queues = {calls.identity for calls in by_kind[EventKind.PUT] + by_kind[EventKind.GET]}
    # who knows the pipe behind a queue may write into it
    send, beside = _apart(by_kind[EventKind.SEND], queues)
    return [
        *_in_pipes(send, by_kind[EventKind.RECV]),
        *_in_queues(by_kind[EventKind.PUT] + beside, by_kind[EventKind.FEED], by_kind[EventKind.GET]),
        *_at_managers(by_kind[EventKind.CALL], by_kind[EventKind.SERVE]),
    ]


def _in_pipes(send: list[Calls], recv: list[Calls]) -> Iterator[Message]:
    """The n-th message into one side of a pipe comes out of the other side as the n-th."""
    sent, received = _by_side(send), _by_side(recv)
    duplex = {identity for identity, side in [*sent, *received] if side}
    for (identity, side), calls in sent.items():
        other = received[identity, 1 - side if identity in duplex else side]
        yield from map(Message, _in_order(calls), _in_order(other))


def _apart(found: list[Calls], identities: set[str]) -> tuple[list[Calls], list[Calls]]:
    """Return the calls on other channels, and those on these."""
    return [calls for calls in found if calls.identity not in identities], [
        calls for calls in found if calls.identity in identities
    ]


def _by_side(found: list[Calls]) -> dict[tuple[str, int], list[Calls]]:
    sides = defaultdict(list)
    for calls in found:
        sides[calls.identity, calls.side].append(calls)
    return sides


def _in_queues(put: list[Calls], feed: list[Calls], get: list[Calls]) -> Iterator[Message]:
    """The n-th item that entered the pipe behind a queue is the n-th that left it."""
    for identity in {calls.identity for calls in get}:
        puts, feeds, gets = ([calls for calls in found if calls.identity == identity] for found in (put, feed, get))
        yield from map(Message, _as_they_entered(puts, feeds), _in_order(gets))


def _as_they_entered(put: list[Calls], feed: list[Calls]) -> Iterable[Event]:
    """Return the events of putting in the order in which the items entered the pipe.

    A feeder thread sends them, and keeps the order of its process.
    """
    if not feed:
        return _in_order(put)
    of_process = {pid: iter(_in_order(calls for calls in put if calls.pid == pid)) for pid in {c.pid for c in put}}
    entered = sorted(((row[2], calls.pid, event) for calls in feed for row, event in calls.both()), key=_first)
    # a pool writes past the queue's own put: then the entry of the feeder is all there is
    return (next(of_process.get(pid, iter(())), event) for _, pid, event in entered)


def _at_managers(call: list[Calls], serve: list[Calls]) -> Iterator[Message]:
    """A request is served within the call that makes it; of several such calls, within the one that ends first."""
    asked, served = _by_method(call), _by_method(serve)
    for method, servings in served.items():
        open_calls = deque(asked.get(method, ()))
        for serving in servings:
            while open_calls and open_calls[0].end < serving.end:
                open_calls.popleft()
            around = next((n for n, event in enumerate(open_calls) if event.begin <= serving.begin), None)
            if around is not None:
                event = open_calls[around]
                del open_calls[around]
                yield Message(event, serving)
                yield Message(serving, event)


def _by_method(found: list[Calls]) -> dict[tuple[str, str], list[Event]]:
    """Return the events of each object and method, sorted by end."""
    methods: defaultdict[tuple[str, str], list[Event]] = defaultdict(list)
    for calls in found:
        methods[calls.identity, calls.detail] += calls.events
    return {method: sorted(events, key=lambda event: event.end) for method, events in methods.items()}


def _in_order(found: Iterable[Calls]) -> list[Event]:
    """Return the events in the order in which their messages entered or left the channel."""
    both = chain.from_iterable(calls.both() for calls in found)
    return [event for _, event in sorted(((row[2], event) for row, event in both), key=_first)]
