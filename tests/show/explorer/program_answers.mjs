// Answers for test_program_js.py: what the explorer's program says of each graph on standard input, as JSON.

import { readFileSync } from "node:fs";

const { Program, keyOf } = await import(process.argv[2]);
const exactly = (count) => count === null || count === undefined ? null : String(count);

/** What holds behind the steps of a schedule. */
function judge(program, schedule) {
  const { taken, problem } = program.follow(schedule);
  const state = taken.at(-1)?.to ?? 0;
  return {
    problem,
    taken: taken.map((step) => step.process),
    lost: [...program.lostUpdates(taken).keys()],
    labels: taken.map((step) => program.step(step.from, step.process).label),
    isDeadlock: program.isDeadlock(state),
    isViolated: program.shared(state).violated,
    outcome: program.hasFinished(state) ? program.outcome(state) : null,
    refusals: program.names.map((_, process) => program.refusal(state, process)),
  };
}

/** How many orders matter, in all and for each row; null where there are more cases than may be looked at. */
function merged(program, rows, most) {
  const work = program.mergeOrders(most);
  for (;;) {
    const { done, value } = work.next();
    if (!done) continue;
    return value && { total: exactly(value.total), rows: rows.map((row) => exactly(value.of.get(keyOf(row)))) };
  }
}

function answer({ graph, schedules, goal, mostMerged }) {
  const program = new Program(graph), folded = program.outcomes();
  const foldedOrders = merged(program, folded.rows, mostMerged);
  for (const statement of program.statements) program.expanded.add(statement);
  const { rows, total } = program.outcomes(), clean = program.cleanOutcomes();
  const numbers = ({ way }) => way && way.map((step) => step.process);
  return {
    total: exactly(total),
    orders: merged(program, rows, mostMerged),
    folded: { total: exactly(folded.total), orders: foldedOrders },
    rows: rows.map(({ text, isDeadlock, count, exact, coin }) => (
      { text, isDeadlock, count: exactly(count), exact, coin })),
    judged: schedules.map((schedule) => judge(program, schedule)),
    toBreak: numbers(program.searchBreak()),
    toGoal: numbers(program.search(new Set(goal))),
    clean: clean && [...clean],
  };
}

const requests = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(requests.map(answer)));
