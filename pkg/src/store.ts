/**
 * Where a gate keeps what it needs after a restart: `snapshot`, the last good one in one file, and
 * `floor`, the latest head it accepted, of at most 1 KiB. What comes from it is verified like what
 * comes from the network.
 */
export interface Store {
  /** The bytes that were last put there under the name; nothing when there are none. */
  get(name: StoreName): StoredBytes | Promise<StoredBytes>;
  /** Keeps bytes under the name in place of earlier ones. */
  put(name: StoreName, bytes: Uint8Array): unknown;
}

export type StoreName = "floor" | "snapshot";
/** What a store gives. */
export type StoredBytes = Uint8Array | ArrayBuffer | null | undefined;
