//! `cargo xtask sources`: what becomes of every recorded answer of the systems that facts are
//! imported from, compared with the committed list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{demo, paths, process};

/// What to do with the outcome.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write the outcome down as what is expected.
    #[arg(long)]
    record: bool,
}

/// A folder of recorded answers, and how they are imported.
struct System {
    folder: &'static str,
    source: &'static str,
    /// Arguments of the importer for files whose names begin so.
    arguments: &'static [(&'static str, &'static [&'static str])],
    /// Files that belong together, by how their names begin: pages, and what explains each other.
    together: &'static [&'static [&'static str]],
}

const SYSTEMS: &[System] = &[
    System {
        folder: "alertlogic",
        source: "alert-logic",
        arguments: &[],
        together: &[&["01", "05"]],
    },
    System {
        folder: "aws-marketplace",
        source: "aws-marketplace",
        arguments: &[],
        together: &[&["21", "22", "23"]],
    },
    System {
        folder: "astra",
        source: "astra",
        arguments: &[
            ("", &["--account", "4185d09b-6687-4801-a832-c005a9d94f41"]),
            ("01", &["--include", "product,entitlementType,entitlementValue,allocation"]),
        ],
        together: &[&["10", "20"], &["21", "22"]],
    },
    System {
        folder: "meraki",
        source: "meraki",
        arguments: &[("", &["--organization", "77"])],
        together: &[&["20", "21", "25"], &["22", "23"]],
    },
    System {
        folder: "openmeter",
        source: "openmeter",
        arguments: &[],
        together: &[&["01", "02"], &["20", "23"]],
    },
];

/// When the answers are taken to have been given.
const AT: &str = "2026-11-20T00:00:00Z";

/// Imports every file, prints what became of it, and compares or records that.
///
/// # Errors
/// When a file cannot be imported for another reason than what it holds, or something differs
/// from what is expected.
pub(crate) fn run(options: &Options) -> Result<()> {
    let Some(lines) = outcomes()? else { return Ok(()) };
    for line in &lines {
        println!("{line}");
    }
    if options.record {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::create_dir_all(expected_path().parent().context("a path without a folder")?)?;
        return fs::write(expected_path(), text).context("writing what is expected");
    }
    let differences: Vec<String> = compare(&lines)?.into_iter().flatten().collect();
    if differences.is_empty() {
        println!("{} answers, all as expected", lines.len());
        return Ok(());
    }
    bail!("{}\nif that is meant, run `cargo xtask sources --record`", differences.join("\n"))
}

/// One entry for each file: nothing, or how its outcome differs from what is expected.
///
/// Nothing at all where there are no recorded answers.
///
/// # Errors
/// As [`run`].
pub(crate) fn differences() -> Result<Vec<Option<String>>> {
    outcomes()?.map_or(Ok(Vec::new()), |lines| compare(&lines))
}

fn expected_path() -> PathBuf {
    paths::root().join("tests/sources/expected.txt")
}

fn compare(lines: &[String]) -> Result<Vec<Option<String>>> {
    let text = fs::read_to_string(expected_path())
        .context("reading tests/sources/expected.txt: write it with --record")?;
    Ok(differing(&text.lines().map(str::to_owned).collect::<Vec<_>>(), lines))
}

fn differing(expected: &[String], found: &[String]) -> Vec<Option<String>> {
    let by_file = |lines: &[String]| -> BTreeMap<String, String> {
        let split =
            |line: &String| line.split_once(" → ").map(|(file, what)| (file.into(), what.into()));
        lines.iter().filter_map(split).collect()
    };
    let (expected, found) = (by_file(expected), by_file(found));
    let files: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let absent = "absent".to_owned();
    let difference = |file: &String| {
        let then = expected.get(file).unwrap_or(&absent);
        let now = found.get(file).unwrap_or(&absent);
        (then != now).then(|| format!("{file}: expected {then}; found {now}"))
    };
    files.into_iter().map(difference).collect()
}

/// One line for each recorded answer, or nothing where there are none beside the repository.
fn outcomes() -> Result<Option<Vec<String>>> {
    let fixtures = paths::root().join("../shared/sources/fixtures");
    if !fixtures.is_dir() {
        println!("skipped: there are no recorded answers beside the repository");
        return Ok(None);
    }
    let edgegrant = demo::edgegrant()?;
    let lines = SYSTEMS.iter().map(|system| system.outcomes(&edgegrant, &fixtures));
    Ok(Some(lines.collect::<Result<Vec<_>>>()?.concat()))
}

