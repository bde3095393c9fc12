// @ts-check
// A scenario in the browser: a state graph that can be stepped, searched and counted without Python.
// Its tables are those of graph_data in helpers/scheduling/model/export.py, which says what each of them holds.

/**
 * @typedef {object} Location
 * @property {boolean} ended
 * @property {string} error "" for none
 * @property {Record<string, string>} variables
 * @property {number} depth accesses since the last yield
 * @property {string} doing
 * @property {number} [source]
 * @property {number} [line]
 * @property {number | null} [object]
 * @property {string} [waits_for]
 *
 * @typedef {[variable: number, reads: boolean, writes: boolean]} Touch
 * @typedef {[shared: number, locations: number[], nexts: (number | null)[], steps: (number | null)[]]} State
 * @typedef {{ text: string, schedules: string, uniform: number | null, coin: number }} Outcome
 * @typedef {{ first_line: number, lines: string[], function: string }} Source
 * @typedef {{ name: string, kind: string }} SharedObject
 *
 * @typedef {object} Graph
 * @property {string} name
 * @property {string} grain
 * @property {boolean} invariant
 * @property {{ name: string, colour: string }[]} processes
 * @property {SharedObject[]} objects
 * @property {Source[]} sources
 * @property {{ values: string[], holders: number[][], violated: boolean }[]} shared
 * @property {Location[]} locations
 * @property {{ label: string, saw: string[], touches: Touch[], looks_at: number[], may_change: number[] }[]} steps
 * @property {State[]} states
 * @property {Outcome[]} outcomes
 * @property {Record<string, number | null>} ends
 * @property {{ task: string, states: number[] }[]} goals
 *
 * @typedef {{ process: number, from: number, to: number }} AtomicStep of one process, from a state to a state
 * @typedef {{ way: AtomicStep[] | null, searched: number, gaveUp?: boolean }} Found way: null where there is none
 *
 * @typedef {object} Row all ends with the same outcome
 * @property {string} text
 * @property {boolean} isDeadlock
 * @property {boolean} isFailure
 * @property {bigint | null} count schedules; null: without end
 * @property {number | null} exact share of all schedules; null: some are without end
 * @property {number | null} coin probability with a fair coin at each step; null: not settled
 *
 * @typedef {object} Orders schedules that differ only in the order of independent steps, counted once
 * @property {bigint | null} total null: without end
 * @property {Map<string, bigint | null>} of by the key of a row
 */

const MOST_SEARCHED = 60_000; // states, each with what has been read and overwritten
const MOST_MERGED = 200_000; // states with sleep sets
const LONGEST_STATEMENT = 300; // atomic steps
// as in helpers/scheduling/model/exploration.py: a probability counts as settled, or is given up
const HARDLY_ANY = 1e-12;
const MOST_ROUNDS = 10_000;

/** A scenario: what each process can do in each state, with some statements folded into one step. */
export class Program {
  /** @param {Graph} graph */
  constructor(graph) {
    this.graph = graph;
    this.names = graph.processes.map((process) => process.name);
    /** @type {Set<string>} statements that are taken in atomic steps */
    this.expanded = new Set();
    /** @type {number[]} for each location the location in which its statement begins */
    this.begins = [];
    /** @type {Set<string>} statements that have several atomic steps */
    this.statements = new Set();
    for (const [, locations, nexts] of graph.states) {
      nexts.forEach((next, process) => next !== null && this.#follow(locations[process], this.row(next, process)));
    }
    /** @type {number[]} variables of which an update can be lost: what is both read and written */
    this.variables = this.#readAndWritten();
  }

  /** @param {number} from @param {number} to */
  #follow(from, to) {
    const begin = this.begins[from] ??= from;
    this.begins[to] ??= this.graph.locations[to].depth ? begin : to;
    if (this.graph.locations[to].depth) this.statements.add(this.statement(begin));
  }

