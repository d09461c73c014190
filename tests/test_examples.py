"""The programs that find and learn: what each tells, and that it draws its picture."""

import re
import sys

import jax
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from tests.helpers import program, told

TOLD = {
    "find_coins": {"coins": (24, 0, 0)},
    "find_letter": {"letters e": (22, 2, 2)},
    "find_heartbeats": {"heartbeats": (2, 0, 0)},
    "find_stars": {"stars, not whitened, at 0.9": (1, 0, 8), "stars": (1, 0, 0)},
    "find_aftershocks": {"shocks": (3, 0, 0)},
    "live_aftershocks": {"shocks as they come": (3, 0, 0)},
    "learn_coins": {
        "learned": (18, 0, 0),
        "drawn by hand": (18, 0, 0),
        "scikit-image, a marked coin": (16, 2, 0),
    },
}


@pytest.fixture
def run(single, tmp_path, capsys, monkeypatch):
    """Return a function that runs a program and returns what it printed; it leaves one picture."""

    def runs(name):
        printed = told(f"examples/{name}.py", tmp_path, capsys, monkeypatch)
        assert [path.name for path in tmp_path.iterdir()] == [f"{name}.png"]
        return printed

    return runs


def counts(printed):
    """Return how many each line tells as found, missed and false."""
    line = r"^(.+): found (\d+) of \d+, missed (\d+), false (\d+)"
    return {what: tuple(map(int, n)) for what, *n in re.findall(line, printed, re.MULTILINE)}


LONG = [pytest.param("learn_coins", marks=pytest.mark.long)]


@pytest.mark.filterwarnings("ignore:SelectableGroups")  # of ObsPy
@pytest.mark.parametrize("name", [*(name for name in TOLD if name != "learn_coins"), *LONG])
def test_finds_what_is_there(name, run):
    assert counts(run(name)) == TOLD[name]


def test_finds_a_coin_on_disk(single, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["find_on_disk", "--save", str(tmp_path)])
    example = program("examples/find_on_disk.py")
    monkeypatch.setattr(example, "SIDE", 3000)
    example.main()
    found, missed, false = counts(capsys.readouterr().out)["coins"]
    assert found > 1
    assert (missed, false) == (0, 0)


def test_learns_a_heartbeat_as_good_as_the_optimum(run):
    printed = run("learn_heartbeats")
    assert float(re.search(r"([\d.]+) learned$", printed, re.MULTILINE)[1]) > 0.995
    found = counts(printed)
    for name, (right, _, false) in found.items():
        assert right >= 385, name  # of 400
        assert false <= 10, name
    assert abs(found["learned"][0] - found["optimum"][0]) <= 2


def test_a_blurred_clock_becomes_round(run):
    printed = run("sharpen_clock")
    length, angle = re.search(r"by ([\d.]+) pixels, at ([\d.]+) degrees", printed).groups()
    assert 35.5 < float(length) < 36.5
    assert 1.5 < float(angle) < 2.5
    before, after = re.search(r"fits with ([\d.]+) before, with ([\d.]+) after", printed).groups()
    assert float(after) > 1.5 * float(before)


def test_points_of_the_field_come_together(run):
    printed = run("sharpen_galaxies")
    before, after, light = (int(part) for part in re.findall(r"(\d+)%", printed))
    assert after > 1.5 * before
    assert 100 <= light < 115


def test_a_filter_before_every_fourth_sample(run):
    printed = run("resample_heartbeats")
    picked, decimated, learned = (float(e) for e in re.findall(r"error ([\d.]+)", printed))
    assert learned < decimated < picked / 4


@pytest.mark.filterwarnings("ignore:SelectableGroups")  # of ObsPy
def test_packets_are_decimated_as_the_whole(run):
    printed = run("live_decimation")
    assert "11517 samples in 188 packets became 2304, 1.1 s late" in printed
    assert "the whole at once gives the same" in printed


def test_a_bank_sorts_itself(single):
    shapes = program("examples/sort_shapes.py")
    scenes = jax.jit(jax.vmap(shapes.draw))(jax.random.split(jax.random.key(5), 300))
    before, bank = shapes.learn(4, shapes.sorting, project=shapes.unit_energy)
    start, end = (np.asarray(shapes.confuse(each, scenes)) for each in (before, bank))
    rows, order = linear_sum_assignment(-end)
    assert end[rows, order].sum() / 300 > 0.98
    assert start[linear_sum_assignment(-start)].sum() / 300 < 0.6


def test_feature_maps_read_digits(single):
    maps = program("examples/feature_maps.py")
    known, held = maps.digits()
    draw = jax.tree_util.Partial(maps.shift, images=known[0], kinds=known[1])
    weights = maps.learn(draw, maps.init(jax.random.key(0), 8, 10))
    given = maps.judge("digits", weights, *held)
    assert float((given == held[1]).mean()) >= 0.985
    assert [layer.shape[1:] for layer in maps.layers(weights, held[0][:1])] == [
        (8, 8, 1),
        (4, 4, 32),
        (2, 2, 64),
    ]


def test_flax_gives_the_same(single, monkeypatch):
    flax = program("examples/feature_maps_flax.py")
    monkeypatch.setattr(sys.modules["feature_maps"], "STEPS", 100)
    ours, flaxs = flax.compare()
    assert float((ours == flaxs).mean()) > 0.99
    assert float((ours == flax.digits()[1][1]).mean()) > 0.8


def test_padding_and_stride_tell_how_many_outputs(run):
    told = re.findall(r": (.+) = (\d+) rows", run("padding_and_stride"))
    assert [count for _, count in told] == ["4", "6", "3"]
    for formula, count in told:
        assert eval(formula.replace("·", "*").replace("−", "-")) == int(count)
