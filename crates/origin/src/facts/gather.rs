//! Files of facts as packed subjects, read by all cores and sorted into buckets, which wait on the
//! disk where memory is too small.

use std::collections::HashMap;
use std::io::BufRead;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use edgegrant::Instant;
use edgegrant::model::Fact;
use edgegrant::snapshot::{BUCKETS, Counts, Packer};

use super::common::Common;
use super::compiler::{self, Compiler, Declared, Item, Packed};
use super::lines::{Lines, too_long};
use super::parse::is_feature;
use super::{Checker, Problem, ReadError, parse_line};
use crate::failure::Failure;
use crate::input;
use crate::progress::{Progress, Stage};
use crate::spill::Buckets;
use crate::threads::joined;

/// How much of a file is handed to a core at a time.
const BATCH_BYTES: usize = 256 << 10;

/// What is published, sorted into buckets.
pub(crate) struct Gathered<'a> {
    /// The features, in the order of their lines.
    pub(crate) packer: Packer,
    pub(crate) counts: Counts,
    shelves: Vec<Buckets>,
    /// Entitlements that are told by their places.
    pub(crate) common: Vec<Vec<u8>>,
    /// How many bytes that spares in each bucket.
    spared: Vec<u64>,
    /// How many programs know usage up to an instant.
    as_of: HashMap<Instant, u64>,
    files: Files<'a>,
}

impl Gathered<'_> {
    /// The instant that the head states: that of most programs, which then need not say it.
    pub(crate) fn usage_as_of(&self, now: Instant) -> Instant {
        let most = self.as_of.iter().max_by_key(|(instant, count)| (**count, **instant));
        most.map_or(now, |(instant, _)| *instant)
    }

    /// How many bytes are in some buckets.
    pub(crate) fn bytes(&self, buckets: Range<usize>) -> u64 {
        let of_shelf =
            |shelf: &Buckets| buckets.clone().map(|bucket| shelf.bytes(bucket)).sum::<u64>();
        self.shelves.iter().map(of_shelf).sum()
    }

    /// How many bytes there would be in some buckets if nothing were told by its place.
    pub(crate) fn told_bytes(&self, buckets: Range<usize>) -> u64 {
        let spared = self.spared.get(buckets.clone()).unwrap_or_default();
        self.bytes(buckets) + spared.iter().sum::<u64>()
    }

    /// Everything in some buckets.
    pub(crate) fn read(&self, buckets: Range<usize>) -> std::io::Result<Vec<u8>> {
        let bytes = self.bytes(buckets.clone());
        let mut out = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
        for bucket in buckets {
            self.shelves.iter().try_for_each(|shelf| shelf.read(bucket, &mut out))?;
        }
        Ok(out)
    }

    /// Why a tag that is there twice refuses the facts.
    pub(crate) fn twice(&self, tag: u64) -> Failure {
        let (number, problem) = compiler::twice(tag);
        self.files.refused(number, ReadError::Refused(problem))
    }
}

/// Reads files of facts that belong together, for pages that a seed places. The first problem
/// refuses them all. What waits lies on the disk of `folder`.
///
/// # Errors
/// A file that cannot be read, and the first line that is refused.
pub(crate) fn gather<'a>(
    files: &'a [PathBuf],
    publish_at: Instant,
    seed: [u8; 32],
    folder: &Path,
    progress: &Progress<'_>,
) -> Result<Gathered<'a>, Failure> {
    let source = Mutex::new(Source::new(files, seed));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let common = Common::default();
    let work = || Shelf::fill(&source, Compiler::new(publish_at, &common), folder, progress);
    let shelves: Vec<Shelf> = thread::scope(|scope| {
        let spawned: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
        let mine = work();
        std::iter::once(mine).chain(spawned.into_iter().map(joined)).collect()
    });
    let Source { files, declared, failed, .. } =
        source.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut gathered = Gathered {
        packer: declared.packer.clone(),
        counts: Counts::default(),
        shelves: Vec::new(),
        common: common.into_entitlements(),
        spared: vec![0; BUCKETS],
        as_of: HashMap::new(),
        files,
    };
    shelves.into_iter().for_each(|shelf| gathered.add(shelf));
    match failed {
        None => Ok(gathered),
        Some((number, failure)) => Err(gathered.earlier(number)?.unwrap_or(failure)),
    }
}

