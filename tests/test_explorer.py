"""The explorer: its numbers are jaxconv's, and its rooms work in a browser, by mouse, touch and keys."""

import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxconv import convolve, correlate, detection, explorer, learning, signals
from jaxconv.types import BOUNDARIES
from tests.helpers import program

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    path.write_text(explorer.page(), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser, file):
    """Return a function that opens the page at a room; nothing may be told on the console."""
    contexts, told = [], []

    def opens(room="slide", **options):
        context = browser.new_context(**{"viewport": {"width": 900, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: request.url == file or told.append(request.url))
        page.goto(f"{file}#{room}")
        return page

    yield opens
    for context in contexts:
        context.close()
    assert [text for text in told if not text.startswith(("data:", file))] == []


def rows(array):
    return np.asarray(array, float).tolist()


FILTERED = """([image, kernel, options]) =>
    core.toRows(core.filter(core.fromRows(image), core.fromRows(kernel), options))"""


def test_filters_are_the_librarys(opened, rng):
    page = opened()
    image = rng.standard_normal((11, 8))
    for m in (3, 5, 9):
        kernel = rng.standard_normal((m, m))
        for boundary in BOUNDARIES:
            for mode, stride, flip in (("same", 1, True), ("full", 2, False), ("same", 3, False)):
                options = {"mode": mode, "boundary": boundary, "stride": stride}
                got = page.evaluate(FILTERED, [rows(image), rows(kernel), {**options, "flip": flip}])
                want = (convolve if flip else correlate)(image, kernel, **options)
                np.testing.assert_allclose(got, want, atol=1e-5)
    got = page.evaluate(FILTERED, [rows(image), rows(kernel := np.ones((3, 3))), {"mode": "valid"}])
    np.testing.assert_allclose(got, correlate(image, kernel, "valid"), atol=1e-5)


def test_signals_and_shapes_are_the_librarys(opened, rng):
    page = opened()
    f, g = rng.standard_normal(50), rng.standard_normal(31)
    got = page.evaluate("([f, g]) => Array.from(core.convolve1(f, g))", [f.tolist(), g.tolist()])
    np.testing.assert_allclose(got, convolve(f, g), atol=1e-4)
    for kind in ("circle", "cross", "square", "triangle"):
        for size in (9, 11, 15, 25):
            got = page.evaluate("([kind, n]) => core.toRows(core.shape(kind, n))", [kind, size])
            np.testing.assert_allclose(got, signals.SHAPES[kind](size), atol=1e-5)
    x = np.linspace(-5, 5, 21)
    got = page.evaluate("(x) => x.map(core.tail)", x.tolist())
    np.testing.assert_allclose(got, jax.scipy.stats.norm.sf(x), atol=2e-7)


def test_what_it_learns_by_is_the_librarys_loss(opened):
    page = opened()
    scenes = signals.scenes(shape=(48, 48), kinds=("circle", "cross"), size=11, noise=0.5)
    batch = jax.vmap(scenes)(jax.random.split(jax.random.key(0), 5))
    kernel = learning.random_filter(jax.random.key(1), (11, 11))
    given = [
        {"signal": rows(signal), "corners": (np.asarray(places) - 5).tolist()}
        for signal, places in zip(batch.signal, batch.places)
    ]
    got = page.evaluate(
        """([kernel, scenes]) => {
            const {value, gradient} = core.loss(core.fromRows(kernel),
                scenes.map((s) => ({...s, signal: core.fromRows(s.signal)})));
            return [value, core.toRows(gradient)];
        }""",
        [rows(kernel), given],
    )
    value, gradient = jax.value_and_grad(learning.negative_deflection)(kernel, batch)
    np.testing.assert_allclose(got[0], value, rtol=1e-4)
    np.testing.assert_allclose(got[1], gradient, atol=1e-4 * float(jnp.abs(gradient).max()))


def test_its_network_is_the_examples(opened, single):
    page = opened("stack")
    data = page.evaluate("data")
    maps = program("examples/feature_maps.py")
    network = data["network"]
    weights = {
        "kernels": [jnp.asarray(layer["kernels"]).transpose(2, 3, 1, 0) for layer in network["layers"]],
        "biases": [
            *(jnp.asarray(layer["biases"]) for layer in network["layers"]),
            jnp.asarray(network["biases"]),
        ],
        "linear": jnp.asarray(network["linear"]),
    }
    images = jnp.asarray([digit["image"] for digit in data["digits"]])
    want = maps.scores(weights, images)
    for digit, scores in zip(data["digits"], want):
        got = page.evaluate(
            "(image) => core.read(core.fromRows(image), data.network).scores", digit["image"]
        )
        np.testing.assert_allclose(got, scores, atol=1e-3)
        page.click(f"#stack button:text-is('{digit['kind']}')")
        assert f"Read as {digit['kind']}," in page.text_content("#stack .told")


def test_the_lectures_numbers(opened):
    page = opened("slide")
    for shift, area in ((-5, 15), (0, 20)):
        page.click(f"#slide button:has-text(': {area}')")
        told = page.text_content("#slide .told").replace("−", "-")
        assert told == f"Shift {shift:.1f}: the area is {area}."
    page.click("#tab-lay")
    assert "the 9 products sum up to 4." in page.text_content("#lay .told")
    page.click("#tab-match")
    assert ": 6.00." in page.text_content("#match .told")
    page.select_option("#match select:has(option:text-is('itself'))", "a long square wave")
    assert ": 2.55." in page.text_content("#match .told")


def test_counted_and_expected_detections_agree(opened):
    page = opened("match")
    page.select_option("#match select", "a circle")
    rate, theory = page.evaluate(
        """() => {
            const room = house.entered.match;
            Object.assign(room.state, {noise: 2.2, threshold: 3});
            for (let i = 0; i < 300; i++) room.count();
            return [room.state.found / room.state.scenes, room.theory()];
        }"""
    )
    ratio = detection.output_snr(signals.circle(15, zero_mean=True), 2.2)
    false_alarm = float(jax.scipy.stats.norm.sf(3.0))
    assert theory == pytest.approx(float(detection.detection_probability(ratio, false_alarm)), abs=1e-4)
    assert abs(rate - theory) < 4 * np.sqrt(theory * (1 - theory) / 300)


def test_it_learns_to_be_the_optimum(opened):
    page = opened("learn")
    page.evaluate("() => { for (let i = 0; i < 200; i++) house.entered.learn.step(); }")
    assert page.evaluate("house.entered.learn.cosine()") > 0.97
    page.click("#learn button:has-text('Start anew')")
    assert "Step 0" in page.text_content("#learn .told")


PICTURE = "(room) => document.querySelector(`#${room} canvas`).toDataURL()"


@pytest.mark.parametrize("width", [360, 800, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_room_fits_and_moves(opened, width, scheme):
    page = opened(viewport={"width": width, "height": 800}, color_scheme=scheme)
    for room in explorer.ROOMS:
        page.click(f"#tab-{room}")
        before = page.evaluate(PICTURE, room)
        page.click(f"#{room} button:text-is('Play')")
        page.wait_for_timeout(400)
        page.click(f"#{room} button:text-is('Pause')")
        assert page.evaluate(PICTURE, room) != before, room
        assert page.evaluate("document.documentElement.scrollWidth") <= width, room


def test_by_keys(opened):
    page = opened("slide")
    page.focus("#tab-slide")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-lay"
    page.focus("#lay .cells button")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.evaluate("Array.from(house.entered.lay.state.filter.values.slice(0, 3))") == [2, 1, 1]
    assert "sum up to 6" in page.text_content("#lay .told")  # twice the first sample, and the second
    page.focus("#lay .slider input")
    page.keyboard.press("ArrowRight")
    assert "At row 1" in page.text_content("#lay .told")


def test_by_touch(opened):
    page = opened("stack", has_touch=True, viewport={"width": 390, "height": 800})
    page.tap("#stack button:has-text('empty')")
    page.locator("#stack canvas").tap(position={"x": 80, "y": 90})
    assert page.evaluate("house.entered.stack.state.image.values.reduce((s, v) => s + v)") == 1
    page.tap("#tab-slide")
    page.locator("#slide canvas").tap(position={"x": 200, "y": 150})
    assert "−15.0" not in page.text_content("#slide .told")


def test_calm_where_motion_is_to_be_reduced(opened):
    page = opened("slide", reduced_motion="reduce")
    page.click("#slide button:text-is('Play')")
    assert page.text_content("#slide .controls button") == "Play"
    assert "Shift −13.0" in page.text_content("#slide .told")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read(opened, scheme):
    page = opened(color_scheme=scheme)

    def brightness(name):
        text = page.evaluate(f"draw.colour('{name}')")
        parts = np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    paper = brightness("paper")
    for name, least in {
        "ink": 7,
        "quiet": 4.5,
        "first": 4.5,
        "second": 4.5,
        "mark": 3,
        "found": 3,
    }.items():
        low, high = sorted((paper, brightness(name)))
        assert (high + 0.05) / (low + 0.05) >= least, name
