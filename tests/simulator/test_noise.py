"""The noise: its size against the standard's table, and that it depends on nothing but seed and act."""

from __future__ import annotations

from statistics import fmean, stdev

import pytest

from robots.simulator.noise import Noise, largest_error, moved_volume, permissible_errors, taken_time

# ISO 8655-2:2002, table 1, copied here apart from the code: nominal µL, systematic ± %, random ± %
TABLE = [
    (1, 5.0, 5.0),
    (2, 4.0, 2.0),
    (5, 2.5, 1.5),
    (10, 1.2, 0.8),
    (20, 1.0, 0.5),
    (50, 1.0, 0.4),
    (100, 0.8, 0.3),
    (200, 0.8, 0.3),
    (500, 0.8, 0.3),
    (1000, 0.8, 0.3),
    (2000, 0.8, 0.3),
    (5000, 0.8, 0.3),
    (10000, 0.6, 0.3),
]


@pytest.mark.parametrize(("nominal", "systematic", "random"), TABLE)
def test_at_the_nominal_volume_the_errors_are_those_of_the_standard(nominal, systematic, random):
    found = permissible_errors(nominal, nominal)
    assert found == pytest.approx((nominal * systematic / 100, nominal * random / 100))
    assert permissible_errors(nominal, nominal, shared_drive=True) == pytest.approx(tuple(2 * e for e in found))


def test_between_and_beyond_the_tables_volumes():
    assert permissible_errors(300, 300) == pytest.approx((2.4, 0.9))
    assert permissible_errors(0.5, 0.5) == pytest.approx((0.025, 0.025))
    assert permissible_errors(20000, 20000) == pytest.approx((120.0, 60.0))
    assert permissible_errors(300, 0.0) == pytest.approx((0.48, 0.18))


def strokes(noise, seed, volume, count=400, channel=0):
    return [moved_volume(noise, seed, f"run:{number}#0", "p", channel, "tip", 300.0, volume) for number in range(count)]


@pytest.mark.parametrize("volume", [10.0, 100.0, 300.0])
def test_many_strokes_show_the_errors_that_were_asked_for(volume):
    systematic, random = permissible_errors(300.0, volume)
    biases = []
    for seed in range(30):
        moved = strokes(Noise(), seed, volume)
        assert stdev(moved) == pytest.approx(random, rel=0.15)
        assert all(abs(v - volume) <= largest_error(Noise(), 300.0, volume) for v in moved)
        biases.append(fmean(moved) - volume)
    assert max(map(abs, biases)) < systematic + 4 * random / 20
    assert stdev(biases) == pytest.approx(systematic / 3**0.5, rel=0.35)  # even within the limit


def test_noise_that_is_off_is_exact():
    assert set(strokes(Noise.off(), 1, 100.0)) == {100.0}
    assert taken_time(Noise.off(), 1, "a", 3.0) == 3.0


def test_channels_and_acts_stray_apart_and_seeds_repeat():
    one = strokes(Noise(), 1, 100.0)
    assert one == strokes(Noise(), 1, 100.0)
    assert one != strokes(Noise(), 2, 100.0)
    assert one != strokes(Noise(), 1, 100.0, channel=1)
    assert len(set(one)) == len(one)


def test_nothing_asked_moves_nothing_and_volumes_are_never_negative():
    assert set(strokes(Noise(pipetting=10.0), 1, 0.0)) == {0.0}
    assert min(strokes(Noise(pipetting=10.0), 1, 0.2)) == 0.0


def test_times_stray_a_little():
    times = [taken_time(Noise(), 1, f"run:{number}#0", 10.0) for number in range(400)]
    assert fmean(times) == pytest.approx(10.0, rel=0.01)
    assert stdev(times) == pytest.approx(0.2, rel=0.15)
    assert all(9.2 <= seconds <= 10.8 for seconds in times)
