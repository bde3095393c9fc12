// @ts-check
// Questions that come back, one at a time. The page knows no right answer: the kernel judges.

import { enable, h, prose, say, sendByEnter, typedNumber, unique } from "./elements.js";
import { live, LiveView } from "./live.js";

class Review extends LiveView {
  static watched = ["asked", "told"];

  build() {
    this.why = h("p");
    this.fields = h("fieldset");
    this.button = h("button", { type: "submit" });
    this.said = h("p", { role: "status" });
    this.hint = h("span");
    const form = h("form", { onkeydown: sendByEnter, onsubmit: (event) => this.commit(event) },
      this.fields, h("div", { class: "tp-commit" }, this.button, this.hint), this.said);
    this.form = form;
    return h("div", { class: "tp-widget tp-question", role: "group", "aria-label": "Review" }, this.why, form);
  }

  /** @param {SubmitEvent} event */
  commit(event) {
    event.preventDefault();
    if (!this.kernel.isThere || this.kernel.busy) return;
    this.goesOn = true;
    if (this.model.get("told")) {
      this.kernel.ask("next", {});
      return;
    }
    const answer = this.number
      ? typedNumber(this.number, this.model.get("largest"))
      : this.inputs.find((input) => input.checked)?.value;
    if (answer === undefined) say(this.hint, this.number ? "Type a number first, such as 2.5." : "Choose an answer first.");
    else this.kernel.ask("answer", { answer });
  }

  /** Lay out another question. */
  pose({ why, question, answers, unit }) {
    const group = unique("review");
    this.why.replaceChildren(...[prose(why)].flat());
    this.inputs = answers.map((answer) => h("input", { type: "radio", name: group, value: answer }));
    this.number = unit ? h("input", { type: "text", inputmode: "decimal", autocomplete: "off" }) : null;
    const choices = answers.map((answer, number) => (
      h("label", {}, this.inputs[number], " ", h("span", { class: "tp-answer" }, prose(answer)))));
    if (this.number) choices.push(h("label", {}, `A number, in ${unit}: `, this.number));
    this.fields.replaceChildren(h("legend", {}, h("b", {}, prose(question))), ...choices);
    this.form.hidden = !question;
  }

  show() {
    const asked = this.model.get("asked"), told = this.model.get("told"), { busy, isThere } = this.kernel;
    const isNew = asked.number !== this.posed;
    if (isNew) this.pose(asked);
    this.fields.disabled = Boolean(told) || !isThere;
    say(this.button, told ? "Next" : "That is my answer");
    enable(this.button, isThere && !busy);
    say(this.hint, this.problem || (isThere ? "" : "Run this cell to answer."));
    this.said.innerHTML = told;
    // by keyboard one goes on at the button after an answer, and at the next question after the button
    if (this.goesOn && (told || isNew)) {
      (told ? this.button : this.inputs[0] ?? this.number)?.focus();
      this.goesOn = false;
    }
    this.posed = asked.number;
  }
}

export default live(Review);
