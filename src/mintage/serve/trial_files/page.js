/* The page's start: shows the facts, and asks the gateway as one types. */

const WAIT_MS = 120;
let asked = null;
let timer = 0;

async function predict() {
  const row = readForm();
  showCalls(row);
  asked?.abort();
  const mine = (asked = new AbortController());
  at("found").classList.add("stale");
  try {
    showAnswer(await ask(row, mine.signal));
  } catch (problem) {
    if (problem.name === "AbortError") return;
    showRefusal(problem);
  }
  at("found").classList.remove("stale");
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(predict, WAIT_MS);
}

function download(text) {
  const link = make("a", { download: `${facts.model}-answers.csv`, href: URL.createObjectURL(new Blob([text], { type: "text/csv" })) });
  link.click();
  URL.revokeObjectURL(link.href);
}

async function score(text) {
  at("score").disabled = true;
  at("download").hidden = true;
  const progress = (done, all) => at("table").replaceChildren(make("p", { class: "note" }, `${done} of ${all} rows …`));
  try {
    const found = await predictRows(text, progress);
    showTable(found);
    at("download").hidden = false;
    at("download").onclick = () => download(csvOf(found));
  } catch (problem) {
    const more = problem.hint ? [make("p", { class: "note" }, problem.hint)] : [];
    at("table").replaceChildren(make("p", { class: "refused" }, problem.error ?? String(problem)), ...more);
  } finally {
    at("score").disabled = false;
  }
}

function introduce() {
  const { standing } = facts;
  at("model").textContent = facts.model;
  at("place").textContent = facts.place;
  at("purpose").textContent = facts.purpose;
  const verdict = standing.verdict ?? "NOT CERTIFIED";
  at("standing").append(make("span", { class: `pill ${standing.tone}` }, verdict), ...prose(standing.sentence));
  at("metadata").href = `/v2/models/${encodeURIComponent(facts.model)}`;
  const kept = facts.isLogged ? "What is asked here is kept in the prediction log." : "What is asked here is not kept.";
  at("proof").textContent = `${facts.root}, ${facts.proof}. ${kept}`;
  const names = facts.inputs.map((item) => item.name);
  at("paste").placeholder = `${names.slice(0, 6).join(",")}${names.length > 6 ? ",…" : ""}`;
}

introduce();
at("fields").replaceChildren(...facts.inputs.map(field));
fill(facts.example);
at("form").addEventListener("input", soon);
at("form").addEventListener("submit", (event) => (event.preventDefault(), predict()));
at("reset").addEventListener("click", () => (fill(facts.example), predict()));
at("score").addEventListener("click", () => score(at("paste").value));
at("file").addEventListener("change", async () => {
  const [file] = at("file").files;
  if (file) score(await file.text());
});
for (const button of document.querySelectorAll(".copy")) {
  const word = button.firstChild;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(at(button.dataset.of).textContent);
    word.data = "Copied";
    setTimeout(() => (word.data = "Copy"), 1500);
  });
}
predict();
