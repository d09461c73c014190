"""What a convolution costs: the constants behind every method's `cost`, and where they come from.

Rates are operations or bytes a second, prices are seconds. They need only be good enough to rank the
methods; `Constants.source` says how each platform's came to be, and plans print it. `jaxconv calibrate`
measures them on the device at hand.

Where nothing like the device at hand was measured, a method must promise to be `UNMEASURED` times as
fast as JAX's own convolution before it takes its place. Planned by the data-sheet speeds of another
device, an H200 needed a factor of 3 before no pick was slower than JAX's own (0.89 times its speed
with 1 and with 2); over 54 problems the picks were then 3.3 times as fast in the mean, and with a factor
of 1 4.5 times.
"""

import math
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from typing import NamedTuple

import jax

from jaxconv.engine import device, store


class Cost(NamedTuple):
    """A prediction: time, and memory beyond the operands and the result; and how it would be done."""

    seconds: float
    bytes: int
    parameters: str = ""


@dataclass(frozen=True)
class Constants:
    """One platform's speeds, in float32."""

    source: str
    memory_rate: float  # bytes walked in a fused loop
    shifts_call: float
    shifts_term: float  # a price for each, which also stands for the time to compile
    shifts_rate: float
    shifts_features_rate: float  # where several features meet
    shifts_cliff: int  # terms times axes, past which the loop of an accelerator's compiler is slow
    shifts_slow_rate: float  # there, and with strides
    direct_call: float
    patch_rate: float  # elements of patches gathered a second
    patch_row: float  # a price for each row of a patch
    patch_volume: float  # how much more both are in three dimensions
    matrix_rate: float  # operations of a matrix product
    matrix_deep_rate: float  # where each output sums very many products
    vector_rate: float  # where many inputs give one output: a product with a vector
    onednn_call: float
    onednn_rate: float  # where features fill its vectors
    onednn_depthwise_rate: float
    onednn_memory_rate: float  # bytes moved that features may be last
    product_call: float
    product_rate: float  # of matrix products outside a convolution
    product_memory_rate: float  # bytes of their operands gathered
    fft_call: float
    fft_line_rate: float  # one line alone
    fft_rate: float  # many lines, in cache
    fft_cache: int  # elements; past them the rate falls as the fourth root
    fft_product_rate: float  # of spectra, summed over few features
    fft_matrix_rate: float  # and over many
    lines_call: float
    lines_rate: float
    folded_call: float
    folded_rate: float
    band_rate: float  # elements of the band a second
    full_product: float  # times that a matrix product takes longer in precision "highest"
    margin: int = 1  # times as fast as JAX's own that another method must promise to be

    @cached_property
    def in_full_precision(self) -> "Constants":
        """The same where matrix products keep all of float32."""
        slower = {name: getattr(self, name) / self.full_product for name in PRODUCTS}
        return replace(self, **slower)


PRODUCTS = ("matrix_rate", "matrix_deep_rate", "product_rate", "folded_rate", "fft_matrix_rate")
UNMEASURED = 3
HANDOFF = 2e-5  # seconds in which a CPU's thread hands work to others and waits for them
SHORT = 128  # elements of a line; past them its transform is as fast as it gets
MEASURED_GPUS = ("NVIDIA H100", "NVIDIA H200", "NVIDIA GH200")  # of one architecture

CPU = Constants(
    source="calibrated on 2 cores of an Intel Xeon with AVX-512, JAX 0.10.2, 2026-11",
    memory_rate=1.8e10,
    shifts_call=3.4e-5,
    shifts_term=3.4e-7,
    shifts_rate=5e10,
    shifts_features_rate=4.7e10,
    shifts_cliff=250,
    shifts_slow_rate=9.9e9,
    direct_call=6.5e-5,
    patch_rate=9.2e9,
    patch_row=1.8e-8,
    patch_volume=6e0,
    matrix_rate=1.5e11,
    matrix_deep_rate=2.9e10,
    vector_rate=2.6e8,
    onednn_call=1.5e-5,
    onednn_rate=4.5e11,
    onednn_depthwise_rate=1.2e11,
    onednn_memory_rate=1.2e10,
    product_call=7.3e-6,
    product_rate=8.5e10,
    product_memory_rate=1.4e10,
    fft_call=6.9e-5,
    fft_line_rate=4e9,
    fft_rate=1.1e10,
    fft_cache=300_000,
    fft_product_rate=7.5e9,
    fft_matrix_rate=1e10,
    lines_call=6.7e-5,
    lines_rate=1.4e10,
    folded_call=6e-5,
    folded_rate=1.8e11,
    band_rate=4.9e8,
    full_product=1.0,
)

