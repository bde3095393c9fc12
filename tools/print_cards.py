"""Write the cards of all lessons on one page, to be printed four on a sheet of A4.

    python -m tools.print_cards

The page needs nothing beside it, and is written anew each time.
"""

import base64
import io
from html import escape
from importlib import import_module

from helpers.show import card
from helpers.show.figures.card import DrawnCard
from tools.lessons import ROOT, lessons

PAGE = ROOT / "artefacts" / "cards.html"

# a sheet is 210 mm x 297 mm; colours are printed as they are, since they tell processes apart
STYLE = """
@page { size: A4 portrait; margin: 8mm }
body { margin: 0 auto; max-width: 194mm; font: 9.5pt/1.3 sans-serif; color: #1a1a1a; background: #ffffff;
       display: grid; grid-template-columns: 1fr 1fr; gap: 4mm; print-color-adjust: exact;
       -webkit-print-color-adjust: exact }
.card { box-sizing: border-box; height: 137mm; padding: 4mm; border: 0.3mm solid #8a8a8a; border-radius: 3mm;
        display: flex; flex-direction: column; overflow: hidden; break-inside: avoid }
.card img { width: 100%; height: auto; max-height: 62mm }
.card pre { margin: 2mm 0; padding: 2mm; background: #f2f2f2; font: 6.9pt/1.35 monospace }
.card code { font-family: monospace }
.card p { margin: 0 0 2mm 0; color: #555555 }
.card small { font-size: 7pt }
.card ul { margin: 0; padding: 0; list-style: none }
.card li { margin: 1mm 0 }
"""


def page() -> str:
    """Return the page as HTML."""
    cards = (card(import_module(f"helpers.lessons.{path.stem[3:]}")) for path in lessons())
    body = "\n".join(map(_vector, cards))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Talking Processes: the cards</title>\n'
        f"<style>{STYLE}</style>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _vector(drawn: DrawnCard) -> str:
    """Return a card whose picture is in vector form, which stays sharp on paper."""
    buffer = io.BytesIO()
    drawn.picture.figure.savefig(buffer, format="svg", metadata={"Date": None})
    data = base64.b64encode(buffer.getvalue()).decode()
    return drawn.html(f'<img alt="{escape(repr(drawn.picture))}" src="data:image/svg+xml;base64,{data}">')


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: open it in a browser, and print it")
