// The explorer in the browser: a state graph (see explorer_data in explorer.py), and a learner who is its scheduler.
// No dependency, and no kernel: only replays and free runs on real processes are asked of Python.

const LOSS = "#D55E00";
const MOST_SEARCHED = 60_000; // states, each with what has been read and overwritten
const LONGEST_STATEMENT = 300; // atomic steps
const BEAT = 750; // ms between two steps while playing; less where there are many
const SHORTEST_BEAT = 150, LONGEST_PLAY = 9000; // ms
const MANY_STATES = 3000; // to count on which takes longer than a click may
const PATIENCE = 3000; // ms until an answer of the kernel is missed

// ---------------------------------------------------------------------------------------------- the scenario

/** A scenario: what each process can do in each state, with some statements folded into one step. */
class Program {
  constructor(graph) {
    this.graph = graph;
    this.names = graph.processes.map((process) => process.name);
    this.expanded = new Set(); // statements that are taken in atomic steps
    this.begins = []; // for each place the place in which its statement begins
    this.statements = new Set(); // that have several atomic steps
    for (const [, places, nexts] of graph.states) {
      nexts.forEach((next, process) => next !== null && this.#follow(places[process], this.row(next, process)));
    }
    this.#lookAtVariables();
  }

  #follow(from, to) {
    const begin = this.begins[from] ??= from;
    this.begins[to] ??= this.graph.places[to].depth ? begin : to;
    if (this.graph.places[to].depth) this.statements.add(this.statement(begin));
  }

