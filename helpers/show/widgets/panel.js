// @ts-check
// The panel of a lesson: knobs, a button that runs an experiment with them, a verdict and a picture.

import { enable, h, say, unique } from "./elements.js";
import { live, LiveView } from "./live.js";

const NO_KERNEL = "Run this cell to use its knobs.";

class Panel extends LiveView {
  static watched = ["shown", "values"];

  build() {
    this.knobs = this.model.get("knobs").map((knob) => this.knob(knob));
    this.button = h("button", { type: "submit" }, "Run");
    this.count = h("span", { class: "tp-count" });
    this.verdict = h("span", { class: "tp-verdict" });
    this.picture = h("div", { class: "tp-shown" });
    const form = h("form", { onsubmit: (event) => this.run(event) },
      h("div", { class: "tp-knobs" }, this.knobs.map(({ element }) => element)),
      h("div", { class: "tp-run" }, this.button,
        h("p", { class: "tp-result", role: "status", "aria-atomic": "true" }, this.count, this.verdict)));
    // a group, and no form with a name: those are landmarks, of which a page may not have many alike
    return h("div", { class: "tp-widget tp-panel", role: "group", "aria-label": "Experiment" }, form, this.picture);
  }

  /** A knob as an element, with functions that read its value and set it. */
  knob(knob) {
    const id = unique("knob"), { name, label } = knob;
    if (knob.kind === "flag") {
      const input = h("input", { type: "checkbox", id });
      const element = h("div", { class: "tp-knob" }, h("label", { for: id }, label, input));
      return { name, element, input, read: () => input.checked, set: (value) => { input.checked = value; } };
    }
    if (knob.kind === "choice") {
      const input = h("select", { id }, knob.options.map((text, number) => h("option", { value: number }, text)));
      const element = h("div", { class: "tp-knob" }, h("label", { for: id }, label), input);
      return { name, element, input, read: () => Number(input.value), set: (value) => { input.value = value; } };
    }
    // a slider says its value itself
    const setting = h("span", { class: "tp-setting", "aria-hidden": "true" });
    const tell = () => say(setting, String(Number(Number(input.value).toPrecision(6))));
    const input = h("input", { type: "range", id, min: knob.low, max: knob.high, step: knob.step, oninput: tell });
    const element = h("div", { class: "tp-knob" }, h("label", { for: id }, label, " ", setting), input);
    const set = (value) => {
      input.value = value;
      tell();
    };
    return { name, element, input, read: () => Number(input.value), set };
  }

  /** @param {SubmitEvent} event */
  run(event) {
    event.preventDefault();
    const values = Object.fromEntries(this.knobs.map(({ name, read }) => [name, read()]));
    this.kernel.ask("run", { values });
  }

  show() {
    const { number, verdict, html } = this.model.get("shown"), { busy, isThere } = this.kernel;
    const values = this.model.get("values");
    // only at first: the learner may turn them for the next run while one is going
    if (this.number === undefined) this.knobs.forEach(({ name, set }) => set(values[name]));
    this.knobs.forEach(({ input }) => { input.disabled = !isThere; });
    enable(this.button, isThere && !busy);
    say(this.button, busy ? "Running …" : "Run");
    this.root.setAttribute("aria-busy", String(Boolean(busy)));
    // the same result once more is a new result all the same
    say(this.count, isThere ? `Run ${number}` : "");
    this.count.hidden = !isThere;
    say(this.verdict, this.problem || (isThere ? verdict : `${verdict} ${NO_KERNEL}`));
    if (number !== this.number) this.picture.innerHTML = html;
    this.number = number;
  }
}

export default live(Panel);
