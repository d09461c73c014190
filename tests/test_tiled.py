"""Tiles: whatever their size, the result is that of the whole; what was interrupted goes on."""

import json
import os
import signal as signals
import subprocess
import sys
import time

import h5py
import jax.numpy as jnp
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxconv
from jaxconv import matching, tiled
from jaxconv.engine.problem import standing
from jaxconv.tiled import running
from jaxconv.tiled.overview import overview
from jaxconv.tiled.regions import read
from jaxconv.types import BOUNDARIES
from tests.helpers import assert_close


@pytest.fixture
def small(monkeypatch):
    """Cut into small tiles, whatever the memory."""
    monkeypatch.setattr(running, "tile_within", small_tiles)
    monkeypatch.setattr("jaxconv.tiled.functions.tile_within", small_tiles)
    monkeypatch.setattr("jaxconv.tiled.peaks.tile_within", small_tiles)


def small_tiles(sweep, max_bytes):
    tile = tuple(min(n, m) for n, m in zip(sweep.shape, (13, 9, 4)))
    return tile, running.compiled(sweep, tile)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_region_is_read_by_slices(data):
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=3))
    boundaries = [data.draw(st.sampled_from(BOUNDARIES)) for _ in lengths]
    low = [data.draw(st.integers(-15, 8)) for _ in lengths]
    high = [n + data.draw(st.integers(0, 20)) for n in low]
    source = np.arange(np.prod(lengths)).reshape(lengths) + 100
    got = read(source, low, high, boundaries, -7, int)
    want = source
    for axis, (a, b, n, name) in enumerate(zip(low, high, lengths, boundaries)):
        places = np.arange(a, b)
        if name == "fill":
            want = np.take(want, np.clip(places, 0, n - 1), axis)
            beyond = (places < 0) | (places >= n)
            want[(slice(None),) * axis + (beyond,)] = -7
        else:
            want = np.take(want, standing(places, n, name), axis)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("function", ["convolve", "correlate"])
def test_convolutions_are_those_of_the_whole(rng, small, function, mode, boundary):
    source, kernel = rng.integers(0, 99, (40, 31)).astype(np.uint8), rng.integers(-9, 9, (5, 4))
    fill = {"fillvalue": -3} if boundary == "fill" and mode != "valid" else {}
    options = {"boundary": boundary, "dilation": (2, 1), **fill}
    whole = np.asarray(getattr(jaxconv, function)(source, kernel, mode, **options))
    target = np.zeros_like(whole)
    assert getattr(tiled, function)(source, kernel, target, mode, **options) is target
    np.testing.assert_array_equal(target, whole)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_kernel_larger_than_the_source(rng, small, boundary):
    source, kernel = rng.standard_normal((6, 5)), rng.standard_normal((17, 14))
    whole = np.asarray(jaxconv.convolve(source, kernel, "same", boundary=boundary))
    target = tiled.convolve(source, kernel, np.zeros_like(whole), "same", boundary=boundary)
    assert_close(target, whole, np.abs(whole).max(), slack=64)


def test_volumes_smoothed(rng, small):
    source = rng.standard_normal((20, 15, 9))
    whole = np.asarray(jaxconv.gaussian_filter(source, (1.0, 0, 2.0)))
    target = tiled.gaussian_filter(source, (1.0, 0, 2.0), np.zeros_like(whole))
    assert_close(target, whole, 1, slack=64)


@pytest.mark.parametrize("distance", [1, 4])
def test_a_template_is_found_in_tiles(rng, small, distance):
    source = rng.standard_normal((60, 50))
    source[20:26, 10:15] = source[39:45, 31:36] = source[0:6, 45:50]  # across tiles, and in a corner
    template = source[20:26, 10:15].copy()
    whole = np.asarray(matching.normalized_correlation(source, template))
    target = tiled.normalized_correlation(source, template, np.zeros_like(whole))
    np.testing.assert_allclose(target, whole, atol=1e-6)
    peaks = matching.find_peaks(whole, threshold=0.3, min_distance=distance, max_peaks=3000)
    found = tiled.find(source, template, threshold=0.3, min_distance=distance)
    count = int(peaks.count)
    assert set(map(tuple, found.places.tolist())) == set(map(tuple, peaks.places[:count].tolist()))
    np.testing.assert_allclose(found.scores, peaks.scores[:count], atol=1e-6)
    assert {(20, 10), (39, 31), (0, 45)} <= set(map(tuple, found.places[:3].tolist()))


