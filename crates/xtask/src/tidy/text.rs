//! The rules about what stands in a line, whatever the language.

use super::{File, Finding};

const FILE_LINES_MAX: usize = 500;
const LINE_COLUMNS_MAX: usize = 100;

// Written in halves, so that this file passes its own rules.
const CLOCKS: &[&str] = &["System\u{54}ime", "Instant::no\u{77}", "Utc::no\u{77}", "Date.no\u{77}"];
const MARKERS: &[&str] = &["TO\u{44}O", "FIX\u{4d}E", "XX\u{58}"];
const HOMES: &[&str] = &["home", "Users", "root", "work", "tmp", "farm"];
const VENDORS: &[&str] =
    &["openmeter", "alert logic", "alertlogic", "aws", "amazon", "meraki", "cisco", "netapp"];

/// Finds readings of a clock where answers must depend on nothing but their inputs.
pub(crate) fn clock(file: &File) -> Vec<Finding> {
    let homes = ["pkg/src/", "crates/", "www/", "benches/", "fuzz/tests/", "tests/js/"];
    if !file.is_code() || homes.iter().any(|home| file.path.starts_with(home)) {
        return Vec::new();
    }
    lines(file, |line| CLOCKS.iter().find(|clock| line.contains(**clock)).map(ToString::to_string))
}

/// Finds the names of source systems in the core, in comments too.
pub(crate) fn vendor(file: &File) -> Vec<Finding> {
    if !file.path.starts_with("src/") {
        return Vec::new();
    }
    lines(file, |line| {
        let line = line.to_lowercase();
        VENDORS.iter().find(|name| has_word(&line, name)).map(|name| format!("names `{name}`"))
    })
}

/// Finds files that only a build may write.
pub(crate) fn built(file: &File) -> Vec<Finding> {
    let is_built = file.path.starts_with("pkg/dist/");
    is_built.then(|| Finding::new(0, "is built")).into_iter().collect()
}

/// Finds files that hold more than one idea.
pub(crate) fn long_file(file: &File) -> Vec<Finding> {
    let count = file.text.lines().count();
    let long = file.is_code() && count > FILE_LINES_MAX;
    long.then(|| Finding::new(0, format!("has {count} lines"))).into_iter().collect()
}

/// Finds lines that rustfmt could not break.
pub(crate) fn long_lines(file: &File) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    lines(file, |line| {
        let columns = line.chars().count();
        (columns > LINE_COLUMNS_MAX).then(|| format!("has {columns} columns"))
    })
}

/// Finds where packages were downloaded from, which is nobody else's concern.
pub(crate) fn addresses(file: &File) -> Vec<Finding> {
    let marks: &[&str] = match file.path.rsplit('/').next().unwrap_or_default() {
        "Cargo.lock" => return foreign_crates(file),
        "package-lock.json" | "npm-shrinkwrap.json" => &["\"resolved\""],
        ".npmrc" => &["registry=", "//", "_auth"],
        "config.toml" => &["[source", "[registries", "[registry", "replace-with"],
        _ => return Vec::new(),
    };
    lines(file, |line| {
        marks.iter().find(|mark| line.contains(**mark)).map(|m| format!("has `{m}`"))
    })
}

fn foreign_crates(file: &File) -> Vec<Finding> {
    let usual = "\"registry+https://github.com/rust-lang/crates.io-index\"";
    lines(file, |line| {
        let source = line.strip_prefix("source = ")?;
        (source != usual).then(|| format!("comes from {source}"))
    })
}

/// Finds absolute paths below a folder that is one machine's own.
pub(crate) fn local_paths(file: &File) -> Vec<Finding> {
    lines(file, |line| {
        let found = HOMES.iter().find(|home| has_local_path(line, home))?;
        Some(format!("names a path in /{found}"))
    })
}

/// Whether `home` is a path's first folder in `line`; in `target/home/` or `//home/` it is not.
fn has_local_path(line: &str, home: &str) -> bool {
    let path = format!("/{home}/");
    line.match_indices(&path).any(|(at, _)| {
        let before = line.get(..at).and_then(|start| start.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric() && !"_.-/*}$".contains(c))
    })
}

/// Finds promises.
pub(crate) fn open_ends(file: &File) -> Vec<Finding> {
    if !file.is_code() {
        return Vec::new();
    }
    lines(file, |line| {
        MARKERS.iter().find(|marker| has_word(line, marker)).map(|m| format!("has `{m}`"))
    })
}

