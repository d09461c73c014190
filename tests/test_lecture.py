"""The lecture: each figure proves its fact, `jaxconv lesson` walks through them, the notebooks run."""

import ast
import json
import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot
from typer.testing import CliRunner

from jaxconv.__main__ import app
from tests.helpers import ROOT, program, told

SCRIPTS = sorted((ROOT / "examples").glob("[01][0-9]_*.py"))
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
FACTS = {  # what each prints: words, and numbers that lie in a range
    "01": [
        ("15 at shift -5, 20 at shift 0, 5 at shift 5, 1.25 at shift 7.5, 0 at shift 10, 0 at shift 12",)
    ],
    "02": [("greatest area: 10 at shift 0",), (r"from a triangle: (\S+)", 0, 1e-5)],
    "03": [
        (r"(\S+) matched", 2.57, 2.59),
        (r"(\S+) its positive", 0, 2.5),
        (r"(\S+) mismatched", 0, 2.5),
    ],
    "04": [("sum at (0, 0): 4",), ("[[4, 3, 4], [2, 4, 3], [2, 3, 4]]",)],
    "05": [("hottest spot: (17, 52), the cross is at (17, 52)",), (r"next best (\S+)", 0, 25)],
    "06": [("weights of the filters sum to 0 and 0",), ("strongest edge is 0",)],
    "07": [("hottest spot: (59, 91), the circle is at (59, 91)",), (r"next best (\S+)", 0, 40)],
    "08": [(r"(\S+) at first, \S+ learned$", -0.5, 0.5), (r"at first, (\S+) learned$", 0.995, 1)],
    "09": [(r"right, (\S+)%", 97.5, 100)],
    "10": [(r"fill (\d+),", 0, 100), (r"reflect (\d+),", 200, 255), (r"differ by (\S+)", 0, 1e-3)],
}


def test_there_are_ten():
    assert [path.stem[:2] for path in SCRIPTS] == sorted(FACTS)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_each_figure_proves_its_fact(path, single, tmp_path, capsys, monkeypatch):
    printed = told(path, tmp_path, capsys, monkeypatch)
    for what, *limits in FACTS[path.stem[:2]]:
        if limits:
            least, most = limits
            assert least <= float(re.search(what, printed, re.MULTILINE)[1]) <= most, what
        else:
            assert what in printed
    (drawn,) = tmp_path.iterdir()
    assert drawn.stem == path.stem
    assert drawn.stat().st_size > 10_000
    assert len(path.read_text().splitlines()) < 80


def test_the_sawtooth_slides_as_it_is_drawn():
    first = program("examples/01_sliding.py")
    _, at = first.areas()
    assert at == {-10: 0, -7.5: 8.75, -5: 15, 0: 20, 5: 5, 7.5: 1.25, 10: 0, 12: 0}


def test_lesson_tells_runs_and_writes(single, tmp_path):
    done = CliRunner().invoke(app, ["lesson", "--only", "4, 1", "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert re.search(
        r"01  What is a convolution.*15 at shift -5.*04  The same in two.*: 4", done.stdout, re.S
    )
    assert {path.name for path in tmp_path.iterdir()} == {"01_sliding.png", "04_filter_by_numbers.png"}
    wrong = CliRunner().invoke(app, ["lesson", "--only", "11"])
    assert wrong.exit_code == 2
    assert "`only` must name figures of 01, 02" in wrong.stderr


def the_circle_is_learned(names):
    assert names["similarity"][0] < 0.5
    assert names["similarity"][-1] > 0.99


def the_areas_and_the_place_of_the_circle_are_told(names):
    step, middle = names["step"], names["t"].size - 1
    areas = [float(names["area"][middle + round(shift / step)]) for shift in (-10, -5, 0, 5, 10)]
    np.testing.assert_allclose(areas, [0, 15, 20, 5, 0], atol=0.01)
    assert np.abs(names["peaks"].places[0] - names["scene"].places[0]).max() <= 1


CLAIMS = {  # what a notebook says, of the names that it leaves
    "learn_a_circle": the_circle_is_learned,
    "lecture": the_areas_and_the_place_of_the_circle_are_told,
}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run_from_top_to_bottom(path, single, monkeypatch):
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    kinds = {output["output_type"] for cell in code for output in cell["outputs"]}
    assert {"stream", "display_data"} <= kinds <= {"stream", "display_data", "execute_result"}
    names = {}
    with mpl.rc_context({"backend": "agg", "figure.max_open_warning": 0}):
        for cell in code:
            *body, last = ast.parse("".join(cell["source"])).body
            shows = isinstance(last, ast.Expr)
            exec(compile(ast.Module(body if shows else [*body, last], []), path.name, "exec"), names)
            if shows:  # what the notebook shows
                shown = eval(compile(ast.Expression(last.value), path.name, "eval"), names)
                getattr(shown, "_repr_html_", lambda: None)()
        pyplot.close("all")
    CLAIMS[path.stem](names)


def test_overlap_draws_what_the_definition_says():
    from jaxconv import plotting, signals

    t = signals.midpoints(-10, 10, 0.5)
    f, g = signals.ricker(t, 2.0), signals.sawtooth(t)
    figure, ax = pyplot.subplots()
    line, moved, above, below = plotting.overlap(f, g, -1.0, t=t, ax=ax)
    reflected = np.asarray(signals.sawtooth(-1.0 - t))
    inside = np.abs(np.asarray(t)) < 3  # away from the jumps
    np.testing.assert_allclose(np.asarray(moved.get_ydata())[inside], reflected[inside], atol=1e-5)
    assert above.get_facecolor().tolist() != below.get_facecolor().tolist()
    area = (np.asarray(line.get_ydata()) * np.asarray(moved.get_ydata())).sum() * 0.5
    assert ax.get_title() == f"shift -1: area {round(float(area), 3):g}"
    with pytest.raises(ValueError, match=r"`shift` must be a shift at which samples meet"):
        plotting.overlap(f, g, 0.3, t=t, ax=ax)
    with pytest.raises(ValueError, match="`place` must keep the filter"):
        plotting.patch(np.ones((3, 3)), np.ones((2, 2)), (2, 0), ax=ax)
    pyplot.close(figure)


@pytest.mark.parametrize("suffix", [".gif", ".html", ".mp4"])
def test_animations_are_saved_whole(suffix, tmp_path):
    import shutil

    from jaxconv import plotting

    moving = plotting.slide([1.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0, 1, 2])
    path = tmp_path / f"moving{suffix}"
    if suffix == ".mp4" and not shutil.which("ffmpeg"):
        with pytest.raises(RuntimeError, match=r"save: \.mp4 needs ffmpeg"):
            plotting.save(moving, path)
        assert list(tmp_path.iterdir()) == []
        moving._draw_was_started = True  # it was not drawn, and that was the point
        return
    assert plotting.save(moving, path) == path
    assert path.stat().st_size > 3000
    assert [each.name for each in tmp_path.iterdir()] == [path.name]
    with pytest.raises(ValueError, match=r"`path` must be one of '.gif', '.mp4', '.html'; got '.avi'"):
        plotting.save(moving, tmp_path / "moving.avi")