def test_several_templates_are_found_to_the_edges(rng, small):
    source = rng.integers(0, 255, (45, 38)).astype(np.uint8)
    templates, hidden = rng.standard_normal((3, 6, 5)), rng.random((3, 6, 5)) > 0.7
    best = matching.best_match(source, templates, template_mask=hidden, mode="same")
    peaks = matching.find_peaks(best.score, threshold=0.4, max_peaks=500)
    found = tiled.find(source, templates, threshold=0.4, template_mask=hidden, mode="same")
    count = int(peaks.count)
    np.testing.assert_array_equal(found.places, peaks.places[:count])
    np.testing.assert_array_equal(found.which, best.which[tuple(found.places.T)])
    np.testing.assert_allclose(found.positions, peaks.positions[:count], atol=1e-3)
    assert len(set(found.which)) == 3


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap", None])
def test_templates_are_matched_as_scikit_image_does(rng, small, mode):
    image, template = rng.random((30, 21)).astype(np.float32), rng.random((6, 5))
    options = {
        "pad_input": True,
        "mode": mode,
        **({"constant_values": 0.25} if mode == "constant" else {}),
    }
    whole = np.asarray(jaxconv.match_template(image, template, **(options if mode else {})))
    target = tiled.match_template(image, template, np.zeros_like(whole), **(options if mode else {}))
    np.testing.assert_allclose(target, whole, atol=1e-5)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float16", "float32", "complex64"])
@pytest.mark.parametrize("value", [0, -3, 0.3])
def test_what_is_filled_is_held_by_the_type(rng, small, dtype, value):
    source = rng.integers(0, 200, 40).astype(dtype)
    whole = np.asarray(jaxconv.convolve(source, np.ones(5, np.float32), fillvalue=value))
    target = tiled.convolve(source, np.ones(5, np.float32), np.zeros_like(whole), fillvalue=value)
    bound = 1e-5 if dtype != "float16" else 1e-3
    np.testing.assert_allclose(target, whole, rtol=bound, atol=bound)


def test_an_overview_is_of_means(rng, monkeypatch):
    monkeypatch.setattr("jaxconv.tiled.overview.LONGEST", 8)
    monkeypatch.setattr("jaxconv.tiled.overview.PIECE_BYTES", 2000)
    source = rng.standard_normal((50, 33)).astype(np.float32)
    source[3, 4] = np.nan
    small = overview(source)
    assert (small.block, small.means.shape) == (7, (8, 5))
    np.testing.assert_allclose(small.mean, np.nanmean(source.astype(float)))
    np.testing.assert_allclose(small.means[0, 0], np.nanmean(source[:7, :7].astype(float)), rtol=1e-6)
    np.testing.assert_allclose(small.means[-1, -1], source[49:, 28:].mean(), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint8"])
@pytest.mark.parametrize("distance", [1, 3])
def test_peaks_of_plateaus_and_ties(rng, small, dtype, distance):
    scores = rng.integers(0, 6, (40, 37)).astype(dtype)
    peaks = matching.find_peaks(scores, threshold=2, min_distance=distance, max_peaks=scores.size)
    found = tiled.find_peaks(scores, threshold=2, min_distance=distance)
    count = int(peaks.count)
    order = np.lexsort(np.asarray(peaks.places[:count]).T)
    mine = np.lexsort(found.places.T)
    np.testing.assert_array_equal(found.places[mine], peaks.places[:count][order])
    np.testing.assert_allclose(found.positions[mine], peaks.positions[:count][order], atol=1e-3)


@pytest.mark.parametrize("kind", ["memmap", "zarr", "h5py"])
def test_real_sources_and_targets(rng, small, kind, tmp_path):
    values, kernel = rng.standard_normal((50, 40)).astype(np.float32), np.ones((3, 5), np.float32)
    whole = np.asarray(jaxconv.convolve(values, kernel, "same"))
    if kind == "memmap":
        np.save(tmp_path / "a.npy", values)
        out = tiled.convolve(tmp_path / "a.npy", kernel, tmp_path / "b.npy", "same")
    elif kind == "zarr":
        zarr.create_array(str(tmp_path / "a.zarr"), data=values, chunks=(16, 16))
        out = tiled.convolve(str(tmp_path / "a.zarr"), kernel, str(tmp_path / "b.zarr"), "same")
    else:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            source = file.create_dataset("in", data=values, chunks=(16, 8))
            target = file.create_dataset("out", whole.shape, "f4")
            out = tiled.convolve(source, kernel, target, "same", journal=tmp_path / "journal")[:]
    np.testing.assert_allclose(out[:], whole, atol=1e-5)
    assert not [name for name in os.listdir(tmp_path) if "part" in name or "journal" in name]


SLOW = """
import sys, numpy as np, time
from jaxconv import tiled
from jaxconv.tiled import functions, running, targets
targets.FLUSH_SECONDS = 0
functions.tile_within = lambda sweep, most: ((16, 16), running.compiled(sweep, (16, 16)))
read = running.Sweep.read
def slowly(*given):
    time.sleep(0.02)
    print("read", flush=True)
    return read(*given)
running.Sweep.read = slowly
tiled.convolve("a.npy", np.ones((5, 5), np.float32), "b.npy", "same")
"""


def test_what_was_killed_is_not_whole_and_goes_on(rng, tmp_path):
    values = rng.standard_normal((128, 96)).astype(np.float32)  # 48 tiles
    np.save(tmp_path / "a.npy", values)
    reads = []
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", SLOW], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(int(rng.integers(3, 12)))]
            time.sleep(rng.uniform(0, 0.05))
            process.send_signal(signals.SIGKILL)
            reads.append(len(lines) + len(process.stdout.readlines()))
        assert lines[-1], "it ended before it was killed"
        assert not (tmp_path / "b.npy").exists()
    done = len((tmp_path / "b.npy.journal").read_text().splitlines()) - 1
    assert 0 < done <= sum(reads)
    last = subprocess.run([sys.executable, "-c", SLOW], cwd=tmp_path, capture_output=True, text=True)
    assert last.stdout.count("read") == 48 - done
    whole = jaxconv.convolve(values, np.ones((5, 5), np.float32), "same")
    np.testing.assert_allclose(np.load(tmp_path / "b.npy"), whole, atol=1e-4)
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "b.npy"]


