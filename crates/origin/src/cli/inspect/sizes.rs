//! How many bytes of a snapshot go where.

use std::collections::BTreeMap;

use edgegrant::snapshot::PagePart;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::read::Snapshot;

/// What the pages of a body take, together and by part.
#[derive(Default)]
struct Pages {
    /// The length of each, ascending.
    lengths: Vec<u64>,
    parts: BTreeMap<PagePart, u64>,
}

impl Pages {
    fn of(snapshot: &mut Snapshot) -> Result<Self, Failure> {
        let refused = |error| Failure::refused(&error);
        let mut pages = Self::default();
        for page in 0..snapshot.body.pages() {
            snapshot.fetch(page)?;
            let told = |part, bytes| *pages.parts.entry(part).or_default() += bytes as u64;
            snapshot.body.page_parts(page, told).map_err(refused)?;
            pages.lengths.push(snapshot.body.page_length(page).map_err(refused)? as u64);
            snapshot.leave(page);
        }
        pages.lengths.sort_unstable();
        Ok(pages)
    }
}

/// The sizes of a snapshot's files and parts, of which `parts` sum up to the pack.
pub(super) fn view(snapshot: &mut Snapshot) -> Result<Value, Failure> {
    let pages = Pages::of(snapshot)?;
    let body = &snapshot.body;
    let catalogue = body.catalogue();
    let catalogue_bytes = catalogue.bytes().len() as u64;
    let (nodes, node_bytes) = body.node_sizes();
    let page_bytes: u64 = pages.lengths.iter().sum();
    let pack_bytes = body.roots().pack_length;
    let subjects = catalogue.counts().subjects;
    // What a pack has beside its parts: eight bytes and the end of each page.
    let table_bytes = 8 + 4 * pages.lengths.len() as u64;
    let whole =
        [("pack-table", table_bytes), ("catalogue", catalogue_bytes), ("nodes", node_bytes)];
    let of_pages = pages.parts.iter().map(|(part, bytes)| (part.as_str(), *bytes));
    let part = |(part, bytes): (&str, u64)| {
        let each = each(bytes, subjects);
        json!({ "part": part, "bytes": bytes, "bytesPerSubject": each })
    };
    let parts: Vec<Value> = whole.into_iter().chain(of_pages).map(part).collect();
    Ok(json!({
        "headBytes": snapshot.head_bytes.len(),
        "packBytes": pack_bytes, "hasPack": body.roots().has_pack(),
        "catalogueBytes": catalogue_bytes, "nodes": nodes, "nodeBytes": node_bytes,
        "pages": pages.lengths.len(), "pageBytes": page_bytes,
        "pageBytesMin": pages.lengths.first(),
        "pageBytesMedian": pages.lengths.get(pages.lengths.len() / 2),
        "pageBytesMax": pages.lengths.last(),
        "bytesPerSubject": each(pack_bytes, subjects),
        "parts": parts,
    }))
}

/// Bytes for each subject to two digits, if there is any.
fn each(bytes: u64, subjects: u64) -> Option<f64> {
    (subjects > 0).then(|| (bytes as f64 / subjects as f64 * 100.0).round() / 100.0)
}
