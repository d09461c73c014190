// The mathematics of all rooms: arrays are {rows, columns, values}; held to jaxconv's numbers by tests.
"use strict";

const core = {};

core.array = (rows, columns, values) => ({
  rows, columns, values: values ? Float64Array.from(values) : new Float64Array(rows * columns),
});

core.fromRows = (rows) => core.array(rows.length, rows[0].length, rows.flat());

core.toRows = (a) => Array.from({length: a.rows}, (_, r) =>
  Array.from(a.values.slice(r * a.columns, (r + 1) * a.columns)));

core.flipped = (a) => core.array(a.rows, a.columns, Array.from(a.values).reverse());

// In one dimension.

core.midpoints = (start, stop, step) =>
  Array.from({length: Math.round((stop - start) / step)}, (_, i) => start + step * (i + 0.5));

core.convolve1 = (f, g) => {
  const out = new Float64Array(f.length + g.length - 1);
  for (let i = 0; i < f.length; i++) {
    if (f[i]) for (let j = 0; j < g.length; j++) out[i + j] += f[i] * g[j];
  }
  return out;
};

// In two: boundary as jaxconv names it; -1 stands for the value 0.

core.standing = (i, n, boundary) => {
  if (i >= 0 && i < n) return i;
  if (boundary === "fill") return -1;
  if (boundary === "edge") return Math.min(Math.max(i, 0), n - 1);
  const wrap = (k, period) => ((k % period) + period) % period;
  if (boundary === "wrap") return wrap(i, n);
  if (boundary === "symmetric") { const k = wrap(i, 2 * n); return k < n ? k : 2 * n - 1 - k; }
  if (n === 1) return 0;
  const k = wrap(i, 2 * n - 2);
  return k < n ? k : 2 * n - 2 - k;
};

// Where the window of an output begins, relative to the output, for each mode.
core.before = (m, mode) => ({full: m - 1, same: (m - 1) >> 1, valid: 0})[mode];

core.outputs = (n, m, mode) => ({full: n + m - 1, same: n, valid: Math.max(n - m + 1, 0)})[mode];

// The patch under the filter at an output; NaN where nothing is known, which counts as 0.
core.patch = (image, size, row, column, {mode = "same", boundary = "fill", stride = 1} = {}) => {
  const out = core.array(size, size), b = core.before(size, mode);
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) {
      const y = core.standing(row * stride + r - b, image.rows, boundary);
      const x = core.standing(column * stride + c - b, image.columns, boundary);
      out.values[r * size + c] = y < 0 || x < 0 ? 0 : image.values[y * image.columns + x];
    }
  }
  return out;
};

// Correlate; with flip, convolve. Filters are square and odd.
core.filter = (image, kernel, {mode = "same", boundary = "fill", stride = 1, flip = false} = {}) => {
  const k = flip ? core.flipped(kernel) : kernel, m = kernel.rows;
  const by = (n) => Math.ceil(core.outputs(n, m, mode) / stride);
  const out = core.array(by(image.rows), by(image.columns)), b = core.before(m, mode);
  const stand = (count, n) => Array.from({length: count}, (_, o) =>
    Array.from({length: m}, (_, i) => core.standing(o * stride + i - b, n, boundary)));
  const ys = stand(out.rows, image.rows), xs = stand(out.columns, image.columns);
  for (let r = 0; r < out.rows; r++) {
    for (let c = 0; c < out.columns; c++) {
      let sum = 0;
      for (let i = 0; i < m; i++) {
        const y = ys[r][i];
        if (y < 0) continue;
        for (let j = 0; j < m; j++) {
          const x = xs[c][j];
          if (x >= 0) sum += k.values[i * m + j] * image.values[y * image.columns + x];
        }
      }
      out.values[r * out.columns + c] = sum;
    }
  }
  return out;
};

// Chance: a generator that repeats itself for a seed.

