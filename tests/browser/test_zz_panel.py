from tests.browser.conftest import *
def test_panel_twice(open_lesson):
    page=open_lesson("01_pipe")
    page.wait_for_timeout(4000)
    button = page.get_by_role("button", name="Run", exact=True).last
    button.scroll_into_view_if_needed()
    v=page.locator("p[role=status]").last
    for _ in range(4):
        button.click(); page.wait_for_timeout(5000); print("PANEL", v.inner_text()[:200])
