//! Pages of the publishing before, which need not be encoded again.
//!
//! What waits for a page decides its bytes, given the program, the seed, the features and how many
//! pages there are. So from what each page was made is remembered beside its name. Lines are read
//! and compiled all the same: what they mean changes with time, and only what came of them is
//! compared. A page is taken by its name, which is the digest of its bytes; where anything else is
//! found, or nothing, it is encoded.

use std::env::current_exe;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::OnceLock;

use edgegrant::snapshot::{
    Digest, FeatureRecord, PART_BYTES_MAX, Part, Settings, WhenExpired, is_page,
};
use sha2::{Digest as _, Sha256};

use crate::disk;
use crate::failure::Failure;
use crate::folder::Folder;

/// From what a page was made, and its name.
type Made = (Digest, Digest);

/// What is remembered of the pages before, if anything can be used.
#[derive(Debug)]
pub(super) struct Kept {
    key: Option<Digest>,
    pages: Vec<Made>,
}

const DIGEST_BYTES: usize = 32;
/// Two digests for each of the most pages that there are, and two more.
const BYTES_MAX: u64 = (2 * DIGEST_BYTES as u64) * ((1 << 24) + 1);

impl Kept {
    /// What is remembered of as many pages that were made in the same way.
    pub(super) fn load(
        folder: &Folder,
        settings: &Settings,
        features: &[FeatureRecord],
        page_bits: u8,
    ) -> Self {
        let key = key(settings, features, page_bits);
        let pages = key.and_then(|key| read(folder, &key));
        Self { key, pages: pages.filter(|pages| pages.len() == 1 << page_bits).unwrap_or_default() }
    }

    /// The page at an index, if it was made from the same and is still there.
    pub(super) fn page(&self, folder: &Folder, index: u32, from: &Digest) -> Option<Part> {
        let (made_from, name) = self.pages.get(index as usize)?;
        if made_from != from {
            return None;
        }
        let bytes = disk::read(&folder.part(name), PART_BYTES_MAX).ok()?;
        is_page(name, &bytes).then_some(Part { digest: *name, bytes })
    }

    /// Remembers other pages, made in the same way.
    pub(super) fn replace(
        &self,
        folder: &Folder,
        pages: impl Iterator<Item = Made>,
    ) -> Result<(), Failure> {
        let Some(key) = self.key else { return Ok(()) };
        let mut bytes = key.0.to_vec();
        for (from, name) in pages {
            bytes.extend_from_slice(&from.0);
            bytes.extend_from_slice(&name.0);
        }
        let sum: [u8; DIGEST_BYTES] = Sha256::digest(&bytes).into();
        bytes.extend_from_slice(&sum);
        folder.keep(&folder.made_from(), &bytes)
    }
}

/// What is remembered under a key, unless the file is damaged.
fn read(folder: &Folder, key: &Digest) -> Option<Vec<Made>> {
    let bytes = disk::read(&folder.made_from(), BYTES_MAX).ok()?;
    let (rest, sum) = bytes.split_last_chunk::<DIGEST_BYTES>()?;
    let (found, pages) = rest.split_first_chunk::<DIGEST_BYTES>()?;
    let whole: [u8; DIGEST_BYTES] = Sha256::digest(rest).into();
    if *found != key.0 || *sum != whole {
        return None;
    }
    let (digests, _) = pages.as_chunks::<DIGEST_BYTES>();
    let (pairs, _) = digests.as_chunks::<2>();
    Some(pairs.iter().map(|[from, name]| (Digest(*from), Digest(*name))).collect())
}

/// A digest of all that decides how pages are made, without what they are made from. `None` where
/// the program does not know itself.
fn key(settings: &Settings, features: &[FeatureRecord], page_bits: u8) -> Option<Digest> {
    let mut hasher = Sha256::new();
    hasher.update(program()?);
    hasher.update(settings.seed);
    hasher.update([page_bits]);
    for FeatureRecord { key, unit, when_expired } in features {
        let policy = match when_expired {
            WhenExpired::LastKnown => 0,
            WhenExpired::Closed => 1,
            WhenExpired::Open => 2,
        };
        let unit = unit.as_deref().unwrap_or_default();
        hasher.update([policy, key.len() as u8, unit.len() as u8]);
        hasher.update(key);
        hasher.update(unit);
    }
    Some(Digest(hasher.finalize().into()))
}

