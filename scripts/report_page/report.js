// One machine for the whole page, and the charts' choices: shown everywhere, kept in the address.
"use strict";
document.documentElement.classList.add("js");

const menu = document.getElementById("machine"); // none on a page of no results
const first = [...(menu?.options ?? [])].find((option) => option.defaultSelected)?.value;
const charts = {}; // by name: its view, and the signals that a reader sets
const chosen = (name) => new URLSearchParams(location.search).get(name);

// Keep `value` in the address; what is as at first is left out. `how` is a method of history's.
function keep(name, value, initial, how = "replaceState") {
  const query = new URLSearchParams(location.search);
  if (value === initial) query.delete(name);
  else query.set(name, value);
  const text = query.toString();
  try {
    history[how](null, "", (text ? `?${text}` : location.pathname) + location.hash);
  } catch {} // a browser that lets no script change a file's address
}

const written = (value) => (typeof value === "boolean" ? (value ? "on" : "off") : String(value));

// What a chart's signal is at first: some have a value of their own for the machine.
const initial = (signal) => signal.opening?.[menu.value]?.[signal.name] ?? signal.initial;

// What the address has of a chart's signal; what the chart begins with if that is no value of it.
function restored(name, signal) {
  const values = signal.bind.options ?? [true, false];
  const found = values.find((value) => written(value) === chosen(name));
  return found === undefined ? initial(signal) : found;
}

async function embed(name, specification) {
  const signals = specification.signals ?? [];
  const machines = signals.filter((signal) => signal.name === "chosen_machine");
  for (const signal of machines) {
    signal.value = menu.value;
    delete signal.bind;
  }
  const inputs = {}; // by what the address calls them
  for (const signal of signals.filter((signal) => signal.bind)) {
    signal.initial = signal.value;
    signal.opening = specification.usermeta?.opening;
    const key = `${name}.${signal.bind.name.trim()}`;
    inputs[key] = signal;
    signal.value = restored(key, signal);
  }
  const long = signals.some((signal) => signal.name === "least_width"); // it may be scrolled
  document.getElementById(name).classList.toggle("long", long);
  const { view } = await vegaEmbed(`#${name}`, specification, EMBED);
  charts[name] = { view, inputs, follows: machines.length > 0 };
  for (const [key, signal] of Object.entries(inputs))
    view.addSignalListener(signal.name, (_, value) => keep(key, written(value), written(initial(signal))));
  say(name);
}

// A chart that has nothing of this machine says so; one that is scrolled shows its last step or end.
function say(name) {
  const chart = document.getElementById(name);
  const some = chart.querySelector(".role-mark [aria-label]");
  chart.closest("figure").classList.toggle("empty", !some);
  const last = [...chart.querySelectorAll(".role-mark.mark-text text")].at(-1);
  const { right } = (last ?? chart.querySelector("svg")).getBoundingClientRect();
  chart.scrollLeft += right - chart.getBoundingClientRect().left - chart.clientWidth / (last ? 2 : 1);
}

// Show the machine that the menu has: text, tables and charts.
function show() {
  for (const part of document.querySelectorAll("[data-machine]")) {
    part.hidden = part.dataset.machine !== menu.value;
    if (part.matches("details.whole")) part.open = !part.hidden;
  }
  for (const [name, { view, inputs, follows }] of Object.entries(charts)) {
    if (follows) view.signal("chosen_machine", menu.value);
    for (const [key, signal] of Object.entries(inputs))
      if (signal.opening) view.signal(signal.name, restored(key, signal));
    view.runAsync().then(() => say(name));
  }
  document.dispatchEvent(new Event("machine"));
}

// Show what the address says.
function restore() {
  const there = [...menu.options].some((option) => option.value === chosen("machine"));
  menu.value = there ? chosen("machine") : first;
  for (const { view, inputs } of Object.values(charts))
    for (const [key, signal] of Object.entries(inputs))
      view.signal(signal.name, restored(key, signal));
  document.dispatchEvent(new Event("restored"));
  show();
}

async function begin() {
  if (!menu) return;
  menu.addEventListener("change", () => {
    keep("machine", menu.value, first, "pushState");
    show();
  });
  addEventListener("popstate", restore);
  restore();
  for (const specification of document.querySelectorAll("script[data-chart]")) {
    await embed(specification.dataset.chart, JSON.parse(specification.textContent));
    await new Promise((done) => setTimeout(done)); // the page can be used between two charts
  }
}

addEventListener("DOMContentLoaded", begin);

// Printed, nothing is folded.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) {
    part.dataset.folded = "";
    part.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const part of document.querySelectorAll("details[data-folded]")) {
    delete part.dataset.folded;
    part.open = false;
  }
});

// A finger does not hover: a tap shows the numbers of the mark that is nearest, until the next tap.
const REACH = 24; // pixels
let told; // the mark whose numbers are shown
document.addEventListener("pointerup", ({ pointerType, clientX, clientY, target }) => {
  if (pointerType !== "touch") return;
  const away = (mark) => {
    const { x, y, width, height } = mark.getBoundingClientRect();
    return Math.hypot(x + width / 2 - clientX, y + height / 2 - clientY);
  };
  const marks = target.closest(".chart svg")?.querySelectorAll('[aria-roledescription="point"]') ?? [];
  const [near] = [...marks].filter((mark) => away(mark) < REACH).sort((a, b) => away(a) - away(b));
  const tell = (mark, what) => mark?.dispatchEvent(new PointerEvent(what, { bubbles: true, clientX, clientY }));
  setTimeout(() => { // after the mouse events that browsers make of a tap: mouseout hides it
    tell(told, "mouseout");
    tell((told = near), "pointermove");
    const { style, offsetWidth } = document.getElementById("vg-tooltip-element") ?? {};
    if (style) style.left = `${Math.max(Math.min(parseFloat(style.left), innerWidth - offsetWidth - 8), 8)}px`;
  }, 50);
});
