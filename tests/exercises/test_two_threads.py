"""Two calls in two threads: what they may come to is found at every line, and so is who waits for ever."""

import threading

import pytest

from helpers.exercises.form.two_threads import courses, one_after_the_other, watched_locks


class _Ticket:
    def __init__(self):
        self.left = 1
        self.lock = threading.Lock()

    def take_unlocked(self):
        if self.left:
            self.left -= 1
            return True
        return False

    def take_locked(self):
        with self.lock:
            return self.take_unlocked()

    def take_in_two(self):
        with self.lock:
            left = self.left
        with self.lock:
            self.left = 0
        return bool(left)

    def keep_the_lock(self):
        return self.lock.acquire()

    def take_twice(self):
        with self.lock, self.lock:
            return True


class _ReentrantTicket(_Ticket):
    def __init__(self):
        super().__init__()
        self.lock = threading.RLock()


def pair(method, kind=_Ticket):
    def make():
        with watched_locks():
            ticket = kind()
        return getattr(ticket, method), getattr(ticket, method)

    return make


def outcomes(make):
    return {course.results for course in courses(make, __file__)}


@pytest.mark.parametrize("method", ["take_unlocked", "take_in_two"])
def test_what_comes_between_a_look_and_an_act_is_found(method):
    assert (True, True) in outcomes(pair(method))


@pytest.mark.parametrize("kind", [_Ticket, _ReentrantTicket])
def test_what_holds_a_lock_throughout_comes_to_what_it_comes_to_alone(kind):
    make = pair("take_locked", kind)
    in_turn = {course.results for course in one_after_the_other(make, __file__)}
    assert in_turn == {(True, False), (False, True)}
    assert outcomes(make) == in_turn


def test_a_lock_that_is_kept_keeps_the_other_waiting():
    assert [course.hangs for course in one_after_the_other(pair("keep_the_lock"), __file__)] == [True, True]


def test_who_takes_a_plain_lock_twice_waits_for_itself_and_a_reentrant_one_for_nobody():
    assert one_after_the_other(pair("take_twice"), __file__)[0].hangs
    assert not one_after_the_other(pair("take_twice", _ReentrantTicket), __file__)[0].hangs


def test_an_error_is_what_a_call_comes_to():
    def make():
        return [].pop, [].pop

    [course, _] = one_after_the_other(make, __file__)
    assert course.results == ("IndexError('pop from empty list')",) * 2
