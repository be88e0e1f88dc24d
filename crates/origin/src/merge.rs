//! Facts of several sides as one.
//!
//! Subjects that share a name, be it id or alias, are one subject, known by the id that the first
//! side gives it. So a file by hand that lists aliases joins what two sources call differently.
//! What two sides say about the same thing must not differ: nobody could say who is right.

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;

use edgegrant::model::{Fact, Feature, Status, Subject};

use crate::facts::parse_line;
use crate::failure::Failure;

/// Facts while they are joined.
#[derive(Debug, Default)]
pub struct Merge {
    sides: Vec<String>,
    features: BTreeMap<String, (Feature, usize)>,
    subjects: Vec<Joined>,
    names: HashMap<String, usize>,
}

/// A subject, and who said what of it.
#[derive(Debug)]
struct Joined {
    subject: Subject,
    sides: Vec<usize>,
    /// The side of each feature that it is entitled to.
    entitled: HashMap<String, usize>,
}

impl Merge {
    /// Adds what a side says.
    ///
    /// # Errors
    /// A line that is no fact; `duplicate-subject` where the side names one subject twice;
    /// `conflict-feature`, `conflict-entitlement` and `conflict-subject` where it disagrees with a
    /// side before it, whose name is in the message.
    ///
    /// ```
    /// use edgegrant_origin::merge::Merge;
    ///
    /// let mut merge = Merge::default();
    /// merge.add("names", &b"{\"subject\":\"acme\",\"aliases\":[\"4711\"]}"[..])?;
    /// let of_4711 = "{\"feature\":\"sso\"}\n\
    ///     {\"subject\":\"4711\",\"entitlements\":[{\"feature\":\"sso\",\"type\":\"boolean\"}]}";
    /// merge.add("marketplace", of_4711.as_bytes())?;
    /// assert_eq!(merge.into_facts().count(), 2);
    /// # Ok::<(), edgegrant_origin::Failure>(())
    /// ```
    pub fn add(&mut self, side: &str, facts: impl BufRead) -> Result<(), Failure> {
        let index = self.sides.len();
        self.sides.push(side.to_owned());
        for (number, line) in facts.lines().enumerate() {
            let line =
                line.map_err(|error| Failure::bad_input("io", format!("{side}: {error}")))?;
            if line.trim().is_empty() {
                continue;
            }
            let fact = parse_line(line.as_bytes()).map_err(|problem| {
                let message = format!("{side}: line {}: {}", number + 1, problem.message);
                Failure::bad_input(problem.code, message)
            })?;
            match fact {
                Fact::Feature(feature) => self.add_feature(feature, index)?,
                Fact::Subject(subject) => self.add_subject(subject, index)?,
            }
        }
        Ok(())
    }

    /// All facts, features first and subjects by id.
    pub fn into_facts(self) -> impl Iterator<Item = Fact> {
        let mut subjects: Vec<Subject> =
            self.subjects.into_iter().map(|joined| joined.subject).collect();
        subjects.sort_by(|one, other| one.subject.cmp(&other.subject));
        let features = self.features.into_values().map(|(feature, _)| Fact::Feature(feature));
        features.chain(subjects.into_iter().map(Fact::Subject))
    }

    fn add_feature(&mut self, feature: Feature, side: usize) -> Result<(), Failure> {
        let Some((known, other)) = self.features.get_mut(&feature.feature) else {
            self.features.insert(feature.feature.clone(), (feature, side));
            return Ok(());
        };
        let other = *other;
        let agrees = other != side
            && agree(&mut known.unit, feature.unit)
            && agree(&mut known.when_expired, feature.when_expired);
        if !agrees {
            let what = format!("the feature {}", feature.feature);
            return Err(self.conflict("conflict-feature", &what, other, side));
        }
        known.attributes.extend(feature.attributes);
        known.records.extend(feature.records);
        Ok(())
    }

    fn add_subject(&mut self, subject: Subject, side: usize) -> Result<(), Failure> {
        let names = || std::iter::once(&subject.subject).chain(&subject.aliases);
        let mut known = names().filter_map(|name| self.names.get(name).copied());
        let Some(place) = known.next() else {
            let place = self.subjects.len();
            names().for_each(|name| _ = self.names.insert(name.clone(), place));
            let entitled = subject.entitlements.iter().map(|given| (given.feature.clone(), side));
            let entitled = entitled.collect();
            self.subjects.push(Joined { subject, sides: vec![side], entitled });
            return Ok(());
        };
        let is_one = known.all(|other| other == place);
        let Some(target) = self.subjects.get_mut(place) else { return Ok(()) };
        if target.sides.contains(&side) {
            let side = self.sides.get(side).map_or("", String::as_str);
            let message = format!("{side}: two subjects share a name; give each its own");
            return Err(Failure::bad_input("duplicate-subject", message));
        }
        if !is_one {
            let other = target.sides.first().copied().unwrap_or_default();
            return Err(self.conflict(
                "conflict-subject",
                "which names are one subject",
                other,
                side,
            ));
        }
        for entitlement in &subject.entitlements {
            if let Some(other) = target.entitled.insert(entitlement.feature.clone(), side) {
                let what = format!("a subject's {}", entitlement.feature);
                return Err(self.conflict("conflict-entitlement", &what, other, side));
            }
        }
        target.sides.push(side);
        for name in names() {
            if self.names.insert(name.clone(), place).is_none() {
                target.subject.aliases.push(name.clone());
            }
        }
        join(&mut target.subject, subject);
        Ok(())
    }

    fn conflict(&self, code: &str, what: &str, one: usize, other: usize) -> Failure {
        let name = |side: usize| self.sides.get(side).map_or("", String::as_str);
        let (one, other) = (name(one), name(other));
        let message = format!("{one} and {other} disagree about {what}; let one of them say it");
        Failure::bad_input(code, message)
    }
}

/// Whether two sides say the same, or one of them nothing.
fn agree<T: PartialEq>(known: &mut Option<T>, said: Option<T>) -> bool {
    match (&known, said) {
        (_, None) => true,
        (None, said) => {
            *known = said;
            true
        }
        (Some(known), Some(said)) => *known == said,
    }
}

/// What another side adds to a subject. Either may suspend it.
fn join(subject: &mut Subject, other: Subject) {
    if other.status == Status::Suspended {
        subject.status = Status::Suspended;
    }
    subject.attributes.extend(other.attributes);
    subject.entitlements.extend(other.entitlements);
    subject.records.extend(other.records);
    subject.source = subject.source.take().or(other.source);
}
