// Match: the filter that looks like the signal responds most; and how often it finds a circle in noise.
"use strict";

rooms.match = (section) => {
  const canvas = draw.make("canvas", {role: "img"});
  const told = draw.make("p", {class: "told", "aria-live": "polite"});
  const state = {what: "a wave", filter: "itself", shift: 0, noise: 1, threshold: 3, random: core.random(1),
    found: 0, missed: 0, false: 0, scenes: 0};

  // A wave of two positive lobes and a negative one, and a square wave as long.
  const STEP = 0.05, t = core.midpoints(-15, 15, STEP);
  const lobes = (v) => (Math.abs(v) < 6 ? -Math.cos(Math.PI * v / 4) : 0);
  const FILTERS = {itself: lobes, "a long square wave": (v) => (Math.abs(v) < 6 ? 1 : 0)};
  const response = (filter, shift) => t.reduce((sum, v) => sum + lobes(v) * filter(v - shift), 0) * STEP;

  // A circle among shapes.
  const SIZE = 15, ROWS = 72, COLUMNS = 108, KINDS = ["circle", "cross", "square", "triangle"];
  const template = core.zeroMean(core.shape("circle", SIZE)), energy = core.energy(template);
  let scene, heat, peaks;

  const look = () => {
    scene = core.scene(state.random, ROWS, COLUMNS, KINDS, SIZE, state.noise);
    heat = core.filter(scene.signal, template, {mode: "valid"});
    judge();
  };
  const judge = () => {
    const [row, column] = scene.corners[0], least = state.threshold * deviation();
    peaks = [];
    const near = 5, {rows, columns, values} = heat;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const v = values[r * columns + c];
        if (v <= least) continue;
        let top = true;
        for (let i = Math.max(r - near, 0); top && i <= Math.min(r + near, rows - 1); i++) {
          for (let j = Math.max(c - near, 0); j <= Math.min(c + near, columns - 1); j++) {
            if (values[i * columns + j] > v) { top = false; break; }
          }
        }
        if (top) peaks.push([r, c]);
      }
    }
    const found = values[row * columns + column] > least;
    const wrong = peaks.filter(([r, c]) => Math.abs(r - row) > near || Math.abs(c - column) > near).length;
    return {found, wrong};
  };
  const deviation = () => state.noise * Math.sqrt(energy);
  const theory = () => core.tail(state.threshold - Math.sqrt(energy) / state.noise);
  const count = () => {
    look();
    const {found, wrong} = judge();
    state.scenes++;
    if (found) state.found++; else state.missed++;
    state.false += wrong;
  };
  const forget = () => Object.assign(state, {found: 0, missed: 0, false: 0, scenes: 0});

  const paintWave = () => {
    const context = draw.begin(canvas, 470), width = canvas.clientWidth - 55;
    const filter = FILTERS[state.filter], shifted = t.map((v) => filter(v - state.shift));
    const ticks = [-15, -10, -5, 0, 5, 10, 15];
    const above = draw.axes(context, {x: 40, y: 40, width, height: 150}, [-15, 15], [-1.15, 1.15],
      {xTicks: ticks, yTicks: [-1, 0, 1], title: "signal, filter, and the area of their product"});
    draw.area(context, t, t.map((v, i) => lobes(v) * shifted[i]), above);
    draw.line(context, t.map((v) => [above.px(v), above.py(lobes(v))]), "ink");
    draw.line(context, t.map((v, i) => [above.px(v), above.py(shifted[i])]), "second");
    const shifts = Array.from({length: 121}, (_, i) => -12 + i / 5);
    const below = draw.axes(context, {x: 40, y: 265, width, height: 160}, [-15, 15], [-6.5, 6.5],
      {xTicks: ticks, yTicks: [-6, 0, 6], title: "response, at every shift"});
    for (const [name, colour] of [["a long square wave", "quiet"], ["itself", "quiet"], [state.filter, "first"]]) {
      draw.line(context, shifts.map((s) => [below.px(s), below.py(response(FILTERS[name], s))]), colour,
        colour === "first" ? 2.5 : 1);
    }
    const value = response(filter, state.shift);
    draw.dot(context, below.px(state.shift), below.py(value), "mark", 6);
    draw.text(context, "shift", 40 + width / 2, 455, {align: "center", colour: "quiet"});
    const words = value.toFixed(2).replace("-", "−");
    told.textContent = state.filter === "itself"
      ? `Shift ${state.shift.toFixed(1).replace("-", "−")}: ${words}. Laid on itself, every lobe gives a positive area: 6 together.`
      : `Shift ${state.shift.toFixed(1).replace("-", "−")}: ${words}. The negative lobe in the middle takes away what one of the others gives.`;
  };
  const paintScene = () => {
    const whole = canvas.clientWidth, narrow = whole < 620, side = narrow ? whole - 20 : (whole - 50) / 2;
    const height = side * ROWS / COLUMNS, context = draw.begin(canvas, (narrow ? 2 * height + 80 : height + 40) + 96);
    const left = {x: 10, y: 28, width: side, height};
    const right = narrow ? {x: 10, y: height + 70, width: side, height} : {x: side + 40, y: 28, width: side, height};
    draw.text(context, "scene", left.x, 13, {bold: true});
    const unit = draw.image(context, scene.signal, left);
    draw.text(context, "response of the circle's filter", right.x, right.y - 15, {bold: true});
    context.fillStyle = draw.colour("void");
    context.fillRect(right.x, right.y, COLUMNS * unit, ROWS * unit);
    const half = SIZE >> 1;
    draw.image(context, heat, {x: right.x + half * unit, y: right.y + half * unit,
      width: heat.columns * unit, height: heat.rows * unit}, "heat");
    const [row, column] = scene.corners[0];
    draw.frame(context, left.x + column * unit, left.y + row * unit, SIZE * unit, SIZE * unit, "quiet");
    for (const [r, c] of peaks) {
      const right_ = Math.abs(r - row) <= 5 && Math.abs(c - column) <= 5;
      for (const box of [left, right]) {
        context.beginPath();
        context.arc(box.x + (c + half + 0.5) * unit, box.y + (r + half + 0.5) * unit, 8.5 * unit, 0, 2 * Math.PI);
        context.strokeStyle = draw.colour(right_ ? "found" : "mark");
        context.lineWidth = 2.5;
        context.setLineDash(right_ ? [] : [4, 4]);
        context.stroke();
        context.setLineDash([]);
      }
    }
    const rate = state.scenes ? state.found / state.scenes : 0, expected = theory();
    const y = (narrow ? 2 * height + 80 : height + 40) + 10, wide = Math.min(whole - 220, 420);
    [["detected, counted", rate, "first"], ["detected, by theory", expected, "second"]].forEach(([words, v, colour], i) => {
      draw.text(context, words, 10, y + 24 * i + 12);
      context.fillStyle = draw.colour("line");
      context.fillRect(150, y + 24 * i + 4, wide, 16);
      context.fillStyle = draw.colour(colour);
      context.fillRect(150, y + 24 * i + 4, wide * v, 16);
      draw.text(context, i || state.scenes ? `${(100 * v).toFixed(1)} %` : "no scene yet", 158 + wide, y + 24 * i + 12);
    });
    draw.text(context, narrow ? "grey: the filter would leave the scene" : "grey: beyond here the filter would leave the scene",
      10, y + 66, {colour: "quiet"});
    told.textContent = (state.scenes
      ? `${state.scenes} ${state.scenes === 1 ? "scene" : "scenes"}: found ${state.found}, missed ${state.missed}, false ${state.false}. `
      : "Play draws scene after scene and counts what is ringed. ") +
      `Theory: the circle exceeds the threshold in ${(100 * expected).toFixed(1)} % of scenes.`;
  };
  const paint = () => {
    (state.what === "a wave" ? paintWave : paintScene)();
    canvas.setAttribute("aria-label", told.textContent);
  };
  const play = draw.player("Play", () => {
    if (state.what === "a wave") {
      state.shift = state.shift >= 12 ? -12 : Math.round((state.shift + 0.1) * 10) / 10;
      shift.set(state.shift);
    } else count();
    paint();
    return state.what === "a wave" ? state.shift < 12 : state.scenes < 1000;
  });
  const minus = (v) => v.toFixed(1).replace("-", "−");
  const shift = draw.slider("shift", {min: -12, max: 12, step: 0.1, value: 0, words: minus},
    (v) => { state.shift = v; paint(); });
  const wave = draw.make("div", {class: "controls"}, shift,
    draw.choice("filter", Object.keys(FILTERS), "itself", (v) => { state.filter = v; paint(); }));
  const noise = draw.slider("noise", {min: 0.2, max: 4, step: 0.1, value: 1, words: (v) => v.toFixed(1)},
    (v) => { state.noise = v; forget(); look(); paint(); });
  const threshold = draw.slider("threshold, in deviations of the noise",
    {min: 1, max: 8, step: 0.1, value: 3, words: (v) => v.toFixed(1)},
    (v) => { state.threshold = v; forget(); judge(); paint(); });
  const circle = draw.make("div", {class: "controls", hidden: ""}, noise, threshold,
    draw.button("another scene", () => { count(); paint(); }));
  section.append(
    draw.make("p", {}, "A matched filter looks like what it looks for, its negative lobes too. Let the wave slide; ",
      "then look for a circle among other shapes, and raise the noise: found (solid), false (dashed), and what theory expects."),
    canvas, told,
    draw.make("div", {class: "controls"}, play, draw.choice("look for", ["a wave", "a circle"], "a wave", (v) => {
      play.stop();
      state.what = v;
      wave.hidden = v !== "a wave";
      circle.hidden = v === "a wave";
      paint();
    })), wave, circle);
  look();
  paint();
  return {paint, stop: play.stop, state, response: (name, s) => response(FILTERS[name], s), theory, count};
};
