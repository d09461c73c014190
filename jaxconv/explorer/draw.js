// Drawing: canvases that are sharp on every screen, in the colours of the page.
"use strict";

const draw = {};

draw.colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

// A canvas as wide as its room and `ratio` times as high; returns its context in CSS pixels.
draw.begin = (canvas, height) => {
  const width = canvas.clientWidth, scale = window.devicePixelRatio || 1;
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "13px system-ui, sans-serif";
  context.textBaseline = "middle";
  return context;
};

draw.text = (context, words, x, y, {align = "left", colour = "ink", bold = false} = {}) => {
  context.font = `${bold ? "600 " : ""}13px system-ui, sans-serif`;
  context.textAlign = align;
  context.fillStyle = draw.colour(colour);
  context.fillText(words, x, y);
};

// Axes in a box: returns functions from values to places.
draw.axes = (context, box, xs, ys, {xTicks = [], yTicks = [], title = ""} = {}) => {
  const {x, y, width, height} = box;
  const px = (v) => x + (v - xs[0]) / (xs[1] - xs[0]) * width;
  const py = (v) => y + height - (v - ys[0]) / (ys[1] - ys[0]) * height;
  context.lineWidth = 1;
  context.strokeStyle = draw.colour("line");
  for (const v of yTicks) {
    context.beginPath(); context.moveTo(x, py(v)); context.lineTo(x + width, py(v)); context.stroke();
    draw.text(context, `${v}`.replace("-", "−"), x - 6, py(v), {align: "right", colour: "quiet"});
  }
  for (const v of xTicks) {
    draw.text(context, `${v}`.replace("-", "−"), px(v), y + height + 12, {align: "center", colour: "quiet"});
  }
  if (title) draw.text(context, title, x, y - 12, {bold: true});
  return {px, py};
};

// Two to four round numbers in an interval, 0 among them.
draw.ticks = (low, high) => {
  const rough = (high - low) / 3, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((s) => s * power >= rough);
  const first = Math.ceil(low / step - 1e-9), count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({length: count}, (_, i) => Number(((first + i) * step).toPrecision(6)));
};

draw.line = (context, points, colour, width = 2) => {
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.strokeStyle = draw.colour(colour);
  context.lineWidth = width;
  context.stroke();
};

// Fill between a curve and 0, what is above in one colour and what is below in another.
draw.area = (context, xs, values, {px, py}) => {
  for (const [colour, keep] of [["plus", (v) => Math.max(v, 0)], ["minus", (v) => Math.min(v, 0)]]) {
    context.beginPath();
    context.moveTo(px(xs[0]), py(0));
    values.forEach((v, i) => context.lineTo(px(xs[i]), py(keep(v))));
    context.lineTo(px(xs[xs.length - 1]), py(0));
    context.fillStyle = draw.colour(colour);
    context.globalAlpha = 0.55;
    context.fill();
    context.globalAlpha = 1;
  }
};

draw.dot = (context, x, y, colour, radius = 5) => {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = draw.colour(colour);
  context.fill();
};

// Colours of values from 0 to 1: grey, one that rises evenly in lightness, and one with white at the middle.
const MAPS = {
  grey: [[0, 0, 0], [255, 255, 255]],
  heat: [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]],
  signed: [[33, 102, 172], [146, 197, 222], [247, 247, 247], [244, 165, 130], [178, 24, 43]],
};

draw.shade = (map, value) => {
  const stops = MAPS[map], at = Math.min(Math.max(value, 0), 1) * (stops.length - 1);
  const i = Math.min(Math.floor(at), stops.length - 2), f = at - i;
  return stops[i].map((c, k) => Math.round(c + (stops[i + 1][k] - c) * f));
};

draw.range = (a) => {
  let low = Infinity, high = -Infinity;
  for (const v of a.values) { low = Math.min(low, v); high = Math.max(high, v); }
  return [low, high];
};

