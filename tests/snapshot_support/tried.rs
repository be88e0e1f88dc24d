//! A gate that random things happen to, and what is known of it.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::OnceLock;

use edgegrant::Error;
use edgegrant::gate::{Ask, Clock, Gate, Offer, Origin, Reason, Wanted};
use edgegrant::snapshot::{Body, Digest, Roots, Stream};
use edgegrant::time::Instant;

use super::random::Random;
use super::remains::{self, nodes_of};
use super::signed::{HOUR, key, options};
use super::tenant::{FEATURES, Made, delta_file, feature, names, probes};
use super::{SEED, assemble, independent, usage_as_of};

/// A signed head and the body that it names.
#[derive(Clone)]
pub struct Published {
    pub version: u64,
    pub head: Vec<u8>,
    pub body: Rc<Made>,
    /// A gate that has nothing but this.
    opened: Rc<OnceCell<Gate>>,
}

/// A file on its way.
struct Download {
    stream: Stream,
    file: Vec<u8>,
    at: usize,
    /// Whether every part in it is what its name says.
    good: bool,
    /// The body that it has patches of, if it may have some.
    base: Option<Roots>,
}

/// A gate, what it has to be, and what is on its way to it.
pub struct Tried {
    gate: Gate,
    /// `None` for a gate that holds everything.
    resident_bytes_max: Option<usize>,
    present: Option<Published>,
    pending: Option<Published>,
    downloads: Vec<Download>,
    /// Whether bytes were taken unverified that may be bad.
    tainted: bool,
}

type Tries = Result<(), String>;

impl Tried {
    pub fn new(resident_bytes_max: Option<usize>) -> Self {
        let mut gate = Gate::new(options(&[key(1)], 1));
        resident_bytes_max.into_iter().for_each(|bytes| gate.hold_pages(bytes));
        let (present, pending) = (None, None);
        Self { gate, resident_bytes_max, present, pending, downloads: Vec::new(), tainted: false }
    }

    /// One thing that can happen.
    pub fn step(&mut self, history: &[Published], random: &mut Random) -> Tries {
        match random.below(100) {
            0..20 => {
                let back = if random.chance(70) { 0 } else { random.below(3) as usize };
                let offered = &history[history.len().saturating_sub(1 + back)];
                self.offer(offered, random.chance(5))?;
            }
            20..45 => self.supply(random)?,
            45..55 => self.begin_download(history, random),
            55..75 => self.feed(random)?,
            75..85 => self.swap()?,
            // What is left of a swap may wait, also beyond the next one.
            85..88 => drop(self.gate.settle()),
            _ => self.ask_for(history, random)?,
        }
        self.check(random)
    }

    /// Refreshes with nothing but good parts, whatever happened before.
    pub fn finish(&mut self, latest: &Published) -> Tries {
        self.offer(latest, false)?;
        let parts: BTreeMap<_, _> = latest.body.parts.iter().cloned().collect();
        for _ in 0..2_000 {
            let file = match self.gate.wanted(false) {
                _ if self.pending.is_none() => return self.check_all(),
                Wanted::Nothing => {
                    self.swap()?;
                    continue;
                }
                Wanted::Parts(names) => {
                    for name in names {
                        let bytes = parts.get(&name).ok_or("a part of another body is wanted")?;
                        self.gate.supply(name, bytes).map_err(|error| said("supply", &error))?;
                    }
                    continue;
                }
                Wanted::Pack { .. } => latest.body.pack.clone(),
                Wanted::Delta { .. } => return Err("a delta is wanted after it was tried".into()),
            };
            let mut stream = self.gate.stream(false).map_err(|error| said("stream", &error))?;
            self.gate.feed(&mut stream, &file).map_err(|error| said("feed", &error))?;
        }
        Err("a good refresh has no end".into())
    }

