// @ts-check
// A question that is answered before the cell that settles it. The page knows no right answer.

import { enable, h, prose, say, sendByEnter, typedNumber, unique } from "./elements.js";
import { live, LiveView } from "./live.js";

class Question extends LiveView {
  static watched = ["answered", "reopened", "settled", "compared"];

  build() {
    this.answers = this.model.get("answers");
    const group = unique("answers");
    this.inputs = this.answers.map((answer) => h("input", { type: "radio", name: group, value: answer }));
    this.number = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false" });
    const choices = this.answers.map((answer, number) => (
      h("label", {}, this.inputs[number], " ", h("span", { class: "tp-answer" }, prose(answer)))));
    const number = h("label", {}, `A number, in ${this.model.get("unit")}: `, this.number);
    this.fields = h("fieldset", {},
      h("legend", {}, h("b", {}, "Predict."), " ", prose(this.model.get("question"))),
      this.answers.length ? choices : number);
    this.button = h("button", { type: "submit" }, "That is my answer");
    this.said = h("p", { role: "status" });
    const form = h("form", { onkeydown: sendByEnter, onsubmit: (event) => this.commit(event) },
      this.fields, h("div", { class: "tp-commit" }, this.button, this.said));
    // a group, and no form with a name: those are landmarks, of which a page may not have many alike
    return h("div", { class: "tp-widget tp-question", role: "group", "aria-label": "Prediction" }, form);
  }

  /** @param {SubmitEvent} event */
  commit(event) {
    event.preventDefault();
    if (this.isLocked) return;
    const answer = this.answers.length
      ? this.inputs.find((input) => input.checked)?.value
      : typedNumber(this.number, this.model.get("largest"));
    if (answer === undefined) {
      say(this.said, this.answers.length ? "Choose an answer first." : "Type a number first, such as 2.5.");
      return;
    }
    const hadFocus = this.fields.contains(document.activeElement);
    this.model.set("answered", answer);
    this.model.set("reopened", false);
    this.model.save_changes();
    this.kernel.tell("keep");
    this.show();
    if (hadFocus) this.button.focus();
  }

  get isLocked() {
    return (this.model.get("answered") !== null && !this.model.get("reopened")) || !this.kernel.isThere;
  }

  show() {
    const answered = this.model.get("answered");
    this.inputs.forEach((input) => { if (answered !== null) input.checked = input.value === answered; });
    if (answered !== null) this.number.value = answered;
    this.fields.disabled = this.isLocked;
    enable(this.button, !this.isLocked);
    say(this.said, this.words(answered));
  }

  words(answered) {
    if (answered === null) return this.kernel.isThere ? "" : "Run this cell to answer.";
    const unit = this.model.get("unit"), answer = `Your answer: ${answered}${unit && ` ${unit}`}.`;
    const said = this.isLocked ? answer : `${answer} You may change it.`;
    if (this.model.get("compared")) return said;
    if (!this.model.get("has_cells")) return `${said} What happened stands below.`;
    const next = this.model.get("settled") ? "To compare it, run the next cell again." : "Now run the next cell.";
    return `${said} ${next}`;
  }
}

export default live(Question);
