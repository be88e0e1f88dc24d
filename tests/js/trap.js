/** Lets calls of a class of the wasm's glue trap: `trap(name, times)`. */
export function trapping({ initSync }, { prototype }) {
  return (name, times = 1) => {
    const method = Object.getOwnPropertyDescriptor(prototype, name);
    let left = times;
    const die = () => {
      left -= 1;
      if (left === 0) Object.defineProperty(prototype, name, method);
      // For real: nothing can allocate as much.
      initSync().__wbindgen_malloc(2 ** 31, 1);
      throw new Error("the wasm lives on");
    };
    const change = method.get === undefined ? { value: die } : { get: die };
    Object.defineProperty(prototype, name, { ...method, ...change });
  };
}
