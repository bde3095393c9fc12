// @ts-check
// The explorer in the browser: a learner who is the scheduler of a scenario.
// No dependency, and no kernel: only replays and free runs on real processes are asked of Python.

import { Program, keyOf, stepsIn } from "./program.js";
import { enable, h, plural, say, sendByEnter, unique } from "../widgets/elements.js";
import { Kernel, live } from "../widgets/live.js";

const BEAT = 750; // ms between two steps while playing; less where there are many
const SHORTEST_BEAT = 150, LONGEST_PLAY = 9000; // ms
const MANY_STATES = 3000; // to count on which takes longer than a click may
const SLICE = 8; // ms of counting between two looks at what else there is to do
const KEPT_AFTER = 1000; // ms after the last step until the saved page shows it too
const COLUMNS = ["outcome", "according to", "share", "in words"]; // of the table of outcomes
const KEYS = "0123456789abcdefghijklmnopqstvwxyz"; // of the processes, in their order; u and r have another meaning
const NO_KERNEL = "Real processes need a running kernel, and this page has none: "
  + "open the notebook in JupyterLab and run this cell.";
const MERGED = "Schedules that differ only in the order of steps that do not touch the same objects count once.";
const AT_WORK = { replay: "Real processes take these steps …", observe: "Real processes run free …" };

// ----------------------------------------------------------------------------------------------------- words

function isDark(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 140;
}

function percent(share) {
  if (share > 0 && share < 1e-7) return "less than 0.00001\u00a0%";
  return `${Number((100 * share).toPrecision(3))}\u00a0%`;
}

function matter(count) { return `${count.toLocaleString("en")} that matter${count === 1n ? "s" : ""}`; }

function sentence(text) { return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : "."); }

