// @ts-check
// What has been done so far: a table, and a button to start over, which asks once more.

import { enable, h, say } from "../../show/widgets/elements.js";
import { Kernel, live } from "../../show/widgets/live.js";

class Overview {
  /** @param {import("../../show/widgets/live.js").Model} model */
  constructor(model) {
    this.model = model;
    this.isSure = false;
    this.kernel = new Kernel(model, () => this.show());
    this.table = h("div", { class: "tp-table" });
    this.button = h("button", { type: "button", onclick: () => this.press() });
    this.button.hidden = !model.get("may_start_over");
    this.root = h("div", { class: "tp-widget tp-overview", role: "group", "aria-label": "Progress" },
      this.table, this.button);
    this.show = this.show.bind(this);
    model.on("change:html", this.show);
    this.show();
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

  cut() { this.kernel.cut(); }

  close() {
    this.model.off("change:html", this.show);
    this.kernel.close();
  }
}

export default live(Overview);
