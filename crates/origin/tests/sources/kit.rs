//! Answers of an API in files, the facts that come of them, and a gate over their snapshot.

use std::fs;
use std::path::{Path, PathBuf};

use edgegrant::gate::{self, Ask, Clock, Gate, Offer, Origin};
use edgegrant::model::{Entitlement, Fact, Feature, Subject};
use edgegrant::snapshot::Roots;
use edgegrant::trust::{Keyring, SecretKey};
use edgegrant::{Amount, Instant, Interval};
use edgegrant_origin::Failure;
use edgegrant_origin::folder::{self, Folder};
use edgegrant_origin::publish::{Options, Terms, publish};
use edgegrant_origin::sources::answers::{self, Answer};
use edgegrant_origin::sources::{Ends, Level, Notes};
use ring::rand::SystemRandom;
use serde_json::Value;
use tempfile::TempDir;

/// The instant of the worked answers.
pub(crate) const NOW: &str = "2026-11-20T00:00:00Z";

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

pub(crate) fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

/// Ends as the worked answers take them: not strict, without grace.
pub(crate) fn ends() -> Ends {
    Ends { at: at(NOW), strict: false, renewal_grace: 0 }
}

/// Bodies, each in a file of its own, as the importers read them.
pub(crate) fn answers_of(bodies: &[Value]) -> Vec<Answer> {
    let folder = tempfile::tempdir().unwrap();
    for (index, body) in bodies.iter().enumerate() {
        fs::write(folder.path().join(format!("{index:04}.json")), body.to_string()).unwrap();
    }
    answers::read(&[folder.path().to_owned()]).unwrap()
}

/// The code with which a body is refused before anybody looks what it is.
pub(crate) fn refused_when_read(body: &Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("answer.json"), body.to_string()).unwrap();
    answers::read(&[folder.path().to_owned()]).unwrap_err().code
}

/// Recorded answers; `None` where they are not beside the repository.
pub(crate) fn recorded(system: &str, files: &[&str]) -> Option<Result<Vec<Answer>, Failure>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/sources/fixtures");
    let folder = root.join(system);
    if !folder.is_dir() {
        eprintln!("skipped: no recorded answers beside the repository");
        return None;
    }
    let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(file)).collect();
    Some(answers::read(&paths))
}

/// What an import gave.
pub(crate) struct Imported {
    pub(crate) facts: Vec<Fact>,
    pub(crate) notes: Notes,
}

impl Imported {
    pub(crate) fn new<F: Iterator<Item = Fact>>(
        import: impl FnOnce(&mut Notes) -> Result<F, Failure>,
    ) -> Self {
        let mut notes = Notes::default();
        let facts = import(&mut notes).unwrap().collect();
        Self { facts, notes }
    }

    pub(crate) fn codes(&self) -> Vec<&str> {
        self.notes.all().iter().map(|note| note.code).collect()
    }

    pub(crate) fn errors(&self) -> Vec<&str> {
        let errors = self.notes.all().iter().filter(|note| note.level == Level::Error);
        errors.map(|note| note.code).collect()
    }

    pub(crate) fn feature(&self, key: &str) -> &Feature {
        let features = self.facts.iter().filter_map(|fact| match fact {
            Fact::Feature(feature) => Some(feature),
            Fact::Subject(_) => None,
        });
        features.into_iter().find(|feature| feature.feature == key).expect(key)
    }

    pub(crate) fn subjects(&self) -> Vec<&Subject> {
        let subjects = self.facts.iter().filter_map(|fact| match fact {
            Fact::Subject(subject) => Some(subject),
            Fact::Feature(_) => None,
        });
        subjects.collect()
    }

    pub(crate) fn subject(&self, id: &str) -> &Subject {
        self.subjects().into_iter().find(|subject| subject.subject == id).expect(id)
    }

    pub(crate) fn entitlement(&self, subject: &str, feature: &str) -> &Entitlement {
        let entitlements = &self.subject(subject).entitlements;
        entitlements.iter().find(|given| given.feature == feature).expect(feature)
    }

