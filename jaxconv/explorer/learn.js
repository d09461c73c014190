// Learn: a filter of random values becomes the matched filter, by gradient descent, beside the closed form.
"use strict";

rooms.learn = (section) => {
  const M = 11, SIDE = 36, BATCH = 12, MOST = 600;
  const canvas = draw.make("canvas", {role: "img"});
  const told = draw.make("p", {class: "told", "aria-live": "polite"});
  const state = {target: "circle", noise: 0.5, distractors: true, seed: 1};
  let random, kernel, adam, statistics, optimum, losses, cosines, shown, step_;

  const kinds = () => [state.target, ...(state.distractors ? ["circle", "cross", "square"].filter((k) => k !== state.target) : [])];
  const scene = () => core.scene(random, SIDE, SIDE, kinds(), M, state.noise);
  const begin = () => {
    random = core.random(state.seed);
    kernel = core.array(M, M, Array.from({length: M * M}, () => random.normal() / M));
    adam = core.adam(M * M);
    statistics = core.statistics(M);
    for (let i = 0; i < 60; i++) statistics.add(scene());
    optimum = statistics.optimum();
    losses = [];
    cosines = [];
    step_ = 0;
    shown = scene();
    paint();
  };
  const step = () => {
    const batch = Array.from({length: BATCH}, scene);
    const {value, gradient} = core.loss(kernel, batch);
    adam(kernel.values, gradient.values, 0.02 * 0.5 * (1 + Math.cos(Math.PI * step_ / MOST)));
    batch.slice(0, 2).forEach(statistics.add);
    step_++;
    if (step_ % 50 === 0) optimum = statistics.optimum();
    losses.push(-value);
    cosines.push(core.cosine(kernel, optimum));
  };
  const paint = () => {
    const width = canvas.clientWidth, narrow = width < 620;
    const side = narrow ? (width - 40) / 2 : (width - 60) / 4;
    const context = draw.begin(canvas, (narrow ? 2 * side + 80 : side + 40) + 190);
    const place = (i) => ({x: 10 + (narrow ? i % 2 : i) * (side + (narrow ? 20 : 13)),
      y: 28 + (narrow ? Math.floor(i / 2) * (side + 40) : 0), width: side, height: side});
    const heat = core.filter(shown.signal, kernel, {mode: "valid"});
    [["a scene", shown.signal, "grey"], ["the learned filter", kernel, "signed"],
      ["the optimum", optimum, "signed"], ["response (grey: none)", heat, "heat"]].forEach(([words, a, map], i) => {
      const box = place(i);
      draw.text(context, words, box.x, box.y - 13, {bold: true});
      if (map !== "heat") { draw.image(context, a, box, map); return; }
      context.fillStyle = draw.colour("void");  // where the filter would leave the scene
      context.fillRect(box.x, box.y, side, side);
      const unit = side / shown.signal.rows, half = kernel.rows >> 1;
      draw.image(context, a, {x: box.x + half * unit, y: box.y + half * unit,
        width: a.columns * unit, height: a.rows * unit}, map);
    });
    const [row, column] = shown.corners[0], box = place(3), unit = side / shown.signal.rows;
    const middle = (kernel.rows >> 1) - 1.5;
    draw.frame(context, box.x + (column + middle) * unit, box.y + (row + middle) * unit, 4 * unit, 4 * unit);
    const y = (narrow ? 2 * side + 80 : side + 40) + 34, most = Math.max(10, ...losses), half = (width - 110) / 2;
    const steps = [0, 200, 400, 600];
    const left = draw.axes(context, {x: 34, y, width: half, height: 110}, [0, MOST], [0, most * 1.05],
      {xTicks: steps, yTicks: [0, Math.floor(most)], title: narrow ? "deflection" : "deflection: higher is better"});
    draw.line(context, losses.map((v, i) => [left.px(i), left.py(Math.max(v, 0))]), "first", 1.5);
    const right = draw.axes(context, {x: half + 80, y, width: half, height: 110}, [0, MOST], [0, 1.05],
      {xTicks: steps, yTicks: [0, 1], title: narrow ? "cosine" : "cosine with the optimum"});
    draw.line(context, cosines.map((v, i) => [right.px(i), right.py(Math.max(v, 0))]), "second");
    draw.text(context, "step", 34 + half / 2, y + 138, {align: "center", colour: "quiet"});
    const cosine = cosines.length ? cosines[cosines.length - 1].toFixed(3).replace("-", "−") : "0";
    told.textContent = `Step ${step_}: the cosine between the learned filter and the optimum is ${cosine}.`;
    canvas.setAttribute("aria-label", told.textContent);
  };
  const play = draw.player("Play", () => {
    step();
    if (step_ % 3 === 0 || step_ < 30) { if (step_ % 60 === 0) shown = scene(); paint(); }
    return step_ < MOST;
  });
  const again = (change) => (v) => { play.stop(); change(v); begin(); };
  section.append(
    draw.make("p", {}, "Nobody draws this filter. It starts from random values; each step draws new scenes and makes the response ",
      "to the target stand out more from the response elsewhere. It ends where theory says: at the optimum, whose closed form ",
      "is Fisher's discriminant."),
    canvas, told,
    draw.make("div", {class: "controls"}, play, draw.button("Start anew", again(() => { state.seed++; })),
      draw.choice("target", ["circle", "cross", "square"], "circle", again((v) => { state.target = v; })),
      draw.slider("noise", {min: 0.1, max: 1.5, step: 0.1, value: 0.5, words: (v) => v.toFixed(1)}, again((v) => { state.noise = v; })),
      draw.check("other shapes too", true, again((v) => { state.distractors = v; }))));
  begin();
  return {paint, stop: play.stop, state, step, cosine: () => cosines[cosines.length - 1], deflection: () => losses[losses.length - 1]};
};