impl Gathered<'_> {
    fn add(&mut self, shelf: Shelf) {
        self.counts += shelf.counts;
        self.shelves.push(shelf.buckets);
        self.spared.iter_mut().zip(shelf.spared).for_each(|(sum, spared)| *sum += spared);
        for (as_of, count) in shelf.as_of.into_iter().chain(shelf.last_as_of) {
            *self.as_of.entry(as_of).or_default() += count;
        }
    }

    /// Why a line before the `number`th refuses the facts: it names somebody twice, which shows
    /// only when all lines before are side by side.
    fn earlier(&self, number: u64) -> Result<Option<Failure>, Failure> {
        let mut first: Option<u64> = None;
        for bucket in 0..BUCKETS {
            let packed = self.read(bucket..bucket + 1).map_err(|error| spilled(&error))?;
            first = first.into_iter().chain(Packer::twice(&packed)).min();
        }
        let first = first.filter(|tag| compiler::twice(*tag).0 < number);
        Ok(first.map(|tag| self.twice(tag)))
    }
}

/// That what waits on the disk cannot be written or read.
pub(crate) fn spilled(error: &std::io::Error) -> Failure {
    Failure::io(Path::new("a temporary file"), error)
}

/// Files and how many lines were read before each.
struct Files<'a>(Vec<(u64, &'a Path)>);

impl Files<'_> {
    fn refused(&self, number: u64, error: ReadError) -> Failure {
        let file = self.0.iter().rev().find(|(before, _)| *before < number);
        let (before, file) = file.copied().unwrap_or((0, Path::new("")));
        let problem = match error {
            ReadError::Io(error) => return Failure::io(file, &error),
            ReadError::Refused(problem) => problem,
        };
        let place = if problem.path.is_empty() { "" } else { ": " };
        let (file, line) = (file.display(), number - before);
        let message = format!("{file}: line {line}{place}{}: {}", problem.path, problem.message);
        Failure::bad_input(problem.code, message)
    }
}

/// The lines of all files, handed out in batches.
struct Source<'a> {
    left: std::slice::Iter<'a, PathBuf>,
    lines: Option<Lines<Box<dyn BufRead + Send>>>,
    files: Files<'a>,
    /// How many lines there were.
    number: u64,
    declared: Arc<Declared>,
    /// The line of a feature that comes behind the batch before it.
    held: Option<Vec<u8>>,
    /// The first line that was refused, after which nothing needs to be read.
    failed: Option<(u64, Failure)>,
}

/// Lines of subjects that know the same features.
struct Batch {
    text: Vec<u8>,
    /// Where each line ends and which of all it is.
    lines: Vec<(usize, u64)>,
    declared: Arc<Declared>,
}

impl<'a> Source<'a> {
    fn new(files: &'a [PathBuf], seed: [u8; 32]) -> Self {
        let declared = Declared { checker: Checker::default(), packer: Packer::new(seed) };
        Self {
            left: files.iter(),
            lines: None,
            files: Files(Vec::new()),
            number: 0,
            declared: Arc::new(declared),
            held: None,
            failed: None,
        }
    }

    /// The next lines, in the memory of those before; fewer than there may be where a feature is
    /// declared.
    fn batch(&mut self, last: Option<Batch>) -> Option<Batch> {
        let (mut text, mut lines) =
            last.map_or_else(Default::default, |last| (last.text, last.lines));
        text.clear();
        lines.clear();
        while text.len() < BATCH_BYTES && self.failed.is_none() {
            let is_feature = match self.next(&mut text) {
                Ok(Some(is_feature)) => is_feature,
                Ok(None) => break,
                Err(failure) => {
                    self.fail(self.number, failure);
                    break;
                }
            };
            if !is_feature {
                lines.push((text.len(), self.number));
                continue;
            }
            let start = lines.last().map_or(0, |(end, _)| *end);
            let feature = text.split_off(start);
            if !lines.is_empty() {
                self.held = Some(feature);
                break;
            }
            self.declare(&feature);
        }
        let declared = Arc::clone(&self.declared);
        (!lines.is_empty()).then_some(Batch { text, lines, declared })
    }