impl System {
    fn outcomes(&self, edgegrant: &Path, fixtures: &Path) -> Result<Vec<String>> {
        let folder = fixtures.join(self.folder);
        let files = names(&folder)?;
        let mut lines = Vec::new();
        for name in &files {
            let what = self.import(edgegrant, &folder, &[name])?;
            lines.push(format!("{}/{name} → {what}", self.folder));
        }
        for begin in self.together {
            let begins = |name: &&String| begin.iter().any(|begin| name.starts_with(begin));
            let names: Vec<&String> = files.iter().filter(begins).collect();
            let what = self.import(edgegrant, &folder, &names)?;
            lines.push(format!("{}/{} → {what}", self.folder, begin.join("+")));
        }
        Ok(lines)
    }

    fn import(&self, edgegrant: &Path, folder: &Path, names: &[&String]) -> Result<String> {
        let mut import =
            process::command(&edgegrant.to_string_lossy(), &["--json", "import"], folder);
        import.args([self.source, "--at", AT]).args(names);
        for (begin, arguments) in self.arguments {
            if names.iter().any(|name| name.starts_with(begin)) {
                import.args(*arguments);
            }
        }
        described(&process::output(&mut import)?).with_context(|| format!("importing {names:?}"))
    }
}

/// The names of the files in a folder, in order.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let name =
        |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    let mut names = entries.map(name).collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// What an import wrote and said, in one line.
fn described(output: &Output) -> Result<String> {
    let said = values(&output.stderr)?;
    let mut codes = BTreeMap::<&str, usize>::new();
    for note in said.iter().filter_map(|value| value.get("note")) {
        let code = note.get("code").and_then(Value::as_str).context("a note without a code")?;
        *codes.entry(code).or_default() += 1;
    }
    let notes = codes.iter().map(|(code, count)| match count {
        1 => (*code).to_owned(),
        _ => format!("{count} × {code}"),
    });
    let notes = notes.collect::<Vec<_>>().join(", ");
    let notes = if notes.is_empty() { notes } else { format!(" | {notes}") };
    if output.status.success() {
        return Ok(format!("imported {}{notes}", counted(&values(&output.stdout)?)));
    }
    let error = said.iter().find_map(|value| value.get("error")?.get("code")?.as_str());
    let code = error.with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    Ok(format!("refused {code}{notes}"))
}

fn values(text: &[u8]) -> Result<Vec<Value>> {
    let lines = serde_json::Deserializer::from_slice(text).into_iter();
    lines.collect::<Result<_, _>>().with_context(|| String::from_utf8_lossy(text).into_owned())
}

fn counted(facts: &[Value]) -> String {
    let subjects: Vec<&Value> = facts.iter().filter(|fact| fact.get("subject").is_some()).collect();
    let entitlements = |subject: &&Value| subject.get("entitlements")?.as_array().map(Vec::len);
    let entitlements: usize = subjects.iter().filter_map(entitlements).sum();
    let number = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    format!("{}, {}", number(subjects.len(), "subject"), number(entitlements, "entitlement"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_compared_in_both_directions() {
        let lines =
            |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let expected = lines(&["a/1 → refused x", "a/2 → refused x", "a/3 → refused x"]);
        let found = lines(&["a/1 → refused x", "a/2 → refused y", "a/4 → refused x"]);
        let told: Vec<String> = differing(&expected, &found).into_iter().flatten().collect();
        assert_eq!(
            told,
            [
                "a/2: expected refused x; found refused y",
                "a/3: expected refused x; found absent",
                "a/4: expected absent; found refused x",
            ]
        );
        assert_eq!(differing(&expected, &expected), [None, None, None]);
    }

    #[test]
    fn subjects_and_entitlements_are_counted() {
        let facts = [
            serde_json::json!({ "feature": "sso" }),
            serde_json::json!({ "subject": "a", "entitlements": [{}, {}] }),
        ];
        assert_eq!(counted(&facts), "1 subject, 2 entitlements");
        assert_eq!(counted(&[]), "0 subjects, 0 entitlements");
    }
}
