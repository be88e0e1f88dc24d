//! From compiled subjects to the parts of a body.

use std::collections::{BTreeSet, HashMap};

use super::body::{pack_length, write_pack};
use super::catalogue::{self, Catalogue, Counts, Feature};
use super::hash::{Seed, digest, page_of};
use super::layout::{
    KEY_BYTES_MAX, PAGE_BITS_MAX, PAGE_BYTES_CHOSEN, PAGE_BYTES_KEPT, UNIT_BYTES_MAX,
};
use super::page_write::{self, Item};
use super::row::{Row, check_subject};
use super::tree::{self, Levels};
use super::{Digest, FeatureRecord, Roots, SubjectRecord, refusal, validate};
use crate::error::Error;
use crate::time::Instant;

/// What a publisher keeps from one snapshot to the next.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Secret of the tenant: places subjects in pages and salts digests. The publisher draws it
    /// once and keeps it; a new one changes every page.
    pub seed: [u8; 32],
    /// The `usageAsOf` that the head will carry. Programs with this very instant cost no bytes for
    /// it and do not change when only this instant moves.
    pub usage_as_of: Instant,
    /// The page bits of the snapshot before, so that their number changes only when it has to.
    pub previous_page_bits: Option<u8>,
}

/// A part of a body, which is stored under its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name, to which its parent commits.
    pub digest: Digest,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A whole body in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The catalogue.
    pub catalogue: Part,
    /// From the root downwards, each level in order.
    pub nodes: Vec<Part>,
    /// In order of their place; there are `1 << page_bits`.
    pub pages: Vec<Part>,
    /// The binary logarithm of the number of pages.
    pub page_bits: u8,
    /// What the head has to name.
    pub roots: Roots,
    /// How many things were encoded.
    pub counts: Counts,
}

impl Encoded {
    /// All parts in one file, for roots that have one.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        write_pack(
            &self.catalogue.bytes,
            self.nodes.iter().map(|part| part.bytes.as_slice()),
            self.pages.iter().map(|part| part.bytes.as_slice()),
        )
    }
}

