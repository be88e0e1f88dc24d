// What a cold start begins with, in one file: what is asked, and the bytes that answer it.

/** Files and what else is said, behind the length of what says where they are. */
export function packed({ files, ...said }) {
  let end = 0;
  const places = Object.entries(files).map(([path, { length }]) => [path, end, (end += length)]);
  const header = Buffer.from(JSON.stringify({ ...said, places }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header, ...Object.values(files)]);
}

/** The same again; the files are views of the bytes. */
export function unpacked(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = new TextDecoder().decode(bytes.subarray(4, 4 + length));
  const { places, ...said } = JSON.parse(header);
  const heap = bytes.subarray(4 + length);
  const views = places.map(([path, from, to]) => [path, heap.subarray(from, to)]);
  return { ...said, files: Object.fromEntries(views) };
}
