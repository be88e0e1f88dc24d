//! The JavaScript between the wasm and the TypeScript, made by wasm-bindgen.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::paths;

/// A module compiled in another realm (Next's edge runtime, `vm` contexts) is no `instanceof` ours.
const REALM_BOUND: &str = "!(module instanceof WebAssembly.Module)";
const REALM_SAFE: &str =
    r#"Object.prototype.toString.call(module) !== "[object WebAssembly.Module]""#;

/// Writes the wasm and its glue into the package: `dist/edgegrant.wasm`, `dist/esm/glue.js`.
///
/// # Errors
/// When wasm-bindgen refuses the file, or its glue is not what the patch expects.
pub(crate) fn generate(module: &Path) -> Result<()> {
    let modules = paths::dist().join("esm");
    fs::create_dir_all(&modules)?;
    bindgen(module, &modules)?;
    let glue = modules.join("glue.js");
    fs::write(&glue, realm_safe(&fs::read_to_string(&glue)?)?)?;
    fs::remove_file(modules.join("glue_bg.wasm.d.ts"))?;
    fs::rename(modules.join("glue_bg.wasm"), paths::dist().join("edgegrant.wasm"))
        .context("moving the wasm to dist/edgegrant.wasm")
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

fn bindgen(module: &Path, folder: &Path) -> Result<()> {
    let options = [
        "--target=web",
        "--omit-default-module-path",
        "--remove-name-section",
        "--remove-producers-section",
        "--out-name=glue",
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
    fn other_glue_is_refused() {
        assert!(realm_safe("if (!isModule(module)) {}").is_err());
        assert!(realm_safe(&REALM_BOUND.repeat(2)).is_err());
    }
}
