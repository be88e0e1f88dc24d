//! A subject and its entries, as they lie in a page.

use super::body::{Body, Place};
use super::bytes::{Reader, known_text};
use super::catalogue::Feature;
use super::fields::{Fields, blank_program};
use super::hash::subject_leaf;
use super::outline::Outline;
use super::page::{EntryBytes, Page, SubjectBytes};
use super::record::{self, Line};
use super::records::{EntitlementRecord, SubjectRecord};
use super::{Digest, grant_id, refusal};
use crate::engine::program::{Program, Steady};
use crate::error::Error;
use crate::time::Instant;

/// A subject that a body holds.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    body: &'a Body,
    page: Page<'a>,
    place: Place,
    bytes: SubjectBytes<'a>,
}

/// An entitlement of a subject that a body holds.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    bytes: EntryBytes<'a>,
    usage_as_of: Instant,
}

impl<'a> Subject<'a> {
    #[inline]
    pub(super) const fn new(
        body: &'a Body,
        page: Page<'a>,
        place: Place,
        bytes: SubjectBytes<'a>,
    ) -> Self {
        Self { body, page, place, bytes }
    }

    /// The id, also when the subject was found by an alias.
    #[must_use]
    pub fn id(&self) -> &'a str {
        known_text(self.bytes.id)
    }

    /// Where the body finds it again without looking.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// What the subject has for a feature.
    #[must_use]
    pub fn entry(&self, feature: &Feature<'_>) -> Option<Entry<'a>> {
        self.entry_inlined(feature)
    }

    #[inline(always)]
    pub(crate) fn entry_inlined(&self, feature: &Feature<'_>) -> Option<Entry<'a>> {
        let index = self.page.find_entry(&self.bytes, feature.place)?;
        let bytes = self.page.entry(&self.bytes, index)?;
        Some(Entry { bytes, usage_as_of: self.body.usage_as_of() })
    }

    /// All that the subject has, with the feature of each.
    pub fn entries(&self) -> impl Iterator<Item = (Feature<'a>, Entry<'a>)> + use<'a> {
        let subject = *self;
        (0..subject.places()).filter_map(move |index| subject.entry_with_feature(index))
    }

    /// In how many places there may be an entitlement.
    #[must_use]
    pub const fn places(&self) -> usize {
        self.bytes.entries()
    }

    /// The entitlement in one of these places, with its feature.
    #[must_use]
    pub fn entry_with_feature(&self, index: usize) -> Option<(Feature<'a>, Entry<'a>)> {
        Some((self.feature_at(index)?, self.entry_at(index)?))
    }

    pub(super) const fn page(&self) -> &Page<'a> {
        &self.page
    }

    fn entry_at(&self, index: usize) -> Option<Entry<'a>> {
        let bytes = self.page.entry(&self.bytes, index)?;
        Some(Entry { bytes, usage_as_of: self.body.usage_as_of() })
    }

    fn feature_at(&self, index: usize) -> Option<Feature<'a>> {
        let (feature, _) = self.bytes.entry(index)?;
        self.body.catalogue().feature_at(self.page.feature(feature)?)
    }

    /// The record that the subject was encoded from, without its aliases and with its entitlements
    /// in the order of the snapshot.
    ///
    /// # Errors
    /// `snapshot-value`; not after the page was validated.
    pub fn to_record(&self) -> Result<SubjectRecord, Error> {
        let record = |(feature, entry): (Feature<'_>, Entry<'_>)| entry.to_record(&feature);
        let entitlements = self.entries().map(record).collect::<Result<_, _>>()?;
        Ok(SubjectRecord { id: self.id().to_owned(), aliases: Vec::new(), entitlements })
    }

    /// The subject written out so that it stands alone.
    pub(super) fn written_out(&self) -> Result<Vec<u8>, Error> {
        let line = |(feature, entry): (Feature<'a>, Entry<'a>)| {
            let (shape, ids) = entry.fields()?.written_out()?;
            Some(Line { feature, config: entry.bytes.config, shape, ids })
        };
        let lines = self.entries().map(line).collect::<Option<Vec<_>>>().ok_or(refusal::VALUE)?;
        Ok(record::write(self.id(), &lines))
    }

    /// Its digest in the tree of its page.
    pub(super) fn leaf(&self) -> Result<Digest, Error> {
        Ok(subject_leaf(self.page.pepper(), self.id(), &self.written_out()?))
    }
}

