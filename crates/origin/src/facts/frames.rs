//! What stands around the usage of entitlements.
//!
//! Subjects of a plan are entitled to the same and have used more or less of it. So the text of an
//! entitlement that nobody has seen before is mostly one that was seen but for its usage, and only
//! that is read.

use std::cell::RefCell;
use std::hash::BuildHasher as _;
use std::ops::Range;
use std::rc::Rc;

use edgegrant::model::{Entitlement, Usage, UsageKind};
use memchr::memmem::Finder;

use super::cut::object_bytes;
use super::usage;

/// How many frames are remembered, each in the only place that it may have.
pub(super) const PLACES: usize = 1024;
/// Longer frames are not remembered.
const TEXT_BYTES_MAX: usize = 2048;

/// The text of an entitlement before and behind its usage, and what is read from it.
pub(super) struct Frame {
    before: Box<[u8]>,
    after: Box<[u8]>,
    entitlement: RefCell<Entitlement>,
}

/// An entitlement told by what stands around its usage.
pub(super) struct Framed {
    frame: Rc<Frame>,
    usage: Usage,
}

/// Where the usage stands in a text, and the hash of what is around it.
#[derive(Clone, Debug)]
pub(super) struct Name {
    usage: Range<usize>,
    hash: u64,
}

impl Name {
    pub(super) const fn place(&self) -> u16 {
        (self.hash % PLACES as u64) as u16
    }
}

impl Frame {
    /// The usage in the entitlement that some bytes begin with, and how long that is, if it stands
    /// in this frame.
    fn around(&self, bytes: &[u8]) -> Option<(Usage, usize)> {
        let rest = bytes.strip_prefix(&*self.before)?;
        let (usage, length) = usage::first(rest)?;
        let behind = rest.get(length..)?.starts_with(&self.after);
        behind.then_some((usage, self.before.len() + length + self.after.len()))
    }

    /// The frame of a text that was read, unless what it is around is something else than the
    /// entitlement's usage: with other usage there it is read as the same but for its usage.
    fn of(before: &[u8], after: &[u8], read: &Entitlement) -> Option<Self> {
        let text = [before, br#"{"kind":"unknown"}"#, after].concat();
        let mut entitlement: Entitlement = serde_json::from_slice(&text).ok()?;
        let other = std::mem::replace(&mut entitlement.usage, read.usage.clone());
        // Where the same was read before, it need not be what was put there.
        let is_put = other == Some(Usage::new(UsageKind::Unknown)) && other != read.usage;
        if !is_put || entitlement != *read {
            return None;
        }
        let (before, after) = (before.into(), after.into());
        Some(Self { before, after, entitlement: RefCell::new(entitlement) })
    }
}

impl Framed {
    /// What `work` makes of the whole entitlement.
    pub(super) fn entitlement<T>(self, work: impl FnOnce(&Entitlement) -> T) -> T {
        let mut entitlement = self.frame.entitlement.borrow_mut();
        entitlement.usage = Some(self.usage);
        work(&entitlement)
    }
}

/// Frames that stood in lines before.
pub(super) struct Frames {
    frames: Vec<Option<Rc<Frame>>>,
    /// The hash of the last frame in a place that was not remembered.
    met: Vec<u64>,
    key: Finder<'static>,
    hasher: foldhash::fast::RandomState,
}

impl Frames {
    pub(super) fn new() -> Self {
        let mut frames = Vec::with_capacity(PLACES);
        frames.resize_with(PLACES, || None);
        let hasher = foldhash::fast::RandomState::default();
        Self { frames, met: vec![0; PLACES], key: Finder::new(b"\"usage\":{"), hasher }
    }

    /// What some bytes begin with if that stands in the frame in a place, and how long it is.
    pub(super) fn at(&self, place: u16, bytes: &[u8]) -> Option<(Framed, usize)> {
        let frame = self.frames.get(usize::from(place))?.as_ref()?;
        let (usage, length) = frame.around(bytes)?;
        Some((Framed { frame: Rc::clone(frame), usage }, length))
    }

    /// By what to remember the frame of a text, if it has one.
    pub(super) fn name(&self, text: &[u8]) -> Option<Name> {
        // The bracket of the key is that of the usage.
        let start = self.key.find(text)? + self.key.needle().len() - 1;
        let end = start + object_bytes(text.get(start..)?)?;
        let (before, after) = (text.get(..start)?, text.get(end..)?);
        let fits = before.len() + after.len() <= TEXT_BYTES_MAX;
        let hash = self.hasher.hash_one((before, after));
        fits.then_some(Name { usage: start..end, hash })
    }

    /// Remembers the frame of a text when it comes for the second time.
    pub(super) fn remember(&mut self, name: &Name, text: &[u8], read: &Entitlement) {
        let Name { usage, hash } = name;
        let place = usize::from(name.place());
        let Some(met) = self.met.get_mut(place) else { return };
        if std::mem::replace(met, *hash) != *hash {
            return;
        }
        let (before, after) = (text.get(..usage.start), text.get(usage.end..));
        let frame = Frame::of(before.unwrap_or_default(), after.unwrap_or_default(), read);
        if let Some(known) = self.frames.get_mut(place) {
            *known = frame.map(Rc::new);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::string_slice,
        reason = "a failed unwrap is a failed test"
    )]
    use super::*;

    /// The frame around the first usage in a text that was read.
    fn frame(text: &str) -> Option<Frame> {
        let name = Frames::new().name(text.as_bytes()).unwrap();
        let (before, after) = (&text[..name.usage.start], &text[name.usage.end..]);
        Frame::of(before.as_bytes(), after.as_bytes(), &serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_frame_is_around_nothing_but_the_usage_of_the_entitlement() {
        let text = |config: &str, usage: &str| {
            format!(
                r#"{{"feature":"a","type":"static","config":{{"usage":{config}}},"usage":{usage}}}"#
            )
        };
        let (flow, unknown) = (r#"{"kind":"flow"}"#, r#"{"kind":"unknown"}"#);
        for config in [flow, unknown] {
            for usage in [flow, unknown, "null"] {
                assert!(frame(&text(config, usage)).is_none(), "{config} {usage}");
            }
        }
        let flowing = format!(r#"{{"usage":{flow},"feature":"a","type":"metered"}}"#);
        assert!(frame(&flowing).is_some());
    }
}