    fn offer(&mut self, offered: &Published, forged: bool) -> Tries {
        self.pending = None;
        let mut head = offered.head.clone();
        if forged {
            *head.last_mut().unwrap() ^= 1;
        }
        let damaged = self.gate.is_damaged();
        let present = self.present.as_ref();
        let older = present.is_some_and(|present| offered.version < present.version);
        match self.gate.offer(&head, Clock::Untrusted, Origin::Network) {
            Err(error) if forged => same("refusal", &error.code(), &"signature-invalid"),
            Err(error) if older => same("refusal", &error.code(), &"head-rollback"),
            // What is shared may not fit the catalogue.
            Err(_) if offered.body.nonsense => Ok(()),
            Err(error) => Err(said("offer", &error)),
            Ok(_) if forged || older => Err("a head was taken that must not be".into()),
            Ok(Offer::Unchanged) => {
                let same_body = present.is_some_and(|p| p.body.roots == offered.body.roots);
                self.present = Some(offered.clone());
                same("unchanged", &(same_body && !damaged), &true)
            }
            Ok(Offer::Body { name, length }) => {
                let again = present.is_some_and(|p| p.body.roots == offered.body.roots);
                same("changed", &(again && !damaged), &false)?;
                self.pending = Some(offered.clone());
                same("name", &name, &offered.body.roots.pack_name())?;
                same("length", &length, &offered.body.roots.pack_length)
            }
        }
    }