/** Lines of a function without its docstring, each with its number. */
function codeLines({ first_line, lines }) {
  const numbered = lines.map((text, index) => ({ text, line: first_line + index }));
  const opens = numbered.findIndex(({ text }) => /^\s*[rR]?("""|''')/.test(text));
  const isCode = ({ text }) => /^\s*(yield|return|for|while|if)\b/.test(text);
  if (opens < 0 || numbered.slice(0, opens).some(isCode)) return numbered;
  const quote = numbered[opens].text.match(/"""|'''/)[0], after = numbered.slice(opens + 1);
  const isOneLine = numbered[opens].text.split(quote).length > 2;
  const rest = isOneLine ? 0 : after.findIndex(({ text }) => text.includes(quote)) + 1;
  return [...numbered.slice(0, opens), ...after.slice(rest)];
}

// ------------------------------------------------------------------------------------------------------ view

class View {
  /** @param {import("../widgets/live.js").Model} model */
  constructor(model) {
    this.model = model;
    this.graph = model.get("graph");
    this.program = new Program(this.graph);
    /** @type {import("./program.js").AtomicStep[]} from the start */
    this.taken = [];
    /** @type {import("./program.js").AtomicStep[] | null} what Find has found; while it is followed it stays */
    this.plan = null;
    this.reached = new Map(); // goal -> fewest steps in which it was reached
    this.level = 0;
    this.timer = null;
    const goals = this.graph.goals.map(({ task, states }) => ({ task, states: new Set(states) }));
    this.levels = goals.length ? goals : [{ task: this.anyBreak(), states: null }];
    this.kernel = new Kernel(model, (problem) => this.kernelChanged(problem));
    this.root = this.build();
    this.load(model.get("schedule") ?? []);
    this.listen();
  }

  get state() { return this.taken.at(-1)?.to ?? 0; }

  anyBreak() {
    const isWaiting = this.graph.objects.some(({ kind }) => !["integer", "dict"].includes(kind));
    const ways = [
      this.program.variables.length && "lose an update",
      isWaiting && "make the processes wait for ever",
      this.graph.invariant && "break the invariant",
    ].filter(Boolean);
    return ways.join(", or ") || "make a process fail";
  }

  listen() {
    this.handlers = {
      "change:replayed": () => this.showReplay(),
      "change:observed": () => this.showOutcomes(),
      "change:schedule": () => this.follow(this.model.get("schedule")),
    };
    for (const [event, handler] of Object.entries(this.handlers)) this.model.on(event, handler);
  }

  cut() {
    this.stop();
    clearTimeout(this.keeping);
    this.kernel.cut();
  }

  close() {
    this.stop();
    clearTimeout(this.keeping);
    this.kernel.close();
    for (const [event, handler] of Object.entries(this.handlers)) this.model.off(event, handler);
  }

  // ------------------------------------------------------------------------------------------- building

  build() {
    const { names } = this.program;
    this.rows = names.map((_, process) => this.buildRow(process));
    this.sharedList = h("ul", { class: "tp-values" });
    this.verdict = h("p", { class: "tp-verdict" });
    this.notice = h("p", { class: "tp-notice" });
    // the only part that screen readers speak of their own accord, so that two things are never said at once
    this.spoken = h("p", { class: "tp-unseen", role: "status" });
    this.history = h("div", { class: "tp-history", role: "group", tabindex: "0", "aria-label": "Steps so far" });
    this.replayed = h("div", { class: "tp-replay", role: "group", "aria-label": "On real processes" });
    this.outcomes = h("div", { class: "tp-outcomes", role: "group", "aria-label": "All outcomes", hidden: true });
    const title = h("p", { class: "tp-title" }, `${this.graph.name}`,
      h("span", { class: "tp-faint" }, ` you are the scheduler of ${plural(names.length, "process", "es")}`));
    return h("div", {
      class: "tp-widget tp-explorer", tabindex: "0", role: "group",
      "aria-label": `Explorer of ${this.graph.name}. `
        + "Keys: the number of a process lets it take a step, u undoes, r resets.",
      onkeydown: (event) => this.key(event),
    },
    h("div", { class: "tp-header" }, title, this.buildLevels()),
    h("div", { class: "tp-stage" },
      h("div", { class: "tp-rows" }, this.rows.map((row) => row.element)),
      h("div", { class: "tp-shared", role: "group", "aria-label": "Shared state" },
        h("p", { class: "tp-heading" }, "Shared by all"), this.sharedList)),
    this.verdict, this.buildToolbar(), this.buildSchedule(), this.notice, this.spoken, this.history, this.replayed,
    this.outcomes);
  }

  buildLevels() {
    const group = unique("level");
    this.levelStates = this.levels.map(() => h("span", { class: "tp-level-state" }));
    const items = this.levels.map(({ task }, number) => {
      const choose = () => { this.level = number; this.tell(""); };
      const radio = h("input", { type: "radio", name: group, checked: number === 0, onchange: choose });
      const words = [h("span", { class: "tp-task" }, sentence(task)), " ", this.levelStates[number]];
      return h("li", {}, this.levels.length > 1 ? h("label", {}, radio, " ", words) : h("span", {}, words));
    });
    const title = h("span", { class: "tp-levels-title" }, items.length > 1 ? "Your goals" : "Your goal");
    return h("div", { class: "tp-levels" }, title, h("ol", {}, items));
  }

  buildRow(process) {
    const name = this.program.names[process], { colour } = this.graph.processes[process], key = KEYS[process];
    /** @type {Record<string, any>} */
    const row = { process };
    row.status = h("p", { class: "tp-status", id: unique("status") });
    row.button = h("button",
      {
        type: "button", class: "tp-step", onclick: () => this.step(process), "aria-describedby": row.status.id,
        "aria-keyshortcuts": key ?? null,
      },
      h("span", { class: `tp-badge${isDark(colour) ? " tp-on-dark" : ""}`, "aria-hidden": "true" }, String(process)),
      h("span", {}, "Step ", name),
      key !== undefined && key !== String(process) && h("kbd", { "aria-hidden": "true" }, key));
    row.locals = h("p", { class: "tp-locals" });
    row.code = h("ol", { class: "tp-code", "aria-label": `Code of ${name}` });
    row.element = h("div",
      { class: "tp-process", role: "group", "aria-label": name, style: `--tp-colour: ${this.colourOf(process)}` },
      h("div", { class: "tp-head" }, row.button, row.status, row.locals), row.code);
    return row;
  }

  buildToolbar() {
    const button = (text, key, onclick) => h("button", { type: "button", class: "tp-button", onclick }, text,
      key && h("kbd", { "aria-hidden": "true" }, key));
    this.buttons = {
      undo: button("Undo", "u", () => this.undo()),
      reset: button("Reset", "r", () => this.reset()),
      find: button("Find a breaking schedule", null, () => this.find()),
      play: button("Play", null, () => this.play()),
      replay: button("Replay on real processes", null, () => this.replay()),
      outcomes: button("All outcomes", null, () => this.toggleOutcomes()),
    };
    this.buttons.outcomes.setAttribute("aria-expanded", "false");
    this.observing = h("button", { type: "button", class: "tp-button", onclick: () => this.observe() });
    this.merging = h("button",
      { type: "button", class: "tp-button", "aria-pressed": "false", onclick: () => this.toggleMerging() },
      "Merge orders that cannot differ");
    return h("div", { class: "tp-toolbar", role: "group", "aria-label": "Actions" }, Object.values(this.buttons));
  }

  buildSchedule() {
    this.input = h("input", {
      type: "text", id: unique("schedule"), spellcheck: "false", autocomplete: "off", placeholder: "0 1 0 1 …",
      oninput: () => this.complain(""),
    });
    this.complaint = h("span", { class: "tp-complaint", id: unique("complaint"), role: "alert" });
    this.input.setAttribute("aria-describedby", this.complaint.id);
    const paste = (event) => { event.preventDefault(); this.paste(); };
    const unit = this.program.statements.size ? "one number for each atomic step" : "one number for each step";
    return h("form", { class: "tp-schedule", onkeydown: sendByEnter, onsubmit: paste },
      h("label", { for: this.input.id }, "Schedule ", h("span", { class: "tp-faint" }, unit)), this.input,
      h("button", { type: "submit", class: "tp-button" }, "Go there"),
      h("button", { type: "button", class: "tp-button", onclick: () => this.copy() }, "Copy"), this.complaint);
  }

  // -------------------------------------------------------------------------------------------- actions

  key(event) {
    if (event.target.matches("input[type=text]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const process = event.key.length === 1 ? KEYS.indexOf(event.key) : -1;
    if (process >= 0 && process < this.program.names.length) this.step(process);
    else if (event.key === "u") this.undo();
    else if (event.key === "r") this.reset();
    else return;
    event.preventDefault();
  }

  step(process) {
    this.stop();
    const taken = this.program.advance(this.state, process);
    if (!taken.length) {
      this.tell(`${this.program.names[process]} ${this.program.refusal(this.state, process)}.`);
      return;
    }
    this.take(taken);
  }

  take(steps) {
    this.taken = [...this.taken, ...steps];
    if (this.plan && !this.taken.every((step, index) => step.process === this.plan[index]?.process)) this.plan = null;
    this.tell("");
    this.changed();
  }

  undo() {
    this.stop();
    const units = this.program.units(this.taken);
    this.taken = units.slice(0, -1).flat();
    this.tell(units.length ? "" : "There is no step to undo.");
    this.changed();
  }

  reset() {
    this.stop();
    this.taken = [];
    this.plan = null;
    this.tell("");
    this.changed();
  }

  changed() {
    this.show();
    this.model.set("schedule", this.taken.map((step) => step.process));
    this.model.save_changes();
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.kernel.tell("keep"), KEPT_AFTER);
  }

  /** Take the steps of a schedule that Python has set, as far as they go; where not all go, say why. */
  load(schedule) {
    const { taken, problem } = this.program.follow(schedule);
    this.taken = taken;
    if (!problem) {
      this.show();
      return;
    }
    this.changed();
    this.tell(`${problem} ${taken.length ? "The steps before it are taken." : "So no step is taken."}`);
  }

  /** Take over a schedule that Python or another view has set. */
  follow(schedule) {
    if (schedule.join() === this.taken.map((step) => step.process).join()) return;
    this.stop();
    this.plan = null;
    this.tell("");
    this.load(schedule);
  }

  paste() {
    this.stop();
    const { taken, problem } = this.program.follow(stepsIn(this.input.value));
    this.complain(problem);
    if (problem) return;
    this.taken = taken;
    this.plan = null;
    this.tell("");
    this.changed();
  }

  complain(text) {
    say(this.complaint, text);
    this.input.setAttribute("aria-invalid", String(Boolean(text)));
  }

  async copy() {
    const text = this.written();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      this.input.select();
      document.execCommand("copy");
    }
    this.tell(text ? `Copied: ${text}` : "There is nothing to copy yet.");
  }

  /** The schedule as text: the one that was found, or else the steps taken. */
  written() { return (this.plan ?? this.taken).map((step) => step.process).join(" "); }

  find() {
    this.stop();
    const goal = this.levels[this.level];
    const found = goal.states ? this.program.search(goal.states) : this.program.searchBreak();
    if (found.way === null) {
      this.tell(this.proof(found));
      return;
    }
    this.taken = [];
    this.plan = found.way;
    const steps = plural(this.program.units(found.way).length, "step");
    this.tell(`Found: ${steps}, and no schedule gets there in fewer. Press Play to watch, or take the steps yourself.`);
    this.changed();
  }

  /** @param {import("./program.js").Found} found */
  proof({ searched, gaveUp }) {
    if (gaveUp) return `Not found among the first ${searched.toLocaleString("en")} cases: the search was given up.`;
    const folded = [...this.program.statements].some((statement) => !this.program.expanded.has(statement));
    const but = folded ? " But folded statements counted as one step each: expand them, and look again." : "";
    return `No schedule gets there. That is a proof: all ${searched.toLocaleString("en")} cases were looked at.${but}`;
  }

  play() {
    if (this.timer) {
      this.stop();
      return;
    }
    const all = this.plan ?? this.taken;
    if (!all.length) {
      this.tell("There is nothing to play yet: take steps, find a schedule, or paste one.");
      return;
    }
    if (this.taken.length >= all.length) this.taken = [];
    this.plan = all;
    say(this.buttons.play, "Pause");
    this.timer = setInterval(() => this.beat(), Math.max(SHORTEST_BEAT, Math.min(BEAT, LONGEST_PLAY / all.length)));
    this.beat();
  }

  beat() {
    const next = this.plan?.[this.taken.length];
    if (next) {
      const ahead = this.program.advance(this.state, next.process);
      const isPlanned = ahead.every((step, index) => this.plan[this.taken.length + index]?.process === step.process);
      this.take(isPlanned ? ahead : [next]);
    }
    if (!next || this.taken.length >= this.plan.length) this.stop();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    say(this.buttons.play, "Play");
  }

  toggle(statement) {
    const { expanded } = this.program;
    if (!expanded.delete(statement)) expanded.add(statement);
    this.show();
  }

  tell(text) {
    say(this.notice, text);
    this.speak();
  }

  /** Let screen readers say what is new: a notice, or else the verdict. */
  speak() { say(this.spoken, this.notice.textContent || this.verdict.textContent); }

  // ------------------------------------------------------------------------------------------ the kernel

  replay() {
    this.stop();
    if (this.kernel.isThere && !this.kernel.busy && this.plan && this.taken.length < this.plan.length) {
      // what real processes do is what the board shows
      this.taken = this.plan;
      this.changed();
    }
    this.ask("replay", { schedule: this.taken.map((step) => step.process) });
  }

  observe() { this.ask("observe", {}); }

  ask(task, content) {
    this.stop();
    clearTimeout(this.keeping); // at its end the kernel keeps all
    if (this.kernel.isThere) this.kernel.ask(task, content);
    else this.tell(NO_KERNEL);
  }

  kernelChanged(problem) {
    const { busy } = this.kernel;
    this.show();
    this.tell(problem || AT_WORK[busy] || "");
  }

  // -------------------------------------------------------------------------------------------- showing

  show() {
    this.units = this.program.units(this.taken);
    this.lost = this.program.lostUpdates(this.taken);
    this.noteGoals();
    this.rows.forEach((row) => this.showRow(row));
    this.showShared();
    this.showLevels();
    this.showVerdict();
    this.showHistory();
    this.showButtons();
    if (!this.outcomes.hidden) this.showOutcomes();
    if (document.activeElement !== this.input) this.input.value = this.written();
    this.complain("");
    this.showReplay();
    this.speak();
  }

  showButtons() {
    enable(this.buttons.undo, this.taken.length > 0);
    enable(this.buttons.reset, this.taken.length > 0 || this.plan);
    enable(this.buttons.play, this.taken.length > 0 || this.plan);
    enable(this.buttons.replay, this.kernel.isThere && !this.kernel.busy);
    say(this.buttons.replay, this.kernel.busy === "replay" ? "Replaying …" : "Replay on real processes");
  }

  isReached(goal) {
    if (goal.states) return goal.states.has(this.state);
    return this.lost.size > 0 || this.program.isBroken(this.state);
  }

  noteGoals() {
    this.levels.forEach((goal, number) => {
      if (!this.isReached(goal)) return;
      this.reached.set(number, Math.min(this.units.length, this.reached.get(number) ?? Infinity));
    });
  }

  showLevels() {
    this.levels.forEach((_, number) => {
      const steps = this.reached.get(number);
      this.levelStates[number].classList.toggle("tp-reached", steps !== undefined);
      const words = steps === undefined ? "not reached yet" : `✔ reached, in ${plural(steps, "step")}`;
      say(this.levelStates[number], words);
    });
  }

  showRow(row) {
    const { program } = this, { process } = row;
    const location = program.location(this.state, process), refusal = program.refusal(this.state, process);
    const isPlanned = this.plan?.[this.taken.length]?.process === process;
    this.showCode(row, location);
    enable(row.button, !refusal);
    row.element.classList.toggle("tp-planned", isPlanned);
    row.element.classList.toggle("tp-ended", location.ended);
    row.element.classList.toggle("tp-failed", Boolean(location.error));
    row.element.classList.toggle("tp-blocked", Boolean(refusal) && !location.ended);
    const words = refusal ? sentence(refusal) : `Next: line ${location.line}.`;
    say(row.status, `${words}${isPlanned ? " Its turn in the schedule found." : ""}`);
    const variables = Object.entries(location.variables).map(([name, value]) => `${name} = ${value}`);
    say(row.locals, variables.length ? `its own: ${variables.join(", ")}` : "");
  }

  /** Show the function in which a process stands, with a mark where it goes on; if it has ended, the last one. */
  showCode(row, location) {
    const { program } = this;
    row.source = location.source ?? row.source ?? program.location(0, row.process).source;
    const folds = [...program.statements].filter((statement) => statement.startsWith(`${row.source}:`));
    const version = `${row.source} ${folds.map((statement) => program.expanded.has(statement)).join()}`;
    if (row.version !== version && row.source !== undefined) {
      row.version = version;
      const active = /** @type {HTMLElement} */ (document.activeElement);
      const focused = row.code.contains(active) ? active.dataset.statement : null;
      const lines = codeLines(this.graph.sources[row.source]);
      row.code.replaceChildren(...lines.flatMap((line) => this.codeLine(line, row.source)));
      row.code.querySelector(`[data-statement="${focused}"]`)?.focus();
    }
    const wanted = !location.ended
      && (row.code.querySelector(`[data-doing="${CSS.escape(`${location.line} ${location.doing}`)}"]`)
        ?? row.code.querySelector(`[data-line="${location.line}"]`));
    row.code.querySelectorAll(".tp-next").forEach((line) => line !== wanted && this.mark(line, false));
    if (wanted) this.mark(wanted, true);
  }

  mark(line, isNext) {
    line.classList.toggle("tp-next", isNext);
    if (isNext) line.setAttribute("aria-current", "step");
    else line.removeAttribute("aria-current");
    say(line.querySelector(".tp-mark"), isNext ? "▶" : "");
  }

  /** A line of code; where a statement begins that has atomic steps, with a button that expands or folds it. */
  codeLine({ text, line }, source) {
    const { program } = this, statement = `${source}:${line}`;
    const isExpanded = program.expanded.has(statement);
    const fold = program.statements.has(statement) && h("button", {
      type: "button", class: "tp-fold", "data-statement": statement, "aria-expanded": String(isExpanded),
      onclick: () => this.toggle(statement),
    },
    h("span", { "aria-hidden": "true" }, isExpanded ? "▾ " : "▸ "), isExpanded ? "as one step" : "atomic steps",
    h("span", { class: "tp-unseen" }, ` ${isExpanded ? "" : "of "}${text.trim()}`));
    const first = h("li", { "data-line": line, class: /^\s*(async )?def /.test(text) ? "tp-def" : "" },
      h("span", { class: "tp-mark" }), h("span", { class: "tp-number" }, String(line)), h("code", {}, text), fold);
    const indent = text.match(/^\s*/)[0];
    const part = (doing) => h("li", { class: "tp-part", "data-doing": `${line} ${doing}` },
      h("span", { class: "tp-mark" }), h("span", { class: "tp-number" }, "·"), h("code", {}, `${indent}${doing}`));
    return [first, ...this.parts(source, line).map(part)];
  }

  /** What is done at a line, one atomic step after the other, if its statement is expanded. */
  parts(source, line) {
    const { program } = this, found = [];
    this.graph.locations.forEach((location, row) => {
      if (location.source !== source || location.line !== line || !location.doing) return;
      const statement = program.statement(program.begins[row] ?? row);
      if (!program.expanded.has(statement) || !program.statements.has(statement)) return;
      found.push([location.depth, location.doing]);
    });
    return [...new Set(found.sort(([one], [other]) => one - other).map(([, doing]) => doing))];
  }

  showShared() {
    const { values, holders } = this.program.shared(this.state);
    const before = this.units.length ? this.program.shared(this.units.at(-1)[0].from) : null;
    this.sharedList.replaceChildren(...this.graph.objects.map((thing, number) => {
      const text = this.value(thing, values[number], holders[number]);
      const was = before && this.value(thing, before.values[number], before.holders[number]);
      const isChanged = was !== null && was !== text;
      return h("li", {}, h("span", { class: "tp-name" }, thing.name), " ",
        h("span", { class: `tp-value${isChanged ? " tp-changed" : ""}` }, text),
        isChanged && h("span", { class: "tp-faint" }, ` was ${was}`));
    }));
  }

  value({ kind }, value, holders) {
    const owners = holders.map((holder) => this.program.names[holder]).join(" and ");
    if (kind === "lock") return value === "True" ? `held by ${owners || "nobody that is left"}` : "free";
    if (kind === "process") return value === "'new'" ? "not started yet" : value.replace(/^'(.*)'$/, "$1");
    const held = owners && kind !== "integer" && kind !== "dict" ? `, held by ${owners}` : "";
    if (kind === "semaphore") return `${plural(Number(value), "permit")} left${held}`;
    if (kind === "condition") return Number(value) ? `${value} asleep` : "nobody asleep";
    if (kind === "barrier") return `${value} inside`;
    if (kind === "queue") return value === "()" ? "empty" : value.replace(/^\((.*?),?\)$/, "$1");
    return value;
  }

  // ---------------------------------------------------------------------------------------- the verdict

  showVerdict() {
    const { program, state } = this;
    const isBad = this.lost.size > 0 || program.isBroken(state), isOver = program.isEnd(state);
    const words = [...this.lossWords(), ...this.breakWords(), ...this.endWords()];
    if (!words.length) words.push(this.lastWords());
    const reached = this.levels.filter((goal) => goal.states && this.isReached(goal));
    say(this.verdict, [...words, ...reached.map((goal) => `Goal reached: ${sentence(goal.task)}`)].join(" "));
    this.verdict.dataset.tone = isBad ? "bad" : isOver ? "good" : "open";
  }

  /** A shown step by name: number, what it did, who took it. */
  stepWords(unitNumber) {
    const unit = this.units[unitNumber];
    return `step ${unitNumber + 1}, “${this.program.label(unit)}” by ${this.program.names[unit[0].process]}`;
  }

  unitOf(step) { return this.units.findIndex((unit) => unit.includes(step)); }

  lossWords() {
    return [...this.lost].slice(-1).map(([at, overwritten]) => {
      const [loser, victim] = [this.taken[at], this.taken[overwritten]];
      const more = this.lost.size > 1 ? ` That makes ${this.lost.size} steps that overwrote unseen.` : "";
      return `✗ Lost update: ${this.stepWords(this.unitOf(loser))}, overwrote what `
        + `${this.program.names[victim.process]} had written in step ${this.unitOf(victim) + 1}, `
        + `without having seen it.${more}`;
    });
  }

  breakWords() {
    const { program, state } = this, words = [];
    if (program.shared(state).violated) {
      const culprit = this.taken.find((step) => program.shared(step.to).violated);
      const how = culprit && `✗ Invariant broken by ${this.stepWords(this.unitOf(culprit))}.`;
      words.push(how ?? "✗ The invariant does not hold from the start.");
    }
    program.names.forEach((name, process) => {
      const { error } = program.location(state, process);
      if (error) words.push(`✗ ${name} failed: ${error}.`);
    });
    if (program.isDeadlock(state)) {
      words.push(`✗ Deadlock: nobody can ever go on. ${this.waitWords()} ${this.noWayOut()}`);
    }
    return words;
  }

  waitWords() {
    const { program, state } = this;
    const words = program.names.map((name, process) => {
      return program.location(state, process).ended ? "" : `${name} ${program.refusal(state, process)}.`;
    });
    return words.filter(Boolean).join(" ");
  }

  noWayOut() {
    const { hopeful } = this.program;
    const culprit = this.taken.find((step) => hopeful.has(step.from) && !hopeful.has(step.to));
    if (!culprit) return "There never was a way out.";
    return `There was no way out after ${this.stepWords(this.unitOf(culprit))}.`;
  }

  endWords() {
    if (!this.program.hasFinished(this.state)) return [];
    const fine = this.lost.size || this.program.isBroken(this.state) ? "" : "✔ ";
    return [`${fine}All have ended. The outcome is ${this.program.outcome(this.state)}.`];
  }

  lastWords() {
    if (!this.units.length) return "Nobody has taken a step yet. Who goes first?";
    return `${sentence(this.stepWords(this.units.length - 1))}`;
  }

  // ---------------------------------------------------------------------------------------- the history

  showHistory() {
    const { program, units } = this;
    const overwritten = new Set(this.lost.values());
    const cell = (unit, process) => {
      if (unit[0].process !== process) return h("td", {});
      const isLoss = unit.some((step) => this.lost.has(this.taken.indexOf(step)));
      const isGone = unit.some((step) => overwritten.has(this.taken.indexOf(step)));
      return h("td", { class: `tp-did${isLoss ? " tp-loss" : ""}` },
        h("span", {}, isLoss && "✗ ", program.label(unit)),
        isLoss && h("small", {}, "lost update"), isGone && h("small", {}, "overwritten"));
    };
    const rows = program.names.map((name, process) => h("tr", { style: `--tp-colour: ${this.colourOf(process)}` },
      h("th", { scope: "row" }, name), units.map((unit) => cell(unit, process))));
    this.history.hidden = units.length === 0;
    const numbers = ["step", ...units.map((_, number) => String(number + 1))];
    this.history.replaceChildren(h("table", {},
      h("thead", {}, h("tr", {}, numbers.map((number) => h("th", { scope: "col" }, number)))),
      h("tbody", {}, rows, this.historyOfValues())));
    this.history.scrollLeft = this.history.scrollWidth;
  }

  /** Black would not show in a dark theme. */
  colourOf(process) {
    const { colour } = this.graph.processes[process];
    return colour === "#000000" ? "currentColor" : colour;
  }

  historyOfValues() {
    return this.graph.objects.map((thing, number) => {
      const shown = (state) => {
        const { values, holders } = this.program.shared(state);
        return this.value(thing, values[number], holders[number]);
      };
      const values = this.units.map((unit) => shown(unit.at(-1).to));
      let before = shown(0);
      if (values.every((value) => value === before)) return null;
      return h("tr", { class: "tp-of-shared" }, h("th", { scope: "row" }, thing.name), values.map((value) => {
        const isNew = value !== before;
        before = value;
        return h("td", { class: isNew ? "tp-new" : "tp-faint" }, value);
      }));
    }).filter(Boolean);
  }

  // -------------------------------------------------------------------------- replays, and all outcomes

  showReplay() {
    const { number, error, html, schedule } = this.model.get("replayed") ?? {};
    if (number === this.replayNumber) return;
    this.replayNumber = number;
    if (error) this.replayed.replaceChildren(h("p", { class: "tp-complaint", role: "alert" }, error));
    if (!html) return;
    const picture = h("div", {});
    picture.innerHTML = html;
    const title = `Schedule ${schedule.join(" ") || "without a step"}, on real processes`;
    this.replayed.replaceChildren(h("p", { class: "tp-heading" }, title), picture);
  }

  toggleOutcomes() {
    this.outcomes.hidden = !this.outcomes.hidden;
    this.buttons.outcomes.setAttribute("aria-expanded", String(!this.outcomes.hidden));
    if (!this.outcomes.hidden) this.showOutcomes();
  }

  showOutcomes() {
    const seen = this.model.get("observed") ?? {};
    const { busy, isThere } = this.kernel;
    const orders = this.isMerging ? this.mergedOrders() : undefined;
    const version = `${[...this.program.expanded].join()} ${seen.number} ${busy} ${isThere} ${this.mergeWords(orders)}`;
    if (this.outcomes.hidden || version === this.outcomeVersion) return;
    if (this.graph.states.length > MANY_STATES && !this.program.hasCounted) {
      this.outcomes.replaceChildren(h("p", {}, "Counting …"));
      setTimeout(() => { this.program.outcomes(); this.showOutcomes(); });
      return;
    }
    this.outcomeVersion = version;
    const { rows, total, states } = this.program.outcomes();
    this.markLosses();
    const listed = [...rows, ...this.unforeseen(rows, seen)];
    say(this.observing, busy === "observe" ? "Running …" : "Observe on this machine");
    enable(this.observing, isThere && !busy);
    const focused = [this.observing, this.merging].find((button) => button === document.activeElement);
    const count = total === null ? "Schedules without end" : plural(total, "schedule");
    const runs = seen.runs ? `, and ${plural(seen.runs, "run")} on this machine` : "";
    this.outcomes.replaceChildren(
      h("p", { class: "tp-heading" }, `${count}${this.mergeWords(orders)} in ${plural(states, "state")}${runs}`),
      h("div", { class: "tp-choices" }, this.observing, this.merging),
      this.isMerging ? h("p", { class: "tp-faint" }, MERGED) : "",
      seen.error ? h("p", { class: "tp-complaint", role: "alert" }, seen.error) : "",
      h("table", {}, h("thead", {}, h("tr", {}, COLUMNS.map((text) => h("th", { scope: "col" }, text)))),
        listed.map((row) => this.outcomeRows(row, seen, orders))));
    focused?.focus();
  }

  toggleMerging() {
    this.isMerging = !this.isMerging;
    this.merging.setAttribute("aria-pressed", String(this.isMerging));
    this.showOutcomes();
    if (this.isMerging) this.sayMerged();
  }

  /** Schedules with those merged that cannot differ; null where there are too many, undefined while they are counted. */
  mergedOrders() {
    const folds = [...this.program.expanded].join();
    if (this.merge?.folds !== folds) {
      this.merge = { folds, work: this.program.mergeOrders(), orders: undefined };
      this.countOn(this.merge);
    }
    return this.merge.orders;
  }

  /** Count a slice at a time, so that no click has to wait. */
  countOn(merge) {
    setTimeout(() => {
      if (merge !== this.merge || !this.root.isConnected) return;
      for (const until = performance.now() + SLICE; performance.now() < until;) {
        const { done, value } = merge.work.next();
        if (!done) continue;
        merge.orders = value;
        this.showOutcomes();
        if (this.isMerging) this.sayMerged();
        return;
      }
      this.countOn(merge);
    });
  }

  mergeWords(orders) {
    if (!this.isMerging) return "";
    if (orders === undefined) return ", counting those that matter …,";
    if (orders === null) return ", too many to merge,";
    if (orders.total === null) return ", endlessly many that matter,";
    return `, ${matter(orders.total)},`;
  }

  sayMerged() { say(this.spoken, this.outcomes.querySelector(".tp-heading")?.textContent ?? ""); }

  /** Find out, once the answer to the click is on the screen, which outcomes come only of lost updates. */
  markLosses() {
    const folds = [...this.program.expanded].join();
    if (this.cleanFor === folds) return;
    this.cleanFor = folds;
    this.clean = null;
    setTimeout(() => {
      this.clean = this.program.cleanOutcomes();
      this.outcomeVersion = null;
      this.showOutcomes();
    });
  }

  /** Outcomes that were observed although no schedule has them: on a machine a folded statement is not one step. */
  unforeseen(rows, seen) {
    const known = new Set(rows.filter((row) => !row.isDeadlock).map((row) => row.text));
    const texts = Object.keys(seen.outcomes ?? {}).filter((text) => !known.has(text));
    return texts.map((text) => ({ text, isDeadlock: false, isFailure: false, count: 0n, exact: 0, coin: 0 }));
  }

  /** A bar for a share; for an observed one with its interval. */
  bar(kind, share, low, high) {
    const interval = low !== undefined
      && h("div", { class: "tp-interval", style: `left: ${100 * low}%; width: ${100 * (high - low)}%` });
    return h("td", { class: "tp-bar" }, share !== null && h("div", { class: "tp-track" },
      h("div", { class: `tp-fill ${kind}`, style: `width: ${100 * share}%` }), interval));
  }

  outcomeRows(row, seen, orders) {
    const isLoss = !row.isDeadlock && this.clean && row.count !== 0n && !this.clean.has(row.text);
    const bad = row.isFailure || isLoss ? " tp-bad" : "";
    const exactly = row.count === null ? "without end"
      : `${row.exact === null ? "" : `${percent(row.exact)}, `}${plural(row.count, "schedule")}`;
    const left = orders?.of.get(keyOf(row));
    const counted = typeof left === "bigint" ? `${exactly}, ${matter(left)}` : exactly;
    const tossed = row.coin === null ? "not settled after 10,000 rounds" : percent(row.coin);
    const lines = [
      ["exact", "every schedule alike", this.bar(`tp-exact${bad}`, row.exact), counted],
      ["coin", "a fair coin at each step", this.bar(`tp-coin${bad}`, row.coin), tossed],
    ];
    if (seen.runs) {
      const [count, share, low, high] = row.isDeadlock ? seen.deadlock : seen.outcomes[row.text] ?? seen.never;
      const words = `${percent(share)}, ${plural(count, "run")}; between ${percent(low)} and ${percent(high)}`;
      lines.push(["seen", "observed here", this.bar(`tp-seen${bad}`, share, low, high), words]);
    }
    const remark = isLoss ? "updates lost" : row.isFailure && !row.isDeadlock ? "failure" : "";
    return h("tbody", {}, lines.map(([, model, cell, words], number) => h("tr", {},
      number === 0 && h("th", { scope: "rowgroup", rowspan: lines.length }, row.text,
        remark && h("small", {}, `✗ ${remark}`)),
      h("td", {}, model), cell, h("td", { class: "tp-words" }, words))));
  }
}

// -------------------------------------------------------------------------------------------------- on a page

/**
 * Show an explorer on a page without a kernel.
 * @param {{ graph: import("./program.js").Graph, schedule: number[], replayed: object, observed: object }} values
 * @param {Element} place
 */
export function still(values, place) {
  const model = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; },
    save_changes() {},
    on() {},
    off() {},
  };
  place.replaceChildren(new View(model).root);
}

export default live(View);
