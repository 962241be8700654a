// The card of one camera.
import { drawRanks, drawSpark, drawTimes, dueText, milliseconds, percent } from "./draw.js";
import { address, loadSmall, Loader } from "./loader.js";

const PHYS = { le_1m: "1M PHY", le_2m: "2M PHY", coded_s2: "coded PHY, S=2", coded_s8: "coded PHY, S=8" };
const STATES = { up: "connected", down: "no connection", refused: "another protocol version" };
// The last pictures change at most so often: nobody could choose one otherwise.
const HISTORY_MS = 2500;
const HISTORY = 6;

function text(parent, selector, value) {
  const node = parent.querySelector(selector);
  if (node.textContent !== value) {
    node.textContent = value;
  }
}

export function bestOf(picture) {
  return picture.best ? `${picture.best[0]} ${percent(picture.best[1])}` : "nothing recognised";
}

export function outcomeOf(picture) {
  if (!picture.outcome) {
    return "open";
  }
  return picture.enough ? "sure before everything arrived" : { ok: "answered", nothing: "nothing to decode", failed: "not answered" }[picture.outcome] || picture.outcome;
}

export class CameraCard {
  constructor(number, detail) {
    const template = document.getElementById("camera-template");
    this.node = template.content.firstElementChild.cloneNode(true);
    this.number = number;
    this.detail = detail;
    const heading = this.node.querySelector("h2");
    heading.id = `camera-${number}`;
    heading.textContent = `Camera ${number}`;
    this.node.setAttribute("aria-labelledby", heading.id);
    this.image = this.node.querySelector(".picture");
    this.loader = new Loader(this.image);
    this.shownMs = -HISTORY_MS;
    this.historyKey = "";
  }

  insertBefore(parent, next) {
    parent.insertBefore(this.node, next ? next.node : null);
  }

  remove() {
    this.node.remove();
  }

  show(camera) {
    this.showLink(camera);
    if (camera.picture) {
      this.showPicture(camera.picture);
    }
    this.showFigures(camera);
    this.showHistory(camera.history.filter((picture) => picture.outcome));
  }

  showLink(camera) {
    const isUp = camera.state === "up";
    this.node.dataset.state = isUp ? "up" : "down";
    this.node.querySelector(".link").dataset.state = camera.state;
    const more = isUp ? `, ${PHYS[camera.phy] || camera.phy}, every ${camera.interval_ms} ms` : "";
    text(this.node, ".link-text", `${STATES[camera.state] || camera.state}${more}`);
  }

  showPicture(picture) {
    if (picture.revision > 0) {
      const source = address(picture.camera, picture.id, picture.revision);
      const alt = `Picture ${picture.image}: ${bestOf(picture)}`;
      this.loader.want(source, () => {
        this.image.alt = alt;
      });
    }
    const there = picture.packets.length;
    const count = picture.all_known ? `${there} of ${picture.ranks} packets` : `${there} packets`;
    text(this.node, ".caption", `Picture ${picture.image}, ${outcomeOf(picture)}`);
    text(this.node, ".packets-text", `${count}, ${picture.bytes.toLocaleString("en")} bytes, the most important first`);
    drawRanks(this.node.querySelector(".ranks"), picture);
    drawTimes(this.node.querySelector(".way .times"), picture, 104);
    text(this.node, ".due", dueText(picture));
    const answers = picture.answers.filter((answer) => answer.top.length > 0);
    if (answers.length > 0) {
      this.showAnswer(answers[answers.length - 1], answers.length);
    } else if (picture.outcome) {
      this.showAnswer({ top: [], final: true, ms: 0, packets: 0 }, 0);
    }
  }

  showAnswer(answer, number) {
    const kind = answer.final ? "Answer" : `Answer so far (${number})`;
    text(this.node, ".answer h3", answer.top.length ? `${kind}, after ${milliseconds(answer.ms)}` : "Nothing recognised");
    const list = this.node.querySelector(".classes");
    while (list.children.length > answer.top.length) {
      list.lastElementChild.remove();
    }
    answer.top.forEach(([label, share], index) => {
      const row = list.children[index] || this.addClass(list);
      text(row, ".label", label);
      text(row, ".share", percent(share));
      row.querySelector(".bar span").style.width = `${100 * share}%`;
    });
  }

  addClass(list) {
    const row = document.createElement("li");
    for (const name of ["label", "share", "bar"]) {
      const part = document.createElement(name === "bar" ? "div" : "span");
      part.className = name;
      row.append(part);
    }
    row.querySelector(".bar").append(document.createElement("span"));
    row.querySelector(".bar").setAttribute("aria-hidden", "true");
    list.append(row);
    return row;
  }

  showFigures(camera) {
    const goodput = camera.goodput_bps.length ? camera.goodput_bps[camera.goodput_bps.length - 1] : 0;
    text(this.node, ".goodput", `${Math.round(goodput / 1000)} kbit/s`);
    text(this.node, ".queue", camera.waiting === 1 ? "1 packet" : `${camera.waiting} packets`);
    text(this.node, ".signal", camera.rssi_dbm === null ? "not known" : `${camera.rssi_dbm} dBm`);
    const drops = Object.entries(camera.drops).filter(([, count]) => count > 0);
    text(this.node, ".drops", drops.map(([reason, count]) => `${count} ${reason}`).join(", ") || "none");
    for (const spark of this.node.querySelectorAll(".spark")) {
      drawSpark(spark, camera[spark.dataset.of]);
    }
  }

  showHistory(pictures) {
    const list = this.node.querySelector(".history");
    const latest = pictures.slice(-HISTORY).reverse();
    const key = latest.map((picture) => `${picture.id}:${picture.revision}`).join();
    const isBeingUsed = list.matches(":hover") || list.contains(document.activeElement);
    if (key === this.historyKey || isBeingUsed || performance.now() - this.shownMs < HISTORY_MS) {
      return;
    }
    this.historyKey = key;
    this.shownMs = performance.now();
    list.replaceChildren(...latest.map((picture) => this.historyItem(picture)));
    for (const image of list.querySelectorAll("img")) {
      loadSmall(image, image.dataset.source);
    }
  }

  historyItem(picture) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const image = document.createElement("img");
    const label = document.createElement("span");
    button.type = "button";
    button.setAttribute("aria-label", `Picture ${picture.image}: ${bestOf(picture)}, ${outcomeOf(picture)}. Show its time line`);
    button.addEventListener("click", () => this.detail.open(this.number, picture.id));
    image.alt = "";
    image.width = 80;
    image.height = 80;
    if (picture.revision > 0) {
      image.dataset.source = address(this.number, picture.id, picture.revision);
    }
    label.className = "label";
    label.textContent = picture.best ? picture.best[0] : "nothing";
    const share = document.createElement("span");
    share.textContent = picture.best ? percent(picture.best[1]) : "recognised";
    button.append(image, label, share);
    item.append(button);
    return item;
  }
}
