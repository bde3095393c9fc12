"""The files of a recording: what one process has written, another one reads."""

import os

from helpers.recording.log import Log


def test_two_threads_that_meet_the_same_words_first_get_the_number_of_one_line(tmp_path):
    log = Log(tmp_path)
    # both have looked in vain before either holds the lock
    assert [log._new_number(words) for words in (("a", "é"), ("a", "é"), ("b",))] == [1, 1, 2]
    assert (tmp_path / f"{os.getpid()}.words").read_text(encoding="utf-8") == "a\té\nb\n"
