// Lay: a small filter over an image; the sum of patch times filter at every place is the heat map.
"use strict";

rooms.lay = (section) => {
  const scene = core.scene(core.random(3), 48, 48, ["circle", "cross", "square"], 15, 0.1).signal;
  const IMAGES = {
    "the lecture's": core.fromRows([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]),
    shapes: scene,
    photograph: core.fromRows(data.photograph),
  };
  const FILTERS = {
    "the lecture's": [[1, 0, 1], [0, 1, 0], [1, 0, 1]],
    "mean": [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
    "edges from left to right": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "edges from top to bottom": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    sharpen: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "a cross of 9 x 9": core.toRows(core.zeroMean(core.shape("cross", 9))),
    "a circle of 9 x 9": core.toRows(core.zeroMean(core.shape("circle", 9))),
  };
  const state = {image: IMAGES["the lecture's"], filter: core.fromRows(FILTERS["the lecture's"]),
    options: {mode: "valid", boundary: "fill", stride: 1, flip: false}, row: 0, column: 0, brush: 1};
  const canvas = draw.make("canvas", {role: "img"});
  const told = draw.make("p", {class: "told", "aria-live": "polite"});
  const cells = draw.make("div", {class: "cells", role: "grid", "aria-label": "filter"});
  let heat, boxes = {};

  const paint = () => {
    heat = core.filter(state.image, state.filter, state.options);
    state.row = Math.min(state.row, heat.rows - 1);
    state.column = Math.min(state.column, heat.columns - 1);
    const width = canvas.clientWidth, narrow = width < 620, m = state.filter.rows;
    const side = narrow ? width - 20 : (width - 60) / 2;
    const small = Math.min(150, (width - 80) / 3);
    const context = draw.begin(canvas, (narrow ? 2 * side + 60 : side + 30) + small + 60);
    const left = {x: 10, y: 28, width: side, height: side};
    const right = narrow ? {x: 10, y: side + 62, width: side, height: side} : {x: side + 40, y: 28, width: side, height: side};
    draw.text(context, "image", left.x, left.y - 14, {bold: true});
    const few = state.image.rows <= 9;
    const unit = (few ? draw.numbers : draw.image)(context, state.image, left, "grey");
    draw.text(context, "sums, at every place", right.x, right.y - 14, {bold: true});
    const step = (heat.rows <= 9 ? draw.numbers : draw.image)(context, heat, right, "heat");
    boxes = {left, right, unit, step};
    const b = core.before(m, state.options.mode), s = state.options.stride;
    context.save();
    context.beginPath();
    context.rect(left.x - 9, left.y - 9, side + 18, side + 18);
    context.clip();
    draw.frame(context, left.x + (state.column * s - b) * unit, left.y + (state.row * s - b) * unit, m * unit, m * unit);
    context.restore();
    draw.frame(context, right.x + state.column * step, right.y + state.row * step, step, step);
    const patch = core.patch(state.image, m, state.row, state.column, state.options);
    const kernel = state.options.flip ? core.flipped(state.filter) : state.filter;
    const products = core.array(m, m, patch.values.map((v, i) => v * kernel.values[i]));
    const y = (narrow ? 2 * side + 92 : side + 62);
    [["patch", patch, "grey", draw.range(state.image)], [state.options.flip ? "filter, reflected" : "filter", kernel, "signed"],
      ["product", products, "signed"]].forEach(([words, a, map, range], i) => {
      const x = 10 + i * (small + 30);
      draw.text(context, words, x, y - 14, {bold: true});
      draw.numbers(context, a, {x, y, width: small, height: small}, map, range);
      if (i < 2) draw.text(context, "×="[i], x + small + 15, y + small / 2, {align: "center", bold: true});
    });
    const sum = heat.values[state.row * heat.columns + state.column];
    const words = Math.abs(sum - Math.round(sum)) < 1e-9 ? `${Math.round(sum)}` : sum.toFixed(2);
    told.textContent = `At row ${state.row}, column ${state.column} the ${m * m} products sum up to ${words.replace("-", "−")}.`;
    canvas.setAttribute("aria-label", told.textContent);
    for (const [slider, count, value] of [[rows, heat.rows, state.row], [columns, heat.columns, state.column]]) {
      slider.querySelector("input").max = count - 1;
      slider.set(value);
    }
  };
  const fill = () => {
    const m = state.filter.rows, most = Math.max(...state.filter.values.map(Math.abs), 1);
    cells.style.gridTemplateColumns = `repeat(${m}, 1fr)`;
    cells.replaceChildren(...Array.from(state.filter.values, (v, i) => {
      const [r, g, b] = draw.shade("signed", 0.5 + v / most / 2);
      const cell = draw.make("button", {type: "button", role: "gridcell", tabindex: i ? -1 : 0,
        "aria-label": `row ${Math.floor(i / m)}, column ${i % m}: ${v}`,
        style: `background: rgb(${r}, ${g}, ${b}); color: ${Math.abs(v) / most < 0.7 ? "#111" : "#fff"}`},
      m > 5 ? "" : `${Math.round(v * 10) / 10}`.replace("-", "−"));
      cell.dataset.index = i;
      return cell;
    }));
  };
  const set = (i, value) => {
    state.filter.values[i] = value;
    const held = cells.contains(document.activeElement);
    fill();
    if (held) focus(i);
    paint();
  };
  const focus = (i) => {
    for (const cell of cells.children) cell.tabIndex = -1;
    cells.children[i].tabIndex = 0;
    cells.children[i].focus();
  };
  const under = (event) => document.elementFromPoint(event.clientX, event.clientY)?.dataset?.index;
  let painting = false;
  cells.addEventListener("pointerdown", (event) => { painting = true; event.preventDefault(); if (under(event)) set(+under(event), state.brush); });
  cells.addEventListener("pointermove", (event) => {
    const i = under(event);
    if (painting && i !== undefined && state.filter.values[+i] !== state.brush) set(+i, state.brush);
  });
  window.addEventListener("pointerup", () => { painting = false; });
  cells.addEventListener("keydown", (event) => {
    const i = +document.activeElement.dataset.index, m = state.filter.rows;
    const next = {ArrowLeft: i - 1, ArrowRight: i + 1, ArrowUp: i - m, ArrowDown: i + m}[event.key];
    if (next !== undefined && next >= 0 && next < m * m) { event.preventDefault(); focus(next); }
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); set(i, state.brush); }
    if (event.key === "+" || event.key === "-") set(i, state.filter.values[i] + (event.key === "+" ? 1 : -1));
  });
  const hover = (event) => {
    const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const {left, right, unit, step} = boxes, s = state.options.stride;
    const inside = (b, size, a) => x >= b.x && y >= b.y && x < b.x + size * a.columns && y < b.y + size * a.rows;
    const m = state.filter.rows, middle = core.before(m, state.options.mode) - (m >> 1);
    if (inside(right, step, heat)) {
      [state.row, state.column] = [Math.floor((y - right.y) / step), Math.floor((x - right.x) / step)];
    } else if (inside(left, unit, state.image)) {
      const to = (v, count) => Math.min(Math.max(Math.round((v + middle) / s), 0), count - 1);
      state.row = to(Math.floor((y - left.y) / unit), heat.rows);
      state.column = to(Math.floor((x - left.x) / unit), heat.columns);
    } else return;
    paint();
  };
  canvas.addEventListener("pointermove", hover);
  canvas.addEventListener("pointerdown", hover);
  const option = (name, values) => draw.choice(name, values, `${state.options[name]}`, (v) => {
    state.options[name] = name === "stride" ? Number(v) : v;
    paint();
  });
  const rows = draw.slider("row", {min: 0, max: 2, step: 1, value: 0}, (v) => { state.row = v; paint(); });
  const columns = draw.slider("column", {min: 0, max: 2, step: 1, value: 0}, (v) => { state.column = v; paint(); });
  const take = (rows_) => { state.filter = core.fromRows(rows_); size.querySelector("select").value = rows_.length; fill(); paint(); };
  const size = draw.choice("size", ["3", "5", "7", "9"], "3", (v) => {
    const old = state.filter, m = Number(v), move = (m - old.rows) / 2, next = core.array(m, m);
    for (let r = 0; r < m; r++) {
      for (let c = 0; c < m; c++) {
        const [i, j] = [r - move, c - move];
        if (i >= 0 && j >= 0 && i < old.rows && j < old.rows) next.values[r * m + c] = old.values[i * old.rows + j];
      }
    }
    take(core.toRows(next));
  });
  let frames = 0;
  const play = draw.player("Play", () => {
    if (frames++ % Math.ceil(180 / heat.values.length)) return true;  // few places slowly, many fast
    state.column++;
    if (state.column >= heat.columns) { state.column = 0; state.row++; }
    const ended = state.row >= heat.rows;
    if (ended) state.row = 0;
    paint();
    return !ended;
  });
  section.append(
    draw.make("p", {}, "Lay the filter over a patch, multiply number by number, and sum. Point at a place in either picture; ",
      "paint the filter by clicking or dragging over its cells (arrow keys move, Enter paints, + and − change a cell)."),
    canvas, told,
    draw.make("div", {class: "controls"}, play, rows, columns,
      draw.choice("image", Object.keys(IMAGES), "the lecture's", (v) => { state.image = IMAGES[v]; paint(); }),
      option("mode", ["valid", "same", "full"]),
      option("boundary", ["fill", "edge", "reflect", "symmetric", "wrap"]), option("stride", ["1", "2", "3"]),
      draw.check("reflect the filter: convolve", false, (v) => { state.options.flip = v; paint(); })),
    draw.make("div", {class: "controls"}, cells,
      draw.make("div", {}, draw.choice("filter", Object.keys(FILTERS), "the lecture's", (v) => take(FILTERS[v])), size,
        draw.choice("brush", ["-2", "-1", "0", "1", "2"], "1", (v) => { state.brush = Number(v); }))));
  fill();
  paint();
  return {paint, stop: play.stop, state};
};
