//! A folder to publish into, and what can be asked of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use edgegrant::snapshot::{Body, Catalogue, Digest, Tree, is_page};
use edgegrant::trust::{Keyring, SecretKey, VerifiedHead, verify};
use edgegrant::{Instant, Interval};
use edgegrant_origin::Failure;
use edgegrant_origin::disk::Disk;
use edgegrant_origin::folder::{self, Folder};
use edgegrant_origin::gc::{self, Freed, gc};
use edgegrant_origin::generate::{Facts, GrantIds, facts};
use edgegrant_origin::heads;
use edgegrant_origin::publish::{Options, Published, Terms, publish};
use ring::rand::SystemRandom;
use tempfile::TempDir;

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

/// A secret that nobody else has: what anybody can read signs for nobody.
static SEED: LazyLock<[u8; 32]> =
    LazyLock::new(|| ring::rand::generate(&SystemRandom::new()).unwrap().expose());

pub(crate) fn seed() -> [u8; 32] {
    *SEED
}

pub(crate) fn key() -> SecretKey {
    SecretKey::from_seed(1, seed())
}

fn interval(text: &str) -> Interval {
    Interval::parse(text).unwrap()
}

/// A folder to publish into, beside the facts.
pub(crate) struct Origin {
    root: TempDir,
}

impl Origin {
    pub(crate) fn new(facts: &str) -> Self {
        let origin = Self { root: tempfile::tempdir().unwrap() };
        origin.write(facts);
        origin
    }

    pub(crate) fn facts(&self) -> PathBuf {
        self.root.path().join("facts.ndjson")
    }

    pub(crate) fn write(&self, facts: &str) {
        fs::write(self.facts(), facts).unwrap();
    }

    pub(crate) fn folder(&self) -> Folder {
        Folder::new(self.root.path().join("out"))
    }

    pub(crate) fn folder_on(&self, disk: Arc<dyn Disk>) -> Folder {
        Folder::on(self.root.path().join("out"), disk)
    }

    pub(crate) fn terms(&self, now: &str) -> Terms {
        Terms {
            audience: "acme/test".into(),
            now: at(now),
            stale_after: interval("PT2M"),
            expires_after: interval("P1D"),
            dead_after: interval("P7D"),
        }
    }

    pub(crate) fn options(&self, now: &str) -> Options {
        Options { facts: vec![self.facts()], terms: self.terms(now), allow_shrink: false }
    }

    pub(crate) fn publish(&self, now: &str) -> Result<Published, Failure> {
        publish(&self.options(now), &[key()], &self.folder())
    }

    pub(crate) fn gc(&self, now: &str) -> Freed {
        let options = gc::Options { now: at(now), only_present: false, dry_run: false };
        gc(&options, &self.folder()).unwrap()
    }

    pub(crate) fn head_bytes(&self) -> Vec<u8> {
        fs::read(self.folder().head()).unwrap()
    }

    pub(crate) fn head(&self) -> VerifiedHead {
        verified(&self.head_bytes())
    }

    /// The body that a head names, out of its pack and verified to the last byte.
    pub(crate) fn body_of(&self, head: &VerifiedHead) -> Body {
        let roots = folder::roots(head.head());
        let pack = fs::read(self.folder().pack(&roots)).unwrap();
        let body = Body::open(pack, &roots, head.head().usage_as_of).unwrap();
        body.verify().unwrap();
        body
    }

    pub(crate) fn body(&self) -> Body {
        self.body_of(&self.head())
    }

    pub(crate) fn parts(&self) -> BTreeSet<String> {
        names(&self.folder().parts())
    }

    /// All files with their bytes, by their path within the folder.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        collect(self.folder().path(), self.folder().path(), &mut found);
        found
    }
}

fn collect(top: &Path, folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(top, &path, found);
        } else {
            let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read(&path).unwrap()));
        }
    }
}

pub(crate) fn verified(head: &[u8]) -> VerifiedHead {
    verify(head, &Keyring::new(vec![key().trusted_key()], 1).unwrap(), "acme/test").unwrap()
}

pub(crate) fn names(folder: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

pub(crate) fn generated(subjects: u64) -> String {
    let at = at("2026-11-20T12:00:00Z");
    let facts = facts(Facts { subjects, seed: 1, at, grant_ids: GrantIds::Derived }).unwrap();
    facts.map(|fact| serde_json::to_string(&fact).unwrap() + "\n").collect()
}

/// Few subjects that fill many pages.
pub(crate) fn bulky(subjects: usize) -> String {
    let subject = |number: usize| {
        let config = format!("{number:01500}");
        format!(
            "{{\"subject\":\"bulky-{number}\",\"entitlements\":[{{\"feature\":\"bulk\",\
             \"type\":\"static\",\"config\":\"{config}\"}}]}}\n"
        )
    };
    let subjects: String = (0..subjects).map(subject).collect();
    format!("{{\"feature\":\"bulk\"}}\n{subjects}")
}

/// What gates need, whichever head they hold.
impl Origin {
    /// The signed heads that the publisher remembers.
    pub(crate) fn kept(&self) -> Vec<VerifiedHead> {
        heads::kept(&self.folder()).unwrap().iter().map(|kept| verified(&kept.bytes)).collect()
    }

    /// Asserts that every head which gates may hold finds all it names, in one file and in parts.
    pub(crate) fn assert_whole(&self) {
        self.assert_present_whole();
        self.kept().iter().for_each(|head| self.assert_finds_all(head));
    }

    pub(crate) fn assert_present_whole(&self) {
        self.assert_finds_all(&self.head());
    }

    pub(crate) fn assert_finds_all(&self, head: &VerifiedHead) {
        self.body_of(head);
        self.named_by(head);
    }

    /// How many parts the remembered heads name.
    pub(crate) fn named_parts(&self) -> usize {
        let heads = self.kept().into_iter().chain([self.head()]);
        heads.flat_map(|head| self.named_by(&head)).collect::<BTreeSet<_>>().len()
    }

    /// The parts that a head reaches, each read and verified.
    fn named_by(&self, head: &VerifiedHead) -> Vec<Digest> {
        let roots = folder::roots(head.head());
        let read = |part: &Digest| fs::read(self.folder().part(part)).unwrap();
        let catalogue = Catalogue::named(&roots.catalogue, &read(&roots.catalogue)).unwrap();
        let tree = Tree::of(&catalogue);
        let mut found = vec![roots.catalogue];
        let mut names = vec![roots.root];
        for level in 0..tree.levels() {
            let children =
                |name: &Digest| tree.children(level, name, &read(name)).unwrap().into_iter();
            let below = names.iter().flat_map(children).collect();
            found.append(&mut names);
            names = below;
        }
        assert!(names.iter().all(|page| is_page(page, &read(page))));
        found.append(&mut names);
        found
    }

    /// The names of all files that are served or remembered.
    pub(crate) fn listing(&self) -> BTreeSet<String> {
        self.files().into_iter().map(|(name, _)| name).collect()
    }
}

impl Origin {
    /// What is served, without the head.
    pub(crate) fn served_but_the_head(&self) -> Vec<(String, SystemTime)> {
        let written = |name: &String| {
            fs::metadata(self.folder().path().join(name)).unwrap().modified().unwrap()
        };
        let served = self.listing().into_iter().filter(|name| name.starts_with("private/"));
        served.map(|name| (name.clone(), written(&name))).collect()
    }

    /// The name of a page of the present body.
    pub(crate) fn a_page(&self) -> Digest {
        *self.named_by(&self.head()).last().unwrap()
    }
}