// An image in a box; `signed`: 0 is white. Returns the side of a pixel.
draw.image = (context, a, box, map = "grey", range = null) => {
  let [low, high] = range || draw.range(a);
  if (map === "signed") { high = Math.max(Math.abs(low), Math.abs(high)) || 1; low = -high; }
  const picture = new ImageData(a.columns, a.rows);
  a.values.forEach((v, i) => {
    const shade = draw.shade(map, high > low ? (v - low) / (high - low) : 0.5);
    picture.data.set([...shade, 255], 4 * i);
  });
  const small = document.createElement("canvas");
  small.width = a.columns;
  small.height = a.rows;
  small.getContext("2d").putImageData(picture, 0, 0);
  const side = Math.min(box.width / a.columns, box.height / a.rows);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, box.x, box.y, a.columns * side, a.rows * side);
  context.strokeStyle = draw.colour("line");
  context.lineWidth = 1;
  context.strokeRect(box.x, box.y, a.columns * side, a.rows * side);
  return side;
};

// A few numbers as coloured cells.
draw.numbers = (context, a, box, map = "signed", range = null) => {
  const side = draw.image(context, a, box, map, range), digits = (v) => (Number.isInteger(v) ? `${v}` : v.toFixed(2));
  if (side < 20) return side;
  const [low, high] = range || draw.range(a), most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  for (let r = 0; r < a.rows; r++) {
    for (let c = 0; c < a.columns; c++) {
      const v = a.values[r * a.columns + c], at = map === "signed" ? Math.abs(v) / most : 0;
      context.font = `${Math.min(13, side / 2.6)}px system-ui, sans-serif`;
      context.textAlign = "center";
      const dark = map === "signed" ? at < 0.7 : (v - low) / ((high - low) || 1) > 0.5;
      context.fillStyle = dark ? "#111" : "#fff";
      context.fillText(digits(v).replace("-", "−"), box.x + (c + 0.5) * side, box.y + (r + 0.5) * side);
    }
  }
  return side;
};

draw.frame = (context, x, y, width, height, colour = "mark") => {
  context.strokeStyle = draw.colour(colour);
  context.lineWidth = 2.5;
  context.strokeRect(x, y, width, height);
};

// Where a finger draws, the page does not scroll: `inside` tells from a place on the canvas.
draw.hold = (canvas, inside) => {
  canvas.addEventListener("touchstart", (event) => {
    const box = canvas.getBoundingClientRect(), [{clientX, clientY}] = event.touches;
    if (inside(clientX - box.left, clientY - box.top)) event.preventDefault();
  }, {passive: false});
};

// Controls.

draw.make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};

draw.choice = (label, options, value, change) => {
  const select = draw.make("select", {onchange: () => change(select.value)},
    ...options.map((o) => draw.make("option", {value: o}, o)));
  select.value = value;
  return draw.make("label", {}, `${label} `, select);
};

draw.slider = (label, {min, max, step, value, words = (v) => v}, change) => {
  const told = draw.make("output", {}, `${words(value)}`);
  const input = draw.make("input", {type: "range", min, max, step, value, "aria-label": label, oninput: () => {
    told.textContent = words(Number(input.value));
    change(Number(input.value));
  }});
  const element = draw.make("label", {class: "slider"}, `${label} `, input, told);
  element.set = (v) => { input.value = v; told.textContent = words(v); };
  return element;
};

draw.check = (label, value, change) => {
  const input = draw.make("input", {type: "checkbox", onchange: () => change(input.checked)});
  input.checked = value;
  return draw.make("label", {}, input, ` ${label}`);
};

draw.button = (label, press) => draw.make("button", {type: "button", onclick: press}, label);

// A button that lets something move: `step` is called for every frame, until it returns false.
// Where motion is to be reduced, it takes a few steps and stops.
draw.player = (label, step) => {
  let frame = 0;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const stop = () => { cancelAnimationFrame(frame); frame = 0; button.textContent = label; };
  const again = () => { if (step() === false) stop(); else frame = requestAnimationFrame(again); };
  const button = draw.button(label, () => {
    if (frame) { stop(); return; }
    if (calm.matches) { for (let i = 0; i < 20 && step() !== false; i++); return; }
    button.textContent = "Pause";
    frame = requestAnimationFrame(again);
  });
  button.stop = stop;
  return button;
};