    /// Reads one line behind `text` and says whether it is that of a feature.
    fn next(&mut self, text: &mut Vec<u8>) -> Result<Option<bool>, Failure> {
        if let Some(held) = self.held.take() {
            text.extend_from_slice(&held);
            return Ok(Some(true));
        }
        loop {
            let Some(lines) = &mut self.lines else {
                let Some(file) = self.left.next() else { return Ok(None) };
                self.files.0.push((self.number, file));
                // What is wrong with the file stands behind the line before it.
                self.lines = Some(Lines::new(input::open(file).inspect_err(|_| self.number += 1)?));
                continue;
            };
            let before = self.files.0.last().map_or(0, |(before, _)| *before);
            let start = text.len();
            match lines.append(text) {
                Ok(None) => self.lines = None,
                Ok(Some((number, fits))) => {
                    self.number = before + number;
                    if !fits {
                        let error = ReadError::Refused(too_long());
                        return Err(self.files.refused(self.number, error));
                    }
                    return Ok(Some(is_feature(text.get(start..).unwrap_or_default())));
                }
                Err(error) => {
                    self.number += 1;
                    return Err(self.files.refused(self.number, ReadError::Io(error)));
                }
            }
        }
    }

    fn declare(&mut self, line: &[u8]) {
        let declared = Arc::make_mut(&mut self.declared);
        if let Err(problem) = declared.feature(line) {
            self.refuse(self.number, problem);
        }
    }

    fn refuse(&mut self, number: u64, problem: Problem) {
        let failure = self.files.refused(number, ReadError::Refused(problem));
        self.fail(number, failure);
    }

    fn fail(&mut self, number: u64, failure: Failure) {
        if self.failed.as_ref().is_none_or(|(first, _)| number < *first) {
            self.failed = Some((number, failure));
        }
    }
}

impl Declared {
    fn feature(&mut self, line: &[u8]) -> Result<(), Problem> {
        let fact = parse_line(line)?;
        self.checker.check(&fact)?;
        let Fact::Feature(feature) = fact else { return Ok(()) };
        let declared = self.packer.declare(&super::feature_record(feature));
        declared.map_err(|error| Problem::new("feature", error.code(), error.message()))
    }
}

impl Batch {
    fn iter(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let starts = std::iter::once(0).chain(self.lines.iter().map(|(end, _)| *end));
        let line = |start, end| self.text.get(start..end).unwrap_or_default();
        self.lines
            .iter()
            .zip(starts)
            .map(move |((end, number), start)| (*number, line(start, *end)))
    }
}

/// What one core has gathered.
struct Shelf {
    buckets: Buckets,
    spared: Vec<u64>,
    counts: Counts,
    as_of: HashMap<Instant, u64>,
    /// What was counted last, and not told to the others yet.
    last_as_of: Option<(Instant, u64)>,
}

impl Shelf {
    /// Compiles batches until there are none.
    fn fill(
        source: &Mutex<Source<'_>>,
        mut compiler: Compiler<'_>,
        folder: &Path,
        progress: &Progress<'_>,
    ) -> Self {
        let mut shelf = Self {
            buckets: Buckets::new(BUCKETS, folder),
            spared: vec![0; BUCKETS],
            counts: Counts::default(),
            as_of: HashMap::new(),
            last_as_of: None,
        };
        let mut last = None;
        loop {
            let batch = lock(source).batch(last);
            let Some(batch) = batch else { return shelf };
            shelf.compile(&mut compiler, &batch, source);
            progress.add(Stage::Reading, batch.text.len() as u64 + batch.lines.len() as u64);
            last = Some(batch);
        }
    }

    fn compile(&mut self, compiler: &mut Compiler<'_>, batch: &Batch, source: &Mutex<Source<'_>>) {
        let mut packed = Packed::default();
        for (number, line) in batch.iter() {
            if let Err(problem) = compiler.line(&batch.declared, number, line, &mut packed) {
                return lock(source).refuse(number, problem);
            }
            if let Err(error) = self.put(&packed) {
                return lock(source).fail(number, spilled(&error));
            }
        }
    }

    /// Counts an instant up to which usage is known, which mostly is that of the one before.
    fn count(&mut self, as_of: Instant) {
        match &mut self.last_as_of {
            Some((last, count)) if *last == as_of => *count += 1,
            last => {
                if let Some((last, count)) = last.replace((as_of, 1)) {
                    *self.as_of.entry(last).or_default() += count;
                }
            }
        }
    }