core.random = (seed) => {
  let a = seed >>> 0;
  const uniform = () => {
    a = (a + 0x6D2B79F5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return {uniform, normal, below: (n) => Math.floor(uniform() * n)};
};

// The share of a normal distribution above x, to 1e-7.
core.tail = (x) => {
  const z = Math.abs(x) / Math.SQRT2, t = 1 / (1 + z / 2);
  const poly = [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806,
    0.09678418, 0.37409196, 1.00002368, -1.26551223].reduce((sum, a) => sum * t + a, 0);
  const half = t * Math.exp(-z * z + poly) / 2;
  return x >= 0 ? half : 1 - half;
};

// Shapes drawn by coverage, as jaxconv.signals draws them.

core.shape = (kind, size) => {
  const width = Math.max(1, core.roundEven(size / 10));
  const radius = (size - width) / 2 - Math.floor(size / 10), middle = (size - 1) / 2;
  const inside = (d) => Math.min(Math.max(0.5 - d, 0), 1), line = (d) => inside(Math.abs(d) - width / 2);
  const bar = (along, across) => Math.max(Math.abs(along) - radius - 0.5, Math.abs(across) - width / 2);
  const s = Math.sqrt(3) / 2;
  const ink = {
    circle: (x, y) => line(Math.hypot(x, y) - radius),
    cross: (x, y) => inside(Math.min(bar(x, y), bar(y, x))),
    square: (x, y) => line(Math.max(Math.abs(x), Math.abs(y)) - radius),
    triangle: (x, y) => line(Math.max(y, s * x - y / 2, -s * x - y / 2) - radius / 2),
  }[kind];
  const out = core.array(size, size);
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) out.values[r * size + c] = ink(c - middle, r - middle);
  }
  return out;
};

core.roundEven = (x) => { const r = Math.round(x); return r - x === 0.5 && r % 2 ? r - 1 : r; };

core.zeroMean = (a) => {
  const mean = a.values.reduce((s, v) => s + v, 0) / a.values.length;
  return core.array(a.rows, a.columns, a.values.map((v) => v - mean));
};

core.energy = (a) => a.values.reduce((s, v) => s + v * v, 0);

// A scene: shapes at random places without overlap, in white noise.
core.scene = (random, rows, columns, kinds, size, noise) => {
  const signal = core.array(rows, columns), corners = [];
  for (const kind of kinds) {
    let corner;
    do corner = [random.below(rows - size + 1), random.below(columns - size + 1)];
    while (corners.some(([r, c]) => Math.abs(r - corner[0]) < size && Math.abs(c - corner[1]) < size));
    corners.push(corner);
    const drawn = core.shape(kind, size);
    for (let r = 0; r < size; r++) {
      for (let c = 0; c < size; c++) {
        signal.values[(corner[0] + r) * columns + corner[1] + c] = drawn.values[r * size + c];
      }
    }
  }
  for (let i = 0; i < signal.values.length; i++) signal.values[i] += noise * random.normal();
  return {signal, corners, kinds};
};

// Learning: minus the deflection of a batch of scenes whose first shape is the target, and its gradient.
core.loss = (kernel, scenes) => {
  const m = kernel.rows, at = [], free = [];
  for (const {signal, corners} of scenes) {
    const map = core.filter(signal, kernel, {mode: "valid"}), [row, column] = corners[0];
    at.push({signal, row, column, value: map.values[row * map.columns + column]});
    for (let r = 0; r < map.rows; r++) {
      for (let c = 0; c < map.columns; c++) {
        if (Math.abs(r - row) >= m || Math.abs(c - column) >= m) {
          free.push({signal, row: r, column: c, value: map.values[r * map.columns + c]});
        }
      }
    }
  }
  const mean = (list) => list.reduce((s, p) => s + p.value, 0) / list.length;
  const target = mean(at), other = mean(free);
  const variance = free.reduce((s, p) => s + (p.value - other) ** 2, 0) / free.length;
  const deviation = Math.sqrt(variance), value = -(target - other) / deviation;
  const gradient = core.array(m, m);
  const add = (place, weight) => {
    for (let i = 0; i < m; i++) {
      const start = (place.row + i) * place.signal.columns + place.column;
      for (let j = 0; j < m; j++) gradient.values[i * m + j] += weight * place.signal.values[start + j];
    }
  };
  for (const place of at) add(place, -1 / (deviation * at.length));
  for (const place of free) {
    const weight = 1 / deviation - value * (place.value - other) / variance;
    add(place, weight / free.length);
  }
  return {value, gradient};
};

core.adam = (size) => {
  const m = new Float64Array(size), v = new Float64Array(size);
  let t = 0;
  return (values, gradient, rate) => {
    t++;
    for (let i = 0; i < size; i++) {
      m[i] = 0.9 * m[i] + 0.1 * gradient[i];
      v[i] = 0.999 * v[i] + 0.001 * gradient[i] ** 2;
      values[i] -= rate * (m[i] / (1 - 0.9 ** t)) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8);
    }
  };
};