    /// Publishes the facts as of [`NOW`], and opens a gate over them.
    pub(crate) fn gate(&self) -> Opened {
        self.gate_at(NOW)
    }

    /// Publishes the facts at an instant, and opens a gate over them then.
    pub(crate) fn gate_at(&self, now: &str) -> Opened {
        assert_eq!(self.errors(), Vec::<&str>::new());
        Opened::new(&self.facts, at(now))
    }
}

/// A gate over published facts.
pub(crate) struct Opened {
    gate: Gate,
    now: Instant,
    _folder: TempDir,
}

impl Opened {
    fn new(facts: &[Fact], now: Instant) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("facts.ndjson");
        let lines = facts.iter().map(|fact| serde_json::to_string(fact).unwrap() + "\n");
        fs::write(&file, lines.collect::<String>()).unwrap();
        // What anybody can read signs for nobody.
        let seed: [u8; 32] = ring::rand::generate(&SystemRandom::new()).unwrap().expose();
        let key = SecretKey::from_seed(1, seed);
        let interval = |text| Interval::parse(text).unwrap();
        let terms = Terms {
            audience: "acme/test".into(),
            now,
            stale_after: interval("PT2M"),
            expires_after: interval("P1D"),
            dead_after: interval("P7D"),
        };
        let options = Options { facts: vec![file], terms, allow_shrink: false };
        let out = Folder::new(folder.path().join("out"));
        let keyring = Keyring::new(vec![key.trusted_key()], 1).unwrap();
        publish(&options, &[key], &out).unwrap();
        let mut gate = Gate::new(gate::Options::new("acme/test".into(), keyring.clone()));
        let head = fs::read(out.head()).unwrap();
        let offer = gate.offer(&head, Clock::At(now), Origin::Bytes).unwrap();
        let Offer::Body { .. } = offer else { panic!("no body is offered") };
        let head = edgegrant::trust::verify(&head, &keyring, "acme/test").unwrap();
        let roots: Roots = folder::roots(head.head());
        gate.accept(fs::read(out.pack(&roots)).unwrap()).unwrap();
        Self { gate, now, _folder: folder }
    }

    /// The answer at [`NOW`].
    pub(crate) fn check(&self, subject: &str, feature: &str) -> gate::Answer {
        self.ask(subject, feature, NOW, None, None)
    }

    /// The answer about so many more, or about a usage that the caller knows.
    pub(crate) fn ask(
        &self,
        subject: &str,
        feature: &str,
        when: &str,
        more: Option<&str>,
        used: Option<&str>,
    ) -> gate::Answer {
        let (amount, used) = (more.map(amount), used.map(amount));
        let clock = Clock::At(self.now);
        self.gate.check(&Ask { subject, feature, clock, at: Some(at(when)), amount, used })
    }

    /// What a subject uses beyond what it was granted at [`NOW`].
    pub(crate) fn violations(&self, subject: &str) -> Vec<gate::FoundEntitlement> {
        let subjects = Some(vec![subject.to_owned()]);
        let filter = gate::Filter { subjects, over: true, ..gate::Filter::default() };
        let (clock, at, limit) = (Clock::At(at(NOW)), Some(at(NOW)), gate::Listing::LIMIT);
        let listing = gate::Listing { clock, at, limit, after: None };
        self.gate.find(&filter, &listing).unwrap().items
    }

    /// Whether so many more of several features fit at [`NOW`].
    pub(crate) fn can_fit(&self, subject: &str, demand: &[(&str, &str)]) -> gate::Fit {
        let wanted = demand.iter().map(|(feature, more)| ((*feature).to_owned(), amount(more)));
        let wanted: Vec<_> = wanted.collect();
        let clock = Clock::At(at(NOW));
        let demand = gate::Demand { subject, wanted: &wanted, clock, at: Some(at(NOW)) };
        self.gate.can_fit(&demand).unwrap()
    }
}

/// Balance and overage as text, where they are known.
pub(crate) fn left_and_over(answer: &gate::Answer) -> [Option<String>; 2] {
    [answer.balance, answer.overage].map(|number| number.map(|number| number.to_string()))
}
