//! The npm package around the wasm: TypeScript compiled twice, and packed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::paths;
use crate::process;

/// Compiles `pkg/src` into `dist/esm` and `dist/cjs` and packs the tarball.
///
/// # Errors
/// When npm, tsc or a file fails.
pub(crate) fn build() -> Result<()> {
    install(&paths::package())?;
    inline()?;
    compile()?;
    fs::copy(paths::root().join("LICENSE"), paths::package().join("LICENSE"))?;
    pack()
}

/// Installs what a folder's `package-lock.json` names, unless that has been done.
///
/// # Errors
/// When npm fails.
pub(crate) fn install(folder: &Path) -> Result<()> {
    let lock = fs::read(folder.join("package-lock.json"))
        .with_context(|| format!("reading the package-lock.json of {}", folder.display()))?;
    let installed = folder.join("node_modules/.installed-lock.json");
    if fs::read(&installed).is_ok_and(|earlier| earlier == lock) {
        return Ok(());
    }
    process::run(&mut npm(&["ci", "--no-audit", "--no-fund"], folder))?;
    Ok(fs::write(installed, lock)?)
}

/// The files that npm packs, as paths within the package, sorted.
///
/// # Errors
/// When npm fails or answers in another form.
pub(crate) fn pack_list() -> Result<Vec<String>> {
    let answer = process::read(&mut npm(&["pack", "--dry-run", "--json"], &paths::package()))?;
    let answer: serde_json::Value = serde_json::from_str(&answer)?;
    let files = answer.pointer("/0/files").and_then(|files| files.as_array());
    let paths = files.context("`npm pack --json` named no files")?.iter();
    let mut paths: Vec<String> =
        paths.filter_map(|file| Some(file.get("path")?.as_str()?.to_owned())).collect();
    paths.sort();
    Ok(paths)
}

/// Installs the packed tarball, as a user would, into the project that tests it.
///
/// # Errors
/// When nothing is packed or npm fails.
pub(crate) fn install_tarball() -> Result<()> {
    let project = paths::js_tests();
    install(&project)?;
    add_tarball(&project)
}

/// Installs the packed tarball, as a user would, into a folder that has nothing else.
///
/// # Errors
/// When nothing is packed or npm fails.
pub(crate) fn install_tarball_into(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("package.json"), "{ \"private\": true }\n")?;
    add_tarball(folder)
}

fn add_tarball(project: &Path) -> Result<()> {
    let tarball = paths::tarball();
    if !tarball.exists() {
        bail!("{} is missing: run `cargo xtask build`", tarball.display());
    }
    // npm would take an earlier tarball of the same name and version for this one.
    let _ = fs::remove_dir_all(project.join("node_modules/edgegrant"));
    let options =
        ["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--silent"];
    process::run(npm(&options, project).arg(tarball))
}

/// The wasm as text, for hosts whose bundlers know no wasm files.
fn inline() -> Result<()> {
    let wasm = fs::read(paths::dist().join("edgegrant.wasm"))?;
    let modules = paths::dist().join("esm");
    fs::write(
        modules.join("wasm-base64.js"),
        format!("export default \"{}\";\n", STANDARD.encode(wasm)),
    )?;
    let types = "declare const base64: string;\nexport default base64;\n";
    Ok(fs::write(modules.join("wasm-base64.d.ts"), types)?)
}

/// ES modules and CommonJS from the same sources; the glue exists as an ES module only.
fn compile() -> Result<()> {
    tsc(&["-p", "tsconfig.json"])?;
    tsc(&["-p", "tsconfig.cjs.json"])?;
    let as_commonjs = ["--module", "commonjs", "--moduleResolution", "bundler"];
    let plain = ["--ignoreConfig", "--allowJs", "--target", "ES2022", "--outDir", "dist/cjs"];
    tsc(&[&["dist/esm/glue.js"][..], &as_commonjs, &plain].concat())?;
    Ok(fs::write(paths::dist().join("cjs/package.json"), "{ \"type\": \"commonjs\" }\n")?)
}

fn pack() -> Result<()> {
    let tarball = paths::tarball();
    let folder = tarball.parent().context("the tarball has no folder")?;
    fs::create_dir_all(folder)?;
    let destination = format!("--pack-destination={}", folder.display());
    let name = process::read(&mut npm(&["pack", "--silent", &destination], &paths::package()))?;
    let name = name.trim().lines().last().context("`npm pack` named no file")?;
    fs::rename(folder.join(name), tarball).context("naming the tarball")
}

fn tsc(arguments: &[&str]) -> Result<()> {
    process::run(&mut tool("tsc", arguments)?)
}

/// A tool that `pkg/package-lock.json` locks.
///
/// # Errors
/// When it is not installed.
pub(crate) fn tool(name: &str, arguments: &[&str]) -> Result<std::process::Command> {
    let path: PathBuf = paths::package().join("node_modules/.bin").join(name);
    if !path.exists() {
        bail!("`{name}` is missing: run `npm ci` in pkg/");
    }
    Ok(process::command(&path.to_string_lossy(), arguments, &paths::package()))
}

fn npm(arguments: &[&str], folder: &Path) -> std::process::Command {
    process::command("npm", arguments, folder)
}