def test_what_another_call_left_is_refused(rng, small, tmp_path, monkeypatch):
    source, target = rng.standard_normal((30, 30)), tmp_path / "b.npy"

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr("jaxconv.tiled.functions.run", stop)
        with pytest.raises(KeyboardInterrupt):
            tiled.convolve(source, np.ones((3, 3)), target)
    assert json.loads((tmp_path / "b.npy.journal").read_text().splitlines()[0])["tile"] == [13, 9]
    with pytest.raises(ValueError, match=r"be what the same call left.* Delete .*journal"):
        tiled.convolve(source, np.ones((3, 5)), target)
    tiled.convolve(source, np.ones((3, 3)), target)
    assert target.exists()


def test_memory_is_kept(tmp_path):
    """Of a process of its own: what it holds grows by no more than `max_bytes`."""
    source = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (9000, 9000))
    source[::100] = 200
    del source
    program = """
import resource, numpy as np
from jaxconv import tiled
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
kernel = np.ones((9, 9), np.float32)
tiled.convolve(np.zeros((500, 500), np.uint8), kernel, np.zeros((500, 500), np.float32), "same")
class Source:
    shape, dtype = (9000, 9000), np.dtype("uint8")
    def __getitem__(self, index):
        return np.array(np.load("a.npy", mmap_mode="r")[index])
class Target:
    shape, dtype = (9000, 9000), np.dtype("float32")
    def __setitem__(self, index, values):
        pass
before = peak()
tiled.convolve(Source(), kernel, Target(), "same", max_bytes=100_000_000)
print(peak() - before)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(ran.stdout) < 130_000_000  # the whole is 324 MB in floats; allocators keep a little


def test_what_is_wrong_is_told(rng):
    source = rng.standard_normal((20, 20))
    for words, call in {
        "convolve: `kernel` must have as many axes": lambda: tiled.convolve(source, np.ones(3), None),
        "convolve: `target` must be of shape": lambda: tiled.convolve(
            source, np.ones((3, 3)), np.zeros((9, 9))
        ),
        "convolve: `target` must be NAME": lambda: tiled.convolve(source, np.ones((3, 3)), "a.png"),
        "convolve: `max_bytes` must hold a tile": lambda: tiled.convolve(
            source.astype("f4"), np.ones((3, 3), "f4"), np.zeros((22, 22), "f4"), max_bytes=10
        ),
        "match_template: `mode` must be one of": lambda: tiled.match_template(
            source, np.eye(3), None, pad_input=True, mode="linear_ramp"
        ),
        "gaussian_filter: `sigma` must be one number": lambda: tiled.gaussian_filter(
            source, (1, 2, 3), None
        ),
        "find: `template` must fit": lambda: tiled.find(source, jnp.eye(30), threshold=0.5),
    }.items():
        with pytest.raises(ValueError, match=f"^{words}"):
            call()
