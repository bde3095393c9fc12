"""The explorer on a page without a kernel: the graph and the script travel inside; without scripts, all is in words."""

import base64
import json
import zlib
from html import escape
from pathlib import Path
from typing import Any

from helpers.scheduling.model.export import MAX_STATES
from helpers.show.listing import FIXED_WIDTH
from helpers.show.widgets.live import BASE, module

_FOLDER = Path(__file__).parent
# brings every explorer on the page to life that still is words
_AWAKEN = """
(async () => {
  for (const place of document.querySelectorAll("[data-talking-processes-explorer]")) {
    const packed = place.dataset.talkingProcessesExplorer;
    delete place.dataset.talkingProcessesExplorer;
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const { script, style, values } = JSON.parse(await new Response(stream).text());
    if (!document.getElementById("talking-processes-explorer")) {
      const sheet = document.createElement("style");
      sheet.id = "talking-processes-explorer";
      sheet.textContent = style;
      document.head.append(sheet);
    }
    const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
    const { still } = await import(address);
    // unless a live view has replaced it meanwhile
    if (place.parentElement) still(values, place);
  }
})();
"""


PROGRAM = (_FOLDER / "program.js").read_text("utf-8")
SCRIPT = module(_FOLDER / "view.js")
STYLE = BASE + (_FOLDER / "style.css").read_text("utf-8")


def title(graph: dict[str, Any]) -> str:
    """Return what an explorer is, in one sentence."""
    names = ", ".join(process["name"] for process in graph["processes"])
    return f"Explorer of {graph['name']}: be the scheduler of {names}."


def page(values: dict[str, Any]) -> str:
    """Return an explorer as HTML, with its graph, schedule, last replay and free runs as they are.

    Of a graph of more than 5,000 states only what it is, in words.
    """
    graph = values["graph"]
    words = _in_words(graph)
    if len(graph["states"]) > MAX_STATES:
        return f"{words}<p>Its {len(graph['states']):,} states are too many to be saved with the page.</p>"
    content = json.dumps({"script": SCRIPT, "style": STYLE, "values": values}, separators=(",", ":"))
    packed = base64.b64encode(zlib.compress(content.encode(), 9)).decode()
    return f'<div data-talking-processes-explorer="{packed}">{words}</div><script>{_AWAKEN}</script>'


def _in_words(graph: dict[str, Any]) -> str:
    """Say in HTML what can be read without a script: the task, the code, the start, all outcomes."""
    tasks = "".join(f"<li>{escape(goal['task'])}</li>" for goal in graph["goals"])
    sources = "".join(
        f"<pre style='{FIXED_WIDTH}'>{escape(chr(10).join(source['lines']))}</pre>" for source in graph["sources"]
    )
    values = graph["shared"][graph["states"][0][0]]["values"]
    shared = ", ".join(f"{thing['name']} = {value}" for thing, value in zip(graph["objects"], values, strict=True))
    return (
        f"<p><b>{escape(title(graph))}</b> Run this notebook to take their steps yourself.</p>"
        + (f"<p>The task:</p><ul>{tasks}</ul>" if tasks else "")
        + f"{sources}<p>At the start: {escape(shared)}.</p>{_outcome_table(graph)}"
        + _orders(graph["orders"])
    )


def _orders(orders: dict[str, str | None]) -> str:
    """Say in HTML how many schedules matter, where they were counted and there is an end of them."""
    if orders["distinct"] in (None, "inf"):
        return ""
    schedules, distinct = (int(orders[name] or 0) for name in ("schedules", "distinct"))
    return (
        f"<p>{schedules:,} schedule{'' if schedules == 1 else 's'}, {distinct:,} that matter"
        f"{'s' if distinct == 1 else ''}: "
        "those that differ only in the order of steps that do not touch the same objects count once.</p>"
    )


def _outcome_table(graph: dict[str, Any]) -> str:
    ends = graph["outcomes"] + ([{"text": "deadlock", **graph["deadlock"]}] if None in graph["ends"].values() else [])
    head = "<tr><th>outcome</th><th>exact count</th><th>with a fair coin</th></tr>"
    rows = (
        f"<td>{escape(end['text'])}</td><td>{end['schedules'].replace('inf', 'endlessly many')} schedules</td>"
        f"<td>{end['coin']:.1%}</td>"
        for end in ends
    )
    return f"<table>{head}{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
