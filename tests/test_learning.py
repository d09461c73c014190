"""Gradient descent reaches what the closed form promises; a fit stops, resumes and maps as it says."""

import os
import signal
import subprocess
import sys
import time
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.test_util import check_grads

from jaxconv import detection, learning, signals
from jaxconv.detection.patches import elsewhere
from jaxconv.signals import Scene
from tests.helpers import ROOT

KINDS = ("circle", "cross")


def draw(noise, kinds=KINDS):
    """Return a small task: scenes of 40 x 40 with patches of 9."""
    return signals.scenes(shape=(40, 40), kinds=kinds, size=9, noise=noise)


def many(one, count, seed=1):
    """Draw scenes with a leading axis."""
    return jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(seed), count))


def small(seed=0, **options):
    """Fit a filter of 5 x 5 in a few steps."""
    options = {"steps": 12, "batch": 4, "every": 5, "project": learning.unit_energy, **options}
    start = learning.random_filter(jax.random.key(7), (5, 5))
    return learning.fit(jax.random.key(seed), learning.negative_deflection, draw(0.5), start, **options)


@pytest.fixture
def scenes(rng):
    """Three random images of 14 x 13, a target and something else in each; one target at the edge."""
    places = np.array([[[6, 7], [3, 3]], [[6, 6], [9, 9]], [[0, 4], [8, 8]]])
    kinds = np.array([[0, 1], [0, 0], [0, -1]])
    return Scene(jnp.asarray(rng.standard_normal((3, 14, 13))), jnp.asarray(places), jnp.asarray(kinds))


