/* Many rows: a CSV text in, a table of answers out, to look at and to keep. */

const PART = 1000; // rows a request
const SHOWN = 200;
const MISSING = new Set(["", "NaN", "nan", "NA", "N/A", "n/a", "null", "NULL", "None", "#N/A"]);

/** The records of a CSV text, quotes and line ends inside quotes understood; tabs or semicolons may divide, too. */
function records(text) {
  const head = text.split(/\r?\n/, 1)[0];
  const divider = [",", "\t", ";"].reduce((best, each) => (head.split(each).length > head.split(best).length ? each : best));
  const found = [];
  let [row, cell, inside] = [[], "", false];
  const end = () => (row.push(cell), (cell = ""));
  for (let place = text.startsWith("\ufeff") ? 1 : 0; place < text.length; place += 1) {
    const sign = text[place];
    if (inside) {
      if (sign !== '"') cell += sign;
      else if (text[place + 1] === '"') (cell += sign), (place += 1);
      else inside = false;
    } else if (sign === '"' && cell === "") inside = true;
    else if (sign === divider) end();
    else if (sign === "\n") (end(), found.push(row), (row = []));
    else if (sign !== "\r" || text[place + 1] !== "\n") cell += sign;
  }
  if (cell !== "" || row.length) (end(), found.push(row));
  return found.filter((cells) => cells.length > 1 || cells[0] !== "");
}

/** A table with the columns that the model takes; throws what is wrong with it. */
function readTable(text) {
  const [names, ...rows] = records(text);
  if (names === undefined || !rows.length) throw { error: "there are no rows: a head line and a line for each are needed" };
  const absent = facts.inputs.filter((item) => !names.includes(item.name)).map((item) => item.name);
  if (absent.length) throw { error: `the head line lacks ${absent.join(", ")}` };
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) throw { error: `column ${twice} comes twice` };
  if (rows.length > facts.rows) throw { error: `at most ${facts.rows} rows here; for more use \`mintage predict\`` };
  const short = rows.findIndex((cells) => cells.length !== names.length);
  if (short >= 0) throw { error: `row ${short + 1} has ${rows[short].length} fields instead of ${names.length}` };
  const places = new Map(names.map((name, place) => [name, place]));
  const asked = rows.map((cells) => Object.fromEntries(facts.inputs.map((item) => [item.name, value(item, cells[places.get(item.name)])])));
  return { names, rows, asked };
}

/** A cell as the model takes it: an empty one is missing. */
function value(item, text) {
  if (item.datatype === "BYTES") return text === "" ? null : text;
  return MISSING.has(text.trim()) ? null : parsed(item, text);
}

/** An answer as columns: one for each number, label and class. */
function flat(answer) {
  const found = {};
  for (const [name, given] of Object.entries(answer)) {
    if (name === "unusual") continue;
    if (given === null || typeof given !== "object") found[name] = given;
    else for (const [tail, part] of Object.entries(given)) found[`${name}.${tail}`] = part;
  }
  return found;
}

async function predictRows(text, progress) {
  const table = readTable(text);
  const answers = [];
  for (let start = 0; start < table.asked.length; start += PART) {
    progress(start, table.asked.length);
    try {
      answers.push(...(await ask(table.asked.slice(start, start + PART))).rows);
    } catch (problem) {
      const found = /^row (\d+)$/.exec(problem.where ?? "");
      throw found ? { ...problem, error: `row ${start + Number(found[1]) + 1}: ${problem.error}` } : problem;
    }
  }
  return { ...table, answers, given: Object.keys(flat(answers[0])) };
}

const cell = (given, kind = "") => {
  const isNumber = typeof given === "number";
  const text = given === null || given === undefined ? "" : isNumber ? number(given) : String(given);
  return make("td", { class: `${kind}${isNumber ? " num" : ""}`.trim() || null, title: text.length > 40 ? text : null }, text);
};

function showTable({ names, rows, answers, given }) {
  const first = flat(answers[0]);
  const isNumber = (name) => name === "row" || typeof first[name] === "number";
  const column = (name) => make("th", { scope: "col", class: isNumber(name) ? "num" : null }, name);
  const head = make("tr", {}, ...["row", ...given].map(column), ...names.map((name) => make("th", { scope: "col" }, name)));
  const lines = answers.slice(0, SHOWN).map((answer, place) => {
    const flatAnswer = flat(answer);
    const unusual = answer.unusual ?? {};
    const inputs = names.map((name, at) => cell(rows[place][at], Object.hasOwn(unusual, name) ? "odd" : ""));
    return make("tr", {}, cell(place + 1), ...given.map((name) => cell(flatAnswer[name], "answer")), ...inputs);
  });
  const odd = answers.filter((answer) => answer.unusual).length;
  const said = [`${answers.length} rows`, odd ? `${odd} with unusual values` : "", answers.length > SHOWN ? `the first ${SHOWN} are shown` : ""];
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines));
  const scroll = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Answers" }, table);
  at("table").replaceChildren(make("p", { class: "note" }, said.filter(Boolean).join(", ")), scroll);
}

/** The table with its answers as CSV. */
function csvOf({ names, rows, answers, given }) {
  const safe = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [[...names, ...given]];
  answers.forEach((answer, place) => {
    const flatAnswer = flat(answer);
    lines.push([...rows[place], ...given.map((name) => String(flatAnswer[name] ?? ""))]);
  });
  return lines.map((cells) => cells.map(safe).join(",") + "\n").join("");
}
