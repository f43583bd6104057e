// "Your array": what is measured of the chosen machine about one array, as sentences.
"use strict";

const ask = document.getElementById("ask");
const SIZE = /^(\d+(?:\.\d+)?)\s*(?:([kmg])(i?)b?|b|bytes?)?$/i;
const POWER = { k: 1, m: 2, g: 3 };
const COLUMNS = "direction memory into".split(" ");

// '2 MB' -> 2000000, '2 MiB' -> 2097152, '4096' -> 4096; NaN if it is no size.
function bytes(text) {
  const found = SIZE.exec(text.trim());
  if (!found) return NaN;
  const [, number, unit, binary] = found;
  const count = Math.round(number * (binary ? 1024 : 1000) ** (POWER[unit?.toLowerCase()] ?? 0));
  return count >= 1 ? count : NaN;
}

function named(nbytes) {
  let power = 0;
  while (nbytes >= 1024 && power < 3) [nbytes, power] = [nbytes / 1024, power + 1];
  return `${Number(nbytes.toPrecision(4))} ${["B", "KiB", "MiB", "GiB"][power]}`;
}

const digits = (value) => Number(value.toPrecision(3)).toString();
const listed = (names) => names.join(", ").replace(/, ([^,]*)$/, " and $1");
const percent = (value) => `${Number(value.toPrecision(2))} %`;

// By how many per cent it takes longer, or how many times as long.
const more = (name, percents) =>
  percents < 100 ? `${name} ${percent(percents)} longer` : `${name} ${digits(1 + percents / 100)} times as long`;

function took(seconds, nbytes) {
  const rate = `${digits(nbytes / seconds / 1e9)} GB/s`;
  if (seconds >= 1e-3) return `${digits(1e3 * seconds)} ms, ${rate}`;
  return `${digits(1e6 * seconds)} µs, ${rate}`;
}

// Who is best at a measured size: one is the fastest, or several are tied.
function standing({ best, others, margin }) {
  if (margin === null) return "Which is the fastest nobody can say, as the noise is not known.";
  if (best.length > 1) return `${listed(best)} are tied: none is told to be faster than another.`;
  const alone = Object.keys(others).length;
  const [name] = best;
  const what = WAYS[name] ? `${name} (${WAYS[name]})` : name;
  return alone ? `${what} is the fastest.` : `${what} alone was measured.`;
}

function costs({ best, others, seconds }, nbytes) {
  const first = best.map((name) => `${name} ${took(seconds[name], nbytes)}`);
  const rest = Object.keys(seconds).filter((name) => name in others).map((name) => more(name, others[name]));
  return first.join("; ") + (rest.length ? `. The others take: ${rest.join(", ")}` : "") + ".";
}

// The seconds of each that both sizes have, on a straight line between them in a log-log plot.
function between(one, other, nbytes) {
  const part = Math.log(nbytes / one.nbytes) / Math.log(other.nbytes / one.nbytes);
  const names = [...new Set([...one.best, ...other.best])];
  return names
    .filter((name) => one.seconds[name] && other.seconds[name])
    .map((name) => {
      const [from, to] = [one.seconds[name], other.seconds[name]].map(Math.log);
      return `${name} about ${took(Math.exp(from + part * (to - from)), nbytes)}`;
    });
}

// [what to do, what it costs, how sure that is], or one sentence.
function answer(sizes, nbytes) {
  if (!sizes?.length) return ["Cannot say: nothing of this was measured on this machine."];
  const one = sizes.findLast((size) => size.nbytes <= nbytes);
  const other = sizes.find((size) => size.nbytes >= nbytes);
  if (!one || !other) {
    const ends = [sizes[0], sizes.at(-1)].map((size) => named(size.nbytes)).join(" to ");
    return [`Cannot say: ${ends} was measured, and nothing beyond tells of ${named(nbytes)}.`];
  }
  if (one === other) {
    const sure = one.margin === null ? "" : `, by ratios that are told apart from ${percent(one.margin)} on (99 %)`;
    return [standing(one), costs(one, nbytes), `Measured at this size${sure}.`];
  }
  const ends = `${named(one.nbytes)} and ${named(other.nbytes)}`;
  const same = String(one.best) === String(other.best);
  const found = same
    ? `At ${ends} alike: ${standing(one)}`
    : `At ${named(one.nbytes)}: ${standing(one)} At ${named(other.nbytes)}: ${standing(other)}`;
  const margin = Math.max(one.margin, other.margin);
  return [
    found,
    `${between(one, other, nbytes).join("; ")}.`,
    `Interpolated between ${ends}: this size was not measured.` +
      (margin ? ` There, ${percent(margin)} and more are told apart (99 %).` : ""),
  ];
}

function reply() {
  const field = (name) => ask.elements[name];
  const size = field("size");
  const nbytes = bytes(size.value);
  const bad = Number.isNaN(nbytes);
  size.setAttribute("aria-invalid", bad);
  const wanted = COLUMNS.filter((name) => field(name)).map((name) => field(name).value);
  const found = CASES[menu.value]?.find((one) => COLUMNS.every((name, at) => [wanted[at], null].includes(one[name])));
  const lines = bad
    ? [`“${size.value}” is no size. Write 2 MB, 512 KiB, 1.5 GiB or a number of bytes.`]
    : answer(found?.sizes, nbytes);
  const out = document.getElementById("reply");
  out.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
}

if (ask && menu) {
  const fields = [...ask.elements].filter((one) => one.name);
  const initial = Object.fromEntries(fields.map((one) => [one.name, one.value]));
  ask.addEventListener("submit", (event) => event.preventDefault());
  ask.addEventListener("input", ({ target }) => {
    keep(`array.${target.name}`, target.value, initial[target.name]);
    reply();
  });
  document.addEventListener("restored", () => {
    for (const one of fields) {
      one.value = chosen(`array.${one.name}`) ?? initial[one.name];
      if (one.value === "") one.value = initial[one.name]; // no such choice
    }
    reply();
  });
  document.addEventListener("machine", reply);
}
