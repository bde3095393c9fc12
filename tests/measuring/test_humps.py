"""Humps: two groups of durations are told apart, one group with a tail or with noise stays one."""

import random

import pytest

from helpers.measuring.humps import humps

US = 1_000  # ns


def around(centre, count, rng):
    """Return durations that scatter round a centre (µs) by a tenth of it."""
    return [int(US * centre * rng.lognormvariate(0, 0.1)) for _ in range(count)]


@pytest.mark.parametrize(("fast", "slow"), [(300, 700), (700, 300), (900, 100), (500, 500)])
def test_one_core_and_two_in_turn_are_two_humps(fast, slow):
    rng = random.Random(1)
    first, second = humps(around(18, fast, rng) + around(60, slow, rng))
    assert (first.share, second.share) == (max(fast, slow) / 1000, min(fast, slow) / 1000)
    assert sorted([first.median, second.median]) == pytest.approx([18e-6, 60e-6], rel=0.05)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("spread", [0.02, 0.1, 0.5, 1.0])
def test_durations_that_scatter_round_one_centre_are_one(seed, spread):
    rng = random.Random(seed)
    assert len(humps([int(US * 20 * rng.lognormvariate(0, spread)) for _ in range(400)])) == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_long_tail_is_no_second_hump(seed):
    rng = random.Random(seed)
    assert len(humps([int(US * (20 + rng.expovariate(1 / 20))) for _ in range(400)])) == 1


def test_a_few_outliers_are_no_second_hump():
    rng = random.Random(1)
    assert len(humps(around(20, 990, rng) + around(2_000, 10, rng))) == 1


@pytest.mark.parametrize("samples", [[5], [5, 500], [7] * 100, [0] * 100])
def test_few_samples_or_equal_ones_are_one(samples):
    (hump,) = humps(samples)
    assert hump.share == 1.0 and hump.median == pytest.approx(sum(samples) / len(samples) / 1e9)
