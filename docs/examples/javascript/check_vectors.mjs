// Usage: node check_vectors.mjs protocol/vectors
// Read and write every test vector of frames, packets and classes.
import { deepStrictEqual as same } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FrameReader, frame } from "./frame.mjs";
import { printable } from "./printable.mjs";
import { parse, parseClasses, write, writePicture } from "./wire.mjs";

const folder = process.argv[2];
// board_id has 64 bits, more than a number of JSON keeps here: its digits become a string.
const cases = (name) =>
  JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8").replace(/("board_id": )(\d+)/g, '$1"$2"')).cases;

function checkFrames({ stream, packets, ...counts }) {
  const bytes = Buffer.from(stream, "hex");
  for (const step of [1, bytes.length || 1]) {
    const reader = new FrameReader();
    const found = [];
    for (let at = 0; at < bytes.length; at += step) found.push(...reader.read(bytes.subarray(at, at + step)));
    same(found.map(({ seq, packet }) => ({ seq, packet: packet.toString("hex") })), packets);
    const { damaged, missed, missing, nextSeq } = reader;
    same({ damaged, missed, missing, next_seq: nextSeq }, counts);
  }
  for (const { seq, packet } of packets) {
    const [again] = new FrameReader().read(frame(seq, Buffer.from(packet, "hex")));
    same([again.seq, again.packet.toString("hex")], [seq, packet]);
  }
  const written = packets.map(({ seq, packet }) => frame(seq, Buffer.from(packet, "hex")).toString("hex")).join("");
  if (!counts.damaged && !counts.missed && bytes[0] !== 0 && packets.length) same(written, stream);
}

function checkPacket({ packet, is, fields, written }) {
  const found = parse(Buffer.from(packet, "hex"));
  same(found.is, is);
  if (!fields) return;
  const plain = (value) => (Buffer.isBuffer(value) ? value.toString("hex") : typeof value === "bigint" ? `${value}` : value);
  same(Object.fromEntries(Object.keys(fields).map((name) => [name, plain(found[name])])), fields);
  const again = is === "picture" ? writePicture(found) : write(is, found, found.peer);
  same(again.toString("hex"), written ?? packet);
}

function checkClasses({ text, classes, malformed }) {
  same(parseClasses(Buffer.from(text, "hex")), malformed ? null : classes);
}

let wrong = 0;
for (const [name, check] of [["frames", checkFrames], ["packets", checkPacket], ["result_classes", checkClasses]]) {
  const all = cases(name);
  for (const { name: title, ...content } of all) {
    try {
      check(content);
    } catch (error) {
      wrong++;
      console.error(printable(`${name}: ${title}: ${error.message}`));
    }
  }
  console.log(printable(`${name}: ${all.length} vectors`));
}
process.exitCode = wrong ? 1 : 0;
