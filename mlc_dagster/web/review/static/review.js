// The page works without this. With it: copy buttons, keys, and lists that look again by themselves.
"use strict";
const say = (words) => { document.getElementById("said").textContent = words; };
const inField = (node) => node && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName));

// --- copy ---
function addCopyButtons(root) {
  for (const box of root.querySelectorAll("details.request")) {
    if (box.querySelector("button")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", () => copy(box));
    box.append(button);
  }
}
async function copy(box) {
  const text = box.querySelector("textarea");
  try {
    await navigator.clipboard.writeText(text.value);
    say("Copied.");
  } catch {
    box.open = true;
    text.focus();
    text.select();
    say("Selected: copy it with your keyboard.");
  }
}

// --- looks again by itself ---
function isOld(part) {
  if (document.getElementById("old")) return;
  const told = document.createElement("p");
  told.id = "old";
  told.className = "banner";
  told.setAttribute("role", "status");
  told.textContent = `This list could not be looked at again: it is as it was at ${new Date().toTimeString().slice(0, 5)}. Load the page.`;
  part.before(told);
}
async function lookAgain(part) {
  const active = document.activeElement;
  const busy = inField(active) && part.contains(active);
  if (document.hidden || busy || part.querySelector("input:checked")) return;
  let answer;
  try {
    answer = await fetch(location.href, { headers: { "X-By-Itself": "1" }, redirect: "error", cache: "no-store" });
  } catch {
    return isOld(part);
  }
  if (!answer.ok) return isOld(part);
  document.getElementById("old")?.remove();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(part.id);
  if (!fresh || fresh.innerHTML === part.dataset.seen) return;
  const place = part.contains(active) ? [...part.querySelectorAll("a[href], button, summary")].indexOf(active) : -1;
  const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
  const before = part.querySelectorAll("[data-row]").length;
  part.dataset.seen = fresh.innerHTML;
  part.replaceChildren(...fresh.childNodes);
  if (!fresh.dataset.live) delete part.dataset.live;
  for (const id of open) { const box = document.getElementById(id); if (box) box.open = true; }
  addCopyButtons(part);
  const after = part.querySelectorAll("[data-row]").length;
  if (place >= 0) {
    const found = [...part.querySelectorAll("a[href], button, summary")];
    (found[Math.min(place, found.length - 1)] || document.getElementById("main")).focus();
  }
  if (before !== after) say(`The list has changed: ${after} rows.`);
}
function live(took = 0) {
  const part = document.querySelector("[data-live]");
  if (!part) return;
  const wait = Math.max(1000 * Number(part.dataset.live), 20 * took); // a list that takes long is asked for seldom
  setTimeout(async () => {
    const began = performance.now();
    await lookAgain(part);
    live(performance.now() - began);
  }, wait);
}

// --- keys ---
const rows = () => [...document.querySelectorAll("[data-row]")];
const ofRow = (row) => row && row.querySelector("th a, td a");
const current = () => document.activeElement.closest("[data-row]");
function move(by) {
  const all = rows(), at = all.indexOf(current());
  const next = at < 0 ? all[by > 0 ? 0 : all.length - 1] : all[Math.max(0, Math.min(all.length - 1, at + by))];
  const link = ofRow(next);
  if (link) { link.focus(); link.scrollIntoView({ block: "nearest" }); }
}
const follow = (rel) => { const link = document.querySelector(`main a[rel=${rel}]`); if (link) link.click(); };
const focusOn = (selector) => { const found = document.querySelector(selector); if (found) found.focus(); };
const root = () => document.querySelector(".brand a").getAttribute("href").replace(/\/$/, "");
const PLACES = { c: "/", i: "/items", a: "/approvals", e: "/close" };
const ACTIONS = {
  help: () => document.getElementById("help").showModal(),
  search: () => focusOn("#search"),
  next: () => move(1),
  previous: () => move(-1),
  up: () => follow("up"),
  next_item: () => follow("next"),
  previous_item: () => follow("prev"),
  select: () => {
    const row = current(), tick = row && row.querySelector("input[type=checkbox]");
    if (tick) { tick.checked = !tick.checked; say(tick.checked ? "Chosen." : "Not chosen."); }
  },
  assign: () => focusOn("main #to"),
  note: () => focusOn("main #note"),
  copy: () => { const box = (current() || document).querySelector("details.request"); if (box) copy(box); },
  look: () => { const button = document.getElementById("look"); if (button) button.click(); },
  decide: () => {
    const box = document.querySelector("details.decision");
    if (box) { box.open = true; box.querySelector("textarea").focus(); }
  },
};
const list = document.getElementById("keys");
const byKey = Object.fromEntries(Object.entries(list ? JSON.parse(list.dataset.keys) : {}).map(([name, key]) => [key, name]));
let went = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || inField(event.target) || document.querySelector("dialog[open]")) return;
  if (went) {
    went = false;
    if (PLACES[event.key]) { event.preventDefault(); location.assign(root() + PLACES[event.key]); }
    return;
  }
  const name = byKey[event.key];
  if (!name) return;
  event.preventDefault();
  if (name === "go") went = true; else ACTIONS[name]();
});

addCopyButtons(document);
live();
