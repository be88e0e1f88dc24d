//! The table of docs/FAULTS.md: every row of the catalogue once, and every test that it names.

use std::collections::BTreeMap;

use super::{File, Finding};

/// The groups of the catalogue and how many rows each has, 158 together.
const GROUPS: &[(char, usize)] = &[
    ('B', 32),
    ('K', 32),
    ('T', 16),
    ('N', 27),
    ('A', 12),
    ('C', 11),
    ('J', 12),
    ('S', 9),
    ('X', 7),
];

/// The examples of this file are no tests of faults.
const HERE: &str = "crates/xtask/src/tidy/faults.rs";

/// What is wrong with the table, given all files.
pub(crate) fn differences(table: &File, files: &[File]) -> Vec<Finding> {
    let tests = tests(files);
    let mut findings = Vec::new();
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let mut named: Vec<(&str, &str)> = Vec::new();
    for (line, number) in table.text.lines().zip(1..) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", id, where_, _, ""] = cells.as_slice() else { continue };
        if !is_id(id) {
            continue;
        }
        *rows.entry(id).or_default() += 1;
        let here = references(where_);
        for (path, name) in &here {
            if !tests.iter().any(|test| test.path == *path && test.name == *name) {
                findings.push(Finding::new(number, format!("{path} has no test `{name}`")));
            }
            if !ids(name).any(|named| named == *id) {
                findings.push(Finding::new(number, format!("`{name}` is not named by {id}")));
            }
        }
        if here.is_empty() && where_ != &"none" {
            findings.push(Finding::new(number, format!("{id} names no test; write none and why")));
        }
        named.extend(here);
    }
    let expected = GROUPS
        .iter()
        .flat_map(|(group, count)| (1..=*count).map(move |number| format!("{group}{number:02}")));
    for id in expected {
        let count = rows.remove(id.as_str()).unwrap_or_default();
        if count != 1 {
            findings.push(Finding::new(0, format!("has {count} rows for {id}")));
        }
    }
    findings.extend(rows.keys().map(|id| Finding::new(0, format!("has a row for {id}"))));
    for test in tests.iter().filter(|test| !named.contains(&(test.path, test.name))) {
        findings.push(Finding::new(0, format!("lacks `{}` of {}", test.name, test.path)));
    }
    findings
}

#[derive(PartialEq, Eq)]
struct Test<'a> {
    path: &'a str,
    name: &'a str,
}

/// Tests that are named by ids: functions of Rust, titles of JavaScript.
fn tests(files: &[File]) -> Vec<Test<'_>> {
    let mut tests = Vec::new();
    for file in files.iter().filter(|file| file.is_code() && file.path != HERE) {
        // Behind these words stands the name, up to what ends it.
        let marks: &[(&str, &str)] = if file.is_rust() {
            &[("fn fault_", "("), ("    fault_", " => ")]
        } else {
            &[("\"fault_", "\"")]
        };
        for (mark, end) in marks {
            for (at, _) in file.text.match_indices(mark) {
                let start = at + mark.len() - "fault_".len();
                let rest = file.text.get(start..).unwrap_or_default();
                let name = rest.split(end).next().unwrap_or_default();
                if !name.contains('\n') && ids(name).next().is_some() {
                    tests.push(Test { path: &file.path, name });
                }
            }
        }
    }
    tests
}

/// The ids that a name begins with: `fault_B02_B03_what_it_is` has two.
fn ids(name: &str) -> impl Iterator<Item = String> {
    let words = name.trim_start_matches("fault_").split(['_', ':', ' ']);
    words.map(str::to_uppercase).take_while(|word| is_id(word))
}

fn is_id(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|group| group.is_ascii_uppercase())
        && word.len() == 3
        && letters.all(|digit| digit.is_ascii_digit())
}

/// What a cell names: a file in backticks, then its tests in backticks, then perhaps another file.
fn references(cell: &str) -> Vec<(&str, &str)> {
    let mut path = "";
    let mut found = Vec::new();
    for word in cell.split('`').skip(1).step_by(2) {
        if word.starts_with("fault_") {
            found.push((path, word));
        } else {
            path = word;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    fn all_rows(first: &str) -> String {
        let rows = GROUPS.iter().flat_map(|(group, count)| {
            (1..=*count).map(move |number| format!("| {group}{number:02} | none | later |\n"))
        });
        let rows: Vec<String> = rows.skip(1).collect();
        format!("{first}\n{}", rows.concat())
    }

    #[test]
    fn a_table_of_all_rows_and_tests_is_right() {
        let code = [file("tests/a.rs", "fn fault_B01_empty() {}"), file("tests/b.js", "")];
        let table = all_rows("| B01 | `tests/a.rs` `fault_B01_empty` | refused |");
        let found = differences(&file("docs/FAULTS.md", &table), &code);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn what_is_missing_or_too_much_is_found() {
        let js = "test(\"fault_B01: nothing\", () => {});";
        let code = [file("tests/b.js", js)];
        for first in [
            "| B01 | `tests/a.rs` `fault_B01: nothing` | another file |",
            "| B01 | `tests/b.js` `fault_B01: something` | another name |",
            "| B01 | none | the test is not named |",
            "| B02 | `tests/b.js` `fault_B01: nothing` | twice, and once too few |",
            "| B99 | `tests/b.js` `fault_B01: nothing` | no such row |",
            "| B01 | later | no word for it |",
            "",
        ] {
            let table = file("docs/FAULTS.md", &all_rows(first));
            assert!(!differences(&table, &code).is_empty(), "{first}");
        }
    }
}
