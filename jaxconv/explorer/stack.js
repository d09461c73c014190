// Stack: two layers of learned filters, and a score for each digit.
"use strict";

rooms.stack = (section) => {
  const canvas = draw.make("canvas", {role: "img"});
  const told = draw.make("p", {class: "told", "aria-live": "polite"});
  const network = data.network, features = network.layers.map((layer) => layer.biases.length);
  const state = {image: core.fromRows(data.digits[0].image), at: 64, brush: 1};
  let box = {};

  const paint = () => {
    const {stages, scores} = core.read(state.image, network);
    const width = canvas.clientWidth, narrow = width < 620, gap = 10;
    const cell = Math.min((width - 20 - gap * (features[0] - 1)) / features[0], narrow ? 70 : 84);
    const second = Math.min((width - 20 - gap * (features[1] / 2 - 1)) / (features[1] / 2), 60);
    const digit = narrow ? 150 : 190, small = cell * 0.42;
    const ys = {digit: 28, filters: digit + 66};
    ys.maps = ys.filters + small + 30;
    ys.second = ys.maps + cell + 46;
    const height = ys.second + 2 * (second + gap) + 20;
    const context = draw.begin(canvas, height);
    draw.text(context, "the digit: draw your own", 10, 13, {bold: true});
    box = {x: 10, y: ys.digit, side: draw.image(context, state.image, {x: 10, y: ys.digit, width: digit, height: digit}, "grey", [0, 1])};
    const r = Math.floor(Math.min(state.at, 63) / 8), c = Math.min(state.at, 63) % 8;
    if (state.at < 64) {
      context.save();
      context.beginPath();
      context.rect(4, ys.digit - 6, digit + 12, digit + 12);
      context.clip();
      draw.frame(context, 10 + (c - 1) * box.side, ys.digit + (r - 1) * box.side, 3 * box.side, 3 * box.side);
      context.restore();
    }
    draw.text(context, narrow ? `${features[0]} filters, and their maps` : `${features[0]} filters of 3 x 3, and their maps: what is negative is 0`, 10, ys.filters - 14, {bold: true});
    network.layers[0].kernels.forEach(([kernel], i) => {
      const x = 10 + i * (cell + gap);
      draw.image(context, core.fromRows(kernel), {x, y: ys.filters, width: small, height: small}, "signed");
      const map = stages[0].full[i], seen = core.array(8, 8, map.values.map((v, n) => (n <= state.at ? v : 0)));
      draw.image(context, seen, {x, y: ys.maps, width: cell, height: cell}, "heat", draw.range(map));
      if (state.at < 64) draw.frame(context, x + c * cell / 8, ys.maps + r * cell / 8, cell / 8, cell / 8);
    });
    draw.text(context, narrow ? `second layer: ${features[1]} maps` : `second layer: ${features[1]} maps of all of them, the greatest of each 2 x 2 kept between`,
      10, ys.second - 14, {bold: true});
    stages[1].full.forEach((map, i) => {
      const n = features[1] / 2;
      draw.image(context, map, {x: 10 + (i % n) * (second + gap), y: ys.second + Math.floor(i / n) * (second + gap),
        width: second, height: second}, "heat");
    });
    const most = Math.max(...scores), odds = scores.map((s) => Math.exp(s - most));
    const total = odds.reduce((s, v) => s + v, 0), best = scores.indexOf(most);
    const x = digit + 56, wide = width - x - 60, line = digit / 10;
    odds.forEach((v, k) => {
      const y = ys.digit + (k + 0.5) * line;
      draw.text(context, `${k}`, x - 8, y, {align: "right", bold: k === best});
      context.fillStyle = draw.colour(k === best ? "first" : "line");
      context.fillRect(x, y - line / 2 + 2, Math.max(wide * v / total, 2), line - 4);
      if (k === best) draw.text(context, `${(100 * v / total).toFixed(0)} %`, x + wide * v / total + 6, y, {bold: true});
    });
    told.textContent = `Read as ${best}, with ${(100 / total).toFixed(0)} % of the odds.`;
    canvas.setAttribute("aria-label", told.textContent);
    return best;
  };
  const play = draw.player("Play", () => {
    state.at = state.at >= 64 ? 0 : state.at + 0.25;
    if (Number.isInteger(state.at)) paint();
    return state.at < 64;
  });
  const ink = (event) => {
    const area = canvas.getBoundingClientRect();
    const c = Math.floor((event.clientX - area.left - box.x) / box.side), r = Math.floor((event.clientY - area.top - box.y) / box.side);
    if (r < 0 || c < 0 || r > 7 || c > 7) return;
    event.preventDefault();
    state.image.values[r * 8 + c] = state.brush;
    state.at = 64;
    paint();
  };
  canvas.addEventListener("pointerdown", (event) => {
    const area = canvas.getBoundingClientRect();
    const c = Math.floor((event.clientX - area.left - box.x) / box.side), r = Math.floor((event.clientY - area.top - box.y) / box.side);
    if (r >= 0 && c >= 0 && r < 8 && c < 8) state.brush = state.image.values[r * 8 + c] > 0.5 ? 0 : 1;
    ink(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) ink(event); });
  draw.hold(canvas, (x, y) => x >= box.x && y >= box.y && x < box.x + 8 * box.side && y < box.y + 8 * box.side);
  const show = (image) => { play.stop(); state.image = core.fromRows(image); state.at = 64; paint(); };
  section.append(
    draw.make("p", {}, "Many filters side by side make many maps, and filters over those maps find what single ones cannot. These were ",
      `learned from handwritten digits; of ${network.judged} new ones the network reads ${network.right}. Draw on the digit, and see what it is read as.`),
    canvas, told,
    draw.make("div", {class: "controls"}, play,
      ...data.digits.map(({kind, image}) => draw.button(`${kind}`, () => show(image))),
      draw.button("empty", () => show(Array.from({length: 8}, () => new Array(8).fill(0))))));
  paint();
  return {paint, stop: play.stop, state, show};
};
