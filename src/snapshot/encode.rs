//! From compiled subjects to the parts of a body.

use super::body::{before_pages, pack_length, write_pack};
use super::catalogue::{self, Counts};
use super::hash::{Seed, digest};
use super::layout::{PAGE_BITS_MAX, PAGE_BYTES_CHOSEN, PAGE_BYTES_KEPT, SUBJECT_BYTES_MIN};
use super::packed::{BUCKETS, Packer, Unit, units};
use super::pages::{PageWriter, Unwritten};
use super::tree::{self, Levels};
use super::{Digest, FeatureRecord, Roots, SubjectRecord, refusal};
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
    let mut packer = Packer::new(settings.seed);
    features.iter().try_for_each(|feature| packer.declare(feature))?;
    let (packed, counts) = pack(&packer, &subjects)?;
    drop(subjects);
    let write = |page_bits, buckets| {
        let writer = PageWriter::new(settings, features, page_bits)?;
        let mut pages = Vec::new();
        for Unit { buckets, pages: range } in units(page_bits, buckets) {
            let packed = packed.get(buckets).unwrap_or_default().concat();
            match writer.write(range, &packed) {
                Err(Unwritten::Full) => return Ok(None),
                written => pages.extend(written?),
            }
        }
        let bytes = pages.iter().map(|page| page.bytes.len() as u64).sum();
        Ok::<_, Error>(Some((pages, bytes)))
    };
    let (page_bits, pages, bytes) = fit(settings, counts.subjects, write)?;
    let names = pages.iter().map(|page| page.digest).collect();
    let Above { catalogue, nodes, roots } =
        Above::of(settings, features, page_bits, counts, names, bytes)?;
    Ok(Encoded { catalogue, nodes, pages, page_bits, roots, counts })
}

/// All subjects and aliases as they wait in buckets, and how many there are.
fn pack(packer: &Packer, subjects: &[SubjectRecord]) -> Result<(Vec<Vec<u8>>, Counts), Error> {
    let mut buckets = vec![Vec::new(); BUCKETS];
    let mut out = Vec::new();
    let mut put = |id: &str, packed: &mut Vec<u8>| {
        let bucket: Option<&mut Vec<u8>> = buckets.get_mut(packer.bucket(id));
        bucket.into_iter().for_each(|bucket| bucket.append(packed));
    };
    let mut counts = Counts::default();
    for SubjectRecord { id, aliases, entitlements } in subjects {
        let packed = entitlements.iter().map(|given| packer.entitlement(given));
        let packed = packed.collect::<Result<Vec<_>, _>>()?;
        packer.subject(&mut out, 0, id, &mut packed.iter().collect::<Vec<_>>())?;
        put(id, &mut out);
        for alias in aliases {
            packer.alias(&mut out, 0, alias, id)?;
            put(alias, &mut out);
        }
        counts += Counts {
            subjects: 1,
            aliases: aliases.len() as u64,
            entitlements: entitlements.len() as u64,
        };
    }
    Ok((buckets, counts))
}

/// Writes as many pages as fit best, and gives what was written last, with the page bits and the
/// bytes of all pages. `write` writes the pages for page bits that lie within the first of so many
/// [`BUCKETS`](super::BUCKETS), and says how many bytes they take, or nothing where one of them
/// would be too long.
///
/// Without a number of pages that was published or that still may be right, a few buckets are
/// written to find one, so that the others are written once.
///
/// # Errors
/// What `write` refuses, and `snapshot-limit` when not even the most pages are enough.
pub fn fit<P, E: From<Error>>(
    settings: &Settings,
    subjects: u64,
    mut write: impl FnMut(u8, usize) -> Result<Option<(P, u64)>, E>,
) -> Result<(u8, P, u64), E> {
    let published = settings.previous_page_bits.filter(|bits| may_stay(*bits, subjects));
    let guess = first_guess(subjects);
    let known = published.or_else(|| sampled(guess, &mut write));
    let mut fitting = |bits: u8| {
        for page_bits in bits..=PAGE_BITS_MAX {
            if let Some((pages, bytes)) = write(page_bits, BUCKETS)? {
                return Ok((page_bits, pages, bytes));
            }
        }
        Err(E::from(refusal::LIMIT))
    };
    let (page_bits, pages, bytes) = fitting(known.unwrap_or(guess))?;
    let better = better_page_bits(page_bits, bytes, known.is_some());
    if better == page_bits { Ok((page_bits, pages, bytes)) } else { fitting(better) }
}

/// How many buckets say how long the pages of all will be, where subjects are many.
const SAMPLED: usize = BUCKETS / 16;

/// The page bits that the pages of some buckets ask for. Few subjects are written as a whole, and
/// so are those with which something is wrong: only all together tell what is to be said of it.
fn sampled<P, E>(
    guess: u8,
    write: &mut impl FnMut(u8, usize) -> Result<Option<(P, u64)>, E>,
) -> Option<u8> {
    let first = Some(guess).filter(|bits| 1 << *bits > BUCKETS)?;
    for page_bits in first..=PAGE_BITS_MAX {
        if let Some((_, bytes)) = write(page_bits, SAMPLED).ok()? {
            return Some(page_bits_for(bytes * (BUCKETS / SAMPLED) as u64));
        }
    }
    None
}

/// Whether so many pages may still have an acceptable mean: no subject takes less than a few bytes.
fn may_stay(page_bits: u8, subjects: u64) -> bool {
    (subjects * SUBJECT_BYTES_MIN) >> page_bits <= *PAGE_BYTES_KEPT.end()
}

/// What stands above the pages of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Above {
    /// The catalogue.
    pub catalogue: Part,
    /// The nodes from the root downwards, each level in order.
    pub nodes: Vec<Part>,
    /// What the head has to name.
    pub roots: Roots,
}

impl Above {
    /// Names pages, which take so many bytes and hold so many things.
    ///
    /// # Errors
    /// As [`encode`].
    pub fn of(
        settings: &Settings,
        features: &[FeatureRecord],
        page_bits: u8,
        counts: Counts,
        pages: Vec<Digest>,
        page_bytes: u64,
    ) -> Result<Self, Error> {
        let seed = Seed::new(settings.seed);
        let catalogue = catalogue::write(&seed, page_bits, counts, features)?;
        let pack_length = pack_length(catalogue.len(), page_bits, 0) as u64 + page_bytes;
        let catalogue = Part { digest: digest(&[&catalogue]), bytes: catalogue };
        let first = pages.first().copied();
        let nodes = nodes(page_bits, pages);
        let root = nodes.first().map(|node| node.digest).or(first);
        let root = root.unwrap_or_else(|| digest(&[]));
        let roots = Roots { root, catalogue: catalogue.digest, pack_length };
        Ok(Self { catalogue, nodes, roots })
    }

    /// What the pack begins with, before pages of such lengths.
    #[must_use]
    pub fn before_pages(&self, pages: impl Iterator<Item = usize>) -> Vec<u8> {
        let nodes = self.nodes.iter().map(|node| node.bytes.as_slice());
        before_pages(&self.catalogue.bytes, nodes, pages)
    }
}

/// A number of pages to begin with, from what a subject usually takes.
fn first_guess(subjects: u64) -> u8 {
    page_bits_for(subjects * 64)
}

/// The number of pages that fits best; one that was known stays while its mean is acceptable.
fn better_page_bits(page_bits: u8, bytes: u64, known: bool) -> u8 {
    if known && PAGE_BYTES_KEPT.contains(&(bytes >> page_bits)) {
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
