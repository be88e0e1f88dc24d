//! Texts of entitlements that stood in lines before, and what was made of them.
//!
//! Most subjects have what others have too, and in the same order. So a text that follows another
//! is guessed first: where the line goes on with it, neither its end has to be found nor itself to
//! be read, because an object's text is the beginning of no other's.

use std::hash::BuildHasher as _;
use std::rc::Rc;

use edgegrant::model::{Entitlement, Status};
use edgegrant::snapshot::PackedEntitlement;

use super::frames::{self, Framed, Frames};

/// How many texts are remembered, each in the only place that it may have.
const PLACES: usize = 4096;
/// Longer texts are not remembered.
const TEXT_BYTES_MAX: usize = 2048;
/// How many texts, and how many frames, are guessed after another, the last one first.
const GUESSES: usize = 6;

/// What was made of a text for subjects of a status.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) status: Status,
    pub(super) packed: Rc<PackedEntitlement>,
}

struct Text {
    text: Box<[u8]>,
    made: Made,
}

pub(super) struct Known {
    texts: Vec<Option<Text>>,
    /// The hash of the last text in a place that was not remembered: most are never seen again, and
    /// must not take the place of one that is.
    met: Vec<u64>,
    after: Vec<[u16; GUESSES]>,
    frames: Frames,
    frames_after: Vec<[u16; GUESSES]>,
    hasher: foldhash::fast::RandomState,
}

/// What stands before a text: another, a frame, or the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before(usize);

/// The hash of a text, by which it is remembered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name(u64);

impl Name {
    const fn place(self) -> usize {
        self.0 as usize % PLACES
    }
}

impl Before {
    const fn frame(place: u16) -> Self {
        Self(PLACES + place as usize)
    }
}

impl Known {
    pub(super) fn new() -> Self {
        let mut texts = Vec::with_capacity(PLACES);
        texts.resize_with(PLACES, || None);
        let after = vec![[0; GUESSES]; PLACES + frames::PLACES];
        let (frames, frames_after) = (Frames::new(), after.clone());
        let hasher = foldhash::fast::RandomState::default();
        Self { texts, met: vec![0; PLACES], after, frames, frames_after, hasher }
    }

    /// How long the known text is that some bytes begin with, and what was made of it, if it can
    /// be guessed from what stands before.
    pub(super) fn guessed(&mut self, before: &mut Before, bytes: &[u8]) -> Option<(usize, Made)> {
        let guesses = self.after.get_mut(before.0)?;
        let text = |place: &u16| self.texts.get(usize::from(*place))?.as_ref();
        let begins = |place: &u16| text(place).is_some_and(|known| bytes.starts_with(&known.text));
        let index = guesses.iter().position(begins)?;
        guesses.get_mut(..=index)?.rotate_right(1);
        let place = guesses.first()?;
        before.0 = usize::from(*place);
        text(place).map(|known| (known.text.len(), known.made.clone()))
    }

    /// What some bytes begin with, and how long that is, if its frame can be guessed from what
    /// stands before.
    pub(super) fn framed(
        &mut self,
        before: Before,
        bytes: &[u8],
    ) -> Option<(Framed, usize, Before)> {
        let guesses = self.frames_after.get_mut(before.0)?;
        let mut found = guesses.iter().enumerate();
        let (index, (framed, length)) = found.find_map(|(index, place)| {
            self.frames.at(*place, bytes).map(|framed| (index, framed))
        })?;
        guesses.get_mut(..=index)?.rotate_right(1);
        Some((framed, length, Before::frame(*guesses.first()?)))
    }

    /// By what to remember the frame of a text that was not guessed, and what it is if that is
    /// known.
    pub(super) fn framed_as(
        &mut self,
        before: Before,
        text: &[u8],
    ) -> Option<(frames::Name, Option<(Framed, Before)>)> {
        let name = self.frames.name(text)?;
        let Some((framed, _)) = self.frames.at(name.place(), text) else {
            return Some((name, None));
        };
        remember_guess(self.frames_after.get_mut(before.0)?, name.place());
        let after = Before::frame(name.place());
        Some((name, Some((framed, after))))
    }

    /// The name of a text that was not guessed, and what was made of it, if it is known.
    pub(super) fn found(&mut self, before: &mut Before, text: &[u8]) -> (Name, Option<Made>) {
        let name = Name(self.hasher.hash_one(text));
        let known = self.texts.get(name.place()).and_then(Option::as_ref);
        let Some(known) = known.filter(|known| *known.text == *text) else {
            // What follows a text that nobody knows follows the one before it in another way.
            before.0 = (before.0 + 1) % PLACES;
            return (name, None);
        };
        let made = known.made.clone();
        if let Some(guesses) = self.after.get_mut(before.0) {
            remember_guess(guesses, name.place() as u16);
        }
        before.0 = name.place();
        (name, Some(made))
    }

    /// Remembers the frame of a text that was read when it comes for the second time.
    pub(super) fn remember_frame(&mut self, name: &frames::Name, text: &[u8], read: &Entitlement) {
        self.frames.remember(name, text, read);
    }

    /// Remembers what was made of a text when it comes for the second time.
    pub(super) fn remember(&mut self, Name(hash): Name, text: &[u8], made: impl FnOnce() -> Made) {
        let place = Name(hash).place();
        let Some(met) = self.met.get_mut(place).filter(|_| text.len() <= TEXT_BYTES_MAX) else {
            return;
        };
        if std::mem::replace(met, hash) != hash {
            return;
        }
        if let Some(known) = self.texts.get_mut(place) {
            *known = Some(Text { text: text.into(), made: made() });
        }
    }
}

fn remember_guess(guesses: &mut [u16; GUESSES], place: u16) {
    guesses.rotate_right(1);
    guesses[0] = place;
}
