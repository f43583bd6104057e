// "Your array": what is measured of the chosen machine about one array, as sentences.
"use strict";

const ask = document.getElementById("ask");
const SIZE = /^(\d+(?:\.\d+)?)\s*(?:([kmg])(i?)b?|b|bytes?)?$/i;
const POWER = { k: 1, m: 2, g: 3 };
const ASKED = ["direction", "memory", "into"]; // and the size

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

// By how many per cent it takes longer, or how many times as long: at one size, or at two.
function more(name, ...percents) {
  const ends = percents.sort((a, b) => a - b);
  const long = ends.at(-1) >= 100;
  const texts = ends.map((one) => (long ? digits(1 + one / 100) : percent(one).slice(0, -2)));
  return `${name} ${[...new Set(texts)].join(" to ")} ${long ? "times as long" : "% longer"}`;
}

const time = (seconds) =>
  seconds >= 1e-3 ? `${digits(1e3 * seconds)} ms` : `${digits(1e6 * seconds)} µs`;
const took = (seconds, nbytes) => `${time(seconds)}, ${digits(nbytes / seconds / 1e9)} GB/s`;

const described = (name) => (WAYS[name] ? `${name} (${WAYS[name]})` : name);

// Who is best at a measured size: one is the fastest, or several are tied.
function standing({ best, fastest, others, margin }) {
  if (fastest) return `${described(fastest)} is the fastest.`;
  if (margin === null) return "Which is the fastest nobody can say, as the noise is not known.";
  if (best.length > 1) return `${listed(best)} are tied: none is told to be faster than another.`;
  return `${described(best[0])} alone was measured.`;
}

const transfers = (number) => `${number} transfer${number > 1 ? "s" : ""}, against direct`;

// What it costs, the others, and what has to be done beforehand, a sentence each.
function costs({ best, others, seconds, beforehand, locked }, nbytes) {
  const rest = Object.keys(seconds).filter((name) => name in others);
  const once = best.filter((name) => beforehand[name]);
  const said = [`${best.map((name) => `${name} ${took(seconds[name], nbytes)}`).join("; ")}.`];
  const put = (what, each) => each.length && said.push(`${what}: ${each.join(", ")}.`);
  put("The others take", rest.map((name) => more(name, others[name])));
  put("Made beforehand, once", once.map((name) => `${name} ${time(beforehand[name])}`));
  if (locked)
    said.push(
      `Page-locked beforehand it takes ${took(locked.seconds, nbytes)}` +
        (locked.uses ? `; locking and releasing it has paid after ${transfers(locked.uses)}.` : "."),
    );
  return said.join(" ");
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

// What the others take at both sizes, a sentence; none if there is no such one.
function beside(one, other) {
  const both = Object.keys(one.others).filter((name) => name in other.others);
  const parts = both.map((name) => more(name, one.others[name], other.others[name]));
  return parts.length ? ` The others take at these two sizes: ${parts.join(", ")}.` : "";
}

// What to do, what it costs, how sure that is: a line each; or one that says why nobody can say.
function answer(found, nbytes, hint) {
  if (!found) return [`Cannot say: nothing of this was measured on this machine.${hint}`];
  const { sizes, source } = found;
  const one = sizes.findLast((size) => size.nbytes <= nbytes);
  const other = sizes.find((size) => size.nbytes >= nbytes);
  if (!one || !other) {
    const ends = [sizes[0], sizes.at(-1)].map((size) => named(size.nbytes)).join(" to ");
    return [`Cannot say: ${ends} was measured, and nothing beyond tells of ${named(nbytes)}.`];
  }
  const margin = Math.max(one.margin, other.margin); // 0 where nobody knows
  const sure = margin ? ` Differences of ${percent(margin)} and more are told apart (99 %).` : "";
  const where = source ? `, with the array ${source}` : "";
  if (one === other)
    return [standing(one), costs(one, nbytes), `Measured at this size${where}.${sure}`];
  const ends = [one, other].map((size) => named(size.nbytes));
  const same = String(one.best) === String(other.best) && !one.fastest === !other.fastest;
  return [
    same
      ? `At ${listed(ends)} alike: ${standing(one)}`
      : `At ${ends[0]}: ${standing(one)} At ${ends[1]}: ${standing(other)}`,
    `${between(one, other, nbytes).join("; ")}.${beside(one, other)}`,
    `Interpolated between ${listed(ends)}${where}: this size was not measured.${sure}`,
  ];
}

function reply() {
  const field = (name) => ask.elements[name];
  const size = field("size");
  const nbytes = bytes(size.value);
  const bad = Number.isNaN(nbytes);
  size.setAttribute("aria-invalid", bad);
  const asked = (one) => ASKED.every((name) => one[name] === field(name).value);
  const cases = CASES[menu.value] ?? [];
  const ways = field("memory").value === "ordinary" && cases.some((one) => one.source);
  const hint = ways ? " How to send an ordinary array was: to the GPU, into an existing one." : "";
  const lines = bad
    ? [`“${size.value}” is no size. Write 2 MB, 512 KiB, 1.5 GiB or a number of bytes.`]
    : answer(cases.find(asked), nbytes, hint);
  const paragraph = (textContent) => {
    const made = Object.assign(document.createElement("p"), { textContent });
    made.innerHTML = made.innerHTML.replace(WITH_UNIT, '<span class="one">$&</span>');
    return made;
  };
  document.getElementById("reply").replaceChildren(...lines.map(paragraph));
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
