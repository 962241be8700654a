// Draws packets and times as SVG.
const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  parent.append(made);
  return made;
}

export function milliseconds(ms) {
  return ms < 10000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function dueText(picture) {
  return `deadline (dashed): ${milliseconds(picture.deadline_ms)}`;
}

export function percent(share) {
  return `${Math.round(100 * share)} %`;
}

// The ranks as a bar: one field for each packet of the picture, filled when it is there.
export function drawRanks(svg, picture) {
  svg.replaceChildren();
  const count = Math.max(picture.ranks, 1);
  const there = new Set(picture.packets.map((packet) => packet[0]));
  const width = 600 / count;
  const gap = Math.min(2, width / 4);
  for (let rank = 0; rank < count; rank += 1) {
    const kind = there.has(rank) ? "there" : "missing";
    element("rect", { x: rank * width, y: 0, width: width - gap, height: 16, class: kind }, svg);
  }
  const of = picture.all_known ? `of ${picture.ranks}` : `, the highest is rank ${picture.ranks - 1}`;
  svg.setAttribute("aria-label", `${there.size} ${of} packets have arrived`);
}

// Packets by time and rank, the deadline as a line, and the answers as triangles.
export function drawTimes(svg, picture, height) {
  svg.replaceChildren();
  const answers = picture.answers.map((answer) => answer.ms);
  const last = Math.max(picture.deadline_ms, ...picture.packets.map((packet) => packet[2]), ...answers, 1);
  const bottom = height - 18;
  const x = (ms) => 4 + (580 * ms) / last;
  const y = (rank) => 8 + ((bottom - 16) * (picture.ranks - 1 - rank)) / Math.max(picture.ranks - 1, 1);
  element("line", { x1: 4, x2: 596, y1: bottom, y2: bottom, class: "axis" }, svg);
  for (const [rank, , ms] of picture.packets) {
    element("circle", { cx: x(ms), cy: y(rank), r: 4, class: "there" }, svg);
  }
  const due = x(picture.deadline_ms);
  element("line", { x1: due, x2: due, y1: 0, y2: bottom, class: "deadline" }, svg);
  for (const answer of picture.answers) {
    const at = x(answer.ms);
    const points = `${at - 6},${bottom + 13} ${at + 6},${bottom + 13} ${at},${bottom + 2}`;
    element("polygon", { points, class: answer.final ? "answer-mark" : "first-answer" }, svg);
  }
  const given = picture.answers.length === 1 ? "one answer" : `${picture.answers.length} answers`;
  svg.setAttribute(
    "aria-label",
    `${picture.packets.length} packets by time and rank, ${given}, deadline after ${milliseconds(picture.deadline_ms)}`,
  );
}

// The last seconds of a figure as a line; what is not known is left out.
export function drawSpark(svg, values) {
  svg.replaceChildren();
  const known = values.map((value, index) => [index, value]).filter((point) => point[1] !== null);
  if (known.length < 2) {
    return;
  }
  const numbers = known.map((point) => point[1]);
  const low = Math.min(0, ...numbers) === 0 ? 0 : Math.min(...numbers) - 1;
  const range = Math.max(...numbers) - low || 1;
  const step = 100 / 29;
  const points = known.map(([index, value]) => {
    const across = 100 - (values.length - 1 - index) * step;
    return `${across.toFixed(1)},${(22 - (20 * (value - low)) / range).toFixed(1)}`;
  });
  element("polyline", { points: points.join(" ") }, svg);
}