XEON_AND_NEWER_JAX = replace(
    CPU,
    source="calibrated on 2 cores of an Intel Xeon with AVX-512, JAX 0.12.0.1, 2026-11",
    memory_rate=1.7e10,
    shifts_call=2.9e-5,
    shifts_term=5.2e-8,
    shifts_rate=4.4e10,
    shifts_features_rate=4e10,
    shifts_slow_rate=1.2e10,
    direct_call=5.8e-5,
    patch_rate=7.4e9,
    patch_row=1.7e-8,
    matrix_rate=2.8e11,
    matrix_deep_rate=1e11,
    onednn_call=0.00013,
    onednn_rate=2.5e11,
    onednn_depthwise_rate=3.2e11,
    onednn_memory_rate=3.9e9,
    product_call=1.1e-6,
    product_rate=1.8e11,
    product_memory_rate=5.7e9,
    fft_call=7.4e-5,
    fft_line_rate=5.3e9,
    fft_rate=2e10,
    fft_product_rate=4.9e9,
    lines_call=9.2e-5,
    lines_rate=1.7e10,
    folded_call=4.8e-5,
    folded_rate=2.1e11,
    band_rate=2.1e8,
)

EPYC = Constants(
    source="calibrated on 2 cores of an AMD EPYC with AVX-512, JAX 0.10.2, 2026-11",
    memory_rate=6.5e10,
    shifts_call=9.2e-6,
    shifts_term=1.7e-8,
    shifts_rate=8.3e10,
    shifts_features_rate=1.1e11,
    shifts_cliff=250,
    shifts_slow_rate=1.7e10,
    direct_call=2.9e-5,
    patch_rate=1.6e10,
    patch_row=8.7e-9,
    patch_volume=6e0,
    matrix_rate=3e11,
    matrix_deep_rate=5e10,
    vector_rate=2.6e8,
    onednn_call=1.5e-5,
    onednn_rate=4.5e11,
    onednn_depthwise_rate=1.2e11,
    onednn_memory_rate=1.2e10,
    product_call=1.2e-6,
    product_rate=2e11,
    product_memory_rate=2.3e10,
    fft_call=2.7e-5,
    fft_line_rate=1.1e10,
    fft_rate=3.9e10,
    fft_cache=300000,
    fft_product_rate=9.3e9,
    fft_matrix_rate=2e10,
    lines_call=3e-5,
    lines_rate=3.6e10,
    folded_call=2.5e-5,
    folded_rate=4.3e11,
    band_rate=8.8e8,
    full_product=1.0,
)

EPYC_AND_NEWER_JAX = Constants(
    source="calibrated on 2 cores of an AMD EPYC with AVX-512, JAX 0.12.0.1, 2026-11",
    memory_rate=7.6e10,
    shifts_call=6.1e-6,
    shifts_term=3.1e-8,
    shifts_rate=7.3e10,
    shifts_features_rate=9.4e10,
    shifts_cliff=250,
    shifts_slow_rate=1.7e10,
    direct_call=2.6e-5,
    patch_rate=1.3e10,
    patch_row=8.6e-9,
    patch_volume=6e0,
    matrix_rate=4.7e11,
    matrix_deep_rate=7e10,
    vector_rate=2.6e8,
    onednn_call=1.1e-5,
    onednn_rate=4.6e11,
    onednn_depthwise_rate=2e11,
    onednn_memory_rate=9.4e9,
    product_call=3.4e-6,
    product_rate=2.2e11,
    product_memory_rate=2.2e10,
    fft_call=3.1e-5,
    fft_line_rate=1.2e10,
    fft_rate=7.1e10,
    fft_cache=300000,
    fft_product_rate=4.7e9,
    fft_matrix_rate=1e10,
    lines_call=3e-5,
    lines_rate=3.3e10,
    folded_call=2.7e-5,
    folded_rate=4e11,
    band_rate=1.4e9,
    full_product=1.0,
)

