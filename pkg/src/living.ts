import { Answers } from "./answer.js";
import { died, isDeath, type Wasm } from "./engine.js";
import { GateError } from "./errors.js";
import type { Gate } from "./glue.js";
import type { SliceGate } from "./slice-glue.js";

/** What of the wasm answers. */
type Made = Gate | SliceGate;

/** What the wasm made, for as long as its instance lives. */
export interface Alive<T> {
  readonly made: T;
  readonly answers: Answers;
  readonly life: number;
}

/**
 * A gate of the wasm that outlives its instance. When that has died, the next call makes the gate
 * anew in another one and brings back what it held.
 */
export class Living<T extends Made> {
  readonly #engine: Wasm;
  readonly #make: () => T;
  readonly #bringBack: ((made: T) => void) | undefined;
  #alive: Alive<T> | undefined;

  /** `bringBack` is given what `make` made in another instance; without it, making is enough. */
  constructor(engine: Wasm, make: () => T, bringBack?: (made: T) => void) {
    this.#engine = engine;
    this.#make = make;
    this.#bringBack = bringBack;
    this.#alive = this.#begin();
  }

  /** The gate of the wasm, and the reader of its answers. */
  get alive(): Alive<T> {
    const alive = this.#alive;
    if (alive === undefined) throw new GateError("closed", "it is closed: open another one");
    return alive.life === this.#engine.life ? alive : this.#revive();
  }

  /** What the wasm answers, or what is answered by policy when it dies of that. */
  ask<A>(ask: (alive: Alive<T>) => A, otherwise: A): A {
    try {
      return ask(this.alive);
    } catch (error) {
      return this.byPolicy(error, ask, otherwise);
    }
  }

  /** The same where nothing can stand for the answer: without one it throws. */
  demand<A>(ask: (alive: Alive<T>) => A): A {
    const answer = this.#engine.coded(() => this.ask<A | undefined>(ask, undefined));
    if (answer === undefined) throw died();
    return answer;
  }

  /**
   * What is answered in place of a call in which the wasm died: by policy, as if the snapshot had
   * expired. If it dies of that too, `otherwise`. Other errors are thrown as they are.
   */
  byPolicy<A>(error: unknown, ask: (alive: Alive<T>) => A, otherwise: A): A {
    if (!isDeath(error)) throw error;
    this.#engine.renew();
    try {
      return this.#distrusted(ask);
    } catch {
      return otherwise;
    }
  }

  /** Gives the memory back. */
  close(): void {
    const alive = this.#alive;
    this.#alive = undefined;
    // What was in a dead instance is gone with it.
    if (alive?.life === this.#engine.life) alive.made.free();
  }

  #distrusted<A>(ask: (alive: Alive<T>) => A): A {
    const { alive } = this;
    this.#engine.coded(() => alive.made.distrust(true));
    try {
      return this.#engine.coded(() => ask(alive));
    } finally {
      if (alive.life === this.#engine.life) alive.made.distrust(false);
    }
  }

  #revive(): Alive<T> {
    const alive = this.#begin();
    this.#alive = alive;
    try {
      this.#engine.coded(() => this.#bringBack?.(alive.made));
    } catch {
      // It goes on without a snapshot, until one is fetched.
      if (alive.life !== this.#engine.life) this.#alive = this.#begin();
    }
    return this.#alive;
  }

  #begin(): Alive<T> {
    const made = this.#engine.coded(this.#make);
    return { made, answers: new Answers(this.#engine, made), life: this.#engine.life };
  }
}
