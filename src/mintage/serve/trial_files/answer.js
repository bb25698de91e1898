/* Answers: what the model says to one row, with its decision and its warnings. */

const BARS = 8; // classes, the likeliest first
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const number = (value) => (value === null ? "no finite number" : String(Number(value.toPrecision(6))));

function bar(share, mark = null) {
  const fill = make("div");
  fill.style.width = `${100 * Math.min(1, Math.max(0, share ?? 0))}%`;
  const found = make("div", { class: "bar", "aria-hidden": "true" }, fill);
  if (mark !== null) {
    const tick = make("i");
    tick.style.left = `${100 * mark}%`;
    found.append(tick);
  }
  return found;
}

const line = (name, value) => make("div", { class: "line" }, make("span", {}, name), make("span", {}, value));

function scored(answer) {
  const [target] = facts.targets;
  const side = answer.label === 1 ? "at or above" : "below";
  return make(
    "div",
    { class: "part" },
    make("p", { class: "target" }, target),
    make("p", { class: "head" }, answer.class),
    line(`probability of ${facts.classes[1]}`, percent(answer.score)),
    bar(answer.score, facts.threshold),
    make("p", { class: "note" }, `score ${answer.score.toPrecision(6)}, ${side} the threshold ${facts.threshold}: ${answer.class}`),
  );
}

function classified(target, tail, answer) {
  const part = make("div", { class: "part" }, make("p", { class: "target" }, target), make("p", { class: "head" }, answer[`class${tail}`]));
  const all = Object.entries(answer[`probabilities${tail}`]);
  const order = all.length > 2 ? all.sort((one, two) => two[1] - one[1]) : all;
  for (const [name, share] of order.slice(0, BARS)) part.append(line(name, share === null ? "–" : percent(share)), bar(share));
  if (order.length > BARS) part.append(make("p", { class: "note" }, `and ${order.length - BARS} less likely ones`));
  return part;
}

function measured(target, value) {
  return make("div", { class: "part" }, make("p", { class: "target" }, target), make("p", { class: "head" }, number(value)));
}

/** The parts of an answer, one a target. */
function parts(answer) {
  if (facts.isScored) return [scored(answer)];
  if ("value" in answer) {
    const values = facts.targets.length > 1 ? answer.value : { [facts.targets[0]]: answer.value };
    return facts.targets.map((target) => measured(target, values[target]));
  }
  return facts.targets.map((target) => classified(target, facts.targets.length > 1 ? `.${target}` : "", answer));
}

/** The answer in few words: of the first target, and a number to it. */
function brief(answer) {
  if (facts.isScored) return [answer.class, `score ${answer.score.toPrecision(4)}`];
  if ("value" in answer) {
    const first = facts.targets.length > 1 ? answer.value[facts.targets[0]] : answer.value;
    return [number(first), facts.targets[0]];
  }
  const tail = facts.targets.length > 1 ? `.${facts.targets[0]}` : "";
  const name = answer[`class${tail}`];
  return [name, percent(answer[`probabilities${tail}`][name])];
}

function showAnswer(answer) {
  const unusual = answer.unusual ?? {};
  const said = Object.fromEntries(Object.entries(unusual).map(([name, usual]) => [name, `unusual: it is usually ${usual}`]));
  mark("odd", said);
  at("found").replaceChildren(...parts(answer));
  if (Object.keys(unusual).length) {
    const items = Object.entries(unusual).map(([name, usual]) => make("li", {}, make("b", {}, make("bdi", {}, name)), `: usually ${usual}`));
    at("found").append(make("div", { class: "warn" }, "Answered, but the model knows little of such values:", make("ul", {}, ...items)));
  }
  const [head, more] = brief(answer);
  at("brief").replaceChildren(make("b", {}, head), make("span", {}, more));
  at("brief").hidden = false;
}

/** The input that a message is about: the longest name that it has. */
function named(text) {
  const found = facts.inputs.map((item) => item.name).filter((name) => text.includes(`input ${name} `) || text.includes(`input '${name}'`));
  return found.sort((one, two) => two.length - one.length)[0];
}

function showRefusal(problem) {
  const input = named(problem.error);
  mark("invalid", input === undefined ? {} : { [input]: problem.error.replace(/^.*?: /, "") });
  const text = make("p", { class: "refused" }, problem.error);
  const more = problem.hint ? [make("p", { class: "note" }, problem.hint)] : [];
  at("found").replaceChildren(text, ...more);
  at("brief").replaceChildren(make("b", { class: "bad" }, "no answer"), make("span", {}, input ?? ""));
  at("brief").hidden = false;
}
