// Packets: protocol/wire.toml as a table; protocol/vectors/packets.json and result_classes.json.
import { MAX_PACKET } from "./frame.mjs";

const PICTURE_FLAG = 0x80;
const TABLE = {
  0x01: "hello version:u8 kind:u8 role:u8 boot:u8 capabilities:u32 firmware:3 slots:u8 in_flight:u8 sessions:u8 session:u32 board_id:u64 name:rest",
  0x02: "configure role:u8 phy:u8 tx_power_dbm:i8 address_type:u8 address:6 interval_us:u32",
  0x03: "credit next_seq:u8 damaged:u8 missing:u32 taken:u16 waiting:u8 free:u8 in_radio:u8 link:u8 acked_packets:u16 acked_bytes:u32 busy_us:u32",
  0x04: "flush image:u16 all:u8",
  0x05: "statistics_request",
  0x06: "statistics uptime_ms:u32 accepted:u32 sent:u32 expired:u32 evicted:u32 flushed:u32 acked:u32 lost:u32 damaged:u32 missed:u32 unknown:u32 control_dropped:u32 waiting:u8 links:u8 link:u8 phy:u8 rssi_dbm:i8 mtu:u16 interval_us:u32 goodput_bps:u32",
  0x07: "ping hop:u8 token:u32 origin_us:u32 seal:rest",
  0x08: "pong hop:u8 token:u32 origin_us:u32 held_us:u32 service_us:u32 clock_us:u32 seal:rest",
  0x09: "result image:u16 program:u8 status:u8 more:u8 margin_ms:i16 service_us:u32 clock_us:u32 ranks:32 text:rest",
  0x0a: "link state:u8 phy:u8 reason:u8 mtu:u16 interval_us:u32",
  0x0b: "log level:u8 text:rest",
  0x0c: "error code:u8 detail:u32 text:rest",
  0x0d: "pair action:u8 method:u8 window_s:u16 address_type:u8 address:6 random:16 confirm:16",
  0x0e: "pairing open:u8 method:u8 left_s:u16 bonds:u8 paired:u8 failed:u8 address_type:u8 address:6 random:16 confirm:16",
  0x0f: "reset kind:u8",
  0x10: "repeat next_seq:u8 missing:u32",
};
const LAYOUTS = new Map();
for (const [type, line] of Object.entries(TABLE)) {
  const [name, ...fields] = line.split(" ");
  LAYOUTS.set(name, { name, type: Number(type), fields: fields.map((field) => field.split(":")) });
}
const BY_TYPE = new Map([...LAYOUTS.values()].map((layout) => [layout.type, layout]));
const SIZES = { u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, u64: 8, rest: 0 };
const READ = {
  u8: (bytes, at) => bytes.readUInt8(at),
  i8: (bytes, at) => bytes.readInt8(at),
  u16: (bytes, at) => bytes.readUInt16LE(at),
  i16: (bytes, at) => bytes.readInt16LE(at),
  u32: (bytes, at) => bytes.readUInt32LE(at),
  u64: (bytes, at) => bytes.readBigUInt64LE(at),
  rest: (bytes, at) => bytes.subarray(at),
};
const WRITE = {
  u8: (bytes, value, at) => bytes.writeUInt8(value, at),
  i8: (bytes, value, at) => bytes.writeInt8(value, at),
  u16: (bytes, value, at) => bytes.writeUInt16LE(value, at),
  i16: (bytes, value, at) => bytes.writeInt16LE(value, at),
  u32: (bytes, value, at) => bytes.writeUInt32LE(value, at),
  u64: (bytes, value, at) => bytes.writeBigUInt64LE(BigInt(value), at),
};

/** Return { is, ...fields }; is: the packet's name, "malformed" or "unknown". */
export function parse(packet) {
  if (packet.length === 0 || packet.length > MAX_PACKET) return { is: "malformed" };
  if (packet[0] & PICTURE_FLAG) return parsePicture(packet);
  const layout = BY_TYPE.get(packet[0]);
  if (!layout) return { is: "unknown" };
  if (packet.length < 2) return { is: "malformed" };
  const found = { is: layout.name, peer: packet[1] };
  let at = 2;
  for (const [name, kind] of layout.fields) {
    const size = SIZES[kind] ?? Number(kind);
    if (at + size > packet.length) return { is: "malformed" };
    found[name] = READ[kind] ? READ[kind](packet, at) : packet.subarray(at, at + size);
    at += size;
  }
  return found;
}

/** Return the bytes of a control packet. */
export function write(name, values, peer = 0) {
  const { type, fields } = LAYOUTS.get(name);
  const parts = [Buffer.from([type, peer])];
  for (const [field, kind] of fields) {
    const value = values[field] ?? (WRITE[kind] ? 0 : Buffer.alloc(Number(kind) || 0));
    const part = WRITE[kind] ? Buffer.alloc(SIZES[kind]) : value;
    if (WRITE[kind]) WRITE[kind](part, value, 0);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function parsePicture(packet) {
  if (packet.length < 9) return { is: "malformed" };
  return {
    is: "picture",
    last: (packet[0] >> 6) & 1,
    program: (packet[0] >> 4) & 3,
    source: packet[0] & 0x0f,
    image: packet.readUInt16LE(1),
    rank: packet[3],
    position: packet.readUInt16LE(4),
    remaining_ms: packet.readUInt16LE(6),
    data: packet.subarray(8),
  };
}

/** Return the bytes of a picture packet. */
export function writePicture({ image, rank, position, remaining_ms, data, last = 0, program = 0, source = 0 }) {
  const head = Buffer.alloc(8);
  head[0] = PICTURE_FLAG | (last ? 0x40 : 0) | (program << 4) | source;
  head.writeUInt16LE(image, 1);
  head[3] = rank;
  head.writeUInt16LE(position, 4);
  head.writeUInt16LE(remaining_ms, 6);
  return Buffer.concat([head, data]);
}

/** Return the classes in the text of a result, the most probable first; null if it ends inside one. */
export function parseClasses(text) {
  const classes = [];
  for (let at = 0; at < text.length; ) {
    if (at + 5 > text.length || at + 5 + text[at + 4] > text.length) return null;
    const label = text.subarray(at + 5, at + 5 + text[at + 4]).toString("utf8");
    classes.push({ index: text.readUInt16LE(at), probability: text.readUInt16LE(at + 2), label });
    at += 5 + text[at + 4];
  }
  return classes;
}
