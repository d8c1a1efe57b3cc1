import { get, post, showBalance } from "./api.js";

const STEP_MS = 220;
const $ = (id) => document.getElementById(id);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// A newer build takes over the stage: the steps of an older one stop.
let current = 0;
let asking = false;

$("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (asking) return; // a second press would buy a second build
  asking = true;
  try {
    const { build, balance } = await post("/api/generate", { prompt: $("prompt").value });
    showBalance(balance);
    await playSteps(build);
    remember(build);
  } catch (error) {
    console.debug("generate failed", error);
  } finally {
    asking = false;
  }
});

for (const chip of document.querySelectorAll("[data-idea]")) {
  chip.addEventListener("click", () => {
    $("prompt").value = chip.dataset.idea;
    $("prompt").focus();
  });
}

$("recent").addEventListener("click", async (event) => {
  const button = event.target.closest("[data-build]");
  if (!button) return;
  current += 1;
  $("build").hidden = true;
  $("ideas").hidden = false;
  try {
    showPreview((await get(`/api/builds/${button.dataset.build}`)).build);
  } catch (error) {
    showProblem(`This build can't be shown: ${error.message}`);
  }
});

async function playSteps(build) {
  const mine = (current += 1);
  $("steps").replaceChildren();
  $("build").hidden = false;
  $("ideas").hidden = true;
  for (const [index, step] of build.steps.entries()) {
    if (mine !== current) return;
    $("steps").append(stepItem(step));
    progress(((index + 1) / build.steps.length) * 100);
    await wait(STEP_MS);
    $("steps").lastElementChild?.classList.add("done");
  }
  if (mine === current) showPreview(build);
}

function stepItem({ title, detail }) {
  const item = document.createElement("li");
  item.dataset.testid = "build-step";
  const name = document.createElement("b");
  const more = document.createElement("span");
  name.textContent = title;
  more.textContent = detail;
  item.append(name, more);
  return item;
}

function progress(percent) {
  $("progress").style.width = `${percent}%`;
  $("progress").parentElement.setAttribute("aria-valuenow", Math.round(percent));
}

function showPreview(build) {
  $("address").textContent = `${build.title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}.forge.app`;
  $("blank").hidden = true;
  $("preview").srcdoc = build.html;
  $("preview").hidden = false;
}

function showProblem(words) {
  $("address").textContent = "preview";
  $("preview").hidden = true;
  $("blank").hidden = false;
  $("blank").querySelector("p").textContent = words;
}

function remember(build) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.build = build.id;
  button.dataset.testid = "recent-build";
  const name = document.createElement("b");
  const said = document.createElement("span");
  name.textContent = build.title;
  said.textContent = build.prompt;
  button.append(name, said);
  item.append(button);
  $("recent").prepend(item);
  document.querySelector(".recent .empty").hidden = true;
}

// Until here a press would be lost, so the page was served with its buttons disabled.
for (const button of document.querySelectorAll("main button:disabled")) button.disabled = false;
