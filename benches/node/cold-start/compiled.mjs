/** The wasm as a module, which a host that compiles none at run time has already. */
export async function compiled(wasm, lap) {
  if (wasm instanceof WebAssembly.Module) return wasm;
  const module = new WebAssembly.Module(wasm);
  await lap("compile");
  return module;
}
