/* The request, as curl and as Python: what is shown can be pasted. */

const UNSEEN = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const url = () => `${location.origin}${facts.path}`;

/** A word for a POSIX shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** JSON in which no sign is unseen or turns the direction of reading. */
const json = (value) => JSON.stringify(value).replace(UNSEEN, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);

const curlOf = (row) => `curl -s -H 'content-type: application/json' \\\n  -d ${quoted(json(row))} \\\n  ${quoted(url())}`;

/** A value as Python writes it; its texts are those of JSON. */
function python(value) {
  if (value === null) return "None";
  if (typeof value === "string") return json(value);
  return String(value);
}

function pythonOf(row) {
  const lines = Object.entries(row).map(([name, value]) => `    ${python(name)}: ${python(value)},`);
  return [
    "import json, urllib.request",
    "",
    "row = {",
    ...lines,
    "}",
    "request = urllib.request.Request(",
    `    ${python(url())},`,
    "    data=json.dumps(row).encode(),",
    '    headers={"content-type": "application/json"},',
    ")",
    "print(json.load(urllib.request.urlopen(request)))",
  ].join("\n");
}

function showCalls(row) {
  at("curl").textContent = curlOf(row);
  at("python").textContent = pythonOf(row);
}

/** Ask the gateway; gives the answer, or throws what it said. */
async function ask(body, signal = null) {
  const headers = { "content-type": "application/json" };
  let answer;
  try {
    answer = await fetch(facts.path, { method: "POST", headers, body: JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw { error: "the gateway does not answer; was `mintage serve` ended?" };
  }
  const value = await answer.json();
  if (!answer.ok) throw value;
  return value;
}