def apart(scenes, size):
    """Return, the slow way, the patches at targets and those that no target reaches into."""
    at, free = [], []
    for image, places, kinds in zip(*(np.asarray(a) for a in jax.tree.leaves(scenes)), strict=True):
        corners = [p - size // 2 for p, kind in zip(places, kinds, strict=True) if kind == 0]
        for row in range(image.shape[0] - size + 1):
            for column in range(image.shape[1] - size + 1):
                patch = image[row : row + size, column : column + size].ravel()
                gaps = [max(abs(row - r), abs(column - c)) for r, c in corners]
                if min(gaps) == 0:
                    at.append(patch)
                if min(gaps) >= size:
                    free.append(patch)
    return np.array(at), np.array(free)


def test_responses_are_where_they_say():
    images = jnp.zeros((2, 20, 30)).at[:, 12, 17].set(1.0)
    kernel = jnp.zeros((5, 5)).at[2, 2].set(1.0)
    maps = learning.responses(kernel, images)
    assert maps.shape == (2, 16, 26)
    assert jnp.unravel_index(maps[0].argmax(), maps[0].shape) == (10, 15)
    bank = learning.responses(jnp.stack([kernel, -kernel, 2 * kernel]), images)
    np.testing.assert_allclose(bank, jnp.stack([maps, -maps, 2 * maps], 1), atol=1e-12)


def test_patch_statistics_are_those_of_the_patches(scenes):
    at, free = apart(scenes, 3)
    assert len(at) == 3, "one of the four targets is too near the edge"
    got = detection.patch_statistics(scenes, 3, stride=1)
    np.testing.assert_allclose(got.at_targets.ravel(), at.mean(0), atol=1e-12)
    np.testing.assert_allclose(got.elsewhere.ravel(), free.mean(0), atol=1e-12)
    np.testing.assert_allclose(got.covariance, np.cov(free.T, bias=True), atol=1e-12)


def test_deflection_is_its_definition_and_differentiable(scenes, rng):
    kernel = jnp.asarray(rng.standard_normal((3, 3)))
    at, free = (patches @ np.ravel(kernel) for patches in apart(scenes, 3))
    got = learning.deflection(kernel, scenes)
    np.testing.assert_allclose(got, (at.mean() - free.mean()) / free.std(), rtol=1e-10)
    np.testing.assert_allclose(learning.deflection(3 * kernel, scenes), got, rtol=1e-10)
    check_grads(lambda kernel: learning.deflection(kernel, scenes), (kernel,), order=1, atol=1e-5)


def test_the_other_losses_are_their_definitions(scenes, rng):
    kernel = jnp.asarray(rng.standard_normal((3, 3)))
    at, free = (patches @ np.ravel(kernel) for patches in apart(scenes, 3))
    detector = learning.Detector(kernel, jnp.asarray(-0.5))
    want = (np.log1p(np.exp(0.5 - at)).mean() + np.log1p(np.exp(free - 0.5)).mean()) / 2
    np.testing.assert_allclose(learning.logistic(detector, scenes), want, rtol=1e-10)

    maps, desired = np.asarray(learning.responses(kernel, scenes.signal)), np.zeros((3, 12, 11))
    rows, columns = np.mgrid[:12, :11]
    for number, places in enumerate([[(6, 7)], [(6, 6), (9, 9)], []]):
        for row, column in places:
            peak = np.exp(-((rows - row + 1) ** 2 + (columns - column + 1) ** 2) / 8)
            desired[number] = np.maximum(desired[number], peak)
    got = learning.peak_least_squares(kernel, scenes, width=2.0)
    np.testing.assert_allclose(got, ((maps - desired) ** 2).mean(), rtol=1e-10)

    bank = jnp.asarray(rng.standard_normal((3, 3, 3)))
    one = Scene(scenes.signal, scenes.places[:, :1], jnp.array([[2], [0], [1]]))
    peaks = np.asarray(learning.responses(bank, scenes.signal)).max((2, 3))
    named = [-row[kind] + np.log(np.exp(row).sum()) for row, kind in zip(peaks, (2, 0, 1), strict=True)]
    np.testing.assert_allclose(learning.softmax(bank, one), np.mean(named), rtol=1e-10)


@pytest.mark.parametrize("rank", [1, 3])
def test_lines_and_volumes_are_learned_from_too(single, rank):
    shape, size = ((200,), (15,)) if rank == 1 else ((16,) * 3, (3, 4, 3))
    pattern = jnp.asarray(np.random.default_rng(0).standard_normal((1, *size)), jnp.float32)
    task = lambda key: signals.strew(key, shape, pattern, noise=0.7)  # noqa: E731
    start = learning.random_filter(jax.random.key(1), size)
    fit = learning.fit(
        jax.random.key(0), learning.negative_deflection, task, start, project=learning.unit_energy
    )
    assert float(learning.cosine_similarity(fit.parameters, pattern[0])) > 0.99


def test_learns_the_optimum(single):
    kinds = KINDS[::-1]
    start = learning.random_filter(jax.random.key(3), (9, 9))
    optimum = learning.optimum(many(draw(0.0, kinds), 256), 9, 0.5)
    fit = learning.fit(
        jax.random.key(0), learning.negative_deflection, draw(0.5, kinds), start,
        watch=lambda w: {"similarity": learning.cosine_similarity(w, optimum)},
        project=learning.unit_energy, batch=32,
    )  # fmt: skip
    similarity = fit.watched["similarity"]
    assert abs(float(similarity[0])) < 0.4
    assert float(similarity[-1]) > 0.99
    again = learning.cosine_similarity(fit.parameters, optimum)
    assert float(similarity[-1]) == pytest.approx(float(again), abs=1e-6)


def test_logistic_and_least_squares_learn_to_detect(single):
    optimum = learning.optimum(many(draw(0.0), 256), 9, 0.5)
    start = learning.random_filter(jax.random.key(3), (9, 9))
    detector = learning.Detector(start, jnp.zeros(()))
    fits = [
        learning.fit(jax.random.key(0), loss, draw(0.5), first, batch=32)
        for loss, first in ((learning.logistic, detector), (learning.peak_least_squares, start))
    ]
    filters = jnp.stack([fits[0].parameters.filter, fits[1].parameters, optimum, start])
    seen = learning.evaluate(jax.random.key(9), draw(0.5), filters, count=300)
    logistic, squares, best, random = seen.first
    assert random < 0.1 < 0.9 < min(logistic, squares) <= best + 0.03
    assert float(learning.cosine_similarity(filters[0], optimum)) > 0.9


def test_optimum_has_the_greatest_deflection(single):
    optimum = learning.optimum(many(draw(0.0), 256), 9, 0.5)
    fresh = many(draw(0.5), 400, seed=2)
    template = signals.circle(9, zero_mean=True, unit_energy=True)
    shaken = [optimum + 0.05 * jax.random.normal(jax.random.key(i), (9, 9)) for i in range(8)]
    others = [float(learning.deflection(kernel, fresh)) for kernel in (template, *shaken)]
    assert max(others) < float(learning.deflection(optimum, fresh))


def test_optimum_alone_in_noise_is_the_matched_filter():
    shape, spectrum = signals.cross(9), 1 / (0.05 + jnp.abs(jnp.fft.fftfreq(32)))
    covariance = detection.noise_covariance(spectrum[:, None] * spectrum[None], (9, 9))
    want = detection.matched_filter(shape, covariance)
    got = learning.optimum(many(draw(0.0, ("cross",)), 4), 9, covariance)
    np.testing.assert_allclose(got, want, atol=1e-9)
    similarity = learning.cosine_similarity(shape, want, covariance)
    reached = (shape * shape).sum() / jnp.sqrt(shape.ravel() @ covariance @ shape.ravel())
    best = jnp.sqrt(shape.ravel() @ jnp.linalg.solve(covariance, shape.ravel()))
    np.testing.assert_allclose(similarity, reached / best, rtol=1e-9)


def test_evaluate_tells_a_good_filter_from_a_bad_one(single):
    good = signals.circle(9, zero_mean=True)
    seen = learning.evaluate(jax.random.key(3), draw(0.4), jnp.stack([good, -good]), count=200)
    assert seen.detected().shape == (2,)
    assert seen.first[0] > 0.95
    assert seen.first[1] < 0.05
    assert float(seen.detected(1e-3)[0]) > 0.9
    scenes = many(draw(0.4), 10)
    assert jnp.isnan(seen.elsewhere).any()
    assert bool(elsewhere(scenes, (9, 9), 0).any())


def test_fit_returns_what_it_says_and_is_reproducible(single):
    fit = small(watch=lambda w: w)
    assert fit.parameters.shape == (5, 5)
    assert float((fit.parameters**2).sum()) == pytest.approx(1, abs=1e-5)
    assert fit.losses.shape == (12,)
    assert fit.steps.tolist() == [0, 5, 10, 12]
    assert fit.watched.shape == (4, 5, 5)
    assert (fit.watched[-1] == fit.parameters).all()
    means = [float(part.mean()) for part in (fit.losses[:5], fit.losses[5:10], fit.losses[10:])]
    assert (fit.best == fit.watched[1 + int(np.argmin(means))]).all()
    assert (small().parameters == fit.parameters).all()
    assert (small(1).parameters != fit.parameters).any()
    still = small(optimizer=optax.sgd(0.0))
    start = learning.random_filter(jax.random.key(7), (5, 5))
    np.testing.assert_allclose(still.parameters, start, rtol=1e-6)


def test_equal_fits_share_a_compiled_program(single):
    compiled = []

    def note(name, seconds, **_):
        if name == "/jax/core/compile/backend_compile_duration":
            compiled.append(seconds)

    first = small()
    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        again = small()
        assert compiled == []
        jax.jit(lambda x: x + 3)(1.0)
        assert len(compiled) == 1, "the listener hears what is compiled"
    finally:
        jax.monitoring.unregister_event_duration_listener(note)
    assert (again.parameters == first.parameters).all()


def test_fit_is_jittable_and_mappable(single):
    keys = jax.random.split(jax.random.key(0), 3)
    start = learning.random_filter(jax.random.key(7), (5, 5))

    def whole(key, noise):
        task = draw(noise)
        options = {"steps": 12, "batch": 4, "every": 5, "project": learning.unit_energy}
        return learning.fit(key, learning.negative_deflection, task, start, **options)

    noises = jnp.array([0.3, 0.5, 0.9])
    mapped = jax.jit(jax.vmap(whole))(keys, noises)
    assert mapped.parameters.shape == (3, 5, 5)
    assert mapped.losses.shape == (3, 12)
    alone = whole(keys[1], 0.5)
    np.testing.assert_allclose(mapped.losses[1], alone.losses, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="`save` must be left out under jit and vmap"):
        jax.jit(lambda key: small(key, save="x"))(0)


@pytest.mark.parametrize("where", ["start", "loss", "data"])
def test_mapped_without_jit_no_epoch_is_thrown_away(where):
    seen = []

    def fitted(value):
        of = lambda place: value if where == place else 0.0  # noqa: E731

        def loss(parameters, batch):
            jax.debug.callback(seen.append, parameters)
            return ((parameters - batch) ** 2).mean() + of("loss")

        task = lambda key: jax.random.normal(key) + of("data")  # noqa: E731
        start = jnp.asarray(of("start"))
        return learning.fit(jax.random.key(0), loss, task, start, steps=3, batch=2, every=2).losses

    mapped = jax.vmap(fitted)(jnp.array([0.5, 2.0]))
    jax.effects_barrier()
    assert len(seen) == 2 * 3, "each of the two takes each step once"
    assert (mapped[0] != mapped[1]).all()


def line(key=None):
    """Return the arrays of a regression: x and y = 2 x + 1."""
    x = jnp.linspace(-1, 1, 40)
    return {"x": x, "y": 2 * x + 1}


def misfit(parameters, batch):
    """Return the mean squared error of a straight line."""
    return ((parameters["a"] * batch["x"] + parameters["b"] - batch["y"]) ** 2).mean()


ZERO = {"a": jnp.zeros(()), "b": jnp.zeros(())}


@pytest.mark.parametrize("batch", [8, 40, None])
def test_fit_takes_arrays_and_any_parameters(batch):
    options = {"steps": 200, "batch": batch, "optimizer": optax.adam(0.1)}
    fit = learning.fit(jax.random.key(0), misfit, line(), ZERO, **options)
    assert float(fit.parameters["a"]) == pytest.approx(2, abs=0.01)
    assert float(fit.parameters["b"]) == pytest.approx(1, abs=0.01)


def test_each_epoch_shuffles_all_examples():
    seen = []
    note = lambda x: seen.append(np.asarray(x))  # noqa: E731

    def loss(parameters, batch):
        jax.debug.callback(note, batch["x"], ordered=True)
        return misfit(parameters, batch)

    learning.fit(jax.random.key(0), loss, line(), ZERO, steps=10, every=5, batch=8)
    jax.effects_barrier()
    first, second = np.concatenate(seen[:5]), np.concatenate(seen[5:])
    np.testing.assert_allclose(np.sort(first), line()["x"])
    np.testing.assert_allclose(np.sort(second), line()["x"])
    assert (first != second).any()


def test_fit_takes_an_iterator_and_resumes_it(tmp_path):
    held = []  # at each batch, how many of those before it are still alive

    def stream():
        made = []
        for number in range(20):
            x = np.array([number / 20, -number / 10])
            made.append(weakref.ref(x))
            held.append(sum(each() is not None for each in made))
            yield {"x": x, "y": 2 * x + 1}
            del x

    options = {"steps": 20, "every": 5, "optimizer": optax.sgd(0.1)}
    whole = learning.fit(jax.random.key(0), misfit, stream(), ZERO, **options)
    parameters = ZERO
    for batch in stream():
        gradient = jax.grad(misfit)(parameters, batch)
        parameters = jax.tree.map(lambda p, g: p - 0.1 * g, parameters, gradient)
    np.testing.assert_allclose(whole.parameters["a"], parameters["a"], rtol=1e-6)

    def broken():
        for number, batch in enumerate(stream()):
            if number == 12:
                raise KeyboardInterrupt
            yield batch

    file = {"save": tmp_path / "fit.npz"}
    part = learning.fit(jax.random.key(0), misfit, broken(), ZERO, **options, **file)
    assert part.interrupted
    assert part.steps.tolist() == [0, 5, 10]
    held.clear()
    again = learning.fit(jax.random.key(0), misfit, stream(), ZERO, **options, **file, resume=True)
    assert not again.interrupted
    assert max(held) <= 5, "an epoch's batches, and none of those that are skipped"
    assert again.parameters == whole.parameters
    np.testing.assert_array_equal(again.losses, whole.losses)
    with pytest.raises(
        ValueError, match="`data` must give a batch for every step; got an iterator that"
    ):
        learning.fit(jax.random.key(0), misfit, stream(), ZERO, steps=25, every=5)


def test_ctrl_c_at_any_line_leaves_whole_epochs():
    options = {"steps": 10, "every": 5, "batch": None, "optimizer": optax.sgd(0.1), "watch": lambda p: p}
    whole = learning.fit(jax.random.key(0), misfit, line(), ZERO, **options)
    for moment in range(1, 30):
        lines = []

        def trace(frame, event, _, lines=lines, moment=moment):
            if frame.f_code.co_name != "add" or "history" not in frame.f_code.co_filename:
                return None
            lines.append(event)
            if lines.count("line") == moment:
                raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            fit = learning.fit(jax.random.key(0), misfit, line(), ZERO, **options)
        finally:
            sys.settrace(before)
        assert len(fit.losses) == fit.steps[-1] == 5 * (len(fit.steps) - 1)
        assert jax.tree.map(lambda seen: seen[-1], fit.watched) == fit.parameters
        if not fit.interrupted:
            break
    assert 8 < moment < 29
    assert (fit.losses == whole.losses).all()


def test_patience_stops_and_keeps_the_best():
    data = {"x": jnp.ones(4), "y": jnp.ones(4)}
    away = lambda p, batch: (p * batch["x"] - batch["y"]).mean() ** 2  # noqa: E731
    options = {"steps": 100, "every": 5, "batch": None, "optimizer": optax.sgd(-0.01)}  # uphill
    start = jnp.array(1.1)
    fit = learning.fit(jax.random.key(0), away, data, start, patience=3, **options)
    assert fit.steps[-1] == 20, "one epoch that is the best so far, three that are worse"
    mapped = jax.jit(lambda key: learning.fit(key, away, data, start, patience=3, **options))
    traced = mapped(jax.random.key(0))
    np.testing.assert_allclose(traced.best, fit.best)
    np.testing.assert_allclose(traced.parameters, fit.parameters)
    assert np.isnan(traced.losses[20:]).all()


def test_what_is_not_finite_is_stopped():
    def burst(parameters, batch):
        return misfit(parameters, batch) / (parameters["a"] < 0.5)

    options = {"steps": 50, "every": 10, "batch": 8, "optimizer": optax.sgd(0.1)}
    with pytest.raises(
        FloatingPointError, match=r"the loss must be finite; got inf at step \d+.*lower rate"
    ):
        learning.fit(jax.random.key(0), burst, line(), ZERO, **options)
    fit = jax.jit(lambda key: learning.fit(key, burst, line(), ZERO, **options))(jax.random.key(0))
    assert np.isfinite(fit.parameters["a"])
    bad = ~np.isfinite(fit.losses)
    assert bad.any()
    assert bad[int(bad.argmax()) :].all()


KILLED = """
import jax, sys
from jaxconv import learning, signals
draw = signals.scenes(shape=(40, 40), kinds=["circle"], size=9)
fit = learning.fit(
    jax.random.key(0), learning.negative_deflection, draw,
    learning.random_filter(jax.random.key(1), (9, 9)),
    steps=1500, every=5, batch=4, save=sys.argv[1], resume="resume" in sys.argv,
)
print(*fit.parameters.ravel().tolist())
"""


def test_killed_at_any_moment_it_resumes_to_the_same_numbers(tmp_path, capsys):
    def start(name, *more):
        command = [sys.executable, "-c", KILLED, str(tmp_path / name), *more]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    names = {}
    with jax.enable_x64(False):
        exec(KILLED.replace("sys.argv[1]", "None"), names)
    whole = capsys.readouterr().out
    assert len(whole.split()) == 81
    process, file = start("fit.npz"), tmp_path / "fit.npz"
    while not file.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0.2)
    process.kill()
    assert process.communicate()[0] == "", "it had ended before it was killed"
    (tmp_path / f".fit.npz.{os.getpid()}.part").write_text("half a file, which must not be read")
    assert start("fit.npz", "resume").communicate()[0] == whole
    assert signal.SIGKILL == -process.returncode


