//! The rules about what Rust files name.

use proc_macro2::TokenStream;

use super::names::{self, Name};
use super::{File, Finding};

/// Each module of `src/` and what it may import, from the ground up. `engine::program` stands for
/// that module alone.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("amount", &["error"]),
    ("time", &["amount", "error"]),
    ("model", &["amount", "error", "time"]),
    ("engine", &["amount", "error", "model", "time"]),
    ("snapshot", &["amount", "engine::program", "error", "time"]),
    ("trust", &["error", "time"]),
    ("gate", &["amount", "engine", "error", "model", "snapshot", "time", "trust"]),
    ("wasm", &["amount", "engine", "error", "gate", "model", "time"]),
];

const FUNCTION_LINES_MAX: usize = 70;

/// Finds imports that point upwards or sideways.
pub(crate) fn against_direction(file: &File) -> Vec<Finding> {
    let Some(module) = module(file) else { return Vec::new() };
    let Some(own) = module.first() else { return Vec::new() };
    let Some((_, allowed)) = DIRECTIONS.iter().find(|(name, _)| name == own) else {
        let what =
            format!("`{own}` has no place in the directions (crates/xtask/src/tidy/imports.rs)");
        return vec![Finding::new(0, what)];
    };
    let inside = |name: &Name| name.segments.first().is_some_and(|first| first == "crate");
    let named = names_of(file).into_iter().filter(inside);
    named.filter_map(|name| refuse(own, allowed, &name)).collect()
}

fn refuse(own: &str, allowed: &[&str], name: &Name) -> Option<Finding> {
    let path = name.segments.get(1..)?;
    let target = path.first()?;
    let path = path.join("::");
    let below = |module: &&str| path == **module || path.starts_with(&format!("{module}::"));
    if target == own || allowed.iter().any(below) {
        return None;
    }
    let known = DIRECTIONS.iter().any(|(module, _)| module == target);
    let what = if known {
        format!("`{own}` must not name `{path}`")
    } else {
        format!("name `{path}` through its module, not through the crate's root")
    };
    Some(Finding::new(name.line, what))
}

/// Finds chrono outside of time.
pub(crate) fn chrono(file: &File) -> Vec<Finding> {
    let at_home = file.path == "src/time.rs" || file.path.starts_with("src/time/");
    if at_home { Vec::new() } else { outside(file, &["chrono"]) }
}

/// Finds the bridge to JavaScript outside of its folder.
pub(crate) fn bindgen(file: &File) -> Vec<Finding> {
    if file.path.starts_with("src/wasm/") {
        return Vec::new();
    }
    outside(file, &["wasm_bindgen", "js_sys", "serde_wasm_bindgen", "web_sys"])
}

fn outside(file: &File, crates: &[&str]) -> Vec<Finding> {
    if !file.path.starts_with("src/") {
        return Vec::new();
    }
    let foreign = |name: &Name| name.segments.first().is_some_and(|f| crates.contains(&f.as_str()));
    let finding = |name: Name| Finding::new(name.line, format!("`{}`", name.segments.join("::")));
    names_of(file).into_iter().filter(foreign).map(finding).collect()
}

/// Finds functions that do not fit a screen.
pub(crate) fn long_functions(file: &File) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let all = names::functions(tokens(file)).into_iter();
    let long = all.filter(|function| function.lines > FUNCTION_LINES_MAX);
    long.map(|f| Finding::new(f.line, format!("`{}` has {} lines", f.name, f.lines))).collect()
}

/// The module that a file of `src/` is; none for other files, empty for the crate's root.
fn module(file: &File) -> Option<Vec<String>> {
    let path = file.path.strip_prefix("src/")?.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    Some(if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() })
}

fn names_of(file: &File) -> Vec<Name> {
    names::names(tokens(file), &module(file).unwrap_or_default())
}

/// A file that does not lex is the compiler's to refuse.
fn tokens(file: &File) -> TokenStream {
    file.text.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    fn breaks(path: &str, text: &str) -> bool {
        !against_direction(&file(path, text)).is_empty()
    }

    #[test]
    fn upward_imports_are_found() {
        assert!(breaks("src/engine/mod.rs", "use crate::snapshot::Page;"));
        assert!(breaks("src/engine/decide.rs", "fn f() { crate::trust::keys() }"));
        assert!(breaks("src/engine/decide.rs", "use super::super::gate::Gate;"));
        assert!(breaks("src/snapshot/read.rs", "use crate::trust::Head;"));
        assert!(breaks("src/snapshot/read.rs", "use crate::{amount::Amount, wasm};"));
        assert!(breaks("src/model/json.rs", "use crate::engine::Program;"));
        assert!(breaks("src/amount.rs", "use crate::time::Instant;"));
    }

    #[test]
    fn the_snapshot_knows_the_program_and_no_other_engine() {
        assert!(!breaks("src/snapshot/read.rs", "use crate::engine::program::Program;"));
        assert!(breaks("src/snapshot/read.rs", "use crate::engine::programme::Program;"));
        assert!(breaks("src/snapshot/read.rs", "use crate::engine::decide;"));
        assert!(breaks("src/snapshot/read.rs", "use crate::engine;"));
    }

    #[test]
    fn a_shortcut_through_the_root_is_found() {
        assert!(breaks("src/engine/decide.rs", "use crate::Gate;"));
        assert!(!breaks("src/lib.rs", "pub use gate::Gate;"));
    }

    #[test]
    fn a_module_without_a_place_is_found() {
        assert!(breaks("src/helpers.rs", ""));
    }

    #[test]
    fn downward_imports_are_fine() {
        assert!(!breaks("src/engine/mod.rs", "use crate::model::Grant; use self::burn::burn;"));
        assert!(!breaks("src/gate.rs", "use crate::{engine, snapshot::Page, trust::Head};"));
        assert!(!breaks("crates/origin/src/lib.rs", "use crate::trust::Head;"));
    }

    #[test]
    fn chrono_is_found_outside_of_time() {
        let text = "use chrono::NaiveDate;";
        assert_eq!(chrono(&file("src/engine/mod.rs", text)).len(), 1);
        assert_eq!(chrono(&file("src/engine/mod.rs", "fn f(_: ::chrono::Utc) {}")).len(), 1);
        assert!(chrono(&file("src/time.rs", text)).is_empty());
    }

    #[test]
    fn the_bridge_is_found_outside_of_its_folder() {
        let text = "use wasm_bindgen::JsValue;";
        assert_eq!(bindgen(&file("src/gate.rs", text)).len(), 1);
        assert_eq!(bindgen(&file("src/gate.rs", "use js_sys as js;")).len(), 1);
        assert!(bindgen(&file("src/wasm/mod.rs", text)).is_empty());
    }

    #[test]
    fn long_functions_are_found() {
        let of = |lines: usize| format!("fn f() {{{}}}", "\n".repeat(lines - 1));
        assert!(long_functions(&file("src/a.rs", &of(70))).is_empty());
        assert_eq!(long_functions(&file("src/a.rs", &of(71))).len(), 1);
    }
}