HOPPER = Constants(
    source="measured on an NVIDIA H200, JAX 0.11.2, 2026-11",
    memory_rate=3.2e12,
    shifts_call=6.3e-5,  # this and the other calls as Python waits for them; a third is the device's
    shifts_term=1e-7,  # 10 ms of compilation
    shifts_rate=8.6e12,
    shifts_features_rate=6.5e12,
    shifts_cliff=300,
    shifts_slow_rate=1.5e12,
    direct_call=1.2e-4,
    patch_rate=9.6e11,
    patch_row=1.2e-12,
    patch_volume=1e0,
    matrix_rate=2.8e14,
    matrix_deep_rate=6.5e13,
    vector_rate=2e12,
    onednn_call=1e-5,
    onednn_rate=4e13,
    onednn_depthwise_rate=4e13,
    onednn_memory_rate=2e12,
    product_call=9e-5,
    product_rate=5.4e13,
    product_memory_rate=3.2e12,
    fft_call=1.1e-4,
    fft_line_rate=4.4e12,
    fft_rate=3.1e12,
    fft_cache=1_000_000_000,
    fft_product_rate=4.3e12,
    fft_matrix_rate=1.2e13,
    lines_call=9.9e-5,
    lines_rate=1.3e12,
    folded_call=8.9e-5,
    folded_rate=2.5e14,
    band_rate=9.8e10,
    full_product=7.1,
)

ACCELERATOR = Constants(
    source="not measured on this platform: data-sheet speeds of one 2023 accelerator",
    memory_rate=2e12,
    shifts_call=5e-6,
    shifts_term=1e-7,
    shifts_rate=2e13,
    shifts_features_rate=5e12,
    shifts_cliff=256,
    shifts_slow_rate=5e12,
    direct_call=1e-5,
    patch_rate=2e12,
    patch_row=1e-12,
    patch_volume=1e0,
    matrix_rate=4e13,
    matrix_deep_rate=2e13,
    vector_rate=2e12,
    onednn_call=1e-5,
    onednn_rate=4e13,
    onednn_depthwise_rate=4e13,
    onednn_memory_rate=2e12,
    product_call=1e-5,
    product_rate=4e13,
    product_memory_rate=2e12,
    fft_call=3e-5,
    fft_line_rate=2e12,
    fft_rate=2e12,
    fft_cache=1_000_000_000,
    fft_product_rate=1e12,
    fft_matrix_rate=1e12,
    lines_call=6e-5,
    lines_rate=5e12,
    folded_call=3e-5,
    folded_rate=2e13,
    band_rate=1e11,
    full_product=7.0,
    margin=UNMEASURED,
)


@cache
def constants(platform: str) -> Constants:
    """Return the constants that were calibrated on this machine's device, or else the built-in ones."""
    kept = store.read(platform, {field.name for field in fields(Constants)})
    return Constants(**kept) if kept else built_in(platform)


def built_in(platform: str) -> Constants:
    """Return the constants that come with the library."""
    if platform == "cpu":
        return nearest_cpu()
    return nearest_gpu() if platform == "cuda" else ACCELERATOR


@cache
def nearest_gpu() -> Constants:
    """Return those of the GPU that was measured; with a margin where this one is of another kind."""
    if device.kind("cuda").startswith(MEASURED_GPUS):
        return HOPPER
    source = f"{HOPPER.source}, not this device"
    return replace(HOPPER, source=source, margin=UNMEASURED)


def nearest_cpu() -> Constants:
    """Return those of the processor and JAX nearest to these, of which there are four.

    A job of several processes takes the same ones on all of its hosts.
    """
    if jax.process_count() > 1:
        return CPU
    is_newer = device.release("jax") >= (0, 11)
    if device.processor().startswith("AMD"):
        return EPYC_AND_NEWER_JAX if is_newer else EPYC
    return XEON_AND_NEWER_JAX if is_newer else CPU


def transform_seconds(c: Constants, count: int, size: tuple[int, ...], lines: int = 2) -> float:
    """Predict `count` real transforms of a size: 2.5 n log2 n operations (complex: twice).

    Images and volumes whose lines are short are transformed more slowly.
    """
    n = math.prod(size)
    rate = c.fft_line_rate if count * lines < 4 else c.fft_rate / max(1.0, n / c.fft_cache) ** 0.25
    if len(size) > 1:
        rate *= min(1.0, min(size) / SHORT) ** 0.5
    return 2.5 * count * n * math.log2(max(n, 2)) / rate
