"""A lesson as slides and on paper, in a browser that has no network."""

from tools.handout import handout, print_to_pdf
from tools.lessons import lessons
from tools.slides import slides

LESSON = lessons(["12_shared_memory"])[0]


def test_slides_go_on_by_key_and_show_all_of_each_slide(offline, tmp_path):
    page = offline(slides(LESSON), tmp_path)
    assert page.evaluate("Reveal.getTotalSlides()") > 30 and page.errors == []
    page.keyboard.press("Space")
    assert page.evaluate("Reveal.getProgress()") > 0
    # each slide is shown with all its parts; what is too high has become smaller, or can be scrolled
    fits = page.evaluate("""() => Reveal.getSlides().map((slide) => {
        const { h, v } = Reveal.getIndices(slide);
        Reveal.slide(h, v, 99);
        const scrolls = getComputedStyle(slide).overflowY === "auto";
        return Number(slide.style.zoom || 1) >= 0.5 && (scrolls || slide.scrollHeight <= slide.clientHeight);
    })""")
    assert fits and all(fits)


def test_a_handout_is_printed(executable, tmp_path):
    page = tmp_path / "handout.html"
    page.write_text(handout(LESSON), encoding="utf-8")
    assert print_to_pdf(page).read_bytes().startswith(b"%PDF")
