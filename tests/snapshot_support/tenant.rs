//! A tenant whose bodies are written by hand, so that small ones may have any number of pages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use edgegrant::snapshot::{Digest, Roots};

use super::SEED;
use super::assemble::{Parts, catalogue, place, text};
use super::crafted::{BOOLEAN, alias, grant};
use super::independent::{nodes, pack, page_digest, sha, tree};
use super::patches;
use super::random::Random;

pub const FEATURES: usize = 5;
const SUBJECTS: usize = 24;
const ALIASES: usize = 10;
const PAGE_BITS: [u8; 7] = [0, 0, 1, 3, 8, 9, 9];

/// What a subject may do with a feature.
#[derive(Clone, Copy)]
enum Entitled {
    No,
    Boolean,
    Static(u8),
    Metered { granted: u8, used: u8 },
}

/// What is published, as it stands.
pub struct Tenant {
    page_bits: u8,
    /// The policy of each feature that is declared.
    features: [Option<u8>; FEATURES],
    /// Whether a feature is left out of the catalogue that pages have.
    nonsense: bool,
    subjects: Vec<Option<[Entitled; FEATURES]>>,
    aliases: Vec<Option<usize>>,
}

/// A body in parts and in one file.
pub struct Made {
    pub roots: Roots,
    pub page_bits: u8,
    /// The catalogue, the nodes from the root downwards, the pages.
    pub parts: Vec<(Digest, Vec<u8>)>,
    pub pack: Vec<u8>,
    /// Whether no page makes sense that has a certain feature.
    pub nonsense: bool,
}

pub fn feature(number: usize) -> String {
    format!("feature-{number}")
}

/// Subjects, aliases and names that nobody has.
pub fn names() -> Vec<String> {
    let subjects = (0..SUBJECTS).map(subject);
    subjects.chain((0..ALIASES).map(alias_of)).chain(["nobody".to_owned()]).collect()
}

fn subject(number: usize) -> String {
    format!("subject-{number}")
}

fn alias_of(number: usize) -> String {
    format!("alias-{number}")
}

/// A name that nobody has for each page.
pub fn probes(page_bits: u8) -> &'static [String] {
    static PROBES: [OnceLock<Vec<String>>; 10] = [const { OnceLock::new() }; 10];
    PROBES[usize::from(page_bits)].get_or_init(|| probes_of(page_bits))
}

fn probes_of(page_bits: u8) -> Vec<String> {
    let mut probes = vec![String::new(); 1 << page_bits];
    let mut left = probes.len();
    for name in (0..).map(|number| format!("probe-{number}")) {
        let probe = &mut probes[page_of(&name, page_bits)];
        if probe.is_empty() {
            *probe = name;
            left -= 1;
        }
        if left == 0 {
            break;
        }
    }
    probes
}

fn page_of(name: &str, page_bits: u8) -> usize {
    place(&SEED, name.as_bytes()).checked_shr(64 - u32::from(page_bits)).unwrap_or(0) as usize
}

impl Tenant {
    pub fn new(random: &mut Random) -> Self {
        let mut tenant = Self {
            page_bits: PAGE_BITS[random.below(7) as usize],
            features: [Some(0); FEATURES],
            nonsense: false,
            subjects: vec![None; SUBJECTS],
            aliases: vec![None; ALIASES],
        };
        (0..40).for_each(|_| tenant.change(random));
        tenant
    }

    /// Leaves a feature out of the catalogue that pages have, until the next change.
    pub fn undeclare(&mut self) {
        self.nonsense = self.features[0].is_some();
    }

    /// Changes one thing or nothing.
    pub fn change(&mut self, random: &mut Random) {
        self.nonsense = false;
        let number = random.below(SUBJECTS as u64) as usize;
        match random.below(100) {
            0..10 => self.subjects[number] = None,
            10..65 => {
                let entitled = [(); FEATURES].map(|()| entitled(random));
                self.subjects[number] = Some(entitled);
            }
            65..80 => {
                let alias = random.below(ALIASES as u64) as usize;
                self.aliases[alias] = random.chance(70).then_some(number);
            }
            80..90 => {
                let policy = random.chance(80).then(|| random.below(3) as u8);
                self.features[number % FEATURES] = policy;
            }
            90..94 => self.page_bits = PAGE_BITS[random.below(7) as usize],
            _ => {}
        }
    }

    pub fn body(&self) -> Made {
        let pages: Vec<Vec<u8>> = (0..1 << self.page_bits).map(|index| self.page(index)).collect();
        let digests: Vec<[u8; 32]> = pages.iter().map(|page| page_digest(page)).collect();
        let catalogue = self.catalogue();
        let (file, roots) = pack(&catalogue, &pages);
        let named = |node: Vec<u8>| (Digest(tree(node.as_chunks().0)), node);
        let mut parts = vec![(Digest(sha(&[&catalogue])), catalogue)];
        parts.extend(nodes(&digests).into_iter().map(named));
        parts.extend(digests.into_iter().map(Digest).zip(pages));
        let nonsense = self.nonsense;
        Made { roots, page_bits: self.page_bits, parts, pack: file, nonsense }
    }

