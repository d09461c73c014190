"""The house rules: what is public, who imports whom, how long a file may be, what a docstring tells."""

import ast
import graphlib
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jaxconv

ROOT = Path(jaxconv.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
FLOORS = [  # rooms; imports go downwards only
    {"__main__"},
    {"cli"},
    {"explorer", "plotting"},
    {"benchmarking"},
    {"learning"},
    {"streaming", "tiled"},
    {"deconvolution", "detection", "matching"},
    {"fir", "kernels", "multirate"},
    {"convolution"},
    {"engine", "reference", "signals"},
    {"checks", "files", "floats", "progress", "types"},
]
PUBLIC = {
    "jaxconv": "accelerate boundaries choose_conv_method conv_general_dilated convolve convolve2d"
    " convolve_masked convolve_separable correlate correlate2d correlation_lags deconvolution detection"
    " explain fftconvolve fir gaussian_filter kernels learning match_template matching multirate"
    " oaconvolve plan plotting prepare reference sepfir2d signals streaming tiled tune tuning",
    "jaxconv.engine.acceleration": "Explanation accelerate explain",
    "jaxconv.engine.tuning": "Trial Tuning forget load save tune",
    "jaxconv.engine.calibration": "Calibration calibrate",
    "jaxconv.detection": "PatchStatistics Roc clutter_spectrum coloured_noise"
    " detection_probability detection_rate matched_filter noise_covariance noise_spectrum output_snr"
    " patch_statistics roc score_threshold snr threshold whiten",
    "jaxconv.boundaries": "SYNONYMS extend",
    "jaxconv.explorer": "ROOMS page",
    "jaxconv.deconvolution": "Blur LinearMap Restored VaryingBlur blur richardson_lucy total_variation"
    " unsupervised_wiener varying_blur wiener",
    "jaxconv.fir": "filtfilt firls firwin firwin2 hilbert lfilter lfilter_zi minimum_phase remez"
    " savgol_coeffs savgol_filter",
    "jaxconv.multirate": "decimate resample_poly upfirdn",
    "jaxconv.kernels": "Factors box edges factor gabor gaussian gaussian_filter laplacian"
    " laplacian_of_gaussian prewitt scharr sobel",
    "jaxconv.learning": "Detector Evaluation Fit State confusion cosine_similarity default_optimizer"
    " deflection evaluate fit init logistic negative_deflection non_negative optimum peak_least_squares"
    " peak_responses random_filter responses separable softmax sorting step symmetric unit_energy"
    " zero_mean",
    "jaxconv.matching": "Best Loudest Peaks Views best_match find_peaks loudest match match_template"
    " normalized_correlation overlap_share rotations scales views",
    "jaxconv.plotting": "curves evolution feature_maps filters found found_in_line"
    " heat_map learned learning matched_and_mismatched methods overlap patch plan ring roc roofline save"
    " slide"
    " spectrum",
    "jaxconv.reference": "Overlap convolve correlate overlap",
    "jaxconv.streaming": "Found PeakStream RateStream Stream finish finish_peaks push push_peaks start"
    " start_peaks",
    "jaxconv.tiled": "Found convolve correlate find find_peaks gaussian_filter match_template"
    " normalized_correlation",
    "jaxconv.signals": "SHAPES Scene Shape chirp circle cross default_radius disk midpoints ricker"
    " sawtooth scene scenes square square_wave strew triangle",
}


def name_of(path):
    """Return the dotted name of a file below the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported(path):
    """Return the dotted names below the package that a file imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            files = {f"jaxconv.{name_of(path)}" for path in FILES}
            names |= inside & files or {node.module}
    return {name.removeprefix("jaxconv.") for name in names if name.startswith("jaxconv.")}


def own(module):
    """Return the public objects that a module defines, and for the package those it shows."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    tree = ast.parse(Path(module.__file__).read_text())
    named = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            named |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign):
            named.add(node.target.id)
    return {name for name in named if not name.startswith("_")}


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names(name):
    assert own(importlib.import_module(name)) == set(PUBLIC[name].split())


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_go_downwards(path):
    if path.name == "__init__.py" and path.parent == ROOT:
        return
    floors = {room: number for number, floor in enumerate(FLOORS) for room in floor}
    here, *_ = name_of(path).split(".")
    rooms = {name.split(".")[0] for name in imported(path)} - {here}
    assert {room for room in rooms if floors[room] < floors[here]} == set()


def test_imports_make_no_circle():
    files = {name_of(path): imported(path) - {name_of(path)} for path in FILES if name_of(path)}
    graphlib.TopologicalSorter(files).prepare()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    tree = ast.parse(text)
    docs = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node):
            first = node.body[0]
            docs += first.end_lineno - first.lineno + 1
            if isinstance(node, ast.FunctionDef):
                code = node.end_lineno - first.end_lineno
                assert code <= 40, f"{node.name} has {code} lines of code"
    code = len(text.splitlines()) - docs
    assert code <= 350, f"{code} lines of code"


INWARD = (
    "primitive",
    "planned",
    "rewriting",
    "lax_form",
    "lowering",
    "transforms",
    "window_sums",
    "differentiated",
)


def test_only_the_primitives_touch_jax_internals():
    for path in FILES:
        uses = re.search(r"jax\.(_src|interpreters|extend)|_p\b", path.read_text())
        assert not uses or path.stem in INWARD, path


def test_transforms_are_those_that_a_mesh_may_divide():
    for path in FILES:
        uses = re.search(r"(jnp|lax)\.fft\b(?!.*`)", re.sub(r"(?m)^.*>>>.*$", "", path.read_text()))
        assert not uses or path.stem == "transforms" or path.parent.name == "benchmarking", path


def test_importing_loads_nothing_that_takes_long():
    names = "('matplotlib', 'optax', 'scipy.fft', 'scipy.signal', 'jaxconv.learning')"
    loaded = f"import sys, jaxconv; print(*[m for m in {names} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


FUNCTIONS = [
    pytest.param(getattr(importlib.import_module(module), name), id=f"{module}.{name}")
    for module, names in PUBLIC.items()
    for name in names.split()
    if inspect.isfunction(getattr(importlib.import_module(module), name))
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_docstrings_tell_what_is_needed(function):
    doc = inspect.getdoc(function)
    sections = set(re.findall(r"^([A-Z][a-z]+):$", doc, re.MULTILINE))
    if function.__module__.startswith("jaxconv.plotting"):
        assert "Args" in sections
    else:
        assert {"Shapes", "Example"} <= sections
    parameters = [p.name for p in inspect.signature(function).parameters.values()]
    if "Args" in sections:
        block = re.search(r"^Args:\n((?:    .*\n|\n)+)", doc + "\n", re.MULTILINE)[1]
        named = re.findall(r"^    \**(\w+):", block, re.MULTILINE)
        assert named == parameters
    elif parameters:  # says whose arguments they are
        assert "the arguments are" in doc.lower()
    if "raise " in inspect.getsource(function):
        assert "Raises" in sections