impl<'a> Entry<'a> {
    pub(super) const fn new(bytes: EntryBytes<'a>, usage_as_of: Instant) -> Self {
        Self { bytes, usage_as_of }
    }

    /// What most questions need; nothing is allocated.
    ///
    /// # Errors
    /// `snapshot-value`; not after the page was validated.
    pub fn outline(&self) -> Result<Outline, Error> {
        let outline = |mut fields: Fields<'_>| fields.outline(self.usage_as_of);
        self.fields().and_then(outline).ok_or(refusal::VALUE)
    }

    /// What `look` makes of the outline and, where the program has one, the whole steady state, or
    /// `invalid` where [`Entry::outline`] fails; nothing is allocated, and nothing moved.
    #[inline(always)]
    pub(crate) fn look<T>(
        &self,
        look: impl FnOnce(&Outline, Option<&Steady>) -> T,
        invalid: impl FnOnce() -> T,
    ) -> T {
        'invalid: {
            let Some(mut fields) = self.fields() else { break 'invalid };
            let outline = fields.outline(self.usage_as_of);
            let Some(outline) = &outline else { break 'invalid };
            let steady = fields.whole_steady(outline);
            let Some(steady) = &steady else { break 'invalid };
            return look(outline, steady.as_ref());
        }
        invalid()
    }

    /// The same of the outline alone.
    #[inline(always)]
    pub(crate) fn glance<T>(&self, look: impl FnOnce(&Outline) -> Option<T>) -> Option<T> {
        look(self.fields()?.outline(self.usage_as_of).as_ref()?)
    }

    /// What holds between two boundaries, where the compiler could tell.
    ///
    /// # Errors
    /// As [`Entry::outline`].
    pub fn steady(&self) -> Result<Option<Steady>, Error> {
        self.look(|_, steady| Ok(steady.copied()), || Err(refusal::VALUE))
    }

    #[inline(always)]
    fn fields(&self) -> Option<Fields<'a>> {
        Fields::new(self.bytes.shape, self.bytes.own)
    }

    /// The whole program.
    ///
    /// # Errors
    /// `snapshot-value`; not after the page was validated.
    pub fn program(&self) -> Result<Program, Error> {
        let mut program = blank_program();
        self.program_into(&mut program)?;
        Ok(program)
    }

    /// The whole program, read into the memory of one that is no longer needed.
    ///
    /// # Errors
    /// As [`Entry::program`]; the program is then of no use.
    pub fn program_into(&self, program: &mut Program) -> Result<(), Error> {
        let read = |mut fields: Fields<'_>| fields.program(self.usage_as_of, program, &mut |_| ());
        self.fields().and_then(read).map(drop).ok_or(refusal::VALUE)
    }

    /// The JSON text of a static entitlement.
    #[must_use]
    pub fn config(&self) -> Option<&'a str> {
        self.bytes.config.map(known_text)
    }

    /// The ids of the program's grants, in its order.
    ///
    /// # Errors
    /// As [`Entry::program`].
    pub fn grant_ids(&self, feature: &Feature<'_>) -> Result<Vec<String>, Error> {
        self.program_and_ids(feature.key).map(|(_, ids)| ids).ok_or(refusal::VALUE)
    }

    fn program_and_ids(&self, feature: &str) -> Option<(Program, Vec<String>)> {
        let mut program = blank_program();
        let mut fields = self.fields()?;
        let mut kinds = Vec::new();
        fields.program(self.usage_as_of, &mut program, &mut |kind| kinds.push(kind))?;
        let mut reader = Reader::new(fields.end()?);
        let ids = kinds.iter().map(|kind| grant_id::read(&mut reader, *kind, feature));
        Some((program, ids.collect::<Option<_>>()?))
    }

    /// The record that the entitlement was encoded from.
    ///
    /// # Errors
    /// As [`Entry::program`].
    pub fn to_record(&self, feature: &Feature<'_>) -> Result<EntitlementRecord, Error> {
        let (program, grant_ids) = self.program_and_ids(feature.key).ok_or(refusal::VALUE)?;
        Ok(EntitlementRecord {
            feature: feature.key.to_owned(),
            program,
            config: self.config().map(ToOwned::to_owned),
            grant_ids,
            steady: self.steady()?,
        })
    }
}