    fn catalogue(&self) -> Vec<u8> {
        let declared = self.features.iter().enumerate().skip(usize::from(self.nonsense));
        let policies: BTreeMap<u64, Vec<u8>> = declared
            .filter_map(|(number, policy)| {
                let key = feature(number);
                Some((
                    place(&SEED, key.as_bytes()),
                    [&[(*policy)?], &*text(key.as_bytes())].concat(),
                ))
            })
            .collect();
        let mut items = Vec::new();
        let row = |(place, item): (&u64, &Vec<u8>)| {
            items.extend_from_slice(item);
            (*place, items.len() as u32)
        };
        let rows: Vec<(u64, u32)> = policies.iter().map(row).collect();
        let mut bytes = catalogue(&SEED, self.page_bits, &rows, &items);
        let subjects = self.subjects.iter().flatten().count() as u64;
        bytes[40..48].copy_from_slice(&subjects.to_le_bytes());
        bytes
    }

    fn page(&self, index: u32) -> Vec<u8> {
        let here = |name: &str| page_of(name, self.page_bits) == index as usize;
        let mut lists = Lists::default();
        let places: BTreeMap<u64, usize> = (0..FEATURES)
            .filter(|number| self.features[*number].is_some())
            .map(|number| (place(&SEED, feature(number).as_bytes()), number))
            .collect();
        for (number, entitled) in self.subjects.iter().enumerate() {
            let id = subject(number);
            if let Some(entitled) = entitled.filter(|_| here(&id)) {
                lists.subject(&id, places.values().map(|number| entitled[*number]));
            }
        }
        for (number, target) in self.aliases.iter().enumerate() {
            let id = alias_of(number);
            if let Some(target) = target.filter(|_| here(&id)) {
                lists.records.push(alias(id.as_bytes(), subject(target).as_bytes()));
            }
        }
        // All that are declared, wherever anybody is entitled to anything.
        let used = lists.plans.iter().any(|plan| !plan.is_empty());
        let features = if used { places.into_keys().collect() } else { Vec::new() };
        lists.page(features, self.page_bits, index)
    }
}

#[derive(Default)]
struct Lists {
    configs: Vec<Vec<u8>>,
    shapes: Vec<Vec<u8>>,
    plans: Vec<Vec<u8>>,
    records: Vec<Vec<u8>>,
}

impl Lists {
    /// A subject with a plan of its own, and in it shapes of its own.
    fn subject(&mut self, id: &str, entitled: impl Iterator<Item = Entitled>) {
        let mut plan = Vec::new();
        for (feature, entitled) in entitled.enumerate() {
            let shape = match entitled {
                Entitled::No => continue,
                Entitled::Boolean => BOOLEAN.to_vec(),
                Entitled::Static(level) => {
                    self.configs.push(format!("{{\"level\":{level}}}").into_bytes());
                    vec![self.configs.len() as u8, 1]
                }
                Entitled::Metered { granted, used } => {
                    let front = [0, 2, 32, 8 * used, 0, 0, 0, 0, 0, 1, 0, 0, 1];
                    [front.as_slice(), &grant(granted)].concat()
                }
            };
            plan.extend_from_slice(&(feature as u16).to_le_bytes());
            plan.extend_from_slice(&(self.shapes.len() as u16).to_le_bytes());
            self.shapes.push(shape);
        }
        let marks = vec![0; (plan.len() / 4).div_ceil(8)];
        self.plans.push(plan);
        self.records.push([&*text(id.as_bytes()), &[self.plans.len() as u8], &marks].concat());
    }

    fn page(&self, features: Vec<u64>, page_bits: u8, index: u32) -> Vec<u8> {
        let [configs, shapes, plans, records] =
            [&self.configs, &self.shapes, &self.plans, &self.records]
                .map(|list| list.iter().map(Vec::as_slice).collect());
        Parts { features, configs, shapes, plans, records }.page(&SEED, page_bits, index)
    }
}

fn entitled(random: &mut Random) -> Entitled {
    match random.below(5) {
        0 => Entitled::No,
        1 => Entitled::Boolean,
        2 => Entitled::Static(random.below(4) as u8),
        _ => Entitled::Metered { granted: random.below(9) as u8, used: random.below(9) as u8 },
    }
}

/// What the second body has and the first has not, mostly in the order that a file should have; as
/// patches of the first where both have as many pages.
pub fn delta_file(from: &Made, to: &Made, random: &mut Random) -> Vec<u8> {
    let known: BTreeSet<_> = from.parts.iter().map(|part| part.0).collect();
    let patched = from.page_bits == to.page_bits && random.chance(80);
    let mut parts = Vec::new();
    for (place, (name, bytes)) in to.parts.iter().enumerate() {
        if known.contains(name) {
            continue;
        }
        let patch = patched.then(|| patches::patch(&from.parts[place].1, bytes));
        let patch = patch.filter(|_| random.chance(90));
        let is_patch = patch.is_some();
        parts.push(patches::told(&name.0, &patch.unwrap_or_else(|| bytes.clone()), is_patch));
    }
    if random.chance(20) {
        parts.reverse();
    }
    [patches::MAGIC, &parts.concat()].concat()
}
