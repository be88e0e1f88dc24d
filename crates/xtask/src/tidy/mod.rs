//! The rules of docs/ARCHITECTURE.md and docs/STYLE.md, executed.

mod faults;
mod imports;
mod names;
mod rules;
mod text;

use std::fmt;
use std::fs;
use std::process::Command;

use anyhow::{Result, bail};

use crate::paths;
use crate::process;

use rules::{RULES, Rule};

/// The rules about single files, and the one about the table of faults.
pub(crate) const RULES_AND_FAULTS: usize = RULES.len() + 1;

/// A tracked text file.
pub(crate) struct File {
    /// From the repository's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    fn has_extension(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    fn is_rust(&self) -> bool {
        self.has_extension(&["rs"])
    }

    fn is_code(&self) -> bool {
        self.has_extension(&["rs", "ts", "mts", "cts", "js", "mjs", "cjs"])
    }
}

/// One place that breaks a rule.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Counted from 1; 0 is the file as a whole.
    line: usize,
    what: String,
}

impl Finding {
    fn new(line: usize, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}

/// Checks every rule and prints what breaks one.
///
/// # Errors
/// When anything is found.
pub(crate) fn run() -> Result<()> {
    let broken = broken_rules()?;
    if broken > 0 {
        bail!("{broken} of {RULES_AND_FAULTS} rules are broken");
    }
    println!("tidy: {RULES_AND_FAULTS} rules hold");
    Ok(())
}

/// Prints what breaks a rule and counts the rules that are broken.
///
/// # Errors
/// When the files cannot be listed or read.
pub(crate) fn broken_rules() -> Result<usize> {
    let files = files()?;
    let mut broken = 0;
    for rule in RULES {
        let findings = findings(rule, &files);
        broken += usize::from(!findings.is_empty());
        for finding in findings {
            println!("{finding}");
        }
    }
    Ok(broken + usize::from(!faults_hold(&files)))
}

/// Prints how the table of faults differs from the catalogue and the tests.
fn faults_hold(files: &[File]) -> bool {
    let Some(table) = files.iter().find(|file| file.path == FAULTS) else {
        println!("{FAULTS} is missing");
        return false;
    };
    let findings = faults::differences(table, files);
    for finding in &findings {
        println!("{FAULTS}:{}: {}", finding.line, finding.what);
    }
    findings.is_empty()
}

const FAULTS: &str = "docs/FAULTS.md";

/// A finding with where and by which rule.
struct Located<'a> {
    rule: &'a Rule,
    path: &'a str,
    finding: Finding,
}

impl fmt::Display for Located<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, finding } = self;
        write!(out, "{path}:{}: {} ({}: {})", finding.line, finding.what, rule.name, rule.says)
    }
}

fn findings<'a>(rule: &'a Rule, files: &'a [File]) -> Vec<Located<'a>> {
    let in_file = |file: &'a File| {
        let found = (rule.find)(file).into_iter();
        found.map(move |finding| Located { rule, path: &file.path, finding })
    };
    let mut all: Vec<_> = files.iter().flat_map(in_file).collect();
    let document = files.iter().find(|file| file.path == rule.document);
    if !document.is_some_and(|file| file.text.contains(&format!("`{}`", rule.name))) {
        let finding = Finding::new(0, format!("does not name the rule `{}`", rule.name));
        all.push(Located { rule, path: rule.document, finding });
    }
    all
}

/// What git tracks or would: everything but what is built.
fn files() -> Result<Vec<File>> {
    let listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let mut git: Command = process::command("git", &listing, &paths::root());
    let paths = process::read(&mut git)?;
    let read = |path: &str| {
        let text = fs::read_to_string(paths::root().join(path)).ok()?;
        Some(File { path: path.to_owned(), text })
    };
    Ok(paths.split_terminator('\0').filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(document: &'static str) -> Rule {
        Rule { name: "some-rule", says: "", document, find: |_| Vec::new() }
    }

    #[test]
    fn a_rule_that_its_document_does_not_name_is_found() {
        let path = "docs/STYLE.md".to_owned();
        let files = [File { path, text: "`another-rule`".to_owned() }];
        assert_eq!(findings(&rule("docs/STYLE.md"), &files).len(), 1);
        assert_eq!(findings(&rule("docs/MISSING.md"), &files).len(), 1);
    }

    #[test]
    fn a_rule_that_its_document_names_is_not() {
        let path = "docs/STYLE.md".to_owned();
        let files = [File { path, text: "- `some-rule`: text".to_owned() }];
        assert!(findings(&rule("docs/STYLE.md"), &files).is_empty());
    }
}
