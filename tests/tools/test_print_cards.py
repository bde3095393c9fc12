"""The page of cards is whole: every lesson's is there, in order, and nothing has to be loaded from elsewhere."""

import re
from importlib import import_module
from pathlib import Path

from tools import print_cards
from tools.lessons import lessons


def test_all_lessons_are_there_in_their_order():
    assert lessons() == sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def test_the_page_holds_each_card_and_needs_nothing_else(monkeypatch):
    monkeypatch.setattr(print_cards, "lessons", lambda: lessons(["11_queues", "10_pipe"]))
    page = print_cards.page()
    titles = re.findall(r'<section class="card"><img alt="(.*?)\. Round boxes', page)
    assert titles == [import_module(f"helpers.lessons.{name}").CARD.title for name in ("queues", "pipe")]
    assert not re.search(r'(?:src|href)="(?!data:)|@import|url\(', page)
    assert "@page { size: A4" in page
