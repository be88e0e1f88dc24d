//! What is packed: its sizes, its files and what the wasm asks of its host.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{build, paths, process};

/// A figure may grow by this share of its record before somebody has to say so.
const TOLERANCE: f64 = 0.02;

/// Measures in Node.js, which has gzip, Brotli and a wasm reader built in.
const MEASURE: &str = include_str!("size.mjs");

const BY_CRATE: &str = include_str!("size_by_crate.mjs");

/// What to do with the figures.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write the records in tests/golden anew.
    #[arg(long)]
    record: bool,
    /// Measure what an earlier command built.
    #[arg(long)]
    no_build: bool,
    /// Tell by crate, and by module of this one, how many bytes of the wasm are whose.
    #[arg(long, conflicts_with_all = ["record", "no_build"])]
    by_crate: bool,
}

/// One artefact's sizes in bytes.
struct Size {
    name: String,
    raw: u64,
    gzip: u64,
    brotli: u64,
}

/// Prints the sizes and compares, or records, what is packed.
///
/// # Errors
/// When something differs from its record.
pub(crate) fn run(options: &Options) -> Result<()> {
    if options.by_crate {
        return by_crate();
    }
    if !options.no_build {
        build::run()?;
    }
    let measured = measure()?;
    print!("{}", table(&sizes(&measured)?));
    if options.record {
        return record(&measured);
    }
    let differences: Vec<String> = compare(&measured)?.into_iter().flatten().collect();
    if differences.is_empty() {
        return Ok(());
    }
    bail!("{}\nif that is meant, run `cargo xtask size --record`", differences.join("\n"))
}

/// Prints bytes of code, the number of functions and where they were written.
fn by_crate() -> Result<()> {
    let folder = paths::target().join("named");
    build::wasm_with_names(&folder)?;
    let wasm = folder.join("glue_bg.wasm").display().to_string();
    let arguments = ["--input-type=module", "--eval", BY_CRATE, wasm.as_str()];
    print!("{}", process::read(&mut process::command("node", &arguments, &paths::package()))?);
    Ok(())
}

/// One entry for each record: nothing, or what differs from it.
///
/// # Errors
/// When the package has not been built or a record is missing.
pub(crate) fn differences() -> Result<Vec<Option<String>>> {
    compare(&measure()?)
}

fn compare(measured: &Value) -> Result<Vec<Option<String>>> {
    let figures = grown(&parse(&read("size.txt")?)?, &sizes(measured)?);
    let imports = differs("wasm-imports.txt", &imports(measured)?)?;
    let files = differs("packed-files.txt", &packed_files()?)?;
    Ok(vec![figures, imports, files])
}

fn record(measured: &Value) -> Result<()> {
    fs::create_dir_all(paths::golden())?;
    fs::write(golden("size.txt"), table(&sizes(measured)?))?;
    fs::write(golden("wasm-imports.txt"), imports(measured)?)?;
    fs::write(golden("packed-files.txt"), packed_files()?)?;
    println!("recorded in {}", paths::golden().display());
    Ok(())
}

fn measure() -> Result<Value> {
    let arguments = ["--input-type=module", "--eval", MEASURE];
    let answer = process::read(&mut process::command("node", &arguments, &paths::package()))?;
    serde_json::from_str(&answer).context("reading what Node.js measured")
}

fn sizes(measured: &Value) -> Result<Vec<Size>> {
    let entries = measured.get("sizes").and_then(Value::as_array).context("no sizes measured")?;
    let size = |entry: &Value| {
        let number = |key: &str| entry.get(key).and_then(Value::as_u64);
        let name = entry.get("name").and_then(Value::as_str).map(str::to_owned);
        Some(Size {
            name: name?,
            raw: number("raw")?,
            gzip: number("gzip")?,
            brotli: number("brotli")?,
        })
    };
    entries.iter().map(|entry| size(entry).context("a size without its figures")).collect()
}

fn imports(measured: &Value) -> Result<String> {
    let imports = measured.get("imports").and_then(Value::as_array).context("no imports")?;
    Ok(imports.iter().filter_map(Value::as_str).map(|import| format!("{import}\n")).collect())
}

fn packed_files() -> Result<String> {
    Ok(build::pack_list()?.into_iter().map(|path| path + "\n").collect())
}

fn table(sizes: &[Size]) -> String {
    let mut text = String::new();
    for Size { name, raw, gzip, brotli } in sizes {
        let _ = writeln!(text, "{name:<24} raw {raw:>8} gzip {gzip:>8} brotli {brotli:>8}");
    }
    text
}

/// The inverse of [`table`].
fn parse(text: &str) -> Result<Vec<Size>> {
    let size = |line: &str| match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [name, "raw", raw, "gzip", gzip, "brotli", brotli] => Ok(Size {
            name: (*name).to_owned(),
            raw: raw.parse()?,
            gzip: gzip.parse()?,
            brotli: brotli.parse()?,
        }),
        _ => bail!("tests/golden/size.txt has the line `{line}`: record it anew"),
    };
    text.lines().map(size).collect()
}

fn grown(recorded: &[Size], measured: &[Size]) -> Option<String> {
    let mut text = String::new();
    for now in measured {
        let Some(then) = recorded.iter().find(|then| then.name == now.name) else {
            let _ = writeln!(text, "{} has no record of its size", now.name);
            continue;
        };
        let pairs = [
            ("raw", then.raw, now.raw),
            ("gzip", then.gzip, now.gzip),
            ("brotli", then.brotli, now.brotli),
        ];
        for (kind, then, now_bytes) in pairs {
            if now_bytes as f64 > then as f64 * (1.0 + TOLERANCE) {
                let _ = writeln!(text, "{} {kind} grew from {then} to {now_bytes} bytes", now.name);
            }
        }
    }
    (!text.is_empty()).then(|| text.trim_end().to_owned())
}

fn differs(name: &str, now: &str) -> Result<Option<String>> {
    let then = read(name)?;
    let without = |all: &str, other: &str, sign: &str| -> String {
        let lines = all.lines().filter(|line| !other.lines().any(|o| o == *line));
        lines.map(|line| format!("\n  {sign} {line}")).collect()
    };
    let changes = without(&then, now, "-") + &without(now, &then, "+");
    Ok((!changes.is_empty()).then(|| format!("tests/golden/{name} differs:{changes}")))
}

fn read(name: &str) -> Result<String> {
    fs::read_to_string(golden(name)).with_context(|| {
        format!("reading tests/golden/{name}: write it with `cargo xtask size --record`")
    })
}

fn golden(name: &str) -> PathBuf {
    paths::golden().join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(name: &str, bytes: u64) -> Size {
        Size { name: name.to_owned(), raw: bytes, gzip: bytes, brotli: bytes }
    }

    #[test]
    fn growth_beyond_the_tolerance_is_told() {
        assert_eq!(grown(&[size("a", 1000)], &[size("a", 1020)]), None);
        let told = grown(&[size("a", 1000)], &[size("a", 1021)]).unwrap_or_default();
        assert_eq!(told.lines().count(), 3, "{told}");
        assert!(grown(&[], &[size("a", 1)]).is_some());
    }

    #[test]
    fn a_table_is_read_back() -> Result<()> {
        let text = table(&[size("edgegrant.wasm", 12)]);
        assert_eq!(table(&parse(&text)?), text);
        assert!(parse("edgegrant.wasm 12").is_err());
        Ok(())
    }
}
