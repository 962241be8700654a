// The dialog about one of the last pictures: its time line, and how it looked after each packet.
import { bestOf, outcomeOf } from "./camera.js";
import { drawTimes, dueText, milliseconds, percent } from "./draw.js";
import { address, Loader } from "./loader.js";

export class Detail {
  constructor() {
    this.dialog = document.getElementById("detail");
    this.image = document.getElementById("detail-picture");
    this.slider = document.getElementById("detail-revision");
    this.loader = new Loader(this.image);
    this.picture = null;
    document.getElementById("detail-close").addEventListener("click", () => this.close());
    this.slider.addEventListener("input", () => this.showRevision());
  }

  async open(camera, number) {
    const answer = await fetch(`/api/pictures/${number}`).catch(() => null);
    if (answer === null || !answer.ok) {
      return;
    }
    this.picture = await answer.json();
    const picture = this.picture;
    document.getElementById("detail-title").textContent =
      `Picture ${picture.image} of camera ${camera}: ${outcomeOf(picture)}`;
    this.slider.max = String(Math.max(picture.revision, 1));
    this.slider.value = this.slider.max;
    drawTimes(document.getElementById("detail-times"), picture, 184);
    document.getElementById("detail-due").textContent = dueText(picture);
    document.getElementById("detail-answers").replaceChildren(...picture.answers.map((each) => this.row(each)));
    this.dialog.showModal();
    this.showRevision();
  }

  close() {
    if (this.dialog.open) {
      this.dialog.close();
    }
  }

  showRevision() {
    const revision = Number(this.slider.value);
    const packets = this.picture.packets.slice(0, revision);
    const bytes = packets.reduce((sum, packet) => sum + packet[1], 0);
    const after = packets.length ? milliseconds(packets[packets.length - 1][2]) : "";
    const label = `${packets.length} of ${this.picture.revision} packets: ${bytes.toLocaleString("en")} bytes, after ${after}`;
    document.getElementById("detail-label").textContent = label;
    this.slider.setAttribute("aria-valuetext", label);
    if (packets.length) {
      this.loader.want(address(this.picture.camera, this.picture.id, revision), () => {
        this.image.alt = `Picture ${this.picture.image} after ${revision} packets: ${bestOf(this.picture)}`;
      });
    }
  }

  row(answer) {
    const row = document.createElement("tr");
    const best = answer.top.length ? `${answer.top[0][0]} ${percent(answer.top[0][1])}` : answer.status;
    for (const value of [milliseconds(answer.ms), answer.packets, best, answer.final ? "final" : "so far"]) {
      const cell = document.createElement("td");
      cell.textContent = String(value);
      row.append(cell);
    }
    return row;
  }
}