def test_a_file_of_another_fit_is_refused(tmp_path, single):
    file = tmp_path / "fit.npz"
    small(save=file)
    with pytest.raises(ValueError, match=r"hold a fit with steps 20; got .*fit.npz with steps 12\. Use"):
        small(save=file, resume=True, steps=20)
    small(save=file, settings={"noise": 0.5, "marks": (1, 2), "loss": "mine"})
    small(save=file, settings={"loss": "mine", "noise": 0.5, "marks": [1, 2]}, resume=True)
    with pytest.raises(
        ValueError, match=r"fit with noise 0.3, seed 1; got .* with noise 0.5, seed None\. Use the opt"
    ):
        small(
            save=file, settings={"noise": 0.3, "marks": [1, 2], "loss": "mine", "seed": 1}, resume=True
        )
    small(save=file)
    start = learning.random_filter(jax.random.key(7), (7, 7))
    options = {"steps": 12, "batch": 4, "every": 5, "save": file, "resume": True}
    with pytest.raises(ValueError, match=r"`save` must hold state of shapes \[\(7, 7\)"):
        learning.fit(jax.random.key(0), learning.negative_deflection, draw(0.5), start, **options)
    with pytest.raises(FileNotFoundError, match=r"`save` must name an existing file; got .*absent"):
        small(save=tmp_path / "absent.npz", resume=True)
    with pytest.raises(ValueError, match="`save` must name the file to resume from"):
        small(resume=True)


