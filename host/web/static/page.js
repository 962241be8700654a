// Follows the server's events, and shows each camera in a card of its own.
import { CameraCard } from "./camera.js";
import { Detail } from "./detail.js";

// Without news for so long the server is away: it says something every second.
const SILENCE_MS = 2000;

const cards = new Map();
const status = document.getElementById("status");
const detail = new Detail();
let started = "";
let heardMs = performance.now();

function setStatus(text, kind) {
  if (status.textContent !== text) {
    status.textContent = text;
    status.dataset.kind = kind;
  }
}

function forgetAll() {
  for (const card of cards.values()) {
    card.remove();
  }
  cards.clear();
  detail.close();
}

function show(state) {
  heardMs = performance.now();
  if (state.started !== started) {
    forgetAll();
    started = state.started;
  }
  if (state.trouble) {
    setStatus(state.trouble, "bad");
  } else {
    setStatus(`Serving on ${state.port}`, "good");
  }
  document.getElementById("viewers").textContent =
    state.viewers === 1 ? "One browser follows this page." : `${state.viewers} browsers follow this page.`;
  document.getElementById("empty").hidden = state.all.length > 0;
  for (const camera of state.cameras) {
    let card = cards.get(camera.camera);
    if (!card) {
      card = new CameraCard(camera.camera, detail);
      cards.set(camera.camera, card);
      const next = [...cards.keys()].filter((number) => number > camera.camera).sort((a, b) => a - b)[0];
      card.insertBefore(document.getElementById("cameras"), next === undefined ? null : cards.get(next));
    }
    card.show(camera);
  }
}

function away() {
  setStatus("No connection to the server. Trying again.", "bad");
}

const events = new EventSource("/events");
events.addEventListener("state", (event) => show(JSON.parse(event.data)));
events.addEventListener("error", away);
setInterval(() => {
  if (performance.now() - heardMs > SILENCE_MS) {
    away();
  }
}, 500);