/// Encodes a body. The same input gives the same bytes, in whatever order the subjects come.
///
/// # Errors
/// A code for each kind of input that must not be published: duplicates, undeclared features,
/// texts, amounts or instants out of range, and limits that are exceeded.
///
/// ```
/// use edgegrant::engine::program::{Program, Rule};
/// use edgegrant::snapshot::{
///     Body, EntitlementRecord, FeatureRecord, Settings, SubjectRecord, WhenExpired, encode,
/// };
/// use edgegrant::time::Instant;
///
/// let usage_as_of = Instant::parse("2026-01-01T00:00:00Z")?;
/// let settings = Settings { seed: [7; 32], usage_as_of, previous_page_bits: None };
/// let sso = FeatureRecord {
///     key: "sso".to_owned(),
///     unit: None,
///     when_expired: WhenExpired::LastKnown,
/// };
/// let program = Program {
///     suspended: false,
///     active_from: None,
///     active_to: None,
///     grace_until: None,
///     rule: Rule::Boolean,
/// };
/// let acme = SubjectRecord {
///     id: "acme".to_owned(),
///     aliases: vec!["ACME Inc.".to_owned()],
///     entitlements: vec![EntitlementRecord {
///         feature: "sso".to_owned(),
///         program: program.clone(),
///         config: None,
///         grant_ids: vec![],
///         steady: None,
///     }],
/// };
/// let encoded = encode(&settings, &[sso], vec![acme])?;
///
/// let body = Body::open(encoded.pack(), &encoded.roots, usage_as_of)?;
/// let feature = body.catalogue().feature("sso").unwrap();
/// let subject = body.subject("ACME Inc.")?.unwrap();
/// assert_eq!(subject.id(), "acme");
/// assert_eq!(subject.entry(&feature).unwrap().program()?, program);
/// # Ok::<(), edgegrant::Error>(())
/// ```
pub fn encode(
    settings: &Settings,
    features: &[FeatureRecord],
    subjects: Vec<SubjectRecord>,
) -> Result<Encoded, Error> {
    let encoder = Encoder::new(settings, features)?;
    check_ids(&subjects)?;
    let page_bits = settings.previous_page_bits.unwrap_or_else(|| first_guess(&subjects));
    if page_bits > PAGE_BITS_MAX {
        return Err(refusal::LIMIT);
    }
    let (mut page_bits, mut pages) = encoder.fitting_pages(page_bits, &subjects)?;
    let better = better_page_bits(page_bits, &pages, settings.previous_page_bits.is_some());
    if better != page_bits {
        (page_bits, pages) = encoder.fitting_pages(better, &subjects)?;
    }
    let counts = Counts {
        subjects: subjects.len() as u64,
        aliases: subjects.iter().map(|subject| subject.aliases.len() as u64).sum(),
        entitlements: subjects.iter().map(|subject| subject.entitlements.len() as u64).sum(),
    };
    let catalogue = catalogue::write(&encoder.seed, page_bits, counts, features)?;
    let length = pages.iter().map(|part| part.bytes.len()).sum();
    let length = pack_length(catalogue.len(), page_bits, length);
    // What a reader would refuse is not published.
    let read = Catalogue::open(&catalogue)?;
    for (page, index) in pages.iter().zip(0..) {
        validate::page(&page.bytes, index, &read, settings.usage_as_of)?;
    }
    let catalogue = Part { digest: digest(&[&catalogue]), bytes: catalogue };
    let nodes = nodes(page_bits, pages.iter().map(|page| page.digest).collect());
    let root = nodes.first().or(pages.first()).map_or(digest(&[]), |root| root.digest);
    let roots = Roots { root, catalogue: catalogue.digest, pack_length: length as u64 };
    Ok(Encoded { catalogue, nodes, pages, page_bits, roots, counts })
}

struct Encoder<'a> {
    seed: Seed,
    usage_as_of: Instant,
    features: HashMap<&'a str, Feature<'a>>,
}

impl<'a> Encoder<'a> {
    fn new(settings: &Settings, features: &'a [FeatureRecord]) -> Result<Self, Error> {
        let seed = Seed::new(settings.seed);
        let mut known = HashMap::with_capacity(features.len());
        for feature in features {
            let key = feature.key.as_str();
            let unit = feature.unit.as_deref();
            let fits = (1..=KEY_BYTES_MAX).contains(&key.len());
            if !fits || unit.is_some_and(|unit| !(1..=UNIT_BYTES_MAX).contains(&unit.len())) {
                return Err(refusal::FEATURE_KEY);
            }
            let feature = Feature::of(seed.place(key), feature);
            if known.insert(key, feature).is_some() {
                return Err(refusal::DUPLICATE_FEATURE);
            }
        }
        Ok(Self { seed, usage_as_of: settings.usage_as_of, features: known })
    }

    /// The pages of as many bits as asked for, or of as many more as it takes for each to fit.
    fn fitting_pages(
        &self,
        mut page_bits: u8,
        subjects: &[SubjectRecord],
    ) -> Result<(u8, Vec<Part>), Error> {
        loop {
            match self.pages(page_bits, subjects) {
                Err(refused) if refused == refusal::LIMIT && page_bits < PAGE_BITS_MAX => {
                    page_bits += 1;
                }
                pages => return pages.map(|pages| (page_bits, pages)),
            }
        }
    }

