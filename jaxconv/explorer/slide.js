// Slide: one signal reflected and shifted over another; the area of their product is the convolution.
"use strict";

rooms.slide = (section) => {
  const STEP = 0.1, t = core.midpoints(-15, 15, STEP), n = t.length;
  const inside = (v) => v >= -5 && v < 5;
  const WAVES = {
    "square wave": (v) => (inside(v) ? 1 : 0),
    sawtooth: (v) => (inside(v) ? 4 * (5 - v) / 10 : 0),
    triangle: (v) => Math.max(1 - Math.abs(v) / 5, 0),
    "wavelet": (v) => (1 - (v / 2) ** 2) * Math.exp(-((v / 2) ** 2) / 2),
    "drawn by hand": null,
  };
  const state = {f: t.map(WAVES["square wave"]), g: t.map(WAVES.sawtooth), shift: -15, seen: -15, hand: "f"};
  let area = core.convolve1(state.f, state.g).map((v) => v * STEP);
  const at = (shift) => area[n - 1 + Math.round(shift / STEP)];
  const moved = (shift) => {
    const by = Math.round(shift / STEP);
    return t.map((_, i) => state.g[n - 1 - i + by] ?? 0);
  };
  const canvas = draw.make("canvas", {role: "img"});
  const told = draw.make("p", {class: "told", "aria-live": "polite"});

  const paint = () => {
    const context = draw.begin(canvas, 470), width = canvas.clientWidth;
    const reflected = moved(state.shift), product = state.f.map((v, i) => v * reflected[i]);
    const values = [...state.f, ...state.g, ...product, 1];
    const low = Math.min(0, ...values), high = Math.max(...values);
    const ticks = [-15, -10, -5, 0, 5, 10, 15];
    const top = {x: 40, y: 60, width: width - 55, height: 150};
    const places = draw.axes(context, top, [-15, 15], [low, high * 1.05],
      {xTicks: ticks, yTicks: draw.ticks(low, high)});
    let x = 40;
    for (const [words, colour] of [["f", "ink"], ["g, reflected and shifted", "second"],
      ["product, above 0", "plus"], ["below 0", "minus"]]) {
      draw.line(context, [[x, 14], [x + 18, 14]], colour, 4);
      draw.text(context, words, x + 24, 14);
      x += 40 + context.measureText(words).width;
      if (x > width - 120 && colour === "second") { x = 40; context.translate(0, 20); }
    }
    context.setTransform(window.devicePixelRatio || 1, 0, 0, window.devicePixelRatio || 1, 0, 0);
    draw.area(context, t, product, places);
    draw.line(context, t.map((v, i) => [places.px(v), places.py(state.f[i])]), "ink");
    draw.line(context, t.map((v, i) => [places.px(v), places.py(reflected[i])]), "second");
    const curve = Array.from({length: 301}, (_, i) => -15 + i * STEP);
    const areas = curve.map(at), most = Math.max(...areas, 1), least = Math.min(...areas, 0);
    const bottom = {x: 40, y: 285, width: width - 55, height: 140};
    const below = draw.axes(context, bottom, [-15, 15], [least, most * 1.05],
      {xTicks: ticks, yTicks: draw.ticks(least, most), title: "area of the product, at every shift"});
    const shown = curve.filter((s) => s <= state.seen + STEP / 2);
    if (shown.length > 1) draw.line(context, shown.map((s) => [below.px(s), below.py(at(s))]), "first");
    draw.dot(context, below.px(state.shift), below.py(at(state.shift)), "mark", 6);
    draw.text(context, "shift", 40 + (width - 55) / 2, 455, {align: "center", colour: "quiet"});
    const sum = at(state.shift).toFixed(2).replace(/\.?0+$/, "").replace(/^-0$/, "0").replace("-", "−");
    told.textContent = `Shift ${state.shift.toFixed(1).replace("-", "−")}: the area is ${sum}.`;
    canvas.setAttribute("aria-label", told.textContent);
  };
  const change = () => {
    area = core.convolve1(state.f, state.g).map((v) => v * STEP);
    paint();
  };
  const slider = draw.slider("shift",
    {min: -15, max: 15, step: STEP, value: state.shift, words: (v) => v.toFixed(1).replace("-", "−")}, (v) => go(v));
  const go = (shift) => {
    state.shift = Math.round(shift / STEP) * STEP;
    state.seen = Math.max(state.seen, state.shift);
    slider.set(state.shift);
    paint();
  };
  const play = draw.player("Play", () => {
    if (state.shift >= 15 - STEP / 2) { state.seen = -15; go(-15); return true; }
    go(state.shift + STEP);
    return state.shift < 15 - STEP / 2;
  });
  const take = (which) => (name) => {
    state.hand = which;
    if (WAVES[name]) state[which] = t.map(WAVES[name]);
    change();
  };
  // In the upper picture a pointer draws what is "drawn by hand", or else drags the shift.
  const chosen = {f: "square wave", g: "sawtooth"};
  const choose = (which) => draw.choice(which, Object.keys(WAVES), chosen[which], (name) => {
    chosen[which] = name;
    take(which)(name);
  });
  let last = null;
  const drag = (event) => {
    const box = canvas.getBoundingClientRect(), width = canvas.clientWidth - 55;
    const v = -15 + (event.clientX - box.left - 40) / width * 30, y = event.clientY - box.top;
    if (chosen[state.hand] === "drawn by hand" && y < 240) {
      const values = [...state.f, ...state.g, 1], low = Math.min(0, ...values), high = Math.max(...values) * 1.05;
      const height = Math.min(Math.max(low + (210 - y) / 150 * (high - low), -4), 4);
      const place = Math.min(Math.max(Math.round((v + 15) / STEP - 0.5), 0), n - 1), from = last ?? place;
      for (let i = Math.min(from, place); i <= Math.max(from, place); i++) {
        state[state.hand][state.hand === "g" ? n - 1 - i + Math.round(state.shift / STEP) : i] = height;
      }
      state.g.length = n;
      last = place;
      change();
    } else go(Math.min(Math.max(v, -15), 15));
  };
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); last = null; drag(event); });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
  draw.hold(canvas, (x, y) => chosen[state.hand] === "drawn by hand" && y < 240);
  section.append(
    draw.make("p", {}, "Reflect g, shift it over f, multiply, and sum: the area of the product is one value of the convolution. ",
      "Drag in the picture, or draw a signal of your own: choose “drawn by hand” and draw above."),
    canvas, told,
    draw.make("div", {class: "controls"}, play, slider, choose("f"), choose("g"),
      draw.button("shift −5: 15", () => go(-5)), draw.button("shift 0: 20", () => go(0))));
  go(-15);
  return {paint, stop: play.stop, state, go, area: () => Array.from(area)};
};
