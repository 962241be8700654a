// Frames of the serial port: COBS( seq | packet | crc ) 00. protocol/SPEC.md, "Frame"; protocol/vectors/frames.json.

export const MAX_PACKET = 244;
const MAX_FRAME = 250; // before the zero byte that ends it
const OVERHEAD = 5; // sequence number and CRC

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
  return byte >>> 0;
});

/** Return the CRC-32 of IEEE 802.3. */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Return bytes without a zero among them. */
export function cobsEncode(bytes) {
  const out = [0];
  let code = 0; // where the length of the current block belongs
  const close = () => {
    out[code] = out.length - code;
    code = out.push(0) - 1;
  };
  for (const [index, byte] of bytes.entries()) {
    if (byte !== 0) out.push(byte);
    const full = out.length - code === 255;
    if (byte === 0 || (full && index < bytes.length - 1)) close();
  }
  out[code] = out.length - code;
  return Buffer.from(out);
}

/** Return what was encoded; null if the code is bad. */
export function cobsDecode(bytes) {
  const out = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at];
    if (length === 0 || at + length > bytes.length) return null;
    out.push(...bytes.subarray(at + 1, at + length));
    at += length;
    if (length < 255 && at < bytes.length) out.push(0);
  }
  return Buffer.from(out);
}

/** Return a packet as a frame, with the zero byte that ends it. */
export function frame(seq, packet) {
  const body = Buffer.alloc(packet.length + OVERHEAD);
  body[0] = seq;
  packet.copy(body, 1);
  body.writeUInt32LE(crc32(body.subarray(0, -4)), body.length - 4);
  return Buffer.concat([cobsEncode(body), Buffer.from([0])]);
}

/** Finds the packets in a stream of bytes, and counts what is damaged and missing. */
export class FrameReader {
  nextSeq = 0;
  damaged = 0;
  missed = 0;
  missing = 0; // bit k: the frame nextSeq - 1 - k did not arrive intact
  #rest = Buffer.alloc(0);

  /** Yield { seq, packet, gap } for each sound frame that ends in these bytes; gap: frames missing before it. */
  *read(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (let end; (end = this.#rest.indexOf(0)) >= 0; ) {
      const found = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end + 1);
      if (found.length === 0) continue;
      const body = found.length <= MAX_FRAME ? cobsDecode(found) : null;
      if (!body || body.length <= OVERHEAD || body.readUInt32LE(body.length - 4) !== crc32(body.subarray(0, -4))) {
        this.damaged++;
        continue;
      }
      const gap = (body[0] - this.nextSeq) & 0xff;
      this.#count(body[0], gap);
      yield { seq: body[0], packet: body.subarray(1, -4), gap };
    }
  }

  /** Take the number of a board that answered hello: its frames are counted from there. */
  startAfter(seq) {
    this.nextSeq = (seq + 1) & 0xff;
    this.missing = 0;
  }

  #count(seq, gap) {
    const holes = gap >= 31 ? 0xfffffffe : ((1 << gap) - 1) << 1;
    this.missing = ((gap >= 31 ? 0 : this.missing << (gap + 1)) | holes) >>> 0;
    this.missed += gap;
    this.nextSeq = (seq + 1) & 0xff;
  }
}
