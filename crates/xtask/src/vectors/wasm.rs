//! The package as it is packed, in Node.js, and a wasm for tests for what it does not export.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgegrant::trust::{SecretKey, read_unverified, sign};
use edgegrant_testkit::answer::Answer;
use edgegrant_testkit::case::{self, Case};
use edgegrant_testkit::line;
use edgegrant_testkit::published::{self, Published};
use edgegrant_testkit::question::Question;
use serde_json::{Value, json};

use super::{Host, Visit};
use crate::{build, paths, process};

/// The folder of what the hosts read and write.
pub(super) struct Wasm {
    folder: PathBuf,
}

impl Wasm {
    /// Builds, packs and installs the package, and builds the wasm for tests.
    pub(super) fn build() -> Result<Self> {
        build::run()?;
        build::install_tarball()?;
        let folder = paths::target().join("vectors");
        build::test_wasm(&folder)?;
        Ok(Self { folder })
    }

    /// The answers of a script that is given a file and writes JSON.
    fn run(&self, script: &str, folder: &Path, input: &str) -> Result<Vec<Value>> {
        let file = self.folder.join("asked.json");
        fs::write(&file, input)?;
        let file = file.to_string_lossy();
        let output = process::read(&mut process::command("node", &[script, &file], folder))?;
        serde_json::from_str(&output).with_context(|| format!("the answers of {script}"))
    }
}

impl Host for Wasm {
    fn answers(&mut self, file: &Path, cases: &[Case]) -> Result<Vec<Vec<Result<Answer>>>> {
        let script = self.folder.join("answers.cjs");
        fs::write(&script, ANSWERS)?;
        let answers = self.run(&script.to_string_lossy(), &self.folder, &case::text(file)?)?;
        let answers = cases.iter().zip(answers).map(|(case, answers)| {
            let answers = answers.as_array().cloned().unwrap_or_default();
            let asked = case.asked.iter().zip(answers);
            asked.map(|(asked, answer)| read(&asked.question, &answer)).collect()
        });
        Ok(answers.collect())
    }

    fn visits(
        &mut self,
        snapshot: &Published,
        visits: &[Visit<'_>],
    ) -> Result<Vec<Result<Answer>>> {
        let (head, trusted_key) = signed_anew(&snapshot.head)?;
        let asked = json!({
            "audience": published::AUDIENCE,
            "trustedKey": trusted_key,
            "now": line::signed_at().millis(),
            "head": STANDARD.encode(head),
            "pack": STANDARD.encode(&snapshot.pack),
            "visits": visits.iter().enumerate().map(asked).collect::<Vec<_>>(),
        });
        let answers = self.run("vectors.js", &paths::js_tests(), &asked.to_string())?;
        if answers.len() != visits.len() {
            bail!("the package answered {} of {} questions", answers.len(), visits.len());
        }
        let answered = visits.iter().zip(&answers);
        Ok(answered.map(|(visit, answer)| read(&visit.asked.question, answer)).collect())
    }
}

/// A head with another signature, and the key to it: the package trusts no key of the testkit.
fn signed_anew(head: &[u8]) -> Result<(Vec<u8>, String)> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("making a key for the vectors")?;
    let key = SecretKey::from_seed(1, seed);
    let head = sign(&read_unverified(head)?.head, std::slice::from_ref(&key))?;
    Ok((head, key.trusted_key().to_string()))
}

/// What the wasm for tests is asked: everything in a file but what the package answers.
const ANSWERS: &str = r#"const { readFileSync } = require("node:fs");
const { answers } = require("./testwasm.js");
process.stdout.write(answers(readFileSync(process.argv[2], "utf8")));
"#;

fn read(question: &Question, answer: &Value) -> Result<Answer> {
    match answer.get("error") {
        Some(error) => bail!("{}", error.as_str().unwrap_or_default()),
        None => Ok(Answer::parse(question, &answer.to_string())?),
    }
}

fn asked((place, visit): (usize, &Visit<'_>)) -> Value {
    let amount = |event: &line::UsageEvent| {
        let (at, amount) = (event.at.millis(), event.amount.to_f64());
        json!({ "at": at, "amount": amount })
    };
    let millis = |at: edgegrant_testkit::Instant| line::instant(at).millis();
    let mut asked = json!({
        "subject": line::subject(place),
        "feature": line::FEATURE,
        "later": visit.publication.later.iter().map(amount).collect::<Vec<_>>(),
    });
    let add = match &visit.asked.question {
        Question::Value { at, .. } => json!({ "value": { "at": millis(*at) } }),
        Question::History { query, .. } => json!({ "history": {
            "from": millis(query.from), "to": millis(query.to), "window": query.window_size,
        } }),
        Question::Access(access) => json!({ "access": {
            "at": access.at.map(millis), "featureExists": access.feature_exists,
        } }),
        _ => json!({}),
    };
    if let (Some(asked), Value::Object(add)) = (asked.as_object_mut(), add) {
        asked.extend(add);
    }
    asked
}
