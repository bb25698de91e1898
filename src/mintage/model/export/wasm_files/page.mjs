/** The page to try the model: a form made from the signature, one prediction at a time, all in the browser. */

import * as ort from "./node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs";
import { loadModel } from "./mintage-model.mjs";

const SHOWN = 8; // classes, the most likely first
const at = (id) => document.getElementById(id);
const json = async (url) => (await fetch(url)).json();

/** An element with attributes and children; text is only ever text. */
function make(kind, attributes = {}, ...children) {
  const element = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function hint({ nullable, integer, range, categories, closed, datatype }) {
  const [low, high] = range ?? [null, null];
  const parts = [];
  if (low !== null && high !== null) parts.push(`${closed ? "from" : "usually"} ${low} to ${high}`);
  else if (low !== null) parts.push(`${closed ? "from" : "usually from"} ${low} up`);
  else if (high !== null) parts.push(`${closed ? "up" : "usually up"} to ${high}`);
  if (integer) parts.push("no fraction");
  if (datatype === "BYTES" && categories && !closed) parts.push(`${categories.length} known values`);
  if (nullable) parts.push("may be empty");
  return parts.join(", ");
}

function control(item, place, value) {
  const common = { id: `input-${place}`, name: item.name, autocomplete: "off", "aria-describedby": `hint-${place}` };
  const text = value === null || value === undefined ? "" : String(value);
  if (item.categories && item.closed) {
    const options = item.categories.map((known) => make("option", { value: String(known) }, String(known)));
    if (item.nullable) options.unshift(make("option", { value: "" }, "(missing)"));
    const select = make("select", common, ...options);
    select.value = text;
    return [select];
  }
  if (item.datatype === "FP64") return [make("input", { ...common, inputmode: "decimal", value: text })];
  if (!item.categories) return [make("input", { ...common, value: text })];
  const list = make("datalist", { id: `list-${place}` }, ...item.categories.map((known) => make("option", { value: known })));
  return [make("input", { ...common, list: list.id, value: text }), list];
}

function field(item, place, value) {
  const label = make("label", { for: `input-${place}` }, item.name);
  if (item.unit) label.append(" ", make("small", {}, item.unit));
  const notes = [item.about, hint(item)].filter(Boolean).join("; ");
  return make("div", {}, label, ...control(item, place, value), make("p", { class: "note", id: `hint-${place}` }, notes));
}

/** What the form says; an empty field is missing where it may be. A text that is no number stays one, to be refused. */
function readForm(signature) {
  const row = {};
  signature.inputs.forEach((item, place) => {
    const text = at(`input-${place}`).value;
    if (text.trim() === "" && (item.nullable || item.datatype === "FP64")) row[item.name] = null;
    else if (item.datatype === "BYTES") row[item.name] = text;
    else row[item.name] = Number.isNaN(Number(text)) ? text : Number(text);
  });
  return row;
}

function percent(probability) {
  return `${(100 * probability).toFixed(1)} %`;
}

function show(target, answer, signature, classes) {
  const title = make("h2", {}, target);
  if ("value" in answer) {
    const value = String(Number(answer.value.toPrecision(6)));
    return make("section", { "data-answer": JSON.stringify(answer) }, title, make("p", { class: "head" }, value));
  }
  const section = make("section", { "data-answer": JSON.stringify(answer) }, title);
  section.append(make("p", { class: "head" }, String(answer.class)));
  const order = answer.probabilities.map((probability, place) => [probability, place]);
  if (order.length > SHOWN) order.sort((a, b) => b[0] - a[0]);
  for (const [probability, place] of order.slice(0, SHOWN)) {
    const bar = make("div", { class: "bar" }, make("div"));
    bar.firstChild.style.width = `${100 * Math.min(1, Math.max(0, probability))}%`;
    const line = make("div", { class: "row" }, make("span", {}, String(classes[place])), make("span", {}, percent(probability)));
    section.append(line, bar);
  }
  if (order.length > SHOWN) section.append(make("p", { class: "note" }, `and ${order.length - SHOWN} less likely ones`));
  if (order.length === 2) {
    const text = `“${classes[1]}” from a probability of ${percent(signature.threshold)} up`;
    section.append(make("p", { class: "note" }, text));
  }
  return section;
}

function render(prediction, signature) {
  const targets = [signature.target].flat();
  const sections = targets.map((target) => {
    const answer = prediction.targets ? prediction.targets[target] : { ...prediction };
    delete answer.unusual;
    const name = targets.length > 1 ? `label.${target}` : "label";
    const classes = signature.outputs.find((output) => output.name === name)?.classes;
    return show(target, answer, signature, classes);
  });
  at("answer").replaceChildren(...sections);
  if (prediction.unusual.length) {
    at("answer").append(make("p", { class: "unusual" }, `Unusual: ${prediction.unusual.join(", ")}`));
  }
}

function refuse(error, signature) {
  at("answer").replaceChildren(make("h2", {}, "No prediction"), make("p", { class: "bad", role: "alert" }, error.message));
  const place = signature ? signature.inputs.findIndex((item) => item.name === error.input) : -1;
  if (place >= 0) at(`input-${place}`).setAttribute("aria-invalid", "true");
}

/** The golden row with the fewest missing values. */
function example(columns, rows) {
  const missing = (row) => Object.values(columns).filter((column) => column[row] === null).length;
  const best = Array.from({ length: rows }, (_, row) => row).reduce((a, b) => (missing(b) < missing(a) ? b : a), 0);
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[best]]));
}

async function start() {
  const [signature, golden] = await Promise.all([json("signature.json"), json("golden.json")]);
  document.title = at("name").textContent = signature.model;
  const row = example(golden.columns, golden.values.length);
  const fields = signature.inputs.map((item, place) => field(item, place, row[item.name]));
  at("fields").replaceChildren(...fields);
  ort.env.wasm.numThreads = 1;
  const model = await loadModel(ort, "model.onnx", signature, { executionProviders: ["wasm"] });
  at("about").textContent = `Predicts ${[signature.target].flat().join(", ")}. It runs in this browser; nothing is sent.`;
  const predict = async () => {
    for (const element of at("form").elements) element.removeAttribute("aria-invalid");
    try {
      const [prediction] = await model.predict([readForm(signature)]);
      render(prediction, signature);
    } catch (error) {
      refuse(error, signature);
    }
  };
  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    predict();
  });
  at("form").querySelector("button").disabled = false;
  await predict();
}

start().catch((error) => {
  at("about").textContent = "The model did not load.";
  refuse(error, null);
});