  #lookAtVariables() {
    // an update can be lost only where something is both read and written
    const read = new Set(), written = new Set();
    for (const { touches } of this.graph.steps) {
      for (const [variable, reads, writes] of touches) {
        if (reads) read.add(variable);
        if (writes) written.add(variable);
      }
    }
    this.variables = [...read].filter((variable) => written.has(variable));
  }

  row(state, process) { return this.graph.states[state][1][process]; }
  place(state, process) { return this.graph.places[this.row(state, process)]; }
  next(state, process) { return this.graph.states[state][2][process]; }
  step(state, process) { return this.graph.steps[this.graph.states[state][3][process]]; }
  shared(state) { return this.graph.shared[this.graph.states[state][0]]; }
  isEnd(state) { return this.graph.states[state][2].every((next) => next === null); }
  hasFinished(state) { return this.names.every((_, process) => this.place(state, process).ended); }
  isDeadlock(state) { return this.isEnd(state) && !this.hasFinished(state); }
  outcome(state) { return this.graph.outcomes[this.graph.ends[state]]?.text; }
  errors(state) { return this.names.map((_, process) => this.place(state, process).error).filter(Boolean); }
  isBroken(state) { return this.isDeadlock(state) || this.shared(state).violated || this.errors(state).length > 0; }

  /** The statement that begins in a place, as a key. */
  statement(place) { const { source, line } = this.graph.places[place]; return `${source}:${line}`; }

  /** Whether a process that stands here is in the middle of a statement that is taken in one step. */
  isInside(state, process) {
    const row = this.row(state, process);
    return this.graph.places[row].depth > 0 && !this.expanded.has(this.statement(this.begins[row]));
  }

  /** The atomic steps that one click makes a process take: none where it is blocked. */
  advance(state, process) {
    const taken = [];
    for (let at = state; taken.length < LONGEST_STATEMENT;) {
      const to = this.next(at, process);
      if (to === null) break;
      taken.push({ process, from: at, to });
      at = to;
      if (!this.isInside(at, process)) break;
    }
    // a statement that changes nothing at all is a loop that waits for another process
    return taken.at(-1)?.to === state ? [] : taken;
  }

  /** Why a process cannot take a step; "" where it can. */
  refusal(state, process) {
    const place = this.place(state, process);
    if (this.advance(state, process).length) return "";
    if (place.ended) return place.error ? `failed: ${place.error}` : "has ended";
    if (place.object === null) return "goes round in a loop and waits for another process";
    const holders = this.shared(state).holders[place.object].filter((holder) => holder !== process);
    const held = holders.length ? `, held by ${holders.map((holder) => this.names[holder]).join(" and ")}` : "";
    return `waits for ${place.waits_for}${held}`;
  }

  /** Atomic steps as they are shown: those of a folded statement together. */
  units(taken) {
    const units = [];
    for (const step of taken) {
      const last = units.at(-1);
      if (last && last[0].process === step.process && this.isInside(step.from, step.process)) last.push(step);
      else units.push([step]);
    }
    return units;
  }

  /** What a shown step did, in words. */
  label(unit) {
    const { process, from, to } = unit.at(-1);
    const step = this.step(from, process);
    const isPart = this.place(unit[0].from, process).depth > 0 || this.place(to, process).depth > 0;
    return (isPart && step.saw.join(", ")) || step.label;
  }

  /** Lost updates among atomic steps: index of the step that overwrote -> index of the step that was overwritten. */
  lostUpdates(taken) {
    const lost = new Map(), readAt = new Map(), writtenAt = new Map();
    taken.forEach(({ process, from }, index) => {
      for (const [variable, reads, writes] of this.step(from, process).touches) {
        const mine = `${process} ${variable}`;
        if (reads) readAt.set(mine, index);
        if (!writes) continue;
        const last = writtenAt.get(variable) ?? -1;
        const seen = readAt.get(mine) ?? index;
        if (last >= 0 && taken[last].process !== process && seen < last) lost.set(index, last);
        writtenAt.set(variable, index);
      }
    });
    return lost;
  }

  // ------------------------------------------------------------------------------------------- searching

  /** The shortest way, in atomic steps, to a state of the set; null if there is none. */
  search(states) {
    return this.#search((state) => states.has(state), false);
  }

  /** The shortest way to a lost update, a deadlock, a failure or a violation. */
  searchBreak() { return this.#search((state) => this.isBroken(state), true); }

  /** Search by breadth over states, and with `losing` also over what has been read and overwritten since. */
  #search(isWanted, losing) {
    const nodes = [{ state: 0, memory: 0n, parent: -1, taken: [] }];
    const known = new Set(["0 0"]);
    if (isWanted(0)) return { way: [], searched: 1 };
    for (let number = 0; number < nodes.length; number++) {
      for (let process = 0; process < this.names.length; process++) {
        const taken = this.advance(nodes[number].state, process);
        if (!taken.length) continue;
        const state = taken.at(-1).to;
        const after = losing ? this.#remember(nodes[number].memory, taken) : { memory: 0n, lost: false };
        const key = `${state} ${after.memory}`;
        if (known.has(key) && !after.lost) continue;
        known.add(key);
        nodes.push({ state, memory: after.memory, parent: number, taken });
        if (after.lost || isWanted(state)) return { way: wayTo(nodes), searched: nodes.length };
      }
      if (nodes.length > MOST_SEARCHED) return { way: null, searched: nodes.length, gaveUp: true };
    }
    return { way: null, searched: nodes.length };
  }

  /** Two bits for each process and variable: whether it has read it, and whether that has been overwritten since. */
  #remember(memory, taken) {
    let lost = false;
    for (const { process, from } of taken) {
      for (const [variable, reads, writes] of this.step(from, process).touches) {
        const at = this.variables.indexOf(variable);
        if (at < 0) continue;
        const bit = (other) => 1n << BigInt(2 * (other * this.variables.length + at));
        const stale = (other) => bit(other) << 1n;
        if (reads) memory = (memory | bit(process)) & ~stale(process);
        if (!writes) continue;
        lost ||= (memory & stale(process)) !== 0n;
        memory &= ~stale(process);
        this.names.forEach((_, other) => { if (other !== process && memory & bit(other)) memory |= stale(other); });
      }
    }
    return { memory, lost };
  }

  get hasCounted() { return this.#kept.has(this.#key("outcomes")); }

  #key(name) { return `${name} ${[...this.expanded].sort().join()}`; }

  /** Keep what is computed for the statements as they are folded now. */
  once(name, compute) {
    const key = this.#key(name);
    if (!this.#kept.has(key)) this.#kept.set(key, compute());
    return this.#kept.get(key);
  }
  #kept = new Map();

  /** The outcomes that can be reached without losing an update; null where that takes too long to find out. */
  cleanOutcomes() { return this.once("clean", () => this.#findClean()); }

  #findClean() {
    const found = new Set(), known = new Set(["0 0"]), nodes = [[0, 0n]];
    for (const [state, memory] of nodes) {
      if (this.hasFinished(state)) found.add(this.outcome(state));
      if (nodes.length > MOST_SEARCHED) return null;
      this.names.forEach((_, process) => {
        const taken = this.advance(state, process);
        if (!taken.length) return;
        const after = this.#remember(memory, taken), key = `${taken.at(-1).to} ${after.memory}`;
        if (after.lost || known.has(key)) return;
        known.add(key);
        nodes.push([taken.at(-1).to, after.memory]);
      });
    }
    return found;
  }

  // -------------------------------------------------------------------------------------------- counting

  /** The states in which one stands between clicks, and where each click leads. */
  stops() {
    const edges = new Map([[0, null]]);
    for (const state of edges.keys()) {
      const ways = this.names.map((_, process) => this.advance(state, process)).filter((taken) => taken.length);
      const targets = ways.map((taken) => taken.at(-1).to);
      edges.set(state, targets);
      for (const target of targets) if (!edges.has(target)) edges.set(target, null);
    }
    return edges;
  }

  /** Every end with its exact number of schedules (null: without end) and its probability with a fair coin. */
  outcomes() { return this.once("outcomes", () => this.#count()); }

  #count() {
    const edges = this.stops(), order = inOrder(edges), isEndless = order.length < edges.size;
    const paths = new Map([[0, 1n]]), chances = isEndless ? limits(edges) : new Map([[0, 1]]);
    for (const state of isEndless ? [] : order) {
      const targets = edges.get(state);
      for (const target of targets) {
        paths.set(target, (paths.get(target) ?? 0n) + paths.get(state));
        chances.set(target, (chances.get(target) ?? 0) + chances.get(state) / targets.length);
      }
    }
    const rows = new Map();
    for (const [state, targets] of edges) {
      if (targets.length) continue;
      const isDeadlock = !this.hasFinished(state), text = isDeadlock ? "deadlock" : this.outcome(state);
      const key = `${isDeadlock} ${text}`;
      const row = rows.get(key) ?? { text, isDeadlock, isFailure: isDeadlock || this.errors(state).length > 0, count: 0n, coin: 0 };
      row.count = isEndless ? null : row.count + paths.get(state);
      row.coin += chances.get(state) ?? 0;
      rows.set(key, row);
    }
    const found = [...rows.values()], total = isEndless ? null : found.reduce((sum, row) => sum + row.count, 0n);
    for (const row of found) row.exact = isEndless ? null : Number(row.count * 10n ** 18n / total) / 1e18;
    return { rows: found.sort(byText), total, states: edges.size };
  }

  /** The states from which all can still end well. */
  get hopeful() { return this.#hopeful ??= this.#lookForHope(); }
  #hopeful = null;

  #lookForHope() {
    const origins = this.graph.states.map(() => []);
    this.graph.states.forEach(([, , nexts], state) => nexts.forEach((next) => next !== null && origins[next].push(state)));
    const good = this.graph.states.map((_, state) => state);
    const found = new Set(good.filter((state) => this.isEnd(state) && !this.isBroken(state)));
    for (const state of found) for (const origin of origins[state]) found.add(origin);
    return found;
  }
}

function wayTo(nodes) {
  const parts = [];
  for (let node = nodes.at(-1); node.parent >= 0; node = nodes[node.parent]) parts.unshift(...node.taken);
  return parts;
}

/** States so that each comes after all that lead to it; fewer than there are if they go round in a loop. */
function inOrder(edges) {
  const missing = new Map();
  for (const targets of edges.values()) for (const target of targets) missing.set(target, (missing.get(target) ?? 0) + 1);
  const ready = missing.has(0) ? [] : [0];
  for (const state of ready) {
    for (const target of edges.get(state)) {
      missing.set(target, missing.get(target) - 1);
      if (missing.get(target) === 0) ready.push(target);
    }
  }
  return ready;
}

/** Where a coin-tossing scheduler ends up, in a graph with loops: followed until hardly any chance is on its way. */
function limits(edges) {
  const arrived = new Map();
  let moving = new Map([[0, 1]]);
  for (let round = 0, left = 1; round < 2000 && left > 1e-9; round++) {
    const following = new Map();
    left = 0;
    for (const [state, chance] of moving) {
      const targets = edges.get(state);
      if (!targets.length) arrived.set(state, (arrived.get(state) ?? 0) + chance);
      else left += chance;
      for (const target of targets) following.set(target, (following.get(target) ?? 0) + chance / targets.length);
    }
    moving = following;
  }
  return arrived;
}

function byText(one, other) { return one.text.localeCompare(other.text, "en", { numeric: true }); }

/** Read a schedule as people write it: "0 1 0 1", "0, 1, 0, 1" or "[0, 1, 0, 1]". Throws an Error in words. */
function parsed(text, program) {
  const words = text.trim().replace(/^\[|\]$/g, "").split(/[\s,;]+/).filter(Boolean);
  const numbers = program.names.length === 1 ? "0" : `0 to ${program.names.length - 1}`;
  const taken = [];
  words.forEach((word, index) => {
    const process = /^\d+$/.test(word) ? Number(word) : NaN;
    if (!(process < program.names.length)) {
      throw new Error(`Step ${index + 1}: “${word}” is not the number of a process; they are ${numbers}.`);
    }
    const state = taken.at(-1)?.to ?? 0, to = program.next(state, process);
    if (to === null) {
      throw new Error(`Step ${index + 1}: ${program.names[process]} cannot take it, it ${program.refusal(state, process)}.`);
    }
    taken.push({ process, from: state, to });
  });
  return taken;
}

// -------------------------------------------------------------------------------------------------- elements

/** An element with attributes (those that start with "on" are listeners) and children; false and null are left out. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== false));
  return element;
}

/** Set a text only where it differs, so that a screen reader does not say it again. */
function say(element, text) { if (element.textContent !== text) element.textContent = text; }

/** Disabled for the eye, the mouse and the screen reader, while the keyboard's focus stays where it is. */
function enable(button, isEnabled) { button.setAttribute("aria-disabled", String(!isEnabled)); }

function isDark(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue < 140;
}

function plural(count, noun, ending = "s") { return `${count.toLocaleString("en")} ${noun}${count === 1 || count === 1n ? "" : ending}`; }

function percent(share) {
  if (share > 0 && share < 1e-7) return "less than 0.00001\u00a0%";
  return `${Number((100 * share).toPrecision(3))}\u00a0%`;
}

function sentence(text) { return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : "."); }

/** Lines of a function without its docstring, each with its number. */
function codeLines({ first_line, lines }) {
  const numbered = lines.map((text, index) => ({ text, line: first_line + index }));
  const opens = numbered.findIndex(({ text }) => /^\s*[rR]?("""|''')/.test(text));
  if (opens < 0 || numbered.slice(0, opens).some(({ text }) => /^\s*(yield|return|for|while|if)\b/.test(text))) return numbered;
  const quote = numbered[opens].text.match(/"""|'''/)[0];
  const rest = numbered[opens].text.split(quote).length > 2 ? 0 : numbered.slice(opens + 1).findIndex(({ text }) => text.includes(quote)) + 1;
  return [...numbered.slice(0, opens), ...numbered.slice(opens + rest + 1)];
}

// ------------------------------------------------------------------------------------------------------ view

class View {
  constructor(model, element) {
    this.model = model;
    this.graph = model.get("graph");
    this.program = new Program(this.graph);
    this.taken = []; // atomic steps, from the start
    this.plan = null; // atomic steps that Find has found; while it is followed it stays
    this.reached = new Map(); // goal -> fewest steps in which it was reached
    this.level = 0;
    this.timer = null;
    this.busy = null; // what the kernel has been asked for
    this.levels = this.graph.goals.length ? this.graph.goals.map(({ task, states }) => ({ task, states: new Set(states) })) : [{ task: this.anyBreak(), states: null }];
    this.root = this.build();
    element.replaceChildren(h("style", {}, STYLE), this.root);
    this.load(model.get("schedule") ?? []);
    this.listen();
    this.show();
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
      "msg:custom": (message) => this.hear(message),
    };
    for (const [event, handler] of Object.entries(this.handlers)) this.model.on(event, handler);
  }

  close() {
    this.stop();
    clearTimeout(this.patience);
    for (const [event, handler] of Object.entries(this.handlers)) this.model.off(event, handler);
  }

  // ------------------------------------------------------------------------------------------- building

  build() {
    const { names } = this.program;
    this.rows = names.map((_, process) => this.buildRow(process));
    this.sharedList = h("ul", { class: "tp-values" });
    this.verdict = h("p", { class: "tp-verdict", role: "status", "aria-live": "polite" });
    this.notice = h("p", { class: "tp-notice", role: "status", "aria-live": "polite" });
    this.history = h("div", { class: "tp-history", role: "region", tabindex: "0", "aria-label": "Steps so far" });
    this.replayPlace = h("section", { class: "tp-replay", "aria-label": "On real processes" });
    this.outcomePlace = h("section", { class: "tp-outcomes", "aria-label": "All outcomes", hidden: true });
    const title = h("h4", { class: "tp-title" }, `${this.graph.name}`,
      h("span", { class: "tp-faint" }, ` you are the scheduler of ${plural(names.length, "process", "es")}`));
    return h("div", {
      class: "tp-explorer", tabindex: "0", role: "group", "data-lm-suppress-shortcuts": "true",
      "aria-label": `Explorer of ${this.graph.name}. Keys: the number of a process lets it take a step, u undoes, r resets.`,
      onkeydown: (event) => this.key(event),
    }, h("header", {}, title, this.buildLevels()),
    h("div", { class: "tp-stage" },
      h("div", { class: "tp-rows" }, this.rows.map((row) => row.element)),
      h("aside", { class: "tp-shared", "aria-label": "Shared state" }, h("h5", {}, "Shared by all"), this.sharedList)),
    this.verdict, this.buildToolbar(), this.buildSchedule(), this.notice, this.history, this.replayPlace, this.outcomePlace);
  }

  buildLevels() {
    const group = `tp-level-${Math.random().toString(36).slice(2)}`;
    this.levelStates = this.levels.map(() => h("span", { class: "tp-level-state" }));
    const items = this.levels.map(({ task }, number) => {
      const choose = () => { this.level = number; this.tell(""); };
      const radio = h("input", { type: "radio", name: group, checked: number === 0, onchange: choose });
      const words = [h("span", { class: "tp-task" }, sentence(task)), " ", this.levelStates[number]];
      return h("li", {}, this.levels.length > 1 ? h("label", {}, radio, " ", words) : h("span", {}, words));
    });
    return h("div", { class: "tp-levels" }, h("span", { class: "tp-levels-title" }, items.length > 1 ? "Your goals" : "Your goal"),
      h("ol", {}, items));
  }

  buildRow(process) {
    const name = this.program.names[process], { colour } = this.graph.processes[process];
    const row = { process, source: null };
    row.button = h("button", { type: "button", class: "tp-step", onclick: () => this.step(process) },
      h("span", { class: `tp-badge${isDark(colour) ? " tp-on-dark" : ""}`, "aria-hidden": "true" }, String(process)),
      h("span", {}, "Step ", name));
    row.status = h("p", { class: "tp-status" });
    row.locals = h("p", { class: "tp-locals" });
    row.code = h("ol", { class: "tp-code", "aria-label": `Code of ${name}` });
    row.element = h("section", { class: "tp-process", "aria-label": name, style: `--tp-colour: ${colour === "#000000" ? "currentColor" : colour}` },
      h("div", { class: "tp-head" }, row.button, row.status, row.locals), row.code);
    row.status.id = `tp-status-${Math.random().toString(36).slice(2)}`;
    row.button.setAttribute("aria-describedby", row.status.id);
    return row;
  }

  buildToolbar() {
    const button = (text, key, onclick, kind = "") => h("button", { type: "button", class: `tp-button ${kind}`, onclick }, text,
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
    return h("div", { class: "tp-toolbar", role: "toolbar", "aria-label": "Schedule" }, Object.values(this.buttons));
  }

  buildSchedule() {
    const number = Math.random().toString(36).slice(2);
    this.input = h("input", { type: "text", id: `tp-schedule-${number}`, spellcheck: "false", autocomplete: "off", placeholder: "0 1 0 1 …",
      oninput: () => this.complain("") });
    this.complaint = h("span", { class: "tp-complaint", id: `tp-complaint-${number}`, role: "alert" });
    this.input.setAttribute("aria-describedby", this.complaint.id);
    const paste = (event) => { event.preventDefault(); this.paste(); };
    const unit = this.program.statements.size ? "one number for each atomic step" : "one number for each step";
    return h("form", { class: "tp-schedule", onsubmit: paste },
      h("label", { for: this.input.id }, "Schedule ", h("span", { class: "tp-faint" }, unit)), this.input,
      h("button", { type: "submit", class: "tp-button" }, "Go there"),
      h("button", { type: "button", class: "tp-button", onclick: () => this.copy() }, "Copy"), this.complaint);
  }

  // -------------------------------------------------------------------------------------------- actions

  key(event) {
    if (event.target.matches("input[type=text]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const process = /^[0-9]$/.test(event.key) ? Number(event.key) : NaN;
    if (process < this.program.names.length) this.step(process);
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
  }

  /** Take the steps of a schedule that Python has set, as far as they go. */
  load(schedule) { try { this.taken = parsed(schedule.join(" "), this.program); } catch { this.taken = []; } }

  follow(schedule) {
    if (schedule.join() === this.taken.map((step) => step.process).join()) return;
    this.stop();
    this.plan = null;
    this.load(schedule);
    this.show();
  }

  paste() {
    this.stop();
    try {
      const taken = parsed(this.input.value, this.program);
      this.complain("");
      this.taken = taken;
      this.plan = null;
      this.tell("");
      this.changed();
    } catch (error) {
      this.complain(error.message);
    }
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

  tell(text) { say(this.notice, text); }

  // ------------------------------------------------------------------------------------------ the kernel

  replay() { this.ask("replay", { schedule: (this.plan ?? this.taken).map((step) => step.process) }); }

  observe() { this.ask("observe", {}); }

  ask(task, content) {
    this.stop();
    if (!this.model.send) {
      this.tell("Real processes need a running kernel, and this page has none: open the notebook in JupyterLab and run it.");
      return;
    }
    if (this.busy) return;
    this.busy = task;
    this.tell(task === "replay" ? "Real processes take these steps …" : "Real processes run free …");
    this.patience = setTimeout(() => this.giveUp("The kernel has not answered: is it running, and is no cell at work? Then try again."), PATIENCE);
    this.show();
    try {
      this.model.send({ task, ...content });
    } catch (error) {
      this.giveUp(`The kernel cannot be reached: ${error.message}`);
    }
  }

  giveUp(text) {
    clearTimeout(this.patience);
    this.busy = null;
    this.show();
    this.tell(text);
  }

  hear({ kind, task }) {
    clearTimeout(this.patience);
    if (kind !== "done" || task !== this.busy) return;
    this.busy = null;
    this.tell("");
    this.show();
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
    if (!this.outcomePlace.hidden) this.showOutcomes();
    if (document.activeElement !== this.input) this.input.value = this.written();
    this.complain("");
    this.showReplay();
  }

  showButtons() {
    enable(this.buttons.undo, this.taken.length > 0);
    enable(this.buttons.reset, this.taken.length > 0 || this.plan);
    enable(this.buttons.play, this.taken.length > 0 || this.plan);
    enable(this.buttons.replay, this.model.send && !this.busy);
    say(this.buttons.replay, this.busy === "replay" ? "Replaying …" : "Replay on real processes");
  }

  isReached(goal) {
    if (goal.states) return goal.states.has(this.state);
    return this.lost.size > 0 || this.program.isBroken(this.state);
  }

  noteGoals() {
    this.levels.forEach((goal, number) => {
      if (this.isReached(goal)) this.reached.set(number, Math.min(this.units.length, this.reached.get(number) ?? Infinity));
    });
  }

  showLevels() {
    this.levels.forEach((_, number) => {
      const steps = this.reached.get(number);
      this.levelStates[number].classList.toggle("tp-reached", steps !== undefined);
      say(this.levelStates[number], steps === undefined ? "not reached yet" : `✔ reached, in ${plural(steps, "step")}`);
    });
  }

  showRow(row) {
    const { program } = this, { process } = row;
    const place = program.place(this.state, process), refusal = program.refusal(this.state, process);
    const isPlanned = this.plan?.[this.taken.length]?.process === process;
    if (place.source !== undefined) this.showCode(row, place);
    else row.code.querySelectorAll(".tp-next").forEach((line) => this.mark(line, false));
    enable(row.button, !refusal);
    row.element.classList.toggle("tp-planned", isPlanned);
    row.element.classList.toggle("tp-ended", place.ended);
    row.element.classList.toggle("tp-failed", Boolean(place.error));
    row.element.classList.toggle("tp-blocked", Boolean(refusal) && !place.ended);
    say(row.status, `${refusal ? sentence(refusal) : `Next: line ${place.line}.`}${isPlanned ? " Its turn in the schedule found." : ""}`);
    const variables = Object.entries(place.variables ?? {}).map(([name, value]) => `${name} = ${value}`);
    say(row.locals, variables.length ? `its own: ${variables.join(", ")}` : "");
  }

  showCode(row, place) {
    const { program } = this, source = this.graph.sources[place.source];
    const folds = [...program.statements].filter((statement) => statement.startsWith(`${place.source}:`));
    const version = `${place.source} ${folds.map((statement) => program.expanded.has(statement)).join()}`;
    if (row.version !== version) {
      row.version = version;
      const focused = row.code.contains(document.activeElement) ? document.activeElement.dataset.statement : null;
      row.code.replaceChildren(...codeLines(source).flatMap((line) => this.codeLine(line, place.source)));
      row.code.querySelector(`[data-statement="${focused}"]`)?.focus();
    }
    const wanted = row.code.querySelector(`[data-doing="${CSS.escape(`${place.line} ${place.doing}`)}"]`)
      ?? row.code.querySelector(`[data-line="${place.line}"]`);
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
      "aria-label": `${isExpanded ? "Fold" : "Expand"} ${text.trim()}`, onclick: () => this.toggle(statement),
    }, isExpanded ? "▾ as one step" : "▸ atomic steps");
    const first = h("li", { "data-line": line, class: /^\s*(async )?def /.test(text) ? "tp-def" : "" }, h("span", { class: "tp-mark" }), h("span", { class: "tp-number" }, String(line)),
      h("code", {}, text), fold);
    const indent = text.match(/^\s*/)[0];
    const parts = this.parts(source, line).map((doing) => h("li", { class: "tp-part", "data-doing": `${line} ${doing}` },
      h("span", { class: "tp-mark" }), h("span", { class: "tp-number" }, "·"), h("code", {}, `${indent}${doing}`)));
    return [first, ...parts];
  }

  /** What is done at a line, one atomic step after the other, if its statement is expanded. */
  parts(source, line) {
    const { program } = this, found = [];
    this.graph.places.forEach((place, row) => {
      if (place.source !== source || place.line !== line || !place.doing) return;
      const statement = program.statement(program.begins[row] ?? row);
      if (program.expanded.has(statement) && program.statements.has(statement)) found.push([place.depth, place.doing]);
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
      return h("li", {}, h("span", { class: "tp-name" }, thing.name), " ", h("span", { class: `tp-value${isChanged ? " tp-changed" : ""}` }, text),
        isChanged && h("span", { class: "tp-faint" }, ` was ${was}`));
    }));
  }

  value({ kind }, value, holders) {
    const owners = holders.map((holder) => this.program.names[holder]).join(" and ");
    if (kind === "lock") return value === "True" ? `held by ${owners || "nobody that is left"}` : "free";
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
    const reached = this.levels.filter((goal) => goal.states && this.isReached(goal)).map((goal) => `Goal reached: ${sentence(goal.task)}`);
    say(this.verdict, [...words, ...reached].join(" "));
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
      return `✗ Lost update: ${this.stepWords(this.unitOf(loser))}, overwrote what ${this.program.names[victim.process]} `
        + `had written in step ${this.unitOf(victim) + 1}, without having seen it.${more}`;
    });
  }

  breakWords() {
    const { program, state } = this, words = [];
    if (program.shared(state).violated) {
      const culprit = this.taken.findIndex((step) => program.shared(step.to).violated);
      words.push(culprit < 0 ? "✗ The invariant does not hold from the start." : `✗ Invariant broken by ${this.stepWords(this.unitOf(this.taken[culprit]))}.`);
    }
    program.names.forEach((name, process) => {
      const { error } = program.place(state, process);
      if (error) words.push(`✗ ${name} failed: ${error}.`);
    });
    if (program.isDeadlock(state)) words.push(`✗ Deadlock: nobody can ever go on. ${this.waitWords()} ${this.noWayOut()}`);
    return words;
  }

  waitWords() {
    const waiting = this.program.names.map((name, process) => [name, process]).filter(([, process]) => !this.program.place(this.state, process).ended);
    return waiting.map(([name, process]) => `${name} ${this.program.refusal(this.state, process)}.`).join(" ");
  }

  noWayOut() {
    const { hopeful } = this.program;
    const culprit = this.taken.findIndex((step) => hopeful.has(step.from) && !hopeful.has(step.to));
    return culprit < 0 ? "There never was a way out." : `There was no way out after ${this.stepWords(this.unitOf(this.taken[culprit]))}.`;
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
      return h("td", { class: `tp-did${isLoss ? " tp-loss" : ""}` }, h("span", {}, isLoss && "✗ ", program.label(unit)),
        isLoss && h("small", {}, "lost update"), isGone && h("small", {}, "overwritten"));
    };
    const rows = program.names.map((name, process) => h("tr", { style: `--tp-colour: ${this.rowColour(process)}` },
      h("th", { scope: "row" }, name), units.map((unit) => cell(unit, process))));
    this.history.hidden = units.length === 0;
    this.history.replaceChildren(h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "step"), units.map((_, number) => h("th", { scope: "col" }, String(number + 1))))),
      h("tbody", {}, rows, this.historyOfValues())));
    this.history.scrollLeft = this.history.scrollWidth;
  }

  rowColour(process) {
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
    if (error) this.replayPlace.replaceChildren(h("p", { class: "tp-complaint", role: "alert" }, error));
    if (!html) return;
    const picture = h("div", {});
    picture.innerHTML = html;
    this.replayPlace.replaceChildren(h("h5", {}, `Schedule ${schedule.join(" ") || "without a step"}, on real processes`), picture);
  }

  toggleOutcomes() {
    this.outcomePlace.hidden = !this.outcomePlace.hidden;
    this.buttons.outcomes.setAttribute("aria-expanded", String(!this.outcomePlace.hidden));
    if (!this.outcomePlace.hidden) this.showOutcomes();
  }

  showOutcomes() {
    const seen = this.model.get("observed") ?? {};
    const version = `${[...this.program.expanded].join()} ${seen.number} ${this.busy}`;
    if (this.outcomePlace.hidden || version === this.outcomeVersion) return;
    if (this.graph.states.length > MANY_STATES && !this.program.hasCounted) {
      this.outcomePlace.replaceChildren(h("p", { role: "status" }, "Counting …"));
      setTimeout(() => { this.program.outcomes(); this.showOutcomes(); });
      return;
    }
    this.outcomeVersion = version;
    const { rows, total, states } = this.program.outcomes();
    this.markLosses();
    const listed = [...rows, ...this.unforeseen(rows, seen)];
    const observe = this.outcomePlace.querySelector(".tp-observe") ?? h("button", { type: "button", class: "tp-button tp-observe", onclick: () => this.observe() });
    say(observe, this.busy === "observe" ? "Running …" : "Observe on this machine");
    enable(observe, this.model.send && !this.busy);
    const hasFocus = document.activeElement === observe;
    const count = total === null ? "Schedules without end" : plural(total, "schedule");
    const runs = seen.runs ? `, and ${plural(seen.runs, "run")} on this machine` : "";
    this.outcomePlace.replaceChildren(
      h("h5", {}, `${count} in ${plural(states, "state")}${runs}`), observe,
      seen.error ? h("p", { class: "tp-complaint", role: "alert" }, seen.error) : "",
      h("table", {}, h("thead", {}, h("tr", {}, ["outcome", "according to", "share", ""].map((text) => h("th", { scope: "col" }, text)))),
        listed.map((row) => this.outcomeRows(row, seen))));
    if (hasFocus) observe.focus();
  }

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

  /** Outcomes that were observed although no schedule has them: a folded statement is not one step on a real machine. */
  unforeseen(rows, seen) {
    const known = new Set(rows.filter((row) => !row.isDeadlock).map((row) => row.text));
    const texts = Object.keys(seen.outcomes ?? {}).filter((text) => !known.has(text));
    return texts.map((text) => ({ text, isDeadlock: false, isFailure: false, count: 0n, exact: 0, coin: 0 }));
  }

  outcomeRows(row, seen) {
    const isLoss = !row.isDeadlock && this.clean && row.count !== 0n && !this.clean.has(row.text);
    const bar = (kind, share, low, high) => h("td", { class: "tp-bar" }, share !== null && h("div", { class: `tp-track` },
      h("div", { class: `tp-fill tp-${kind}${row.isFailure || isLoss ? " tp-bad" : ""}`, style: `width: ${100 * share}%` }),
      low !== undefined && h("div", { class: "tp-interval", style: `left: ${100 * low}%; width: ${100 * (high - low)}%` })));
    const exactly = row.count === null ? "without end" : `${percent(row.exact)}, ${plural(row.count, "schedule")}`;
    const lines = [
      ["exact", "every schedule alike", bar("exact", row.exact), exactly],
      ["coin", "a fair coin at each step", bar("coin", row.coin), percent(row.coin)],
    ];
    if (seen.runs) {
      const [count, share, low, high] = row.isDeadlock ? seen.deadlock : seen.outcomes[row.text] ?? seen.never;
      const words = `${percent(share)}, ${plural(count, "run")}; between ${percent(low)} and ${percent(high)}`;
      lines.push(["seen", "observed here", bar("seen", share, low, high), words]);
    }
    const remark = isLoss ? "updates lost" : row.isFailure && !row.isDeadlock ? "failure" : "";
    return h("tbody", {}, lines.map(([, model, cell, words], number) => h("tr", {},
      number === 0 && h("th", { scope: "rowgroup", rowspan: lines.length }, row.text, remark && h("small", {}, `✗ ${remark}`)),
      h("td", {}, model), cell, h("td", { class: "tp-words" }, words))));
  }
}

// ----------------------------------------------------------------------------------------------------- style

const STYLE = `
.tp-explorer {
  --tp-ink: var(--jp-content-font-color1, #1a1a1a); --tp-soft: var(--jp-content-font-color2, #5c5c5c);
  --tp-paper: var(--jp-layout-color1, #ffffff); --tp-raised: var(--jp-layout-color2, #f3f3f3);
  --tp-line: var(--jp-border-color2, #d0d0d0); --tp-mono: var(--jp-code-font-family, ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace);
  --tp-focus: #0072B2; --tp-loss: ${LOSS};
  container-type: inline-size; box-sizing: border-box; max-width: 72rem; margin: 0.25rem 2px; padding: 0.9rem 1rem 1rem;
  border: 1px solid var(--tp-line); border-radius: 10px; background: var(--tp-paper); color: var(--tp-ink);
  font: 14px/1.45 var(--jp-ui-font-family, system-ui, sans-serif);
}
@media (prefers-color-scheme: dark) {
  .tp-explorer {
    --tp-ink: var(--jp-content-font-color1, #ececec); --tp-soft: var(--jp-content-font-color2, #b0b0b0);
    --tp-paper: var(--jp-layout-color1, #161616); --tp-raised: var(--jp-layout-color2, #242424); --tp-line: var(--jp-border-color2, #444);
  }
}
.tp-explorer *, .tp-explorer *::before { box-sizing: border-box; }
/* stronger than what pages say of these elements in general */
.tp-explorer.tp-explorer :is(p, h4, h5, ol, ul, li) { float: none; width: auto; margin: 0; padding: 0; text-align: left; line-height: inherit; }
.tp-explorer [hidden] { display: none; }
.tp-explorer:focus-visible, .tp-explorer :focus-visible { outline: 2px solid var(--tp-focus); outline-offset: 2px; }
.tp-explorer h4, .tp-explorer h5 { font-weight: 650; color: inherit; }
.tp-explorer h4 { font-size: 1.15em; }
.tp-explorer h5 { font-size: 1em; }
.tp-faint, .tp-title .tp-faint { color: var(--tp-soft); font-weight: 400; font-size: 0.92em; }
.tp-explorer header { display: flex; flex-wrap: wrap; gap: 0.3rem 1.5rem; align-items: baseline; justify-content: space-between; margin-bottom: 0.7rem; }
.tp-levels { display: flex; gap: 0.6rem; align-items: baseline; }
.tp-explorer.tp-explorer :is(ol, ul) { list-style: none; }
.tp-levels-title { color: var(--tp-soft); white-space: nowrap; }
.tp-task { font-weight: 600; }
.tp-level-state { color: var(--tp-soft); padding: 0 0.5em; border: 1px solid var(--tp-line); border-radius: 1em; font-size: 0.88em; white-space: nowrap; }
.tp-level-state.tp-reached { color: var(--tp-ink); border-color: #009E73; border-width: 2px; font-weight: 600; }

.tp-stage { display: grid; grid-template-columns: minmax(0, 1fr) fit-content(15rem); gap: 0.7rem; align-items: start; }
.tp-rows { display: grid; gap: 0.6rem; }
.tp-process { display: grid; grid-template-columns: 12.4rem minmax(0, 1fr); gap: 0.3rem 0.4rem; padding: 0.6rem 0.7rem;
  border: 1px solid var(--tp-line); border-left: 6px solid var(--tp-colour); border-radius: 8px; }
.tp-process.tp-ended { border-left-color: color-mix(in srgb, var(--tp-colour) 40%, transparent); }
.tp-process.tp-failed { border-color: var(--tp-loss); }
.tp-process.tp-planned { box-shadow: 0 0 0 2px var(--tp-colour); }
.tp-head { display: flex; flex-direction: column; gap: 0.3rem; }
.tp-status { font-size: 0.92em; }
.tp-blocked .tp-status { font-weight: 600; }
.tp-locals { font: 0.88em/1.4 var(--tp-mono); color: var(--tp-soft); }
.tp-explorer.tp-explorer button { border: 1px solid var(--tp-line); border-radius: 7px; background: var(--tp-raised); padding: 0.32rem 0.7rem; font: inherit; color: inherit; cursor: pointer; }
.tp-explorer.tp-explorer .tp-step { display: flex; gap: 0.5rem; align-items: center; padding-inline: 0.5rem; text-align: left; font-weight: 600; border-color: var(--tp-colour); }
.tp-explorer.tp-explorer button:hover { background: color-mix(in srgb, var(--tp-ink) 14%, var(--tp-paper)); }
.tp-explorer button:active { transform: translateY(1px); }
.tp-explorer.tp-explorer button[aria-disabled=true] { cursor: not-allowed; opacity: 0.55; background: none; border-style: dashed; }
.tp-badge { min-width: 1.6em; padding: 0 0.3em; border-radius: 4px; background: var(--tp-colour); color: #111; text-align: center; font-family: var(--tp-mono); }
.tp-badge.tp-on-dark { color: #fff; }

.tp-code { font: 12.5px/1.55 var(--tp-mono); }
.tp-code li { display: flex; flex-wrap: wrap; align-items: baseline; border-radius: 4px; }
.tp-code li code { font: inherit; color: inherit; background: none; padding: 0; white-space: pre-wrap; max-width: calc(100% - 4.1em); }
.tp-code li.tp-def code { overflow: hidden; text-overflow: ellipsis; white-space: pre; }
.tp-mark { flex: none; width: 1.4em; text-align: center; }
.tp-number { flex: none; width: 2.6em; padding-right: 0.8em; text-align: right; color: var(--tp-soft); opacity: 0.8; }
.tp-code li.tp-next { font-weight: 700; background: color-mix(in srgb, var(--tp-colour) 20%, transparent); }
.tp-part code { font-style: italic !important; padding-left: 1.2em !important; }
.tp-explorer.tp-explorer .tp-fold { margin-left: 1em; padding: 0 0.5em; border-radius: 1em; background: none; white-space: nowrap; font: 11px/1.5 var(--jp-ui-font-family, system-ui, sans-serif); }

.tp-shared { min-width: 9rem; padding: 0.6rem 0.8rem; border: 1px solid var(--tp-line); border-radius: 8px; background: var(--tp-raised); position: sticky; top: 0; }
.tp-values { font: 0.95em/1.5 var(--tp-mono); }
.tp-explorer.tp-explorer .tp-values { margin-top: 0.3rem; }
.tp-values li { display: flex; flex-wrap: wrap; gap: 0 0.8em; }
.tp-name { color: var(--tp-soft); }
.tp-value { font-weight: 600; overflow-wrap: anywhere; }
.tp-value.tp-changed { text-decoration: underline; text-underline-offset: 3px; }

.tp-explorer.tp-explorer .tp-verdict { margin: 0.8rem 0 0.7rem; padding: 0.5rem 0.8rem; border-left: 5px solid var(--tp-line); border-radius: 4px; background: var(--tp-raised); font-size: 1.05em; min-height: 2.4em; }
.tp-explorer.tp-explorer .tp-verdict[data-tone=bad] { border-color: var(--tp-loss); font-weight: 600; }
.tp-explorer.tp-explorer .tp-verdict[data-tone=good] { border-color: #009E73; font-weight: 600; }
.tp-toolbar { display: flex; flex-wrap: wrap; gap: 0.45rem; }
.tp-explorer.tp-explorer kbd { margin-left: 0.5em; padding: 0 0.35em; border: 1px solid var(--tp-line); border-radius: 3px; background: none; color: var(--tp-soft); font: 0.85em var(--tp-mono); box-shadow: none; }
.tp-button[aria-expanded=true] { box-shadow: inset 0 -3px 0 var(--tp-ink); }
.tp-schedule { display: flex; flex-wrap: wrap; gap: 0.45rem; align-items: center; margin-top: 0.55rem; }
.tp-schedule input { flex: 1 1 12rem; min-width: 8rem; padding: 0.32rem 0.6rem; border: 1px solid var(--tp-line); border-radius: 7px; background: var(--tp-paper); color: inherit; font: 1em var(--tp-mono); }
.tp-schedule input[aria-invalid=true] { border: 2px solid var(--tp-loss); }
.tp-complaint { flex-basis: 100%; font-weight: 600; }
.tp-complaint:not(:empty)::before { content: "✗ "; color: var(--tp-loss); }
.tp-explorer.tp-explorer .tp-notice:not(:empty) { margin-top: 0.5rem; }

.tp-history { margin-top: 0.8rem; overflow-x: auto; }
.tp-explorer table { border-collapse: separate; border-spacing: 3px; margin: 0; font-size: 12.5px; border: 0; color: inherit; table-layout: auto; }
.tp-explorer th, .tp-explorer td, .tp-explorer tr { border: 0; background: none !important; text-align: left; vertical-align: middle; }
.tp-explorer.tp-explorer :is(th, td) { text-align: left; padding: 0.2rem 0.5rem; max-width: none; white-space: nowrap; }
.tp-explorer.tp-explorer .tp-history :is(thead th, td) { text-align: center; }
.tp-history thead th { color: var(--tp-soft); font-weight: 400; }
.tp-explorer.tp-explorer .tp-history th:first-child { text-align: left; }
.tp-history th:first-child { position: sticky; left: 0; background: var(--tp-paper) !important; color: var(--tp-ink); font-weight: 600; }
.tp-history td.tp-did { border: 1.5px solid var(--tp-colour); border-radius: 6px; background: color-mix(in srgb, var(--tp-colour) 16%, transparent) !important; font-family: var(--tp-mono); text-align: center; }
.tp-history td.tp-loss { border: 2.5px solid var(--tp-loss); font-weight: 700;
  background: repeating-linear-gradient(135deg, color-mix(in srgb, var(--tp-loss) 30%, transparent) 0 5px, transparent 5px 10px) !important; }
.tp-history small { display: block; font-family: var(--jp-ui-font-family, system-ui, sans-serif); }
.tp-of-shared td { text-align: center; font-family: var(--tp-mono); }
.tp-of-shared td.tp-new { font-weight: 700; }
.tp-of-shared th:first-child { color: var(--tp-soft); font-weight: 400; }
.tp-replay:not(:empty), .tp-outcomes { margin-top: 0.9rem; }
.tp-replay img { display: block; margin-top: 0.4rem; border-radius: 6px; }
.tp-outcomes h5 { display: inline-block; }
.tp-explorer.tp-explorer .tp-observe { margin-left: 1rem; }
.tp-outcomes table { width: 100%; margin-top: 0.4rem; }
.tp-outcomes thead th { color: var(--tp-soft); font-weight: 400; }
.tp-outcomes th[scope=rowgroup] { font: 700 1.1em var(--tp-mono); vertical-align: top; }
.tp-outcomes th small { display: block; font: 600 0.8em var(--jp-ui-font-family, system-ui, sans-serif); }
.tp-outcomes tbody tr:first-child > * { border-top: 1px solid var(--tp-line); }
.tp-bar { width: 40%; }
.tp-track { position: relative; height: 0.95em; border-radius: 3px; background: color-mix(in srgb, var(--tp-ink) 8%, transparent); }
.tp-fill { height: 100%; min-width: 1px; border-radius: 3px; color: #0072B2; }
.tp-fill.tp-bad { color: var(--tp-loss); }
.tp-exact { background: currentColor; }
.tp-coin { background: repeating-linear-gradient(135deg, currentColor 0 3px, transparent 3px 7px); border: 1.5px solid currentColor; }
.tp-seen { background: color-mix(in srgb, currentColor 35%, transparent); border: 1.5px solid currentColor; }
.tp-interval { position: absolute; top: 50%; height: 0; min-width: 2px; border-top: 2px solid var(--tp-ink); }
.tp-interval::before { content: ""; position: absolute; inset: -0.35em 0 auto; height: 0.55em; border: solid var(--tp-ink); border-width: 0 2px; }
.tp-words { white-space: normal !important; }
@container (max-width: 46rem) {
  .tp-stage { grid-template-columns: minmax(0, 1fr); }
  .tp-shared { position: static; order: -1; }
}
@container (max-width: 34rem) { .tp-process { grid-template-columns: minmax(0, 1fr); } .tp-bar { width: 25%; } }
`;

// ---------------------------------------------------------------------------------------------------- on stage

function render({ model, el }) {
  const view = new View(model, el);
  return () => view.close();
}

/** Show a graph on a page without a kernel. */
export function still(graph, element) {
  const values = { graph, schedule: [], replayed: {}, observed: {} };
  const model = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; },
    save_changes() {},
    on() {},
    off() {},
  };
  return new View(model, element);
}

export { Program };
export default { render };
