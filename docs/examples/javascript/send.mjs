// Usage: node send.mjs PORT packets.json [DEADLINE_MS]
// Send a picture through the camera board at a serial port and print the answer of the edge server.
// packets.json comes from docs/examples/packets.py. Linux and macOS, Node.js 18 or later, no packages.
import { execFileSync } from "node:child_process";
import { constants, openSync, readFileSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { FrameReader, frame } from "./frame.mjs";
import { printable } from "./printable.mjs";
import { parse, parseClasses, write, writePicture } from "./wire.mjs";

const VERSION = 2;
const HOST = 0, BOARD = 1, ROLE_CAMERA = 1, LINK_UP = 1, BOARD_HOP = 0, PEER_HOST = 2, STATUS_OK = 0;
const MOST_UNCONFIRMED = 24; // frames: credit.missing can name each of them
const CLOCK_US = 65_536_000; // clock_us counts modulo this
const PATIENCE_MS = 10_000;
const PING_MS = 50; // while an answer is awaited: shows either end what it has missed

const nowUs = () => Number(process.hrtime.bigint() / 1000n);

/** A session with the camera board: frames there and back, what the board may be given, and what it lost. */
class Board {
  credit = null;
  #port;
  #seq = 0;
  #reader = new FrameReader();
  #unconfirmed = new Map(); // by sequence number: the fields of a picture packet, or null for another one
  #waiting = []; // fields of picture packets, the most important first
  #useless_us = 0; // when they are of no use any more

  constructor(path) {
    execFileSync("stty", [process.platform === "darwin" ? "-f" : "-F", path, "1000000", "raw", "-echo"]);
    this.#port = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
    const input = new ReadStream(openSync(path, constants.O_RDONLY | constants.O_NOCTTY));
    input.on("data", (bytes) => {
      for (const { seq, packet, gap } of this.#reader.read(bytes)) this.#take(seq, parse(packet), gap);
    });
    input.on("error", (error) => fail(`${path}: ${error.message}`));
    writeSync(this.#port, Buffer.from([0])); // ends a frame that another program may have left
  }

  onPacket() {}

  send(packet, picture = null) {
    this.#unconfirmed.set(this.#seq, picture);
    writeSync(this.#port, frame(this.#seq, packet));
    this.#seq = (this.#seq + 1) & 0xff;
  }

  /** Send picture packets until a moment, as many at a time as the board has room for. */
  sendPicture(packets, useless_us) {
    this.#waiting = packets;
    this.#useless_us = useless_us;
    this.#pump();
    setInterval(() => this.send(write("ping", { hop: BOARD_HOP })), PING_MS);
  }

  #take(seq, packet, gap) {
    if (packet.is === "hello") this.#reader.startAfter(seq);
    else if (gap > 0 && gap < 32) this.send(write("repeat", { next_seq: (seq + 1) & 0xff, missing: 2 ** (gap + 1) - 2 }));
    if (packet.is === "credit") this.#onCredit(packet);
    if (packet.is === "error" && packet.code < 8) console.error(printable(`the board refuses a packet: error ${packet.code}`));
    this.onPacket(packet);
  }

  #onCredit(credit) {
    this.credit = credit;
    const lost = [];
    for (const [seq, picture] of this.#unconfirmed) {
      const back = (credit.next_seq - 1 - seq) & 0xff;
      if (back >= 32) continue; // not there yet
      this.#unconfirmed.delete(seq);
      if ((credit.missing >>> back) & 1 && picture) lost.push(picture);
    }
    this.#waiting.unshift(...lost);
    this.#pump();
  }

  #pump() {
    const onTheWay = () => [...this.#unconfirmed.values()].filter(Boolean).length;
    while (this.#waiting.length && this.#unconfirmed.size < MOST_UNCONFIRMED && onTheWay() < this.credit.free) {
      const remaining_ms = Math.floor((this.#useless_us - nowUs()) / 1000);
      if (remaining_ms < 1) return;
      const picture = this.#waiting.shift();
      this.send(writePicture({ ...picture, remaining_ms }), picture);
    }
  }
}

function fail(text) {
  console.error(printable(text));
  process.exit(1);
}

/** Send a packet again and again until another one is answered; return that. */
function ask(board, packet, every_ms, isAnswer, trouble) {
  return new Promise((resolve) => {
    const again = setInterval(() => board.send(packet()), every_ms);
    const end = setTimeout(() => fail(trouble), PATIENCE_MS);
    board.onPacket = (answer) => {
      if (!isAnswer(answer)) return;
      clearInterval(again);
      clearTimeout(end);
      resolve(answer);
    };
    board.send(packet());
  });
}

/** Return what the edge server's clock shows at a moment of ours, and the time of one way, both us. */
async function readClock(board) {
  const token = (Math.random() * 2 ** 32) >>> 0;
  const ping = () => write("ping", { hop: PEER_HOST, token, origin_us: nowUs() >>> 0 });
  const mine = ({ is, hop, token: its }) => is === "pong" && hop === PEER_HOST && its === token;
  const pong = await ask(board, ping, 500, mine, "no edge server answers: is `recv` running?");
  const here_us = nowUs();
  if (pong.seal.length) fail("the edge server has a key, and this client none");
  const oneWay_us = Math.max(0, (((here_us >>> 0) - pong.origin_us) >>> 0) - pong.held_us) / 2;
  return { service_us: pong.service_us, oneWay_us, at: (us) => pong.clock_us + oneWay_us + (us - here_us) };
}

process.on("uncaughtException", ({ message }) => fail(message));
const [, , path, file, deadline = "2000"] = process.argv;
if (!file || !(Number(deadline) > 0)) fail("usage: node send.mjs PORT packets.json [DEADLINE_MS]");
const ranked = JSON.parse(readFileSync(file, "utf8")).packets;
const board = new Board(path);

const hello = () => write("hello", { version: VERSION, kind: HOST });
const isBoard = ({ is, kind }) => is === "hello" && kind === BOARD;
const greeting = await ask(board, hello, 200, isBoard, `${path}: no board answers`);
if (greeting.version !== VERSION) fail(`the board speaks version ${greeting.version} of the protocol, and this client ${VERSION}`);
if (greeting.role !== ROLE_CAMERA) fail("the board is no camera board: `boards role camera`");
const program = greeting.sessions & 3;
const name = greeting.name.toString("utf8") || greeting.board_id.toString(16);
console.log(printable(`board ${name}, firmware ${[...greeting.firmware].join(".")}`));

const clock = await readClock(board);

// The picture's number is the moment when its answer must leave the server, on the server's clock, in ms.
const start_us = nowUs();
const leave_us = start_us + Number(deadline) * 1000 - clock.oneWay_us;
const image = Math.floor((clock.at(leave_us) % CLOCK_US) / 1000) & 0xffff;
const useless_us = leave_us - clock.service_us - clock.oneWay_us;
if (useless_us - start_us < 1000) fail(`a deadline of ${deadline} ms is too short for this server and this link`);

const timer = setTimeout(() => {
  board.send(write("flush", { image }));
  fail(`no answer within ${deadline} ms`);
}, Number(deadline));
let best = null;
board.onPacket = (packet) => {
  if (packet.is !== "result" || packet.image !== image || packet.program !== program) return;
  const used = [...packet.ranks].reduce((count, byte) => count + byte.toString(2).replaceAll("0", "").length, 0);
  if (!best || used >= best.used) best = { ...packet, used };
  if (packet.more) return; // a better answer may follow
  clearTimeout(timer);
  if (best.status !== STATUS_OK) fail(`no answer: ${best.text.toString("utf8")}`);
  const took_ms = Math.round((nowUs() - start_us) / 1000);
  console.log(printable(`answer after ${took_ms} ms from ${best.used} of ${ranked.length} packets`));
  for (const { probability, label } of parseClasses(best.text)) {
    console.log(printable(`${((probability / 65535) * 100).toFixed(1).padStart(5)}%  ${label}`));
  }
  process.exit(0);
};
const packets = ranked.map(({ rank, position, data }, index) => {
  return { image, rank, position, program, data: Buffer.from(data, "hex"), last: index === ranked.length - 1 ? 1 : 0 };
});
board.sendPicture(packets, useless_us);