  #readAndWritten() {
    const touches = this.graph.steps.flatMap((step) => step.touches);
    const written = new Set(touches.filter(([, , writes]) => writes).map(([variable]) => variable));
    return [...new Set(touches.filter(([, reads]) => reads).map(([variable]) => variable))]
      .filter((variable) => written.has(variable));
  }

  /** @param {number} state @param {number} process */
  row(state, process) { return this.graph.states[state][1][process]; }

  /** @param {number} state @param {number} process */
  location(state, process) { return this.graph.locations[this.row(state, process)]; }

  /** @param {number} state @param {number} process */
  next(state, process) { return this.graph.states[state][2][process]; }

  /** @param {number} state @param {number} process that can take a step there */
  step(state, process) { return this.graph.steps[/** @type {number} */ (this.graph.states[state][3][process])]; }

  /** @param {number} state */
  shared(state) { return this.graph.shared[this.graph.states[state][0]]; }

  /** @param {number} state */
  isEnd(state) { return this.graph.states[state][2].every((next) => next === null); }

  /** @param {number} state */
  hasFinished(state) { return this.names.every((_, process) => this.location(state, process).ended); }

  /** @param {number} state */
  isDeadlock(state) { return this.isEnd(state) && !this.hasFinished(state); }

  /** @param {number} state in which all have ended */
  outcome(state) { return this.graph.outcomes[/** @type {number} */ (this.graph.ends[state])].text; }

  /** @param {number} state */
  errors(state) { return this.names.map((_, process) => this.location(state, process).error).filter(Boolean); }

  /** @param {number} state */
  isBroken(state) {
    return this.isDeadlock(state) || this.shared(state).violated || this.errors(state).length > 0;
  }

  /** The statement that begins in a location, as a key. @param {number} location */
  statement(location) {
    const { source, line } = this.graph.locations[location];
    return `${source}:${line}`;
  }

  /**
   * Whether a process that stands here is in the middle of a statement that is taken in one step.
   * @param {number} state @param {number} process
   */
  isInside(state, process) {
    const row = this.row(state, process);
    return this.graph.locations[row].depth > 0 && !this.expanded.has(this.statement(this.begins[row]));
  }

  /**
   * The atomic steps that one click makes a process take: none where it is blocked.
   * @param {number} state @param {number} process
   * @returns {AtomicStep[]}
   */
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

  /** Why a process cannot take a step; "" where it can. @param {number} state @param {number} process */
  refusal(state, process) {
    const location = this.location(state, process);
    if (this.advance(state, process).length) return "";
    if (location.ended) return location.error ? `failed: ${location.error}` : "has ended";
    if (this.#wasKilled(state, process)) return "was killed";
    if (location.object === null || location.object === undefined) {
      return "goes round in a loop and waits for another process";
    }
    // nobody holds a process but itself
    const isHeld = this.graph.objects[location.object].kind !== "process";
    const holders = this.shared(state).holders[location.object].filter((holder) => isHeld && holder !== process);
    const held = holders.length ? `, held by ${holders.map((holder) => this.names[holder]).join(" and ")}` : "";
    return `waits for ${location.waits_for}${held}`;
  }

  /** Whether a process that the scenario itself starts was killed. @param {number} state @param {number} process */
  #wasKilled(state, process) {
    const own = this.graph.objects.findIndex(({ name, kind }) => kind === "process" && name === this.names[process]);
    return own >= 0 && this.shared(state).values[own] === "'killed'";
  }

  /**
   * Take the steps of a schedule as far as they go; `problem` says in words why not all of them, "" where all.
   * @param {(string | number)[]} schedule
   */
  follow(schedule) {
    /** @type {AtomicStep[]} */
    const taken = [];
    for (const word of schedule) {
      const state = taken.at(-1)?.to ?? 0, problem = this.#problem(String(word), state);
      if (problem) return { taken, problem: `Step ${taken.length + 1}: ${problem}` };
      const process = Number(word);
      taken.push({ process, from: state, to: /** @type {number} */ (this.next(state, process)) });
    }
    return { taken, problem: "" };
  }

  /** Why a word of a schedule is no step in a state; "" where it is one. @param {string} word @param {number} state */
  #problem(word, state) {
    const process = /^\d+$/.test(word) ? Number(word) : NaN, last = this.names.length - 1;
    const numbers = last ? `0 to ${last}` : "0";
    if (!(process <= last)) return `“${word}” is not the number of a process; they are ${numbers}.`;
    if (this.next(state, process) !== null) return "";
    return `${this.names[process]} cannot take it, it ${this.refusal(state, process)}.`;
  }

  /** Atomic steps as they are shown: those of a folded statement together. @param {AtomicStep[]} taken */
  units(taken) {
    /** @type {AtomicStep[][]} */
    const units = [];
    for (const step of taken) {
      const last = units.at(-1);
      if (last && last[0].process === step.process && this.isInside(step.from, step.process)) last.push(step);
      else units.push([step]);
    }
    return units;
  }

  /** What a shown step did, in words. @param {AtomicStep[]} unit */
  label(unit) {
    const { process, from, to } = unit[unit.length - 1];
    const step = this.step(from, process);
    const isPart = this.location(unit[0].from, process).depth > 0 || this.location(to, process).depth > 0;
    return (isPart && step.saw.join(", ")) || step.label;
  }

  /**
   * Lost updates among atomic steps: index of the step that overwrote -> index of the step that was overwritten.
   * @param {AtomicStep[]} taken
   */
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

  /** The shortest way, in atomic steps, to a state of the set. @param {Set<number>} states */
  search(states) { return this.#search((state) => states.has(state), false); }

  /** The shortest way to a lost update, a deadlock, a failure or a violation. */
  searchBreak() { return this.#search((state) => this.isBroken(state), true); }

  /**
   * Search by breadth over states, and with `losing` also over what has been read and overwritten since.
   * @param {(state: number) => boolean} isWanted @param {boolean} losing
   * @returns {Found}
   */
  #search(isWanted, losing) {
    /** @type {{ state: number, memory: bigint, parent: number, taken: AtomicStep[] }[]} */
    const nodes = [{ state: 0, memory: 0n, parent: -1, taken: [] }];
    const known = new Set(["0 0"]);
    if (isWanted(0)) return { way: [], searched: 1 };
    for (let number = 0; number < nodes.length; number++) {
      for (let process = 0; process < this.names.length; process++) {
        const taken = this.advance(nodes[number].state, process);
        if (!taken.length) continue;
        const state = taken[taken.length - 1].to;
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

  /**
   * Two bits for each process and variable: whether it has read it, and whether that has been overwritten since.
   * @param {bigint} memory @param {AtomicStep[]} taken
   */
  #remember(memory, taken) {
    let lost = false;
    for (const { process, from } of taken) {
      for (const [variable, reads, writes] of this.step(from, process).touches) {
        const at = this.variables.indexOf(variable);
        if (at < 0) continue;
        const bit = (/** @type {number} */ other) => 1n << BigInt(2 * (other * this.variables.length + at));
        const stale = (/** @type {number} */ other) => bit(other) << 1n;
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

  /** @param {string} name */
  #key(name) { return `${name} ${[...this.expanded].sort().join()}`; }

  /**
   * Keep what is computed for the statements as they are folded now.
   * @template T
   * @param {string} name @param {() => T} compute
   * @returns {T}
   */
  once(name, compute) {
    const key = this.#key(name);
    if (!this.#kept.has(key)) this.#kept.set(key, compute());
    return this.#kept.get(key);
  }
  #kept = new Map();

  /** The outcomes that can be reached without losing an update; null where that takes too long to find out. */
  cleanOutcomes() { return this.once("clean", () => this.#findClean()); }

  #findClean() {
    /** @type {[number, bigint][]} */
    const nodes = [[0, 0n]];
    const found = new Set(), known = new Set(["0 0"]);
    for (const [state, memory] of nodes) {
      if (this.hasFinished(state)) found.add(this.outcome(state));
      if (nodes.length > MOST_SEARCHED) return null;
      this.names.forEach((_, process) => {
        const taken = this.advance(state, process);
        if (!taken.length) return;
        const target = taken[taken.length - 1].to, after = this.#remember(memory, taken);
        const key = `${target} ${after.memory}`;
        if (after.lost || known.has(key)) return;
        known.add(key);
        nodes.push([target, after.memory]);
      });
    }
    return found;
  }

  // -------------------------------------------------------------------------------------------- counting

  /** The states in which one stands between clicks, and where each click leads. */
  stops() {
    /** @type {Map<number, number[]>} */
    const edges = new Map([[0, []]]);
    for (const state of edges.keys()) {
      const ways = this.names.map((_, process) => this.advance(state, process)).filter((taken) => taken.length);
      const targets = ways.map((taken) => taken[taken.length - 1].to);
      edges.set(state, targets);
      for (const target of targets) if (!edges.has(target)) edges.set(target, []);
    }
    return edges;
  }

  /** Every end with its exact number of schedules and its probability with a fair coin. */
  outcomes() { return this.once("outcomes", () => this.#count()); }

  #count() {
    const edges = this.stops(), order = inOrder(edges), paths = pathsTo(edges, order);
    const chances = order.length < edges.size ? limits(edges) : chancesIn(edges, order);
    /** @type {Map<string, Row>} */
    const rows = new Map();
    for (const [state, targets] of edges) {
      if (targets.length) continue;
      const row = this.#rowOf(state, rows), ways = paths.get(state);
      row.count = row.count === null || ways === undefined ? null : row.count + ways;
      row.coin = chances && (row.coin ?? 0) + (chances.get(state) ?? 0);
    }
    const found = [...rows.values()], all = total(found.map((row) => row.count));
    for (const row of found) row.exact = all === null || row.count === null ? null : share(row.count, all);
    return { rows: found.sort(byText), total: all, states: edges.size };
  }

  /** The row to which an end belongs. @param {number} state @param {Map<string, Row>} rows */
  #rowOf(state, rows) {
    const isDeadlock = !this.hasFinished(state), text = isDeadlock ? "deadlock" : this.outcome(state);
    const isFailure = isDeadlock || this.errors(state).length > 0;
    const fresh = { text, isDeadlock, isFailure, count: 0n, exact: null, coin: null };
    const row = rows.get(keyOf(fresh)) ?? fresh;
    rows.set(keyOf(row), row);
    return row;
  }

  /**
   * Count schedules that differ only in the order of independent steps once, as Exploration.distinct_orders does.
   * Yields after each case, so that it can be done in slices; returns null where there are too many cases.
   * @returns {Generator<void, Orders | null, void>}
   */
  *mergeOrders(most = MOST_MERGED) {
    const nodes = [{ state: 0, asleep: new Set() }], numbers = new Map([["0 ", 0]]);
    /** @type {Map<number, number[]>} */
    const edges = new Map();
    for (let node = 0; node < nodes.length; node++) {
      if (nodes.length > most) return null;
      edges.set(node, this.#awake(nodes[node]).map((after) => {
        const key = `${after.state} ${[...after.asleep]}`, number = numbers.get(key) ?? nodes.push(after) - 1;
        numbers.set(key, number);
        return number;
      }));
      yield;
    }
    const paths = pathsTo(edges, inOrder(edges)), rows = new Map();
    /** @type {Map<string, bigint | null>} */
    const of = new Map();
    for (const [node, { state }] of nodes.entries()) {
      if (this.names.some((_, process) => this.advance(state, process).length)) continue;
      const key = keyOf(this.#rowOf(state, rows)), before = of.get(key) ?? 0n, ways = paths.get(node);
      of.set(key, of.get(key) === null || ways === undefined ? null : before + ways);
    }
    return { total: total([...of.values()]), of };
  }

  /**
   * The states after the steps that need to be taken, each with the processes that need not go next there
   * (sleep sets: the order with theirs first has been looked at).
   * @param {{ state: number, asleep: Set<number> }} node
   */
  #awake({ state, asleep }) {
    const ways = this.names.map((_, process) => this.advance(state, process)), tried = new Set(asleep);
    const found = [];
    for (const [process, taken] of ways.entries()) {
      if (!taken.length || asleep.has(process)) continue;
      const still = this.names.map((_, other) => other)
        .filter((other) => tried.has(other) && this.#areIndependent(taken, ways[other]));
      found.push({ state: taken[taken.length - 1].to, asleep: new Set(still) });
      tried.add(process);
    }
    return found;
  }

  /** Whether neither changes an object on which the other depends. @param {AtomicStep[]} one @param {AtomicStep[]} two */
  #areIndependent(one, two) {
    const steps = [one, two].map((taken) => taken.map(({ process, from }) => this.step(from, process)));
    const [mine, theirs] = steps.map((all) => new Set(all.flatMap((step) => step.looks_at)));
    const [changed, theyChanged] = steps.map((all) => all.flatMap((step) => step.may_change));
    return !changed.some((object) => theirs.has(object)) && !theyChanged.some((object) => mine.has(object));
  }

  /** The states from which all can still end well. */
  get hopeful() { return this.#hopeful ??= this.#lookForHope(); }
  /** @type {Set<number> | null} */
  #hopeful = null;

  #lookForHope() {
    /** @type {number[][]} */
    const origins = this.graph.states.map(() => []);
    this.graph.states.forEach(([, , nexts], state) => {
      nexts.forEach((next) => next !== null && origins[next].push(state));
    });
    const ends = this.graph.states.map((_, state) => state).filter((state) => this.isEnd(state));
    const found = new Set(ends.filter((state) => !this.isBroken(state)));
    for (const state of found) for (const origin of origins[state]) found.add(origin);
    return found;
  }
}

/** @param {{ parent: number, taken: AtomicStep[] }[]} nodes of a search, of which the last is where it ended */
function wayTo(nodes) {
  const parts = [];
  for (let node = nodes[nodes.length - 1]; node.parent >= 0; node = nodes[node.parent]) parts.unshift(...node.taken);
  return parts;
}

/**
 * States so that each comes after all that lead to it; fewer than there are if they go round in a loop.
 * @param {Map<number, number[]>} edges
 */
function inOrder(edges) {
  const missing = new Map();
  for (const targets of edges.values()) {
    for (const target of targets) missing.set(target, (missing.get(target) ?? 0) + 1);
  }
  const ready = missing.has(0) ? [] : [0];
  for (const state of ready) {
    for (const target of edges.get(state) ?? []) {
      missing.set(target, missing.get(target) - 1);
      if (missing.get(target) === 0) ready.push(target);
    }
  }
  return ready;
}

/**
 * How many ways lead from the start to each state; states behind a loop are missing, for they have ways without end.
 * @param {Map<number, number[]>} edges @param {number[]} order
 */
function pathsTo(edges, order) {
  const paths = new Map(order.map((state) => [state, 0n]));
  if (order.length) paths.set(0, 1n);
  for (const state of order) {
    for (const target of edges.get(state) ?? []) {
      if (paths.has(target)) paths.set(target, (paths.get(target) ?? 0n) + (paths.get(state) ?? 0n));
    }
  }
  return paths;
}

/**
 * The probability with which a coin-tossing scheduler comes to each state, in a graph without loops.
 * @param {Map<number, number[]>} edges @param {number[]} order
 */
function chancesIn(edges, order) {
  const chances = new Map([[0, 1]]);
  for (const state of order) {
    const targets = edges.get(state) ?? [], part = (chances.get(state) ?? 0) / targets.length;
    for (const target of targets) chances.set(target, (chances.get(target) ?? 0) + part);
  }
  return chances;
}

/**
 * Where a coin-tossing scheduler ends up, in a graph with loops: followed until hardly any chance is on its way to an
 * end, as Exploration.probability does; null where that takes too many rounds.
 * @param {Map<number, number[]>} edges
 * @returns {Map<number, number> | null}
 */
function limits(edges) {
  const hopeful = leadingToEnds(edges), arrived = new Map();
  let moving = new Map([[0, 1]]);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const following = new Map();
    let left = 0;
    for (const [state, chance] of moving) {
      const targets = edges.get(state) ?? [];
      if (!targets.length) arrived.set(state, (arrived.get(state) ?? 0) + chance);
      for (const target of targets) {
        if (!hopeful.has(target)) continue;
        following.set(target, (following.get(target) ?? 0) + chance / targets.length);
        left += chance / targets.length;
      }
    }
    if (left < HARDLY_ANY) return arrived;
    moving = following;
  }
  return null;
}

/** The states from which an end can be reached. @param {Map<number, number[]>} edges */
function leadingToEnds(edges) {
  /** @type {Map<number, number[]>} */
  const origins = new Map([...edges.keys()].map((state) => [state, []]));
  for (const [state, targets] of edges) for (const target of targets) origins.get(target)?.push(state);
  const found = new Set([...edges.keys()].filter((state) => !edges.get(state)?.length));
  for (const state of found) for (const origin of origins.get(state) ?? []) found.add(origin);
  return found;
}

/** What tells a row from the others. @param {{ text: string, isDeadlock: boolean }} row */
export function keyOf({ text, isDeadlock }) { return `${isDeadlock} ${text}`; }

/** @param {(bigint | null)[]} counts of which null is without end */
function total(counts) {
  return counts.reduce((sum, count) => sum === null || count === null ? null : sum + count, 0n);
}

/** @param {bigint} count @param {bigint} total */
function share(count, total) { return Number(count * 10n ** 18n / total) / 1e18; }

/** @param {Row} one @param {Row} other */
function byText(one, other) { return one.text.localeCompare(other.text, "en", { numeric: true }); }

/**
 * The steps of a schedule as people write it: "0 1 0 1", "0, 1, 0, 1" or "[0, 1, 0, 1]".
 * @param {string} text
 */
export function stepsIn(text) { return text.trim().replace(/^\[|\]$/g, "").split(/[\s,;]+/).filter(Boolean); }
