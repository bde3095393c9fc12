"""Strongly connected components of a graph: the largest sets in which every state can be reached from every other."""

from collections.abc import Callable, Iterable, Iterator


def components(starts: Iterable[int], successors: Callable[[int], Iterable[int]]) -> Iterator[list[int]]:
    """Yield the components that can be reached from some starts, each after all that it leads to.

    Tarjan's algorithm (1972), with a stack of its own, since paths are longer than Python's is deep.
    """
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    open_states: list[int] = []
    is_open: set[int] = set()
    for start in starts:
        if start in index:
            continue
        index[start] = low[start] = len(index)
        open_states.append(start)
        is_open.add(start)
        work = [(start, iter(successors(start)))]
        while work:
            state, following = work[-1]
            for target in following:
                if target not in index:
                    index[target] = low[target] = len(index)
                    open_states.append(target)
                    is_open.add(target)
                    work.append((target, iter(successors(target))))
                    break
                if target in is_open:
                    low[state] = min(low[state], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[state])
                if low[state] == index[state]:
                    at = _last_index(open_states, state)
                    found = open_states[at:]
                    del open_states[at:]
                    is_open.difference_update(found)
                    yield found


def _last_index(values: list[int], value: int) -> int:
    at = len(values) - 1
    while values[at] != value:
        at -= 1
    return at