/// What tells a program from one that may encode in another way: the digest of its own bytes, read
/// once.
fn program() -> Option<[u8; DIGEST_BYTES]> {
    static PROGRAM: OnceLock<Option<[u8; DIGEST_BYTES]>> = OnceLock::new();
    *PROGRAM.get_or_init(|| {
        let mut hasher = Sha256::new();
        let mut program = BufReader::with_capacity(1 << 16, File::open(current_exe().ok()?).ok()?);
        loop {
            let read = program.fill_buf().ok()?;
            if read.is_empty() {
                return Some(hasher.finalize().into());
            }
            hasher.update(read);
            let length = read.len();
            program.consume(length);
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a failed unwrap is a failed test"
    )]
    use std::path::PathBuf;

    use edgegrant::Instant;
    use edgegrant::snapshot::encode;
    use fastrand::Rng;
    use tempfile::TempDir;

    use super::*;
    use crate::facts::{Checker, Entry, Facts, gather};
    use crate::generate::{self, GrantIds};
    use crate::progress::Progress;
    use crate::publish::body::Body;

    const SEED: [u8; 32] = [7; 32];

    /// A publisher whose facts change.
    struct Publisher {
        root: TempDir,
        features: Vec<String>,
        subjects: Vec<String>,
        now: Instant,
        page_bits: Option<u8>,
    }

    /// A subject of which some usage is known until an instant, and some until now.
    fn subject(number: u64) -> String {
        let at = Instant::parse("2026-11-20T12:00:00Z").unwrap();
        let options = generate::Facts { subjects: number, seed: 1, at, grant_ids: GrantIds::Ulid };
        let fact = generate::facts(options).unwrap().last().unwrap();
        let line = serde_json::to_string(&fact).unwrap();
        let as_of = r#","asOf":"2026-11-20T12:00:00Z""#;
        if number.is_multiple_of(2) { line.replace(as_of, "") } else { line }
    }

    impl Publisher {
        fn new(subjects: u64) -> Self {
            let now = Instant::parse("2026-11-20T12:00:30Z").unwrap();
            let options =
                generate::Facts { subjects: 0, seed: 1, at: now, grant_ids: GrantIds::Ulid };
            let features = generate::facts(options).unwrap();
            let publisher = Self {
                root: tempfile::tempdir().unwrap(),
                features: features.map(|fact| serde_json::to_string(&fact).unwrap()).collect(),
                subjects: (1..=subjects).map(subject).collect(),
                now,
                page_bits: None,
            };
            publisher.folder().make().unwrap();
            publisher
        }

        fn folder(&self) -> Folder {
            Folder::new(self.root.path().join("out"))
        }

        fn facts(&self) -> PathBuf {
            let lines: Vec<&str> =
                self.features.iter().chain(&self.subjects).map(String::as_str).collect();
            let path = self.root.path().join("facts");
            std::fs::write(&path, lines.join("\n")).unwrap();
            path
        }

        /// Publishes, compares all with what is encoded at once, and says how many pages there are
        /// and how many were there before.
        fn publish(&mut self) -> (usize, usize) {
            let (files, folder, progress) = ([self.facts()], self.folder(), Progress::default());
            let gathered = gather(&files, self.now, SEED, self.root.path(), &progress).unwrap();
            let usage_as_of = gathered.usage_as_of(self.now);
            let settings = Settings { seed: SEED, usage_as_of, previous_page_bits: self.page_bits };
            let features = gathered.packer.features();
            let kept = Kept::load(&folder, &settings, features, self.page_bits.unwrap_or(0));
            let body = Body::encode(&gathered, &settings, &folder, &progress).unwrap();
            let whole = self.whole(&settings, features);
            let read = |(name, read): (Digest, _)| -> Part {
                let read: &dyn Fn() -> Result<Vec<u8>, Failure> = &read;
                Part { digest: name, bytes: read().unwrap() }
            };
            assert!(body.named().map(read).eq(whole));
            let made_from = body.made_from().iter().zip(0..);
            let found = made_from.filter(|(from, at)| kept.page(&folder, *at, from).is_some());
            let found = found.count();
            body.write(&folder, &progress).unwrap();
            self.page_bits = Some(body.page_bits);
            (1 << body.page_bits, found)
        }

        /// All parts, encoded from nothing.
        fn whole(&self, settings: &Settings, features: &[FeatureRecord]) -> Vec<Part> {
            let input = std::io::BufReader::new(std::fs::File::open(self.facts()).unwrap());
            let mut checker = Checker::default();
            let entries = Facts::new(input, self.now, &mut checker).map(Result::unwrap);
            let subjects = entries.filter_map(|entry| match entry {
                Entry::Subject(subject) => Some(subject),
                Entry::Feature(_) => None,
            });
            let encoded = encode(settings, features, subjects.collect()).unwrap();
            encoded.parts().cloned().collect()
        }
    }

    #[test]
    fn what_was_kept_is_what_would_be_encoded_whatever_changes() {
        let (mut publisher, mut dice) = (Publisher::new(150), Rng::with_seed(3));
        let (pages, found) = publisher.publish();
        assert!(pages >= 4 && found == 0);
        let mut reused = 0;
        for step in 0..60_u64 {
            let subjects = &mut publisher.subjects;
            let one = dice.usize(0..subjects.len());
            match dice.u8(0..12) {
                0 => {
                    subjects[one] =
                        subjects[one].replace("{\"subject", "{\"aliases\":[],\"subject");
                }
                1 => _ = subjects.swap_remove(one),
                2 => subjects.push(subject(1_000 + step)),
                3 => dice.shuffle(subjects),
                4 => {
                    let named = format!("{{\"aliases\":[\"alias-{step}\"],\"subject");
                    if !subjects[one].contains("aliases") {
                        subjects[one] = subjects[one].replace("{\"subject", &named);
                    }
                }
                5 => {
                    let suspended = "{\"status\":\"suspended\",\"subject";
                    if !subjects[one].contains("status") {
                        subjects[one] = subjects[one].replace("{\"subject", suspended);
                    }
                }
                6 => publisher.now = publisher.now.plus_millis(dice.i64(0..86_400_000)),
                7 => publisher.now = publisher.now.plus_millis(dice.i64(0..60_000)),
                8 => {
                    let line = publisher.features.last_mut().unwrap();
                    let closed = ",\"whenExpired\":\"closed\"}";
                    *line = match line.strip_suffix(closed) {
                        Some(open) => format!("{open}}}"),
                        None => line.trim_end_matches('}').to_owned() + closed,
                    };
                }
                9 => publisher.features.rotate_left(1),
                10 => {
                    let parts = std::fs::read_dir(publisher.folder().parts()).unwrap();
                    let part = parts.map(|part| part.unwrap().path()).nth(dice.usize(0..4));
                    std::fs::write(part.unwrap(), b"damaged").unwrap();
                }
                _ => {
                    let remembered = publisher.folder().made_from();
                    let mut bytes = std::fs::read(&remembered).unwrap();
                    let at = dice.usize(0..bytes.len());
                    bytes[at] ^= 1 << dice.u8(0..8);
                    bytes.truncate(bytes.len() - dice.usize(0..2) * dice.usize(0..200));
                    std::fs::write(&remembered, bytes).unwrap();
                }
            }
            reused += publisher.publish().1;
        }
        assert!(reused > 60, "{reused} pages were taken over");
    }

    #[test]
    fn only_what_changed_is_encoded() {
        let mut publisher = Publisher::new(150);
        let (pages, _) = publisher.publish();
        assert_eq!(publisher.publish(), (pages, pages));
        // Nothing begins or ends within this minute, whatever is known until then.
        publisher.now = publisher.now.plus_millis(1_000);
        assert_eq!(publisher.publish(), (pages, pages));
        publisher.subjects.reverse();
        assert_eq!(publisher.publish(), (pages, pages));
        let one = publisher.subjects.last_mut().unwrap();
        *one = one.replace("{\"subject", "{\"status\":\"suspended\",\"subject");
        assert_eq!(publisher.publish(), (pages, pages - 1));
        std::fs::remove_file(publisher.folder().made_from()).unwrap();
        assert_eq!(publisher.publish(), (pages, 0));
    }
}
