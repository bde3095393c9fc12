// Answers for test_program_js.py: what the explorer's program says of each graph on standard input, as JSON.

import { readFileSync } from "node:fs";

const { Program } = await import(process.argv[2]);

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

function answer({ graph, schedules, goal }) {
  const program = new Program(graph);
  for (const statement of program.statements) program.expanded.add(statement);
  const { rows, total } = program.outcomes(), clean = program.cleanOutcomes();
  const numbers = ({ way }) => way && way.map((step) => step.process);
  return {
    total: total === null ? null : String(total),
    rows: rows.map(({ text, isDeadlock, count, exact, coin }) => (
      { text, isDeadlock, count: count === null ? null : String(count), exact, coin })),
    judged: schedules.map((schedule) => judge(program, schedule)),
    toBreak: numbers(program.searchBreak()),
    toGoal: numbers(program.search(new Set(goal))),
    clean: clean && [...clean],
  };
}

const requests = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(requests.map(answer)));