/// Finds comments that are drawn, not written.
pub(crate) fn separators(file: &File) -> Vec<Finding> {
    if !file.is_code() && !file.has_extension(&["toml", "sh", "yml", "yaml"]) {
        return Vec::new();
    }
    lines(file, |line| {
        let comment = line.trim_start();
        let text = comment.trim_start_matches(['/', '!', '#', '*']).trim_start();
        let drawn = text.chars().take_while(|c| "-=*#~_+─━═".contains(*c)).count();
        (text.len() < comment.len() && drawn > 3).then(|| "draws a line".to_owned())
    })
}

/// Whether `word` stands in `line` with no letter, digit or `_` beside it.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|start| start.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|end| end.chars().next());
        !is_part(before) && !is_part(after)
    })
}

fn lines(file: &File, find: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let numbered = file.text.lines().zip(1..);
    numbered.filter_map(|(line, number)| Some(Finding::new(number, find(line)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(rule: fn(&File) -> Vec<Finding>, path: &str, text: &str) -> usize {
        rule(&File { path: path.to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn clocks_are_found_where_none_may_be() {
        for text in CLOCKS {
            assert_eq!(count(clock, "src/engine/mod.rs", text), 1, "{text}");
            assert_eq!(count(clock, "tests/kit/src/lib.rs", text), 1, "{text}");
            assert_eq!(count(clock, "pkg/src/gate.ts", text), 0, "{text}");
            assert_eq!(count(clock, "www/worker/index.js", text), 0, "{text}");
            assert_eq!(count(clock, "crates/origin/src/main.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn vendors_are_found_in_the_core() {
        assert_eq!(count(vendor, "src/engine/mod.rs", "// as OpenMeter does"), 1);
        assert_eq!(count(vendor, "src/engine/mod.rs", "let laws = draws;"), 0);
        assert_eq!(count(vendor, "crates/origin/src/sources/mod.rs", "// OpenMeter"), 0);
    }

    #[test]
    fn built_files_are_found() {
        assert_eq!(count(built, "pkg/dist/esm/index.js", ""), 1);
        assert_eq!(count(built, "pkg/src/index.ts", ""), 0);
    }

    #[test]
    fn long_files_and_lines_are_found() {
        assert_eq!(count(long_file, "src/a.rs", &"\n".repeat(501)), 1);
        assert_eq!(count(long_file, "src/a.rs", &"\n".repeat(500)), 0);
        assert_eq!(count(long_file, "docs/a.md", &"\n".repeat(501)), 0);
        assert_eq!(count(long_lines, "src/a.rs", &"é".repeat(101)), 1);
        assert_eq!(count(long_lines, "src/a.rs", &"é".repeat(100)), 0);
    }

    #[test]
    fn addresses_in_locks_are_found() {
        let resolved = "\"resolved\": \"https://registry.example/a.tgz\",";
        assert_eq!(count(addresses, "pkg/package-lock.json", resolved), 1);
        assert_eq!(count(addresses, "pkg/.npmrc", "registry=https://registry.example/"), 1);
        assert_eq!(count(addresses, "pkg/.npmrc", "omit-lockfile-registry-resolved=true"), 0);
        assert_eq!(count(addresses, ".cargo/config.toml", "[source.crates-io]"), 1);
        let foreign = "source = \"registry+https://registry.example/index\"";
        assert_eq!(count(addresses, "Cargo.lock", foreign), 1);
    }

    #[test]
    fn local_paths_are_found() {
        for home in HOMES {
            assert_eq!(count(local_paths, "README.md", &format!("see /{home}/me")), 1, "{home}");
            assert_eq!(count(local_paths, "a.rs", &format!("\"/{home}/me\"")), 1, "{home}");
            assert_eq!(count(local_paths, "a.rs", &format!("my/{home}/me")), 0, "{home}");
        }
    }

    #[test]
    fn open_ends_are_found() {
        for marker in MARKERS {
            assert_eq!(count(open_ends, "a.rs", &format!("// {marker}: later")), 1, "{marker}");
            assert_eq!(count(open_ends, "a.rs", &format!("A{marker}")), 0, "{marker}");
        }
    }

    #[test]
    fn separators_are_found() {
        assert_eq!(count(separators, "a.rs", "    // ---- reading"), 1);
        assert_eq!(count(separators, "a.rs", "//////// ======"), 1);
        assert_eq!(count(separators, "a.toml", "# ====="), 1);
        assert_eq!(count(separators, "a.rs", "// a -> b ---- c"), 0);
        assert_eq!(count(separators, "a.rs", "let a = b - -c;"), 0);
    }
}
