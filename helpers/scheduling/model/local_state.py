"""The local state of a generator that stands at a yield: all that decides what it does next, as bytes to compare.

It is made of the position in the code, the local variables that may still be read, the iterators of the loops that
it is in, and the same of the generator it delegates to by `yield from`. A variable that will be overwritten before
it is read again does not count, so many more states are equal.
"""

import dis
import gc
import io
import pickle
import platform
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from types import CellType, CodeType, FrameType, FunctionType, GeneratorType
from typing import Any

from helpers.scheduling.program.handles import HandlePickler


class CannotExplore(Exception):
    """A scenario that has too many states, or does not do the same every time; the message says what to do."""


_SEES_ALL_LOCALS = {"locals", "vars", "dir", "eval", "exec", "_getframe", "currentframe"}
_NEVER_GOES_ON = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_BACKWARD"}


def fingerprint(generator: GeneratorType) -> bytes | None:
    """Return bytes that are equal only if the generators will do the same; None if something in it has no pickle."""
    buffer = io.BytesIO()
    try:
        _Pickler(buffer).dump(_parts(generator))
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError):
        return None
    return buffer.getvalue()


@cache
def require_visible_loops() -> None:
    """Do nothing where this Python shows how far a loop has got.

    CPython 3.15 keeps the position of some loops where nobody can see it; states that differ would then look equal.

    Raises CannotExplore, in one sentence.
    """
    for things in ([0, 0], (0, 0), "aa", "éé", b"aa", range(2), {0: 0, 1: 0}, {0, 1}, iter([0, 0])):
        kind, turns = type(things).__name__, _turns(things)
        next(turns)
        before = fingerprint(turns)
        next(turns)
        if fingerprint(turns) == before:
            raise CannotExplore(
                f"Python {platform.python_version()} hides how far a loop over a {kind} has got, so states that "
                "differ would count as one; use a version of Python that the README names."
            )


def _turns(things: Iterable) -> Any:
    for _ in things:
        yield


def living_locals(generator: GeneratorType) -> dict[str, Any]:
    """Return the local variables that the generator may still read, from name to value."""
    frame = generator.gi_frame
    assert frame is not None, "it is suspended"
    alive = _read_after(frame.f_code).get(frame.f_lasti)
    return {name: value for name, value in frame.f_locals.items() if alive is None or name in alive}


class _Pickler(HandlePickler):
    """Pickles a suspended generator as its local state."""

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, GeneratorType):
            return _parts(value)
        return super().persistent_id(value)


def _parts(generator: GeneratorType) -> tuple:
    frame = generator.gi_frame
    if frame is None:
        return ("ended",)
    code = frame.f_code
    position = (code.co_filename, code.co_qualname, code.co_firstlineno, frame.f_lasti)
    return position, sorted(living_locals(generator).items()), list(_stack(generator, frame))


def _stack(generator: GeneratorType, frame: FrameType) -> Iterator[Any]:
    """Yield what the garbage collector finds in a generator besides variables: the iterators of loops, mainly."""
    local_variables = frame.f_locals
    in_cells = frame.f_code.co_cellvars + frame.f_code.co_freevars
    named = Counter(id(value) for name, value in local_variables.items() if name not in in_cells)
    overhead = {id(local_variables), id(frame.f_globals), id(frame.f_builtins)}
    for value in gc.get_referents(generator):
        if named[id(value)]:
            named[id(value)] -= 1
        elif id(value) not in overhead and not _is_machinery(value, frame.f_code):
            yield value


def _is_machinery(value: Any, code: CodeType) -> bool:
    is_own_function = isinstance(value, FunctionType) and value.__code__ is code
    return is_own_function or isinstance(value, CellType | CodeType | FrameType)


@cache
def _read_after(code: CodeType) -> dict[int, frozenset[str] | None]:
    """Map the offset of each instruction to the variables that may be read after it; None: all of them.

    The usual backward analysis of live variables, on the safe side: any instruction may raise, and variables that
    are shared with inner functions are always read.
    """
    instructions = list(dis.get_instructions(code))
    if _SEES_ALL_LOCALS & set(code.co_names):
        return {}
    always = frozenset(code.co_cellvars + code.co_freevars)
    successors = _successors(instructions)
    before = [always] * len(instructions)
    after = [always] * len(instructions)
    changed = True
    while changed:
        changed = False
        for index in reversed(range(len(instructions))):
            after[index] = always.union(*(before[successor] for successor in successors[index]))
            reads = _reads_before(instructions[index], after[index])
            changed |= reads != before[index]
            before[index] = reads
    return {instruction.offset: names for instruction, names in zip(instructions, after, strict=True)}


def _successors(instructions: list[dis.Instruction]) -> list[set[int]]:
    at = {instruction.offset: index for index, instruction in enumerate(instructions)}
    handlers = {index for index, instruction in enumerate(instructions) if instruction.opname == "PUSH_EXC_INFO"}
    successors = []
    for index, instruction in enumerate(instructions):
        following = set(handlers)
        if instruction.opname not in _NEVER_GOES_ON and index + 1 < len(instructions):
            following.add(index + 1)
        if instruction.opcode in dis.hasjrel or instruction.opcode in dis.hasjabs:
            following.add(at[instruction.argval])
        successors.append(following)
    return successors


def _reads_before(instruction: dis.Instruction, reads_after: frozenset[str]) -> frozenset[str]:
    """Return what may be read from an instruction on; newer versions of Python join two into one."""
    if "_FAST" not in instruction.opname:
        return reads_after
    names = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
    verbs = re.findall("LOAD|STORE|DELETE", instruction.opname)
    reads = set(reads_after)
    for verb, name in reversed(list(zip(verbs, names, strict=True))):
        if verb == "STORE":
            reads.discard(name)
        else:
            reads.add(name)
    return frozenset(reads)
