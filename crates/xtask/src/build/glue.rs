//! The JavaScript between the wasm and the TypeScript, made by wasm-bindgen.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::paths;

/// A module compiled in another realm (Next's edge runtime, `vm` contexts) is no `instanceof` ours.
const REALM_BOUND: &str = "!(module instanceof WebAssembly.Module)";
const REALM_SAFE: &str =
    r#"Object.prototype.toString.call(module) !== "[object WebAssembly.Module]""#;

/// The glue begins one instance for good. When that dies, another takes its place; what was made in
/// the first is then nothing that the second may free.
const BEGIN: &str = "function __wbg_finalize_init(instance, module) {";
const FREE: &str = "new FinalizationRegistry(ptr => wasm.";
const FREE_IN_FIRST: &str = "new FinalizationRegistry(ptr => buried || wasm.";
const RENEW: &str = "
let buried = false;
export function bury() {
    buried = true;
}
export function renew() {
    const instance = new WebAssembly.Instance(wasmModule, __wbg_get_imports());
    return __wbg_finalize_init(instance, wasmModule);
}
";
const RENEW_TYPE: &str = "
/** Says that the instance is dead: nothing in it or in those after it is freed by itself. */
export function bury(): void;
/** Begins another instance of the same module, in which nothing is. */
export function renew(): InitOutput;
";

/// Writes a wasm and its glue into the package: `dist/<wasm>.wasm`, `dist/esm/<glue>.js`.
///
/// # Errors
/// When wasm-bindgen refuses the file, or its glue is not what the patch expects.
pub(crate) fn generate(module: &Path, wasm: &str, glue: &str) -> Result<()> {
    let modules = paths::dist().join("esm");
    fs::create_dir_all(&modules)?;
    bindgen(module, glue, &modules)?;
    let script = modules.join(format!("{glue}.js"));
    fs::write(&script, renewable(&realm_safe(&fs::read_to_string(&script)?)?)?)?;
    let types = modules.join(format!("{glue}.d.ts"));
    fs::write(&types, fs::read_to_string(&types)? + RENEW_TYPE)?;
    fs::remove_file(modules.join(format!("{glue}_bg.wasm.d.ts")))?;
    let made = modules.join(format!("{glue}_bg.wasm"));
    let packed = paths::dist().join(format!("{wasm}.wasm"));
    fs::rename(made, &packed).with_context(|| format!("moving the wasm to {}", packed.display()))
}

/// Writes a wasm and a glue for Node.js, `testwasm.js`, into a folder.
///
/// # Errors
/// When wasm-bindgen refuses the file.
pub(crate) fn for_node(module: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let options = ["wasm-bindgen", "--target=nodejs", "--out-name=testwasm", "--out-dir"];
    let mut arguments: Vec<std::ffi::OsString> = options.map(Into::into).to_vec();
    arguments.extend([folder.into(), module.into()]);
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments)
}

/// Writes the wasm into a folder, `glue_bg.wasm`, as it is packed but with the names of functions.
///
/// # Errors
/// When wasm-bindgen refuses the file.
pub(crate) fn with_names(module: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let options = ["wasm-bindgen", "--target=web", "--out-name=glue", "--out-dir"];
    let mut arguments: Vec<std::ffi::OsString> = options.map(Into::into).to_vec();
    arguments.extend([folder.into(), module.into()]);
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments)
}

fn bindgen(module: &Path, name: &str, folder: &Path) -> Result<()> {
    let name = format!("--out-name={name}");
    let options = [
        "--target=web",
        "--omit-default-module-path",
        "--remove-name-section",
        "--remove-producers-section",
        &name,
        "--out-dir",
    ];
    let mut arguments = vec!["wasm-bindgen".into()];
    arguments.extend(options.map(std::ffi::OsString::from));
    arguments.extend([folder.into(), module.into()]);
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments)
}

fn realm_safe(glue: &str) -> Result<String> {
    match glue.matches(REALM_BOUND).count() {
        1 => Ok(glue.replace(REALM_BOUND, REALM_SAFE)),
        count => bail!(
            "the glue has `{REALM_BOUND}` {count} times instead of once: wasm-bindgen changed, so \
             adapt the patch in crates/xtask/src/build/glue.rs"
        ),
    }
}

fn renewable(glue: &str) -> Result<String> {
    let found = (glue.matches(BEGIN).count(), glue.matches(FREE).count());
    if found.0 != 1 || found.1 == 0 || !glue.contains("let wasmModule, ") {
        bail!(
            "the glue does not begin an instance as expected: wasm-bindgen changed, so adapt the \
             patch in crates/xtask/src/build/glue.rs"
        );
    }
    Ok(glue.replace(FREE, FREE_IN_FIRST) + RENEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_is_replaced() -> Result<()> {
        let patched = realm_safe(&format!("if ({REALM_BOUND}) {{}}"))?;
        assert_eq!(patched, format!("if ({REALM_SAFE}) {{}}"));
        Ok(())
    }

    #[test]
    fn an_instance_can_be_begun_anew() -> Result<()> {
        let glue = format!("let wasmModule, wasm;\n{BEGIN}}}\n{FREE}free(ptr));\n");
        let patched = renewable(&glue)?;
        assert!(patched.contains(FREE_IN_FIRST) && patched.ends_with(RENEW));
        assert!(renewable(&glue.replace(BEGIN, "")).is_err());
        assert!(renewable(&glue.replace(FREE, "")).is_err());
        Ok(())
    }

    #[test]
    fn other_glue_is_refused() {
        assert!(realm_safe("if (!isModule(module)) {}").is_err());
        assert!(realm_safe(&REALM_BOUND.repeat(2)).is_err());
    }
}