    fn pages(&self, page_bits: u8, subjects: &[SubjectRecord]) -> Result<Vec<Part>, Error> {
        let mut buckets: Vec<Vec<Key<'_>>> = vec![Vec::new(); 1 << page_bits];
        let mut place = |id: &str, key| {
            let page = page_of(self.seed.place(id), page_bits) as usize;
            if let Some(bucket) = buckets.get_mut(page) {
                bucket.push(key);
            }
        };
        for subject in subjects {
            place(&subject.id, Key::Subject(subject));
            for alias in &subject.aliases {
                place(alias, Key::Alias(alias, &subject.id));
            }
        }
        let page = |(bucket, index): (Vec<Key<'_>>, u32)| {
            let items = bucket.iter().map(|key| self.item(key)).collect::<Result<Vec<_>, _>>()?;
            let (digest, bytes) = page_write::write(&self.seed, page_bits, index, items)?;
            Ok(Part { digest, bytes })
        };
        buckets.into_iter().zip(0..).map(page).collect()
    }

    fn item<'b>(&'b self, key: &Key<'b>) -> Result<Item<'b>, Error> {
        let subject = match *key {
            Key::Alias(id, target) => return Ok(Item::Alias { id, target }),
            Key::Subject(subject) => subject,
        };
        let entitlements = &subject.entitlements;
        check_subject(&subject.id, entitlements.len())?;
        let mut rows = Vec::with_capacity(entitlements.len());
        let mut seen = BTreeSet::new();
        for entitlement in entitlements {
            let feature = self.features.get(entitlement.feature.as_str());
            let feature = *feature.ok_or(refusal::UNDECLARED_FEATURE)?;
            if !seen.insert(feature.place) {
                return Err(refusal::DUPLICATE_FEATURE);
            }
            rows.push(Row::new(feature, entitlement, self.usage_as_of)?);
        }
        rows.sort_unstable_by_key(|row| row.feature.place);
        Ok(Item::Subject { id: &subject.id, rows })
    }
}

/// What falls into a page.
#[derive(Clone, Copy)]
enum Key<'a> {
    Subject(&'a SubjectRecord),
    Alias(&'a str, &'a str),
}

fn check_ids(subjects: &[SubjectRecord]) -> Result<(), Error> {
    let mut ids: Vec<&String> =
        subjects.iter().flat_map(|subject| subject.aliases.iter().chain([&subject.id])).collect();
    ids.iter().try_for_each(|id| check_subject(id, 0))?;
    ids.sort_unstable();
    let twice = ids.windows(2).any(|pair| matches!(pair, [one, other] if one == other));
    if twice { Err(refusal::DUPLICATE_ID) } else { Ok(()) }
}

/// A number of pages to begin with, from what a subject usually takes.
fn first_guess(subjects: &[SubjectRecord]) -> u8 {
    page_bits_for(subjects.len() as u64 * 64)
}

/// The number of pages that fits best; one that was published stays while its mean is acceptable.
fn better_page_bits(page_bits: u8, pages: &[Part], published: bool) -> u8 {
    let bytes: u64 = pages.iter().map(|page| page.bytes.len() as u64).sum();
    if published && PAGE_BYTES_KEPT.contains(&(bytes >> page_bits)) {
        return page_bits;
    }
    page_bits_for(bytes)
}

/// The fewest pages with which the mean is small enough; it is then more than half of that.
fn page_bits_for(bytes: u64) -> u8 {
    let fits = |bits: &u8| bytes >> bits <= PAGE_BYTES_CHOSEN;
    (0..PAGE_BITS_MAX).find(fits).unwrap_or(PAGE_BITS_MAX)
}

/// The nodes over pages, the root first.
fn nodes(page_bits: u8, pages: Vec<Digest>) -> Vec<Part> {
    let levels = Levels::new(page_bits);
    let mut below = pages;
    let mut from_below: Vec<Vec<Part>> = Vec::new();
    for level in (0..levels.levels()).rev() {
        let node = |entries: &[Digest]| Part {
            digest: tree::root(entries.to_vec()),
            bytes: entries.iter().flat_map(|entry| entry.0).collect(),
        };
        let parts: Vec<Part> = below.chunks(1 << levels.entry_bits(level)).map(node).collect();
        below = parts.iter().map(|part| part.digest).collect();
        from_below.push(parts);
    }
    from_below.into_iter().rev().flatten().collect()
}
