import { GateError } from "./errors.js";

// Callers may have no type checker, and what they pass may be hostile. So every value is read once,
// only where it is the object's own, and nothing is ever converted.

/** As many UTF-16 units as a snapshot's ids and keys have bytes at most: longer ones cannot exist. */
const SUBJECT_LENGTH_MAX = 256;
const FEATURE_LENGTH_MAX = 128;
/** The years 1 to 9999, for which there are answers. */
const INSTANT_MIN = -62_135_596_800_000;
const INSTANT_MAX = 253_402_300_799_999;

/** An object's own property; what somebody put on its prototype does not count. */
export function own(object: object, name: PropertyKey): unknown {
  return Object.hasOwn(object, name) ? (object as Record<PropertyKey, unknown>)[name] : undefined;
}

export function refuse(name: string, wanted: string): never {
  throw new GateError("argument-invalid", `\`${name}\` cannot be used: pass ${wanted}`);
}

export function subjectId(value: unknown): string {
  return text(value, "subject", SUBJECT_LENGTH_MAX);
}

export function featureKey(value: unknown): string {
  return text(value, "feature", FEATURE_LENGTH_MAX);
}

/** A string as UTF-8 can carry it. */
export function text(value: unknown, name: string, lengthMax: number): string {
  return wellFormed(textOfLength(value, name, lengthMax), name);
}

/** The id of a subject which is still to be found well-formed. */
export function roughSubjectId(value: unknown): string {
  return textOfLength(value, "subject", SUBJECT_LENGTH_MAX);
}

/** The key of a feature which is still to be found well-formed. */
export function roughFeatureKey(value: unknown): string {
  return textOfLength(value, "feature", FEATURE_LENGTH_MAX);
}

function textOfLength(value: unknown, name: string, lengthMax: number): string {
  if (typeof value !== "string" || value.length === 0 || value.length > lengthMax) {
    refuse(name, `a string of 1 to ${lengthMax} characters`);
  }
  return value;
}

/** As UTF-8 all lone surrogates would become the same character. */
export function wellFormed(text: string, name: string): string {
  return text.isWellFormed() ? text : refuse(name, "a string without lone surrogates");
}

export function flag(value: unknown, name: string): boolean {
  return typeof value === "boolean" ? value : refuse(name, "true or false");
}

export function amount(value: unknown, name: string): number {
  const fits = typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
  return fits ? value : refuse(name, "a number from 0 to 2^53 - 1");
}

/** Milliseconds since 1970 from a number or a `Date`, whatever methods that has been given. */
export function millis(value: unknown, name: string): number {
  if (typeof value === "number") return value;
  try {
    return Date.prototype.getTime.call(value);
  } catch {
    return refuse(name, "milliseconds since 1970 or a Date");
  }
}

export function instant(value: unknown, name: string): number {
  const at = millis(value, name);
  const fits = at >= INSTANT_MIN && at <= INSTANT_MAX;
  return fits ? at : refuse(name, "an instant of the years 1 to 9999");
}

export function object(value: unknown, name: string): object {
  return typeof value === "object" && value !== null ? value : refuse(name, "an object");
}

const TypedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;

/**
 * The bytes in the window of a view, or of a whole buffer, without a copy: they are read before
 * control goes back to the caller. Memory that another thread can write is refused.
 */
export function bytes(value: unknown, name: string): Uint8Array {
  const wanted = "a Uint8Array or an ArrayBuffer that is neither shared nor detached";
  try {
    if (!ArrayBuffer.isView(value)) return new Uint8Array(unshared(value));
    const typed = Reflect.get(TypedArray, Symbol.toStringTag, value) !== undefined;
    const read = (property: string) =>
      Reflect.get(typed ? TypedArray : DataView.prototype, property, value) as unknown;
    const buffer = unshared(read("buffer"));
    return new Uint8Array(buffer, read("byteOffset") as number, read("byteLength") as number);
  } catch {
    return refuse(name, wanted);
  }
}

function unshared(value: unknown): ArrayBuffer {
  Reflect.get(ArrayBuffer.prototype, "byteLength", value as object);
  return value as ArrayBuffer;
}
