// Saves what is typed while it is typed, and shows what has been opened.
//
// Streamlit sends a field once it is left, or when Ctrl+Enter is pressed in it. In the fields of containers
// whose key begins with "kept_", this presses it: the text, the cursor and the focus stay as they are.
const PAUSE = 600; // milliseconds without a key
const LONGEST = 3000; // at most, while somebody types on
const PATIENCE = 6000; // before it is said that something is not saved yet
const KEPT = '[class*="st-key-kept_"]';
const MOST = 60_000; // bytes that a browser sends on for a page which is gone
const FIELDS = "textarea, input[type=text]";
const UNSAVED = "typing-unsaved"; // a class of the page's, by which its style shows what is true

const waiting = new Map(); // fields with something typed since the key was pressed in them: since when
const sent = new Map(); // forms with something typed that no answer is drawn to: what was sent of each
const flushed = new Map(); // and what was sent of each when the page seemed to go
let composed = null; // the field in which several keys make one character just now
let unsavedSince = 0;
let pressedAt = 0;
let looking = 0;

function press(field) {
  clearTimeout(waiting.get(field)?.timer);
  if (field.disabled && field.isConnected) {
    // The portal is away, and Streamlit has locked all fields until it is back.
    waiting.set(field, { since: Date.now(), timer: setTimeout(press, PAUSE, field) });
    return;
  }
  waiting.delete(field);
  note(field);
  pressedAt = Date.now();
  const key = { key: "Enter", code: "Enter", keyCode: 13, which: 13, ctrlKey: true, bubbles: true };
  field.dispatchEvent(new KeyboardEvent("keydown", key));
}

function wait(field) {
  const now = Date.now();
  const typed = waiting.get(field) ?? { since: now, timer: 0 };
  clearTimeout(typed.timer);
  typed.timer = 0;
  if (field !== composed) {
    typed.timer = setTimeout(press, Math.max(0, Math.min(PAUSE, typed.since + LONGEST - now)), field);
  }
  waiting.set(field, typed);
  unsavedSince ||= now;
  looking ||= setInterval(look, 300);
}

// What is typed counts as saved once a connected portal has drawn its answer to it.
function look() {
  const app = document.querySelector("[data-test-connection-state]");
  const isConnected = app?.dataset.testConnectionState === "CONNECTED";
  const isAnswered = app?.dataset.testScriptState === "notRunning" && Date.now() - pressedAt > 500;
  if (isConnected && isAnswered && waiting.size === 0) {
    clearInterval(looking);
    looking = unsavedSince = 0;
    sent.clear();
    flushed.clear();
  }
  const isLate = unsavedSince > 0 && (!isConnected || Date.now() - unsavedSince > PATIENCE);
  document.documentElement.classList.toggle(UNSAVED, isLate);
}

// The name of the form that a field is in: what its keys begin with.
function formOf(field) {
  const name = [...field.closest(KEPT).classList].find((each) => each.startsWith("st-key-kept_"));
  return name.slice("st-key-kept_".length);
}

// What stands in the fields of a form now, by the ends of their keys.
function contents(form) {
  const prefix = `st-key-${form}_`;
  const fields = {};
  for (const field of document.querySelectorAll(`.st-key-kept_${form} :is(${FIELDS})`)) {
    const holder = field.closest(`[class*="${prefix}"]`);
    const key = holder && [...holder.classList].find((each) => each.startsWith(prefix));
    if (key) fields[key.slice(prefix.length)] = field.value;
  }
  return fields;
}

function note(field) {
  if (!field.isConnected || !isKept(field)) return;
  const form = formOf(field);
  sent.set(form, [...(sent.get(form) ?? []), contents(form)].slice(-3));
}

// What a page that goes has still to say is sent in a request of its own: the websocket goes with the page.
function flush() {
  for (const [form, before] of sent) {
    const base = document.querySelector(`.st-key-${form}_base input`);
    const fields = contents(form);
    if (!base || Object.keys(fields).length === 0) continue;
    const words = {
      form,
      visit: Number(new URLSearchParams(location.search).get("visit")),
      revision: Number(base.value),
      fields,
      sent: before,
    };
    let body = JSON.stringify(words);
    if (flushed.get(form) === JSON.stringify(fields)) continue;
    if (new Blob([body]).size > MOST) body = JSON.stringify({ ...words, sent: [] });
    if (new Blob([body]).size > MOST) continue;
    flushed.set(form, JSON.stringify(fields));
    const how = { method: "POST", keepalive: true, headers: { "Content-Type": "application/json" } };
    fetch(new URL("typed", document.baseURI), { ...how, body }).catch(() => {});
  }
}

function isKept(field) {
  return field instanceof Element && field.matches(FIELDS) && field.closest(KEPT) !== null;
}

document.addEventListener("input", (event) => {
  if (!isKept(event.target)) return;
  const form = formOf(event.target);
  if (!sent.has(form)) sent.set(form, []);
  wait(event.target);
});
document.addEventListener("compositionstart", (event) => {
  composed = event.target;
});
document.addEventListener("compositionend", (event) => {
  composed = null;
  if (waiting.has(event.target)) wait(event.target);
});
document.addEventListener("focusout", (event) => {
  if (composed === event.target) composed = null;
  if (waiting.has(event.target)) note(event.target); // Streamlit sends a field that is left
});

// The page may be gone before the pause is over. Who closes it moves the mouse out of it first, or presses one
// of these keys: what the websocket is given when it is closed already does not always arrive.
const CLOSING = new Set(["Control", "Meta", "Alt"]);

function pressAll() {
  for (const field of [...waiting.keys()]) if (field !== composed) press(field);
}
document.addEventListener("keydown", (event) => {
  if (CLOSING.has(event.key)) pressAll();
});
document.documentElement.addEventListener("mouseleave", pressAll);

function leave() {
  flush();
  pressAll();
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") leave();
});
addEventListener("beforeunload", pressAll);
addEventListener("pagehide", leave);

// What opens in another place than where one has pressed is scrolled to, once: containers whose key begins
// with "shown_" and tells what is open.
const OPENED = '[class*="st-key-shown_"]';
const HEAD = 64; // pixels that the menu covers
let opened = "";

function show() {
  const panel = document.querySelector(OPENED);
  const name = panel ? [...panel.classList].find((each) => each.startsWith("st-key-shown_")) : "";
  if (name === opened) return;
  opened = name;
  if (!panel) return;
  const { top } = panel.getBoundingClientRect();
  if (top >= HEAD && top < innerHeight / 2) return;
  panel.style.scrollMarginTop = `${HEAD + 16}px`;
  panel.scrollIntoView({ block: "start" });
}
new MutationObserver(show).observe(document.documentElement, { childList: true, subtree: true });
