// @ts-check
// What has been done so far: a table, and a button to start over, which asks once more.

import { enable, h, say } from "../../show/widgets/elements.js";
import { live, LiveView } from "../../show/widgets/live.js";

class Overview extends LiveView {
  static watched = ["html"];

  build() {
    this.isSure = false;
    this.table = h("div", { class: "tp-table" });
    this.button = h("button", { type: "button", onclick: () => this.press() });
    this.button.hidden = !this.model.get("may_start_over");
    return h("div", { class: "tp-widget tp-overview", role: "group", "aria-label": "Progress" },
      this.table, this.button);
  }

  press() {
    if (this.isSure) this.kernel.ask("start over", {});
    this.isSure = !this.isSure;
    this.show();
  }

  show() {
    const html = this.model.get("html");
    if (html !== this.html) this.table.innerHTML = html;
    this.html = html;
    say(this.button, this.isSure ? "Start over: really?" : "Start over");
    enable(this.button, this.kernel.isThere && !this.kernel.busy);
  }
}

export default live(Overview);