// The closed form: covariance of patches elsewhere and the mean at targets, gathered scene by scene.
core.statistics = (m) => {
  const size = m * m, product = new Float64Array(size * size), sum = new Float64Array(size);
  const target = new Float64Array(size);
  let count = 0, targets = 0;
  const take = (signal, row, column) => {
    const patch = new Float64Array(size);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < m; j++) patch[i * m + j] = signal.values[(row + i) * signal.columns + column + j];
    }
    return patch;
  };
  const add = ({signal, corners}) => {
    const [row, column] = corners[0];
    take(signal, row, column).forEach((v, i) => { target[i] += v; });
    targets++;
    for (let r = 0; r <= signal.rows - m; r += 2) {  // every second place: neighbours tell little new
      for (let c = r % 4 / 2; c <= signal.columns - m; c += 2) {
        if (Math.abs(r - row) < m && Math.abs(c - column) < m) continue;
        const patch = take(signal, r, c);
        count++;
        for (let i = 0; i < size; i++) {
          const v = patch[i], start = i * size;
          sum[i] += v;
          for (let j = 0; j <= i; j++) product[start + j] += v * patch[j];
        }
      }
    }
  };
  const optimum = () => {
    const covariance = new Float64Array(size * size);
    let trace = 0;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) {
        const value = product[i * size + j] / count - sum[i] * sum[j] / count ** 2;
        covariance[i * size + j] = covariance[j * size + i] = value;
      }
      trace += covariance[i * size + i];
    }
    for (let i = 0; i < size; i++) covariance[i * size + i] += 1e-3 * trace / size;
    const difference = target.map((v, i) => v / targets - sum[i] / count);
    return core.array(m, m, core.solve(covariance, difference));
  };
  return {add, optimum, count: () => targets};
};

// Solve a symmetric positive system by Cholesky's method.
core.solve = (matrix, right) => {
  const n = right.length, l = Float64Array.from(matrix), y = Float64Array.from(right);
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < j; k++) {
      const f = l[j * n + k];
      if (f) for (let i = j; i < n; i++) l[i * n + j] -= l[i * n + k] * f;
    }
    const pivot = Math.sqrt(l[j * n + j]);
    for (let i = j; i < n; i++) l[i * n + j] /= pivot;
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) y[i] -= l[i * n + k] * y[k];
    y[i] /= l[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) y[i] -= l[k * n + i] * y[k];
    y[i] /= l[i * n + i];
  }
  return y;
};

core.cosine = (a, b) => {
  let dot = 0;
  a.values.forEach((v, i) => { dot += v * b.values[i]; });
  return dot / Math.sqrt(core.energy(a) * core.energy(b));
};

// The network of the last room: convolution, bias, negative values to 0, the greatest of each 2 x 2, twice.
core.layer = (maps, kernels, biases) => kernels.map((inputs, o) => {
  const sum = core.array(maps[0].rows, maps[0].columns);
  inputs.forEach((kernel, i) => {
    core.filter(maps[i], core.fromRows(kernel)).values.forEach((v, n) => { sum.values[n] += v; });
  });
  sum.values.forEach((v, n) => { sum.values[n] = Math.max(v + biases[o], 0); });
  return sum;
});

core.pooled = (map) => {
  const out = core.array(map.rows >> 1, map.columns >> 1);
  for (let r = 0; r < out.rows; r++) {
    for (let c = 0; c < out.columns; c++) {
      const at = (i, j) => map.values[(2 * r + i) * map.columns + 2 * c + j];
      out.values[r * out.columns + c] = Math.max(at(0, 0), at(0, 1), at(1, 0), at(1, 1));
    }
  }
  return out;
};

core.read = (image, network) => {
  const stages = [];
  let maps = [image];
  for (const {kernels, biases} of network.layers) {
    const full = core.layer(maps, kernels, biases);
    maps = full.map(core.pooled);
    stages.push({full, pooled: maps});
  }
  const scores = network.biases.slice();
  const [{rows, columns}] = maps;
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      maps.forEach((map, f) => {
        const weights = network.linear[(r * columns + c) * maps.length + f];
        scores.forEach((_, k) => { scores[k] += map.values[r * columns + c] * weights[k]; });
      });
    }
  }
  return {stages, scores};
};
