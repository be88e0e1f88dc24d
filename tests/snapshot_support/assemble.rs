//! Pages and catalogues written from docs/FORMAT.md, without a check of what is put into them.

use siphasher::sip::SipHasher13;

use super::independent::sha;

/// By what a subject or a feature is found.
pub fn place(seed: &[u8; 32], text: &[u8]) -> u64 {
    SipHasher13::new_with_key(seed.first_chunk().unwrap()).hash(text)
}

/// What a page consists of.
#[derive(Default)]
pub struct Parts<'a> {
    /// Hashes of features.
    pub features: Vec<u64>,
    pub configs: Vec<&'a [u8]>,
    pub shapes: Vec<&'a [u8]>,
    pub plans: Vec<&'a [u8]>,
    pub records: Vec<&'a [u8]>,
}

impl Parts<'_> {
    /// The page at an index: tables, pepper and slots are right for whatever the parts are. The
    /// root over the subjects is that over none.
    pub fn page(mut self, seed: &[u8; 32], bits: u8, index: u32) -> Vec<u8> {
        self.features.sort_unstable();
        self.features.dedup();
        let id = |record: &'_ [u8]| id_of(record).to_vec();
        let slot = |record: &'_ [u8]| place(seed, &id(record)) as u16;
        self.records.sort_by_key(|record| (slot(record), id(record)));
        let mut page = sha(&[]).to_vec();
        page.extend_from_slice(b"EGP\x01");
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

/// The id that a record begins with, as far as it is there.
fn id_of(record: &[u8]) -> &[u8] {
    let groups = record.iter().take_while(|byte| **byte >= 0x80).count();
    let length = record.iter().take(groups.min(2) + 1).rev();
    let length = length.fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
    let id = record.get(groups + 1..).unwrap_or_default();
    &id[..length.min(id.len())]
}

/// Takes a page apart into its configs, shapes, plans and records; it must be whole.
pub fn items(page: &[u8]) -> [Vec<Vec<u8>>; 4] {
    let number = |at: usize, width: usize| {
        page[at..at + width].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let counts = [0, 1, 2, 3, 4].map(|index| number(57 + 2 * index, 2));
    let [features, configs, shapes, plans, records] = counts;
    let count = configs + shapes + plans + records;
    let ends_at = 67 + 8 * features + 2 * records;
    let heap = &page[ends_at + 3 * count..];
    let end = |item: usize| if item == 0 { 0 } else { number(ends_at + 3 * (item - 1), 3) };
    let mut items = (0..count).map(|item| heap[end(item)..end(item + 1)].to_vec());
    [configs, shapes, plans, records].map(|count| items.by_ref().take(count).collect())
}

/// Pages without anything, as a catalogue with such a seed and so many page bits wants them.
pub fn empty_pages(seed: &[u8; 32], bits: u8) -> Vec<Vec<u8>> {
    (0..1 << bits).map(|index| Parts::default().page(seed, bits, index)).collect()
}

/// A catalogue with rows as they are given: hashes with the ends of the items, and the items.
pub fn catalogue(seed: &[u8; 32], bits: u8, rows: &[(u64, u32)], items: &[u8]) -> Vec<u8> {
    let mut out = [b"EGC\x01".as_slice(), seed, &[bits, 0, 0, 0], &[0; 24]].concat();
    out.extend_from_slice(&(rows.len() as u32).to_le_bytes());
    for (hash, end) in rows {
        out.extend_from_slice(&hash.to_le_bytes());
        out.extend_from_slice(&end.to_le_bytes());
    }
    out.extend_from_slice(items);
    out
}

/// Text behind its length, which is below 16384.
pub fn text(text: &[u8]) -> Vec<u8> {
    match text.len() {
        length @ 0..0x80 => [&[length as u8], text].concat(),
        length => [&[length as u8 & 0x7f | 0x80, (length >> 7) as u8], text].concat(),
    }
}
