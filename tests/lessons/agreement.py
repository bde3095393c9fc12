"""What the tests of several lessons ask of each scenario: that real processes do what its model may do."""

from helpers.scheduling import Scenario, explore, replay, sample


def assert_runs_as_its_model_allows(program: Scenario, method: str) -> None:
    """Let real processes play a schedule of a scenario, and run free once; both must end as its model may."""
    explored = explore(program)
    schedule = explored.shortest(lambda state: state.finished)
    assert replay(program, schedule, method).outcome in explored.outcomes
    seen = sample(program, 1, method)
    # a free run may be interrupted within a statement, between two accesses
    assert set(seen.outcomes) <= set(explore(program, "access").outcomes)
    assert seen.deadlocks <= explored.deadlocks
