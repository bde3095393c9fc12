// @ts-check
// The desk of an exercise: four buttons, the verdict in words, and below it the story and the lanes.

import { enable, h, say } from "../../show/widgets/elements.js";
import { live, LiveView } from "../../show/widgets/live.js";

const TASKS = { check: "Check", hint: "Hint", solution: "Solution", reset: "Start over" };
const NO_KERNEL = "Run this cell to use its buttons.";

class Desk extends LiveView {
  static watched = ["shown", "stage"];

  build() {
    this.buttons = Object.entries(TASKS).map(([task, label]) => (
      h("button", { type: "button", onclick: () => this.kernel.ask(task, {}) }, label)));
    this.at = h("span", { class: "tp-stage" });
    this.words = h("span");
    this.trouble = h("span");
    const said = h("p", { class: "tp-said", role: "status", "aria-atomic": "true" }, this.words, " ", this.trouble);
    this.below = h("div", { class: "tp-below", tabindex: "0", role: "group", "aria-label": "Story and lanes" });
    const title = this.model.get("title");
    return h("div", { class: "tp-widget tp-desk", role: "group", "aria-label": title },
      h("p", {}, h("b", {}, title)), h("div", { class: "tp-tasks" }, this.buttons, this.at), said, this.below);
  }

  show() {
    const { number, words, html } = this.model.get("shown"), { busy, isThere } = this.kernel;
    this.buttons.forEach((button) => enable(button, isThere && !busy));
    this.root.setAttribute("aria-busy", String(busy === "check"));
    say(this.at, busy === "check" ? `Checking … ${this.model.get("stage")}` : "");
    say(this.trouble, this.problem || (isThere ? "" : NO_KERNEL));
    if (number !== this.number) {
      this.words.innerHTML = words;
      this.below.innerHTML = html;
    }
    this.below.hidden = !html;
    this.number = number;
  }
}

export default live(Desk);