    fn put(&mut self, packed: &Packed) -> std::io::Result<()> {
        self.counts += Counts {
            subjects: 1,
            aliases: packed.items.len() as u64 - 1,
            entitlements: packed.entitlements.len() as u64,
        };
        for as_of in packed.entitlements.iter().filter_map(|given| given.usage_as_of()) {
            self.count(as_of);
        }
        packed.iter().try_for_each(|(Item { bucket, spared, .. }, bytes)| {
            if let Some(sum) = self.spared.get_mut(bucket) {
                *sum += spared as u64;
            }
            self.buckets.put(bucket, bytes)
        })
    }
}

fn lock<'a, 'b>(source: &'b Mutex<Source<'a>>) -> MutexGuard<'b, Source<'a>> {
    source.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use std::fmt::Write as _;

    use super::*;

    const SSO: &str = r#"{"feature":"sso"}"#;

    /// The code and the message for files of lines, of which a single one is as long as a batch.
    fn refused(files: &[&str]) -> (String, String) {
        let root = tempfile::tempdir().unwrap();
        let write = |(number, text): (usize, &&str)| {
            let path = root.path().join(number.to_string());
            std::fs::write(&path, text).unwrap();
            path
        };
        let files: Vec<_> = files.iter().enumerate().map(write).collect();
        let at = Instant::parse("2026-01-01T00:00:00Z").unwrap();
        let failure = gather(&files, at, [7; 32], root.path(), &Progress::default());
        let failure = failure.err().unwrap();
        let place = root.path().display().to_string() + "/";
        (failure.code, failure.message.replace(&place, ""))
    }

    /// So many subjects, some with aliases.
    fn subjects(numbers: std::ops::Range<usize>) -> String {
        let mut text = String::new();
        for number in numbers {
            writeln!(text, r#"{{"subject":"s{number}","aliases":["a{number}"]}}"#).unwrap();
        }
        text
    }

    #[test]
    fn a_line_that_is_wrong_is_told_before_the_file_behind_it_that_is_missing() {
        let root = tempfile::tempdir().unwrap();
        let (bad, missing) = (root.path().join("bad"), root.path().join("missing"));
        let at = Instant::parse("2026-01-01T00:00:00Z").unwrap();
        let told = |files: &[PathBuf]| {
            gather(files, at, [7; 32], root.path(), &Progress::default()).err().unwrap().code
        };
        std::fs::write(&bad, r#"{"subject":"a","odd":1}"#).unwrap();
        let alone = told(std::slice::from_ref(&bad));
        assert_eq!(told(&[bad, missing.clone()]), alone);
        assert_ne!(told(&[missing]), alone);
    }

    #[test]
    fn the_first_line_that_is_wrong_decides_whoever_reads_it() {
        let many = subjects(0..20_000);
        let wrong = r#"{"subject":"x","entitlements":[{"feature":"sso","type":"bool"}]}"#;
        let text = format!("{SSO}\n{many}{wrong}\n{many}\n{{");
        let (code, message) = refused(&[&text]);
        assert_eq!(code, "unknown-value");
        assert!(message.starts_with("0: line 20002: entitlements[0].type: "), "{message}");
        let late = format!("{many}\n\n{wrong}\n{SSO}");
        let (code, message) = refused(&[SSO, &late, "{"]);
        assert_eq!(code, "unknown-value");
        assert!(message.starts_with("1: line 20003: "), "{message}");
    }

    #[test]
    fn features_count_from_their_line_on() {
        let given = r#"{"subject":"x","entitlements":[{"feature":"sso","type":"boolean"}]}"#;
        let (code, message) = refused(&[&format!("{given}\n{SSO}")]);
        assert_eq!(code, "undeclared-feature");
        assert!(message.starts_with("0: line 1: entitlements[0].feature: "), "{message}");
        let (code, _) = refused(&[SSO, &format!("{given}\n{SSO}")]);
        assert_eq!(code, "duplicate-feature");
    }

    #[test]
    fn whoever_is_named_twice_is_found_wherever_the_lines_are() {
        let many = subjects(0..20_000);
        let (code, message) = refused(&[&many, "{\"subject\":\"a7\"}\n{"]);
        assert_eq!(code, "duplicate-subject");
        assert!(message.starts_with("1: line 1: subject: "), "{message}");
        let twice = r#"{"subject":"x","aliases":["y","s19999","y"]}"#;
        let (code, message) = refused(&[&many, &format!("{twice}\n{{\"subject\":\"s3\"}}\n{{")]);
        assert_eq!(code, "duplicate-alias");
        assert!(message.starts_with("1: line 1: aliases[1]: "), "{message}");
    }
}
