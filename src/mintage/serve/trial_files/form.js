/* The form: one field an input of the signature. Text of the facts is only ever text. */

const SELECT_MOST = 60; // with more categories, a field that suggests as one types
const OTHER = "\ue000other";
const at = (id) => document.getElementById(id);
const facts = JSON.parse(at("facts").textContent);

/** An element with attributes and children. */
function make(kind, attributes = {}, ...children) {
  const element = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A sentence with its parts in backticks as code. */
const prose = (text) => text.split("`").map((part, place) => (place % 2 ? make("code", {}, part) : part));

function note({ usual, closed, integer, nullable, about, categories, datatype }) {
  const listed = categories !== null;
  const parts = [about];
  if (usual && !listed) parts.push(closed ? usual : `usually ${usual}`);
  if (listed && categories.length > SELECT_MOST) parts.push(`${categories.length} known values`);
  if (integer) parts.push("whole number");
  if (nullable) parts.push(listed && categories.length <= SELECT_MOST ? null : "may be empty");
  else if (datatype === "BYTES" && !listed) parts.push("text");
  return parts.filter(Boolean).join(" · ");
}

/** A list of known values; one that may have others has a text field for them. */
function choice(item, common) {
  const options = item.categories.map((value) => make("option", { value: String(value) }, shown(String(value))));
  if (item.nullable) options.unshift(make("option", { value: "" }, "(missing)"));
  if (item.closed) return [make("select", common, ...options)];
  const select = make("select", common, ...options, make("option", { value: OTHER }, "another value …"));
  const other = make("input", { id: `${common.id}-other`, "aria-label": `another value of ${item.name}`, autocomplete: "off", hidden: "" });
  select.addEventListener("change", () => {
    other.hidden = select.value !== OTHER;
    if (!other.hidden) other.focus();
  });
  return [select, other];
}

/** A text that would be invisible in a list. */
const shown = (text) => (text.trim() === "" ? JSON.stringify(text) : text);

function controls(item, place) {
  const common = { id: `input-${place}`, autocomplete: "off", "aria-describedby": `note-${place}` };
  if (item.categories && item.categories.length <= SELECT_MOST) return choice(item, common);
  if (item.datatype === "FP64") return [make("input", { ...common, inputmode: item.integer ? "numeric" : "decimal" })];
  if (!item.categories) return [make("input", common)];
  const list = make("datalist", { id: `list-${place}` }, ...item.categories.map((value) => make("option", { value })));
  return [make("input", { ...common, list: list.id }), list];
}

function field(item, place) {
  const label = make("label", { for: `input-${place}` }, make("bdi", {}, item.name));
  if (item.unit) label.append(" ", make("small", {}, item.unit));
  return make("div", { class: "field" }, label, ...controls(item, place), make("p", { class: "note", id: `note-${place}` }, note(item)));
}

/** Show a row in the form. */
function fill(row) {
  facts.inputs.forEach((item, place) => {
    const value = row[item.name];
    const text = value === null || value === undefined ? "" : String(value);
    const control = at(`input-${place}`);
    control.value = text;
    const other = at(`input-${place}-other`);
    if (!other) return;
    const known = control.value === text && control.selectedIndex >= 0;
    other.hidden = known;
    if (!known) [control.value, other.value] = [OTHER, text];
  });
}

/** One text as the model takes it: empty is missing where it may be; what is no number stays text, to be refused. */
function parsed(item, text) {
  if (item.datatype === "BYTES") return text === "" && item.nullable ? null : text;
  const plain = text.trim();
  if (plain === "") return null;
  return Number.isNaN(Number(plain)) ? text : Number(plain);
}

/** The row that the form says. */
function readForm() {
  const cells = facts.inputs.map((item, place) => {
    const control = at(`input-${place}`);
    return [item.name, parsed(item, control.value === OTHER ? at(`input-${place}-other`).value : control.value)];
  });
  return Object.fromEntries(cells); // a column may be called __proto__
}

/** Mark fields: `kind` is odd or invalid; `said` maps inputs to what to say instead of their note. */
function mark(kind, said) {
  facts.inputs.forEach((item, place) => {
    const control = at(`input-${place}`);
    const is = Object.hasOwn(said, item.name);
    control.parentNode.className = is ? `field ${kind}` : "field";
    if (is && kind === "invalid") control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
    at(`note-${place}`).textContent = is ? said[item.name] : note(item);
  });
}
