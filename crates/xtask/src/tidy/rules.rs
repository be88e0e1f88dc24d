//! Every rule, stated once.

use super::{File, Finding, imports, text};

/// A rule that each file is checked for.
pub(crate) struct Rule {
    /// As the document names it, in backticks.
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    /// The document that explains it.
    pub(crate) document: &'static str,
    pub(crate) find: fn(&File) -> Vec<Finding>,
}

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const STYLE: &str = "docs/STYLE.md";

pub(crate) const RULES: &[Rule] = &[
    Rule {
        name: "import-direction",
        says: "a module imports only what stands below it",
        document: ARCHITECTURE,
        find: imports::against_direction,
    },
    Rule {
        name: "chrono-in-time",
        says: "only src/time.rs and src/time/ know chrono",
        document: ARCHITECTURE,
        find: imports::chrono,
    },
    Rule {
        name: "bindgen-in-wasm",
        says: "only src/wasm/ knows wasm-bindgen, js-sys and serde-wasm-bindgen",
        document: ARCHITECTURE,
        find: imports::bindgen,
    },
    Rule {
        name: "no-clock",
        says: "only pkg/src, crates/, www/, measurements and the tests of JavaScript read a clock",
        document: ARCHITECTURE,
        find: text::clock,
    },
    Rule {
        name: "no-vendor",
        says: "src/ names no source system",
        document: ARCHITECTURE,
        find: text::vendor,
    },
    Rule {
        name: "built-not-committed",
        says: "nothing in pkg/dist is written by hand or committed",
        document: ARCHITECTURE,
        find: text::built,
    },
    Rule {
        name: "file-length",
        says: "a file of code has at most 500 lines",
        document: STYLE,
        find: text::long_file,
    },
    Rule {
        name: "function-length",
        says: "a function has at most 70 lines",
        document: STYLE,
        find: imports::long_functions,
    },
    Rule {
        name: "line-length",
        says: "a line of Rust has at most 100 columns",
        document: STYLE,
        find: text::long_lines,
    },
    Rule {
        name: "no-address-in-locks",
        says: "lock files and settings name no registry and no download address",
        document: STYLE,
        find: text::addresses,
    },
    Rule {
        name: "no-local-path",
        says: "no file names a path of one machine",
        document: STYLE,
        find: text::local_paths,
    },
    Rule {
        name: "no-open-end",
        says: "what is not done is an issue, not a comment",
        document: STYLE,
        find: text::open_ends,
    },
    Rule {
        name: "no-ascii-art",
        says: "sections are modules, not rows of dashes",
        document: STYLE,
        find: text::separators,
    },
];
