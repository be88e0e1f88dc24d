//! Pages and catalogues written from docs/FORMAT.md, without a check of what is put into them.

use siphasher::sip::SipHasher13;

use crate::input::Input;
use crate::support::independent::sha;

/// The features of `SMALL`, by which a page finds them.
pub(crate) fn place(seed: &[u8; 32], text: &[u8]) -> u64 {
    SipHasher13::new_with_key(seed.first_chunk().unwrap()).hash(text)
}

/// What a page consists of.
#[derive(Default)]
pub(crate) struct Parts<'a> {
    /// Hashes of features.
    pub(crate) features: Vec<u64>,
    pub(crate) configs: Vec<&'a [u8]>,
    pub(crate) shapes: Vec<&'a [u8]>,
    pub(crate) plans: Vec<&'a [u8]>,
    pub(crate) records: Vec<&'a [u8]>,
}

impl Parts<'_> {
    /// The page at an index: tables, pepper and slots are right for whatever the parts are. The
    /// root over the subjects is that over none.
    pub(crate) fn page(mut self, seed: &[u8; 32], bits: u8, index: u32) -> Vec<u8> {
        self.features.sort_unstable();
        self.features.dedup();
        let id = |record: &'_ [u8]| Input(record).part().to_vec();
        let slot = |record: &'_ [u8]| place(seed, &id(record)) as u16;
        self.records.sort_by_key(|record| (slot(record), id(record)));
        let mut page = sha(&[]).to_vec();
        page.extend_from_slice(b"EGP\0");
        page.extend_from_slice(&sha(&[&[3], seed, &[bits], &index.to_le_bytes()])[..16]);
        page.push(bits);
        page.extend_from_slice(&index.to_le_bytes());
        let lists = [&self.configs, &self.shapes, &self.plans, &self.records];
        page.extend_from_slice(&(self.features.len() as u16).to_le_bytes());
        lists.iter().for_each(|list| page.extend_from_slice(&(list.len() as u16).to_le_bytes()));
        self.features.iter().for_each(|place| page.extend_from_slice(&place.to_le_bytes()));
        self.records.iter().for_each(|record| page.extend_from_slice(&slot(record).to_le_bytes()));
        let mut end = 0;
        for item in lists.into_iter().flatten() {
            end += item.len() as u32;
            page.extend_from_slice(&end.to_le_bytes()[..3]);
        }
        lists.into_iter().flatten().for_each(|item| page.extend_from_slice(item));
        page
    }
}

/// Takes a page apart into its configs, shapes, plans and records; it must be whole.
pub(crate) fn items(page: &[u8]) -> [Vec<Vec<u8>>; 4] {
    let mut input = Input(&page[57..]);
    let [features, configs, shapes, plans, records] = [(); 5].map(|()| usize::from(input.u16()));
    input.take(features * 8 + records * 2);
    let count = configs + shapes + plans + records;
    let end = |bytes: [u8; 3]| usize::from(bytes[0]) | usize::from(bytes[1]) << 8;
    let ends: Vec<usize> = (0..count).map(|_| end(input.array())).collect();
    let mut start = 0;
    let mut item = |end: &usize| {
        let item = input.take(end - start).to_vec();
        start = *end;
        item
    };
    let mut items = ends.iter().map(&mut item);
    [configs, shapes, plans, records].map(|count| items.by_ref().take(count).collect())
}

/// Pages without anything, as a catalogue with such a seed and so many page bits wants them.
pub(crate) fn empty_pages(seed: &[u8; 32], bits: u8) -> Vec<Vec<u8>> {
    (0..1 << bits).map(|index| Parts::default().page(seed, bits, index)).collect()
}

/// A catalogue without features and subjects.
pub(crate) fn empty_catalogue(seed: &[u8; 32], bits: u8) -> Vec<u8> {
    [b"EGC\0".as_slice(), seed, &[bits, 0, 0, 0], &[0; 24], &[0; 4]].concat()
}
