"""The command line does its job on real input and tells a mistake in one line."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import jax
import jsonschema
import numpy as np
import pytest
import pywt
import skimage
import zarr
from PIL import Image
from typer.testing import CliRunner

import jaxconv
from jaxconv import signals
from jaxconv.__main__ import app
from jaxconv.benchmarking import running
from jaxconv.benchmarking.cases import Case
from jaxconv.cli.reading import load, numbers
from jaxconv.engine import calibration, costs, planning, tuned
from tests.helpers import program

COINS = os.path.join(os.path.dirname(skimage.__file__), "data", "coins.png")
ROOT = Path(__file__).parents[1]
TRUE_COINS = np.array(program("examples/find_coins.py").COINS)  # row, column, radius


def run(*arguments):
    """Run the command line in this process; return exit status, standard output and error."""
    with jax.enable_x64(False):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_finds_the_coins(tmp_path):
    options = ("--template", "circle", "--radius", "20..30", "--edges")
    status, out, _ = run("find", COINS, *options, "--output", tmp_path)
    assert status == 0
    rows = [[float(x) for x in line.split()] for line in out.splitlines() if re.match(r" +\d+ ", line)]
    assert len(rows) == 24
    for row, column, _ in TRUE_COINS:
        assert min(np.hypot(y - row, x - column) for _, y, x, _, _ in rows) < 6, (row, column)
    with Image.open(tmp_path / "coins-found.png") as picture:
        assert picture.width > 1000


@pytest.mark.parametrize("name", ["coins.npy", "coins.zarr", "line.npy"])
def test_finds_the_same_in_what_is_too_large(tmp_path, monkeypatch, name):
    with Image.open(COINS) as picture:
        values = np.asarray(picture)
    values = values if "coins" in name else values[100]
    np.save(tmp_path / "whole.npy", values)
    source = tmp_path / name
    if source.suffix == ".zarr":
        zarr.create_array(str(source), data=values, chunks=(100, 100))
    else:
        np.save(source, values)
    options = ("--crop", "60,40,60,60" if "coins" in name else "50,40", "--threshold", 0.4)
    assert run("find", tmp_path / "whole.npy", *options, "--output", tmp_path)[0] == 0
    monkeypatch.setattr("jaxconv.cli.reading.LARGE", 1)
    monkeypatch.setattr(
        "jaxconv.cli.find.matching.find_peaks", lambda *_, **__: pytest.fail("not by tiles")
    )
    status, _, error = run("find", source, *options, "--output", tmp_path)
    assert (status, error) == (0, "")
    whole, tiles = (
        json.loads((tmp_path / f"{stem}-found.json").read_text())["found"]
        for stem in ("whole", source.stem)
    )
    assert len(whole) > 1
    for one, other in zip(whole, tiles, strict=True):
        assert one == pytest.approx(other, abs=1e-3)
    status, _, error = run("find", source, *options, "--edges")
    words = "be left out" if "coins" in name else "be left out for a signal"
    assert status == 2
    assert f"find: `edges` must {words}" in error


def test_learns_writes_and_finds_with_what_it_learned(tmp_path):
    options = ("--steps", 100, "--size", 11, "--batch", 16, "--output", tmp_path)
    status, out, error = run("learn", "circle", *options)
    assert (status, error) == (0, "")
    assert re.search(r"^learned +0\.9", out, re.MULTILINE)
    wrote = {"circle.npz", "circle.json", "circle.png", "circle.gif"}
    assert {path.name for path in tmp_path.iterdir()} == wrote
    history = json.loads((tmp_path / "circle.json").read_text())
    assert len(history["losses"]) == history["steps"][-1] == history["asked"]["steps"] == 100
    assert history["similarity"][0] < 0.4 < 0.9 < history["similarity"][-1]
    with Image.open(tmp_path / "circle.gif") as moving:
        assert moving.n_frames > 10
    with np.load(tmp_path / "circle.npz") as file:
        assert file["filter"].shape == (11, 11)
        assert str(file["target"]) == "circle"
    filter = ("--filter", tmp_path / "circle.npz", "--radius", 25, "--edges", "--output", tmp_path)
    status, out, _ = run("find", COINS, *filter, "--threshold", 0.5)
    assert status == 0
    assert "found: circle.npz in coins.png" in out


def test_learns_what_is_marked_in_a_photograph(tmp_path):
    marks = [x for row, column, _ in TRUE_COINS[12:18] for x in ("--mark", f"{row},{column}")]
    options = ("--loss", "logistic", "--steps", 20, "--size", 41, "--batch", 2, "--output", tmp_path)
    status, out, error = run("learn", COINS, *marks, *options, "--optimizer", "adamw")
    assert (status, error) == (0, "")
    assert re.search(r"^learned +cosine with the optimum +-?0\.\d+", out, re.MULTILINE)
    with np.load(tmp_path / "coins.npz") as file:
        assert file["filter"].shape == (41, 41)


def test_learns_one_heartbeat_and_finds_the_others(tmp_path):
    np.save(tmp_path / "heart.npy", pywt.data.ecg())
    options = ("--size", 61, "--noise", 1, "--mark", 190, "--output", tmp_path)
    status, out, error = run("learn", tmp_path / "heart.npy", *options)
    assert (status, error) == (0, "")
    assert out.startswith("1 place of heart, noise 1\n")
    assert re.search(r"^learned +cosine with the optimum +0\.99", out, re.MULTILINE)
    options = ("--filter", tmp_path / "heart.npz", "--threshold", 0.6, "--output", tmp_path)
    assert run("find", tmp_path / "heart.npy", *options)[0] == 0
    found = json.loads((tmp_path / "heart-found.json").read_text())["found"]
    np.testing.assert_allclose(sorted(one["sample"] for one in found), (190, 518, 848), atol=3)


RAMP = np.add.outer(np.arange(30), np.arange(34) % 7).astype("u1")  # a small picture to learn from


def bad_files(folder):
    """Make files that are not what they are taken for."""
    (folder / "text.png").write_text("no picture")
    (folder / "text.npz").write_text("no filter")
    np.savez(folder / "other.npz", weights=np.ones(3))
    Image.new("L", (12, 10)).save(folder / "small.png")
    Image.fromarray(RAMP).save(folder / "ramp.png")
    (folder / "cut.png").write_bytes((folder / "ramp.png").read_bytes()[:-30])
    np.save(folder / "one.npy", np.ones((3, 3)))
    np.savez(folder / "radius0.npz", filter=np.ones((3, 3)), radius=0)
    np.save(folder / "signal.npy", np.arange(30.0) % 7)
    np.savez(folder / "oblong.npz", filter=np.ones((1, 9)), radius=3)
    np.savez(folder / "line.npz", filter=np.ones(9), radius=3)
    np.savez(folder / "square.npz", filter=np.ones((3, 3)), radius=3)
    np.savez_compressed(folder / "packed.npz", filter=np.ones((9, 9)), radius=3)
    bad = bytearray((folder / "packed.npz").read_bytes())
    bad[70:80] = b"x" * 10
    (folder / "packed.npz").write_bytes(bad)


SHORT = ("--mark", "15,17", "--size", "5", "--steps", "5", "--batch", "2")
MISTAKES = [
    (["learn", "circel"], "`target` must be one of .* Did you mean 'circle'"),
    (["learn", "circle", "--size", "10"], "`size` must be a positive odd whole number; got 10"),
    (["learn", "circle", "--steps", "0"], "`steps` must be a positive whole number; got 0"),
    (["learn", "circle", "--batch", "-1"], "`batch` must be a positive whole number; got -1"),
    (["learn", "circle", "--noise", "0"], "`noise` must be positive; got 0"),
    (["learn", "circle", "--loss", "logistics"], "`loss` must be one of .* Did you mean 'logistic'"),
    (["learn", "circle", "--optimizer", "adan"], "`optimizer` must be one of .* Did you mean 'adam'"),
    (["learn", "circle", "--mark", "3,4"], "`mark` must be left out for a shape; got 3,4"),
    (["learn", "circle", "--resume"], "`save` must name an existing file; got out/circle.state.npz"),
    (["learn", "small.png"], "`mark` must be given for a picture.* Try --mark 43,334"),
    (["learn", "small.png", "--mark", "3"], "`mark` must be a row and a column; got '3'. Try 43,334"),
    (
        ["learn", "small.png", "--mark", "5,5"],
        "`size` must be no larger than the picture",
    ),
    (
        ["learn", "small.png", "--mark", "1,1", "--size", "5"],
        "`mark` must be at least 2 pixels from the edges of the picture, .10, 12.; got 1,1",
    ),
    (
        ["learn", "absent.png", "--mark", "5,5"],
        r"`target` must be a picture that can be read; got absent.png \(no such file\)",
    ),
    (["learn", "signal.npy", "--mark", "5,5"], "`mark` must be a sample's number; got '5,5'. Try 190"),
    (["learn", "signal.npy"], "`mark` must be given for a signal.* Try --mark 190"),
    (["learn", "signal.npy", "--mark", "9", "--edges"], "`edges` must be left out for a signal"),
    (["learn", "ramp.png", "--mark", "30,1e400"], "`mark` must be a row and a column; got '30,1e400'"),
    (["learn", "ramp.png", "--mark", "nan,3"], "`mark` must be a row and a column; got 'nan,3'"),
    (["learn", "circle", "--size", "1"], "`size` must be 3 or greater; got 1"),
    (
        ["learn", "ramp.png", "--mark", "15,17", "--size", "29"],
        r"`size` must leave a position .* where the filter touches no target; got 29, in .*\(30, 34\)",
    ),
    (
        ["learn", "ramp.png", *SHORT, "--loss", "least-squares", "--rate", "1e30"],
        "the loss must be finite; got .* at step",
    ),
    (
        ["find", "absent.png", "--template", "circle", "--radius", "20"],
        r"`image` must be a picture that can be read; got absent.png \(no such file\)",
    ),
    (
        ["find", "text.png", "--template", "circle", "--radius", "20"],
        r"got text.png \(not a picture file\)",
    ),
    (
        ["find", "cut.png", "--template", "circle", "--radius", "3"],
        r"got cut.png \(damaged: .*truncated",
    ),
    (["find", ".", "--template", "circle", "--radius", "3"], r"got \. \(a folder\)"),
    (
        ["find", "small.png", "--template", "circle", "--radius", "20"],
        "no larger than the image .10, 12.; got radius 20, whose template is 51 x 51",
    ),
    (
        ["find", "small.png", "--template", "circle", "--radius", "1..1e12"],
        "got radius 1e.12, whose template is 2.4e.12 x",
    ),
    (
        ["find", "small.png", "--template", "circle", "--radius", "1.7e308"],
        "got radius 1.7e.308, whose template is inf x inf",
    ),
    (
        ["find", "small.png", "--template", "circle", "--radius", "inf"],
        "must be a positive number or a range .*; got 'inf'",
    ),
    (
        ["find", "small.png", "--template", "circle", "--radius", "3", "--threshold", "5"],
        "`threshold` must be a score, from -1 to 1; got 5.0",
    ),
    (["find", "small.png", "--template", "circle"], "`radius` must be given with `template`"),
    (["find", "small.png", "--template", "ring", "--radius", "3"], "`template` must be one of"),
    (
        ["find", "small.png", "--template", "circle", "--radius", "x"],
        "`radius` must be a positive number",
    ),
    (["find", "small.png", "--template", "circle", "--radius", "9..3"], "got '9..3'. Try 25 or 20..30"),
    (["find", "small.png", "--filter", "line.npz"], "`filter` must be a picture .*; got a signal"),
    (["find", "signal.npy", "--filter", "square.npz"], "`filter` must be a signal .*; got a picture"),
    (
        ["find", "signal.npy", "--filter", "line.npz", "--radius", "9"],
        "`radius` must be left out with a",
    ),
    (["find", "small.png"], "`template` must be given, or `crop` or `filter`, and one of them only"),
    *(
        (
            ["find", "small.png", "--filter", name],
            f"`filter` must be an undamaged file that `jaxconv learn` wrote; got {name}",
        )
        for name in "absent.npz text.npz other.npz packed.npz radius0.npz oblong.npz one.npy".split()
    ),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_line_and_status_2(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    bad_files(tmp_path)
    before = sorted(tmp_path.iterdir())
    status, out, error = run(*arguments)
    assert status == 2
    assert out == ""
    assert len(error.splitlines()) == 1
    assert error.startswith(f"jaxconv {arguments[0]}: ")
    assert re.search(message, error)
    assert sorted(tmp_path.iterdir()) == before


def test_a_picture_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    Image.fromarray(RAMP).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    status, _, error = run("find", tmp_path / "large.png", "--template", "circle", "--radius", 3)
    assert status == 2
    assert error.endswith("large.png (more than 200 pixels).\n")


def test_huge_radii_are_refused_before_a_template_is_drawn(tmp_path, monkeypatch):
    bad_files(tmp_path)
    monkeypatch.setitem(signals.SHAPES, "circle", None)
    options = ("--template", "circle", "--radius", "1..400")
    status, _, error = run("find", tmp_path / "small.png", *options)
    assert status == 2
    assert "got radius 400, whose template is 963 x 963" in error


def test_a_range_of_radii_goes_no_farther_than_its_end():
    assert numbers("find", "radius", "20..22.7", step=1.0) == [20, 21, 22]
    assert len(numbers("find", "radius", "0.3..2.3", step=1.0)) == 3
    assert numbers("find", "angles", "0..350/10") == list(range(0, 360, 10))
    assert numbers("find", "scales", "0.8..1.2/0.1") == [0.8, 0.9, 1.0, 1.1, 1.2]
    assert numbers("find", "angles", "-10..10") == [-10, 10]


def test_resumes_only_with_the_same_options(tmp_path, monkeypatch):
    Image.fromarray(RAMP).save(tmp_path / "ramp.png")
    state = tmp_path / "ramp.state.npz"
    kept = []

    def show(*_):  # what another run in the same folder does at its end
        kept.append(state.read_bytes())
        state.unlink()

    monkeypatch.setattr("jaxconv.cli.learn._show", show)
    short = (*SHORT, "--output", tmp_path)
    status, _, error = run("learn", tmp_path / "ramp.png", *short)
    assert (status, error) == (0, "")
    for options, message in (
        (
            ("--noise", 0.3, "--seed", 1),
            "fit with noise 0.3, seed 1; got .* with noise 0.5, seed 0. Use",
        ),
        (
            ("--rate", 0.1, "--optimizer", "sgd"),
            "fit with optimizer 'sgd', rate 0.1; got .*'adam', rate",
        ),
        (("--loss", "logistic"), "fit with loss 'logistic'; got .* with loss 'deflection'"),
        (("--edges", "--steps", 6), "fit with edges True, steps 6; got .* with edges False, steps 5"),
        (("--mark", "5,6"), "fit with mark .'15,17', '5,6'.; got .* with mark .'15,17'"),
    ):
        state.write_bytes(kept[0])
        status, _, error = run("learn", tmp_path / "ramp.png", *short, *options, "--resume")
        assert (status, len(error.splitlines())) == (2, 1)
        assert re.search(message, error)
    state.write_bytes(kept[0][:-50])
    status, _, error = run("learn", tmp_path / "ramp.png", *short, "--resume")
    assert (status, len(error.splitlines())) == (2, 1)
    assert re.search(r"undamaged file of a fit; got .*ramp.state.npz. Delete it, and start again", error)
    state.write_bytes(kept[0])
    assert run("learn", tmp_path / "ramp.png", *short, "--resume")[0] == 0


def test_as_a_program_it_exits_with_2(tmp_path):
    command = [sys.executable, "-m", "jaxconv", "find", "absent.png", "--template", "circle"]
    done = subprocess.run(
        [*command, "--radius", "20"], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_keeps_the_best_so_far_and_resume_goes_on(tmp_path):
    command = [sys.executable, "-m", "jaxconv", "learn", "circle", "--steps", "100000"]
    heeded = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it is ignored
    with subprocess.Popen(
        [*command, "--output", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        signal.signal(signal.SIGINT, heeded)
        while not (tmp_path / "circle.state.npz").exists() and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        try:
            out, error = process.communicate(timeout=60)
        finally:
            process.kill()  # else a program that does not end would slow the tests after it
    assert (process.returncode, error) == (130, "")
    steps = int(re.search(r"interrupted after (\d+) of 100000 steps; --resume goes on", out)[1])
    kept = {"circle.npz", "circle.json", "circle.state.npz"}
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert len(json.loads((tmp_path / "circle.json").read_text())["losses"]) == steps


@pytest.mark.parametrize("mode", ["L", "I;16", "F", "P", "1", "LA", "RGB", "RGBA", "CMYK"])
def test_reads_pictures_of_every_kind(tmp_path, mode):
    grey = np.tile(np.arange(0, 240, 10, np.uint8), (9, 1))
    picture = Image.fromarray(grey if mode != "I;16" else grey.astype(np.uint16) * 256)
    picture = picture if mode == "I;16" else picture.convert(mode)
    path = tmp_path / "ramp.tif"
    picture.save(path)
    loaded = np.asarray(load("find", "image", path))
    assert loaded.shape == (9, 24)
    assert np.corrcoef(loaded[0], grey[0])[0, 1] > 0.6  # mode 1 is dithered


def test_calibrates(tmp_path, monkeypatch):
    monkeypatch.setenv("JAXCONV_CACHE", str(tmp_path))
    few = list(calibration.problems("cpu"))[:2]
    monkeypatch.setattr(calibration, "problems", lambda platform: few)
    status, out, error = run("calibrate")
    costs.constants.cache_clear()
    assert (status, error) == (0, "")
    assert re.search(r"^shifts_call +", out, re.MULTILINE)
    (file,) = tmp_path.iterdir()
    assert out.splitlines()[-1] == f"wrote {file}"


def test_a_platform_that_is_not_there_is_told():
    status, _, error = run("calibrate", "--platform", "tpu")
    assert status == 2
    assert "tpu" in error
    assert len(error.splitlines()) == 1


def test_benchmarks(tmp_path, monkeypatch):
    case = Case("64 × 9", (64,), (9,))
    monkeypatch.setattr(running, "PARTS", [("one channel, forward", [case], running.time_forward)])
    status, out, error = run("bench", "--suite", "signals", "--output", tmp_path)
    assert (status, error) == (0, "")
    assert re.search(
        r"^one channel, forward: 64 × 9 +[0-9.]+ ms +[0-9.]+ ms +[0-9.]+$", out, re.MULTILINE
    )
    assert {path.name for path in tmp_path.iterdir()} == {
        "benchmarks.json",
        "methods.png",
        "roofline.png",
    }
    results = json.loads((tmp_path / "benchmarks.json").read_text())
    assert set(results["about"]) >= {"device", "versions", "date"}
    assert results["one channel, forward"]["64 × 9"]["seconds"]["SciPy"] > 0

    schema = json.loads((ROOT / "benchmarks" / "schema.json").read_text())
    jsonschema.validate(results, schema)
    files = [tmp_path / "benchmarks.json"] * 2
    status, out, error = run("bench", "--compare", *files)
    assert (status, error) == (0, "")
    assert re.search(r"64 × 9 +[0-9.]+ ms +[0-9.]+ ms +1.00 +1.00$", out, re.MULTILINE)
    (tmp_path / "other.json").write_text("{}")
    status, _, error = run("bench", "--compare", files[0], tmp_path / "other.json")
    assert (status, "`compare` must be files" in error) == (2, True)


@pytest.mark.parametrize("dtype", ["bfloat16", "complex64", "int32"])
def test_sizes_and_dtypes_of_ones_own_are_timed(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr(
        "jaxconv.benchmarking.running.limits",
        lambda: {"copy, GB/s": 1.0, "matrix product, GFLOP/s": 1.0},
    )
    sizes = ("--signal", "20x21", "--kernel", "3x5", "--dtype", dtype)
    status, _, error = run("bench", *sizes, "--output", tmp_path)
    assert (status, error) == (0, "")
    results = json.loads((tmp_path / "benchmarks.json").read_text())
    assert results["about"]["dtype"] == dtype
    row = results["one channel, forward"]["20x21 × 3x5"]
    assert row["error"] < (1e-2 if dtype == "bfloat16" else 1e-6)
    assert row["seconds"]["JAX"] > 0
    assert ("one channel, value and both gradients" in results) == (dtype != "int32")


def test_results_of_devices_that_are_kept_are_as_the_schema_says():
    schema = json.loads((ROOT / "benchmarks" / "schema.json").read_text())
    files = list((ROOT / "benchmarks" / "results").glob("*.json"))
    assert files
    for file in files:
        jsonschema.validate(json.loads(file.read_text()), schema)


def test_the_version_and_a_plan_are_printed():
    status, out, _ = run("--version")
    assert (status, out.splitlines()[0]) == (0, f"jaxconv {jaxconv.__version__}")
    assert f"jax {jax.__version__}" in out
    status, out, _ = run("plan", "1024x1024", "31x31")
    assert status == 0
    assert "float32 on cpu" in out.splitlines()[0]
    assert re.search("^> lines", out, re.MULTILINE)
    assert "on tpu" in run("plan", "100", "9", "--platform", "tpu")[1]
    assert "float64" in run("plan", "100", "9", "--dtype", "float64")[1]


def test_a_size_is_tuned(tmp_path, monkeypatch):
    monkeypatch.setenv("JAXCONV_CACHE", str(tmp_path))
    status, out, error = run("tune", "200", "9", "--forget")
    assert (status, error) == (0, "")
    assert out.count("convolution  signal") == 2  # of three; both gradients have one shape
    assert "measured here" in run("plan", "200", "9")[1]
    tuned._KNOWN.clear()
    planning.plan.cache_clear()


def test_a_part_of_a_picture_is_found_turned_scaled_and_under_a_mask(tmp_path):
    """A patch with a mask, at any of nine angles and three scales; what is found is where it was put."""
    rng = np.random.default_rng(0)
    patch = rng.integers(0, 255, (15, 15)).repeat(2, 0).repeat(2, 1)[:29, :29]
    picture = rng.integers(100, 140, (160, 200)).astype("u1")
    picture[40:69, 20:49] = patch
    picture[100:129, 120:149] = np.rot90(patch)
    hole = np.full((29, 29), 255, "u1")
    hole[:8] = 0
    picture[40:48, 20:49] = 0  # behind the mask all is different
    for name, array in (("scene", picture), ("patch", patch.astype("u1")), ("mask", hole)):
        Image.fromarray(array).save(tmp_path / f"{name}.png")
    options = ("--template", tmp_path / "patch.png", "--mask", tmp_path / "mask.png")
    turned = ("--angles", "0..320/30", "--scales", "0.9..1.1/0.1", "--threshold", "0.6", "--csv")
    status, _, error = run("find", tmp_path / "scene.png", *options, *turned, "--output", tmp_path)
    assert (status, error) == (0, "")
    told = json.loads((tmp_path / "scene-found.json").read_text())
    places = {(f["row"], f["column"], f["angle"], f["scale"]) for f in told["found"]}
    assert places == {(54, 34, 0.0, 1.0), (114, 134, 90.0, 1.0)}
    rows = (tmp_path / "scene-found.csv").read_text().splitlines()
    assert rows[0] == "row,column,angle,scale,score"
    assert len(rows) == 3


@pytest.mark.parametrize("kind", ["npy", "wav", "csv"])
def test_a_wavelet_is_found_in_a_signal(tmp_path, kind):
    rng = np.random.default_rng(0)
    wavelet = np.hanning(60) * np.sin(np.arange(60) / 3)
    line = 0.1 * rng.standard_normal(3000)
    for start in (500, 1500):
        line[start : start + 60] += wavelet
    path = tmp_path / f"line.{kind}"
    if kind == "wav":
        with wave.open(str(path), "wb") as sound:
            sound.setparams((2, 2, 8000, 0, "NONE", ""))
            sound.writeframes(np.repeat((line / 3 * 32767).astype("<i2"), 2).tobytes())
    else:
        np.save(path, line) if kind == "npy" else np.savetxt(path, line)
    np.savetxt(tmp_path / "wavelet.csv", wavelet)
    options = ("--template", tmp_path / "wavelet.csv", "--false-alarm", "1e-5", "--output", tmp_path)
    status, _, error = run("find", path, *options)
    assert (status, error) == (0, "")
    found = json.loads((tmp_path / "line-found.json").read_text())["found"]
    assert {f["sample"] for f in found} == {530, 1530}


def test_a_lesson_goes_on_without_what_is_not_installed(tmp_path, monkeypatch):
    for number in ("01", "02"):
        (tmp_path / f"{number}_figure.py").write_text(f'"""Figure {number}."""\nprint("shown")\n')
    (tmp_path / "01_figure.py").write_text('"""Needs more."""\nimport skimage.nothing_like_it\n')
    monkeypatch.setattr("jaxconv.cli.lesson.FOLDERS", (str(tmp_path),))
    status, out, error = run("lesson")
    assert status == 2
    assert "shown" in out
    assert "figures 01 need skimage.nothing_like_it" in error


def test_explore_writes_one_page(tmp_path, monkeypatch):
    monkeypatch.setattr("webbrowser.open", lambda address: pytest.fail(f"opened {address}"))
    status, out, error = run("explore", "--output", tmp_path)
    assert (status, error) == (0, "")
    assert str(tmp_path / "explorer.html") in out
    text = (tmp_path / "explorer.html").read_text()
    assert text.startswith("<!doctype html>")
    assert not re.search(r"https?://", text)