def test_a_damaged_file_is_told_as_such(tmp_path):
    file, options = tmp_path / "fit.npz", {"steps": 2, "batch": None, "save": tmp_path / "fit.npz"}
    fit = lambda **more: learning.fit(jax.random.key(0), misfit, line(), ZERO, **options, **more)  # noqa: E731
    fit()
    good = file.read_bytes()
    flipped = bytearray(good)
    flipped[100:110] = b"x" * 10
    np.save(tmp_path / "one.npy", np.ones(3))
    np.savez(tmp_path / "other.npz", np.ones(3))
    others = [(tmp_path / name).read_bytes() for name in ("one.npy", "other.npz")]
    for bad in (b"", b"text", good[: len(good) // 2], good[:-10], bytes(flipped), *others):
        file.write_bytes(bad)
        with pytest.raises(
            ValueError,
            match=r"`save` must name an undamaged file of a fit; got .*fit.npz. Delete it, and",
        ):
            fit(resume=True)
    file.write_bytes(good)
    assert fit(resume=True).steps.tolist() == [0, 2]


def test_by_parts_it_is_the_same_with_less_memory(single):
    task, start = many(draw(0.5), 64), learning.random_filter(jax.random.key(7), (5, 5))

    def fitted(parts):
        options = {"steps": 3, "batch": None, "parts": parts}
        run = lambda key: learning.fit(key, learning.peak_least_squares, task, start, **options)  # noqa: E731
        compiled = jax.jit(run).lower(jax.random.key(0)).compile()
        fit = compiled(jax.random.key(0))
        return fit.parameters, compiled.memory_analysis().temp_size_in_bytes

    (whole, most), (parts, least) = fitted(1), fitted(16)
    np.testing.assert_allclose(whole, parts, atol=1e-5)
    assert least < most / 4
    with pytest.raises(ValueError, match="`parts` must divide the 64 examples of a batch; got 5"):
        fitted(5)


def test_constraints(rng):
    filter = jnp.asarray(rng.standard_normal((5, 4)))
    both = learning.unit_energy(learning.zero_mean(filter))
    assert float((both**2).sum()) == pytest.approx(1)
    assert float(both.sum()) == pytest.approx(0, abs=1e-12)
    mirrored = learning.symmetric(filter)
    np.testing.assert_allclose(mirrored, mirrored[::-1])
    np.testing.assert_allclose(mirrored, mirrored[:, ::-1])
    sideways = learning.symmetric(filter, axes=[1])
    np.testing.assert_allclose(sideways, sideways[:, ::-1])
    assert (sideways != sideways[::-1]).any()
    flat = learning.separable(filter)
    assert jnp.linalg.matrix_rank(flat) == 1
    others = jnp.linalg.svd(filter, compute_uv=False)[1:]
    np.testing.assert_allclose(((filter - flat) ** 2).sum(), (others**2).sum())
    assert float(learning.non_negative(filter).min()) == 0
    for project in (learning.symmetric, learning.separable, learning.non_negative, learning.zero_mean):
        once = project(filter)
        np.testing.assert_allclose(project(once), once, atol=1e-12)


def test_a_fit_obeys_its_constraint(single):
    kind = lambda w: learning.unit_energy(learning.symmetric(w))  # noqa: E731
    fit = small(project=kind)
    np.testing.assert_allclose(fit.parameters, fit.parameters[::-1], atol=1e-6)
    assert float((fit.parameters**2).sum()) == pytest.approx(1, abs=1e-5)


def test_confusion_counts(rng):
    true, given = rng.integers(0, 3, (2, 50))
    want = [[int(((true == t) & (given == g)).sum()) for g in range(3)] for t in range(3)]
    assert learning.confusion(true, given, 3).tolist() == want


@pytest.mark.parametrize(("true", "given"), [([5, 0], [0, 0]), ([0, 0], [0, 2]), ([0, -1], [0, 0])])
def test_confusion_drops_no_label(true, given):
    name, low, high = ("true", min(true), max(true)) if given == [0, 0] else ("given", 0, 2)
    with pytest.raises(ValueError, match=f"`{name}` must hold labels from 0 to 1; got {low} to {high}"):
        learning.confusion(true, given, 2)
    traced = jax.jit(lambda true, given: learning.confusion(true, given, 2))
    assert (traced(jnp.array(true), jnp.array(given)) == -1).all()
    assert traced(jnp.array([0, 1]), jnp.array([0, 0])).tolist() == [[1, 0], [1, 0]]


ONE = Scene(jnp.zeros((14, 13)), jnp.array([[6, 7]]), jnp.array([0]))
OF_SCENES = {
    "deflection": lambda scenes: learning.negative_deflection(jnp.ones((3, 3)), scenes),
    "logistic": lambda scenes: learning.logistic(
        learning.Detector(jnp.ones((3, 3)), jnp.zeros(())), scenes
    ),
    "peak_least_squares": lambda scenes: learning.peak_least_squares(jnp.ones((3, 3)), scenes),
    "softmax": lambda scenes: learning.softmax(jnp.ones((1, 3, 3)), scenes),
    "sorting": lambda scenes: learning.sorting(jnp.ones((1, 3, 3)), scenes),
    "patch_statistics": lambda scenes: learning.optimum(scenes, 3, 0.5),
}


@pytest.mark.parametrize("name", OF_SCENES)
def test_one_scene_without_a_leading_axis_is_refused(name):
    remedy = r"Make a batch of one scene with jax.tree.map\(lambda a: a\[None\], scene\)"
    rule = rf"^{name}: `scenes` must have one leading axis in common; got a signal of .*{remedy}"
    with pytest.raises(ValueError, match=rule):
        OF_SCENES[name](ONE)
    with pytest.raises(ValueError, match=r"in common; .* kinds of shape \(2, 1\)\.$"):
        OF_SCENES[name](Scene(ONE.signal[None], ONE.places[None], jnp.zeros((2, 1), int)))
    OF_SCENES[name](jax.tree.map(lambda a: a[None], ONE))
