// The house: one room at a time, each built when it is first entered.
"use strict";

const house = {entered: {}};

house.build = () => {
  const bar = document.querySelector("nav"), hall = document.querySelector("main"), names = Object.keys(rooms);
  const enter = (name, focus = false) => {
    for (const other of names) {
      const chosen = other === name, tab = document.getElementById(`tab-${other}`);
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen && focus) tab.focus();
      document.getElementById(other).hidden = !chosen;
      if (!chosen) house.entered[other]?.stop();
    }
    if (house.entered[name]) house.entered[name].paint();
    else house.entered[name] = rooms[name](document.getElementById(name));
    house.now = name;
    history.replaceState(null, "", `#${name}`);
  };
  for (const name of names) {
    const tab = draw.button(name[0].toUpperCase() + name.slice(1), () => enter(name));
    for (const [key, value] of [["id", `tab-${name}`], ["role", "tab"], ["aria-controls", name]]) tab.setAttribute(key, value);
    bar.append(tab);
    hall.append(draw.make("section", {id: name, role: "tabpanel", "aria-labelledby": `tab-${name}`, hidden: ""}));
  }
  bar.addEventListener("keydown", (event) => {
    const move = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (move) enter(names[(names.indexOf(house.now) + move + names.length) % names.length], true);
  });
  const paint = () => house.entered[house.now]?.paint();
  window.addEventListener("resize", paint);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  const asked = location.hash.slice(1);
  enter(names.includes(asked) ? asked : names[0]);
};

house.build();