    /// Brings some of the parts that are wanted, in any order, and now and then a wrong one.
    fn supply(&mut self, random: &mut Random) -> Tries {
        let Some(Published { body, .. }) = self.pending.clone() else {
            return same("wanted", &self.gate.wanted(true), &Wanted::Nothing);
        };
        let Wanted::Parts(mut names) = self.gate.wanted(false) else {
            return self.supply_unasked(&body, random);
        };
        for _ in 0..=random.below(names.len() as u64) {
            let name = names.swap_remove(random.below(names.len() as u64) as usize);
            let (_, bytes) =
                body.parts.iter().find(|part| part.0 == name).ok_or("nobody has what is wanted")?;
            if random.chance(3) {
                let other = &body.parts[random.below(body.parts.len() as u64) as usize].1;
                let refused = self.gate.supply(name, &spoilt(bytes, other, random));
                same("a wrong part", &refused.is_err(), &true)?;
                self.pending = None;
                same("wanted", &self.gate.wanted(true), &Wanted::Nothing)?;
                return self.swap();
            }
            if let Err(error) = self.gate.supply(name, bytes) {
                self.pending = None;
                return if body.nonsense { Ok(()) } else { Err(said("supply", &error)) };
            }
            if names.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Brings parts where a file would be shorter: what is not wanted is left aside.
    fn supply_unasked(&mut self, body: &Made, random: &mut Random) -> Tries {
        let skipped = [0, 0, 50][random.below(3) as usize];
        for (name, bytes) in body.parts.iter().filter(|_| !random.chance(skipped)) {
            if let Err(error) = self.gate.supply(*name, bytes) {
                self.pending = None;
                return if body.nonsense { Ok(()) } else { Err(said("supply", &error)) };
            }
        }
        Ok(())
    }

    fn begin_download(&mut self, history: &[Published], random: &mut Random) {
        let Some(Published { body, .. }) = &self.pending else { return };
        let other = &history[random.below(history.len() as u64) as usize].body;
        let delta = random.chance(50);
        let Ok(stream) = self.gate.stream(delta) else { return };
        let (mut good, mut base) = (true, None);
        let mut from = |from: &Made, to, random: &mut Random| {
            base = Some(from.roots);
            delta_file(from, to, random)
        };
        let mut file = match (delta, &self.present) {
            (true, Some(present)) if random.chance(60) => from(&present.body, body, random),
            (true, _) if random.chance(50) => from(other, body, random),
            (true, _) => from(body, other, random),
            (false, _) if random.chance(90) => body.pack.clone(),
            (false, _) => {
                good = false;
                other.pack.clone()
            }
        };
        if random.chance(20) {
            file.truncate(random.below(file.len() as u64) as usize);
        }
        if random.chance(15) && !file.is_empty() {
            let at = random.below(file.len() as u64) as usize;
            file[at] ^= 1 << random.below(8);
            good = false;
        }
        self.downloads.push(Download { stream, file, at: 0, good, base });
    }

    /// Brings the next chunks of one of the files.
    fn feed(&mut self, random: &mut Random) -> Tries {
        if self.downloads.is_empty() {
            return Ok(());
        }
        let which = random.below(self.downloads.len() as u64) as usize;
        let mut download = self.downloads.swap_remove(which);
        let chunk_max = [40, 3_000, 1 << 20][random.below(3) as usize];
        for _ in 0..4 {
            let end = download.at + 1 + random.below(chunk_max) as usize;
            let end = end.min(download.file.len());
            let chunk = &download.file[download.at..end];
            download.at = end;
            let present = self.present.as_ref().map(|present| present.body.roots);
            let applies = download.base.is_none_or(|base| Some(base) == present);
            let useful = match self.gate.feed(&mut download.stream, chunk) {
                Ok(useful) => useful,
                Err(error) => {
                    let nonsense = self.pending.take().is_some_and(|p| p.body.nonsense);
                    let fine = !(download.good && applies) || nonsense;
                    return if fine { Ok(()) } else { Err(said("feed", &error)) };
                }
            };
            self.tainted |= useful && !download.good && self.present.is_none();
            if !useful || end == download.file.len() {
                return Ok(());
            }
        }
        self.downloads.push(download);
        Ok(())
    }

    fn swap(&mut self) -> Tries {
        let wanting = self.gate.wanted(false) != Wanted::Nothing;
        match (self.gate.swap(), self.pending.take()) {
            (Err(error), None) => same("refusal", &error.code(), &"not-offered"),
            (Ok(_), None) => Err("a swap without an offer".into()),
            (Ok(true), Some(_)) if wanting && self.resident_bytes_max.is_none() => {
                Err("a swap though something is wanted".into())
            }
            (Ok(true), pending) => {
                self.present = pending;
                self.repair()
            }
            (Ok(false), pending) => {
                self.pending = pending;
                same("wanted", &(self.gate.wanted(false) == Wanted::Nothing), &false)
            }
            (Err(_), Some(pending)) if pending.body.nonsense || self.tainted => Ok(()),
            (Err(error), Some(_)) => Err(said("swap", &error)),
        }
    }

    /// After a bad first body: touches everything and fetches again what is bad.
    fn repair(&mut self) -> Tries {
        if !core::mem::take(&mut self.tainted) {
            return Ok(());
        }
        let present = self.present.clone().ok_or("no snapshot")?;
        if present.body.nonsense {
            self.tainted = true;
            return Ok(());
        }
        for name in probes(present.body.page_bits) {
            let reason = self.gate.check(&ask(name, HOUR)).reason;
            let fine = [Reason::PageInvalid, Reason::UnknownSubject].contains(&reason)
                || (reason == Reason::NotResident && self.resident_bytes_max.is_some());
            same("a touch", &fine, &true)?;
        }
        if self.gate.is_damaged() { self.finish(&present) } else { Ok(()) }
    }

    /// Makes a subject resident, or begins to.
    fn ask_for(&mut self, history: &[Published], random: &mut Random) -> Tries {
        let Some(present) = self.present.clone() else { return Ok(()) };
        let names = names();
        let id = &names[random.below(names.len() as u64) as usize];
        for _ in 0..8 {
            let Some(name) = self.needs(id)? else {
                self.check_bound()?;
                return self.check_subject(&present, id, HOUR);
            };
            let part = present.body.parts.iter().find(|part| part.0 == name);
            let (_, bytes) = part.ok_or("nobody has what is needed")?;
            if random.chance(10) {
                return Ok(());
            }
            if random.chance(10) {
                self.keep_in_vain(id, name, &spoilt(bytes, &[], random), true)?;
            }
            if random.chance(10) {
                let other = &history[random.below(history.len() as u64) as usize].body;
                let stale = &other.parts[random.below(other.parts.len() as u64) as usize];
                if stale.0 != name {
                    self.keep_in_vain(id, stale.0, &stale.1, false)?;
                }
            }
            match self.gate.keep(id, name, bytes) {
                Err(_) if present.body.nonsense => return Ok(()),
                Err(error) => return Err(said("keep", &error)),
                Ok(()) => {}
            }
        }
        let whole = self.resident_bytes_max.is_none();
        if present.body.nonsense && whole { Ok(()) } else { Err(format!("{id} is never there")) }
    }

    fn needs(&self, id: &str) -> Result<Option<Digest>, String> {
        self.gate.needs(id).map_err(|error| said("needs", &error))
    }

    /// What is wrong is refused, and what is stale is left aside; nothing changes.
    fn keep_in_vain(&mut self, id: &str, name: Digest, bytes: &[u8], refused: bool) -> Tries {
        let before = (self.gate.needs(id), self.gate.resident_bytes());
        let kept = self.gate.keep(id, name, bytes);
        same("refused", &kept.is_err(), &refused)?;
        same("after a wrong part", &(self.gate.needs(id), self.gate.resident_bytes()), &before)
    }

    fn check(&mut self, random: &mut Random) -> Tries {
        let Some(present) = self.present.clone() else {
            let reason = self.gate.check(&ask("subject-1", HOUR)).reason;
            return same("reason", &reason, &Reason::NoSnapshot);
        };
        let version = self.gate.status(Clock::Untrusted).map(|status| status.version);
        same("version", &version, &Some(present.version))?;
        // Seldom enough for pages to stay that nobody has touched.
        match random.below(4) {
            0 => {
                let names = names();
                self.check_subject(
                    &present,
                    &names[random.below(names.len() as u64) as usize],
                    HOUR,
                )
            }
            1 => self.check_all().and_then(|()| self.recount(&present)),
            _ => self.check_all(),
        }
    }

    fn check_all(&self) -> Tries {
        let present = self.present.as_ref().ok_or("no snapshot")?;
        let millis = [HOUR * 10, HOUR * 40][present.version as usize % 2];
        names().iter().try_for_each(|id| self.check_subject(present, id, millis))
    }

    /// Compares with a gate that was opened just now.
    fn check_subject(&self, present: &Published, id: &str, millis: i64) -> Tries {
        let fresh = present.opened();
        let lacks = self.needs(id)?.is_some();
        if lacks && self.resident_bytes_max.is_none() && !present.body.nonsense {
            return Err(format!("{id} is not there"));
        }
        for number in 0..FEATURES {
            let key = feature(number);
            let asked = Ask { feature: &key, ..ask(id, millis) };
            let (found, expected) = (self.gate.check(&asked), fresh.check(&asked));
            let absent = lacks && found.reason == Reason::NotResident;
            if self.resident_bytes_max.is_some() && absent {
                same("without access", &found.has_access, &false)?;
            } else if !(self.tainted && found.reason == Reason::PageInvalid) {
                same(&format!("{id} {key}"), &found, &expected)?;
            }
            same("access", &self.gate.has_access(&asked), &found.has_access)?;
        }
        Ok(())
    }

    /// Counts what is there by what is missing, page by page.
    fn recount(&mut self, present: &Published) -> Tries {
        if present.body.nonsense || self.tainted {
            return Ok(());
        }
        let paged = self.resident_bytes_max.is_some();
        remains::check(&self.gate, &present.body, paged)?;
        while self.gate.settle() {}
        remains::check(&self.gate, &present.body, paged)?;
        let bits = present.body.page_bits;
        let length: BTreeMap<_, _> =
            present.body.parts.iter().map(|(name, bytes)| (*name, bytes.len())).collect();
        let nodes = nodes_of(bits);
        let pages = &present.body.parts[1 + nodes..];
        let lowest = &present.body.parts[1 + nodes - pages.len().div_ceil(256).min(nodes)..];
        let upper = nodes - pages.len().div_ceil(256).min(nodes);
        let probes = probes(bits);
        let mut expected = 0;
        let mut root_is_there = false;
        for (group, probes) in probes.chunks(256).enumerate() {
            let missing: Vec<_> =
                probes.iter().map(|probe| self.needs(probe)).collect::<Result<_, _>>()?;
            root_is_there |=
                missing.iter().any(|missing| *missing != Some(present.body.roots.root));
            let pages = &pages[group * 256..group * 256 + probes.len()];
            let there = missing.iter().zip(pages).filter(|(missing, _)| missing.is_none());
            let bytes: usize = there.map(|(_, (name, _))| length[name]).sum();
            let node = (nodes > 0).then(|| lowest[group].0);
            let has_node = node.is_some_and(|node| {
                missing.iter().all(|m| *m != Some(node))
                    && (upper == 0
                        || *missing.first().unwrap_or(&None) != Some(present.body.roots.root))
            });
            if has_node || bytes > 0 {
                expected += bytes + room(probes.len());
                expected += node.filter(|_| has_node).map_or(0, |node| length[&node]);
            }
        }
        if upper > 0 && root_is_there {
            expected += length[&present.body.roots.root];
        }
        same("resident bytes", &self.gate.resident_bytes(), &expected)
    }

    /// Beyond the bound are at most the nodes above the lowest, and one subject's way.
    fn check_bound(&self) -> Tries {
        let Some(bytes_max) = self.resident_bytes_max else { return Ok(()) };
        let longest = 2 * (8_192 + 4_096 + room(256)) + 8_192;
        let held = self.gate.resident_bytes();
        if held <= bytes_max.max(longest) { Ok(()) } else { Err(format!("{held} bytes are held")) }
    }
}

impl Published {
    pub fn new(version: u64, head: Vec<u8>, body: Rc<Made>) -> Self {
        Self { version, head, body, opened: Rc::default() }
    }

    fn opened(&self) -> &Gate {
        self.opened.get_or_init(|| {
            let mut gate = Gate::new(options(&[key(1)], 1));
            gate.offer(&self.head, Clock::Untrusted, Origin::Network).unwrap();
            gate.accept(&self.body.pack).unwrap();
            gate
        })
    }
}

/// What the room for some pages and their node takes, by what the smallest body has that has it.
fn room(pages: usize) -> usize {
    static ROOMS: [OnceLock<usize>; 9] = [const { OnceLock::new() }; 9];
    let page_bits = pages.ilog2();
    *ROOMS[page_bits as usize].get_or_init(|| {
        let catalogue = assemble::catalogue(&SEED, page_bits as u8, &[], &[]);
        let empty = assemble::empty_pages(&SEED, page_bits as u8);
        let (file, roots) = independent::pack(&catalogue, &empty);
        let body = Body::open(file, &roots, usage_as_of()).unwrap();
        let node = if page_bits == 0 { 0 } else { 32 * pages };
        body.resident_bytes() - node - empty.concat().len()
    })
}

fn ask(subject: &str, millis: i64) -> Ask<'_> {
    let clock: Instant = usage_as_of().plus_millis(9 * HOUR + millis);
    Ask {
        subject,
        feature: "feature-0",
        clock: Clock::At(clock),
        at: None,
        amount: None,
        used: None,
    }
}

/// Other bytes than these.
fn spoilt(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut spoilt = match random.below(4) {
        0 => bytes[..random.below(bytes.len() as u64) as usize].to_vec(),
        1 => [bytes, &[0]].concat(),
        2 if other != bytes => other.to_vec(),
        _ => bytes.to_vec(),
    };
    if spoilt == bytes {
        let at = random.below(spoilt.len() as u64) as usize;
        spoilt[at] ^= 1 << random.below(8);
    }
    spoilt
}

fn said(what: &str, error: &Error) -> String {
    format!("{what}: {}", error.code())
}

fn same<T: PartialEq + core::fmt::Debug>(what: &str, found: &T, expected: &T) -> Tries {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: found {found:?}, expected {expected:?}"))
}
