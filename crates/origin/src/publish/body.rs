//! A body that waits on the disk, and its way into a folder.

use std::io::{self, Cursor, Read};

use edgegrant::snapshot::{
    Above, BUCKETS, Counts, Digest, PageWriter, Part, Roots, Settings, Unit, Unwritten, fit, units,
};

use super::deltas;
use super::kept::Kept;
use crate::facts::{Gathered, spilled};
use crate::failure::Failure;
use crate::folder::Folder;
use crate::progress::{Progress, Stage};
use crate::spill::{Span, Spool};
use crate::threads::{cores, each};

/// A body of which only the pages are not in memory.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) above: Above,
    pub(super) page_bits: u8,
    pub(super) counts: Counts,
    pages: Pages,
}

/// Pages in order.
#[derive(Debug)]
struct Pages {
    spool: Spool,
    pages: Vec<(Digest, Span)>,
    /// From what each was made.
    made_from: Vec<Digest>,
    /// The pages before, of which some may be among these.
    kept: Kept,
}

/// Files are written by more threads than there are cores, because most wait for the disk.
const WRITERS: usize = 16;

impl Body {
    /// Encodes what was gathered; what waits lies on the disk of the folder.
    pub(super) fn encode(
        gathered: &Gathered<'_>,
        settings: &Settings,
        folder: &Folder,
        progress: &Progress<'_>,
    ) -> Result<Self, Failure> {
        let encoder = Encoder { gathered, settings, folder, progress };
        let counts = gathered.counts;
        let pages = |page_bits, buckets| encoder.pages(page_bits, buckets);
        let (page_bits, pages, bytes) = fit(settings, counts.subjects, pages)?;
        let features = gathered.packer.features();
        let names = pages.pages.iter().map(|(name, _)| *name).collect();
        let above = Above::of(settings, features, page_bits, counts, names, bytes)?;
        Ok(Self { above, page_bits, counts, pages })
    }

    pub(super) const fn roots(&self) -> &Roots {
        &self.above.roots
    }

    /// From what each page was made.
    pub(super) fn made_from(&self) -> &[Digest] {
        &self.pages.made_from
    }

    /// How many parts it has.
    pub(super) fn parts(&self) -> usize {
        1 + self.above.nodes.len() + self.pages.pages.len()
    }

    /// The name of each part, the catalogue first, then nodes from the root downwards, then pages,
    /// and what reads its bytes.
    pub(super) fn named(
        &self,
    ) -> impl Iterator<Item = (Digest, impl Fn() -> Result<Vec<u8>, Failure>)> {
        let above = std::iter::once(&self.above.catalogue).chain(&self.above.nodes);
        let above = above.map(|part| (part.digest, Some(part), Span::default()));
        let pages = self.pages.pages.iter().map(|(name, span)| (*name, None, *span));
        above.chain(pages).map(move |(name, part, span)| {
            (name, move || match part {
                Some(part) => Ok(part.bytes.clone()),
                None => self.pages.read(span),
            })
        })
    }

    /// Writes what the folder does not have, what is named before what names it, and says how many
    /// parts that were.
    pub(super) fn write(&self, folder: &Folder, progress: &Progress<'_>) -> Result<usize, Failure> {
        let pages = &self.pages.pages;
        let write = |name: &Digest, bytes: &[u8]| {
            progress.add(Stage::Writing, 1);
            write_part(folder, name, bytes)
        };
        let page = |index: usize| {
            let Some((name, span)) = pages.get(index) else { return Ok(false) };
            write(name, &self.pages.read(*span)?)
        };
        let written = each(pages.len(), WRITERS, || Ok::<_, Failure>(page))?;
        let mut written = written.into_iter().filter(|is_new| *is_new).count();
        let names = pages.iter().map(|(name, _)| *name);
        let made_from = self.made_from().iter().copied();
        self.pages.kept.replace(folder, made_from.zip(names))?;
        for part in self.above.nodes.iter().rev().chain([&self.above.catalogue]) {
            written += usize::from(write(&part.digest, &part.bytes)?);
        }
        // Also where every part was there: a body may come back, from others than before.
        deltas::write(folder, self)?;
        self.write_pack(folder, written == 0)?;
        Ok(written)
    }

    fn write_pack(&self, folder: &Folder, is_old: bool) -> Result<(), Failure> {
        let roots = self.roots();
        let pack = folder.pack(roots);
        let length = std::fs::metadata(&pack).map(|metadata| metadata.len()).ok();
        if !roots.has_pack() || (is_old && length == Some(roots.pack_length)) {
            return Ok(());
        }
        let lengths = self.pages.pages.iter().map(|(_, span)| span.length);
        let above = Cursor::new(self.above.before_pages(lengths));
        let pages = PagesReader { pages: &self.pages, next: 0, page: Cursor::default() };
        folder.serve_from(&pack, &mut above.chain(pages))
    }
}

/// Writes a part unless it is there. The name is the digest of the content, so only a fault of the
/// disk can have left something else.
fn write_part(folder: &Folder, name: &Digest, bytes: &[u8]) -> Result<bool, Failure> {
    let path = folder.part(name);
    if std::fs::read(&path).is_ok_and(|found| found == bytes) {
        return Ok(false);
    }
    folder.serve(&path, bytes)?;
    Ok(true)
}

/// What pages are made from.
#[derive(Clone, Copy)]
struct Encoder<'a> {
    gathered: &'a Gathered<'a>,
    settings: &'a Settings,
    folder: &'a Folder,
    progress: &'a Progress<'a>,
}

/// The pages of a unit and from what each was made, or why there are none.
enum Made {
    Pages(Vec<(Digest, Span)>, Vec<Digest>),
    /// A page would be too long.
    Full,
    /// The lowest second tag of an id that is there twice.
    Twice(u64),
}

impl Encoder<'_> {
    /// The pages in the first of so many buckets and how many bytes they take, unless one would be
    /// too long.
    fn pages(self, page_bits: u8, buckets: usize) -> Result<Option<(Pages, u64)>, Failure> {
        let spool = Spool::new(&self.folder.aside());
        let all: Vec<Unit> = units(page_bits, buckets).collect();
        let features = self.gathered.packer.features();
        let kept = Kept::load(self.folder, self.settings, features, page_bits);
        let start = || {
            let writer = PageWriter::new(self.settings, features, page_bits)?;
            let writer = writer.knowing(&self.gathered.common);
            let (all, spool, kept) = (&all, &spool, &kept);
            Ok::<_, Failure>(move |index: usize| {
                let Some(unit) = all.get(index) else { return Ok(Made::Full) };
                // What is written to find a number of pages is written once more.
                if buckets == BUCKETS {
                    self.progress.add(Stage::Encoding, unit.buckets.len() as u64);
                }
                self.unit(&writer, unit, kept, spool)
            })
        };
        let (mut pages, mut made_from) = (Vec::new(), Vec::new());
        let (mut is_full, mut twice) = (false, None);
        for made in each(all.len(), cores(), start)? {
            match made {
                Made::Pages(encoded, from) => {
                    pages.extend(encoded);
                    made_from.extend(from);
                }
                Made::Full => is_full = true,
                Made::Twice(tag) => twice = twice.into_iter().chain([tag]).min(),
            }
        }
        if let Some(tag) = twice {
            return Err(self.gathered.twice(tag));
        }
        let bytes = pages.iter().map(|(_, span)| span.length as u64).sum();
        Ok((!is_full).then_some((Pages { spool, pages, made_from, kept }, bytes)))
    }

    fn unit(
        self,
        writer: &PageWriter<'_>,
        unit: &Unit,
        kept: &Kept,
        spool: &Spool,
    ) -> Result<Made, Failure> {
        let Unit { buckets, pages } = unit;
        if !PageWriter::may_hold(pages.len(), self.gathered.told_bytes(buckets.clone())) {
            return Ok(Made::Full);
        }
        let io = |error| spilled(&error);
        let packed = self.gathered.read(buckets.clone()).map_err(io)?;
        let mut made_from = Vec::with_capacity(pages.len());
        let kept = |index, from| {
            made_from.push(from);
            kept.page(self.folder, index, &from)
        };
        match writer.write_unless(pages.clone(), &packed, kept) {
            Ok(parts) => Ok(Made::Pages(store(spool, &parts).map_err(io)?, made_from)),
            Err(Unwritten::Full) => Ok(Made::Full),
            Err(Unwritten::Twice(tag)) => Ok(Made::Twice(tag)),
            Err(Unwritten::Refused(error)) => Err(error.into()),
        }
    }
}

fn store(spool: &Spool, parts: &[Part]) -> io::Result<Vec<(Digest, Span)>> {
    let bytes: Vec<&[u8]> = parts.iter().map(|part| part.bytes.as_slice()).collect();
    let mut rest = spool.append(&bytes.concat())?;
    let place = |part: &Part| {
        let (span, behind) = rest.split(part.bytes.len());
        rest = behind;
        (part.digest, span)
    };
    Ok(parts.iter().map(place).collect())
}

impl Pages {
    fn read(&self, span: Span) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::with_capacity(span.length);
        self.spool.read(span, &mut bytes).map_err(|error| spilled(&error))?;
        Ok(bytes)
    }
}

/// Reads pages one behind the other.
struct PagesReader<'a> {
    pages: &'a Pages,
    next: usize,
    page: Cursor<Vec<u8>>,
}

impl Read for PagesReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let read = self.page.read(out)?;
            let Some((_, span)) = self.pages.pages.get(self.next).filter(|_| read == 0) else {
                return Ok(read);
            };
            let mut bytes = Vec::with_capacity(span.length);
            self.pages.spool.read(*span, &mut bytes)?;
            (self.page, self.next) = (Cursor::new(bytes), self.next + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use std::path::{Path, PathBuf};

    use edgegrant::Instant;
    use edgegrant::snapshot::{SubjectRecord, encode};

    use super::*;
    use crate::facts::{Checker, Entry, Facts, gather};
    use crate::generate::{self, GrantIds};

    #[test]
    fn a_body_that_fits_into_no_file_is_written_in_parts() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().join("out"));
        folder.make().unwrap();
        let usage_as_of = Instant::parse("2026-01-01T00:00:00Z").unwrap();
        let settings = Settings { seed: [7; 32], usage_as_of, previous_page_bits: Some(2) };
        let progress = Progress::default();
        let gathered = gather(&[], usage_as_of, [7; 32], root.path(), &progress).unwrap();
        let mut body = Body::encode(&gathered, &settings, &folder, &progress).unwrap();
        body.above.roots.pack_length = 1 << 32;
        let written = body.write(&folder, &progress).unwrap();
        assert_eq!(written, body.parts());
        assert_eq!(std::fs::read_dir(folder.packs()).unwrap().count(), 0);
        assert_eq!(body.write(&folder, &progress).unwrap(), 0, "nothing is missing");
    }

    const AT: &str = "2026-11-20T12:35:00Z";

    fn at() -> Instant {
        Instant::parse(AT).unwrap()
    }

    /// Files with what is common, and with what is not: aliases, texts that are read as a whole,
    /// features that are declared late, status, and instants of usage that differ.
    fn files(root: &Path, subjects: u64) -> Vec<PathBuf> {
        let made = |seed, grant_ids| {
            let options = generate::Facts { subjects, seed, at: at(), grant_ids };
            let lines = generate::facts(options).unwrap();
            lines.map(|fact| serde_json::to_string(&fact).unwrap()).collect::<Vec<_>>()
        };
        let first = made(1, GrantIds::Derived).join("\n");
        let mut second = vec!["\n".to_owned(), r#"{"unit":"seat","feature":"late"}"#.to_owned()];
        for (number, line) in made(2, GrantIds::Ulid).iter().skip(10).enumerate() {
            let changed = match number % 5 {
                0 => line.replace("{\"subject\":\"", "{\"subject\":\"other-"),
                1 => {
                    let names = format!(r#"{{"aliases":["a{number}","b{number}"],"#);
                    line.replace("{\"subject\":\"", &format!("{names}\"subject\":\"\\u006f-"))
                }
                2 => line
                    .replace("{\"subject", "{\"status\":\"suspended\",\"subject")
                    .replace("\"subject-", "\"s-"),
                3 => format!(
                    r#"{{"subject":"late-{number}","attributes":{{"a":"b"}},"entitlements":[
                    {{"feature":"late","type":"metered",
                    "measureUsageFrom":"2026-01-01T00:00:00+01:00",
                    "grants":[{{"id":"g","amount":"1.5","effectiveAt":"2026-01-01T00:00:00Z"}}],
                    "usage":{{"kind":"flow","asOf":"2026-11-20T12:00:00.{number:03}Z"}}}}]}}"#
                )
                .replace('\n', " "),
                _ => line.replace("{\"subject\":\"", "  {\"subject\":\"t-") + " ",
            };
            second.push(changed);
        }
        let write = |name: &str, text: String| {
            let path = root.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        vec![write("first", first), write("second", second.join("\n"))]
    }

    #[test]
    fn a_body_is_what_is_encoded_at_once() {
        let root = tempfile::tempdir().unwrap();
        let files = files(root.path(), 1_500);
        let folder = Folder::new(root.path().join("out"));
        let progress = Progress::default();
        let gathered = gather(&files, at(), [7; 32], root.path(), &progress).unwrap();
        let usage_as_of = gathered.usage_as_of(at());
        let (mut features, mut subjects, mut checker) = (vec![], vec![], Checker::default());
        for file in &files {
            let input = std::io::BufReader::new(std::fs::File::open(file).unwrap());
            for entry in Facts::new(input, at(), &mut checker) {
                match entry.unwrap() {
                    Entry::Feature(feature) => features.push(feature),
                    Entry::Subject(subject) => subjects.push(subject),
                }
            }
        }
        for previous_page_bits in [None, Some(0), Some(5), Some(12)] {
            let settings = Settings { seed: [7; 32], usage_as_of, previous_page_bits };
            let body = Body::encode(&gathered, &settings, &folder, &progress).unwrap();
            let whole = encode(&settings, &features, subjects.clone()).unwrap();
            assert_eq!(body.above.roots, whole.roots);
            assert_eq!(body.counts, whole.counts);
            let parts = body.named().map(|(digest, read)| Part { digest, bytes: read().unwrap() });
            assert!(parts.eq(whole.parts().cloned()));
        }
    }

    #[test]
    fn many_subjects_are_in_as_many_pages_as_if_they_were_encoded_at_once() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("facts");
        let lines = (0..20_000).map(|number| format!("{{\"subject\":\"{number:040}\"}}"));
        std::fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
        let (files, folder, progress) = ([file], Folder::new(root.path()), Progress::default());
        let gathered = gather(&files, at(), [7; 32], root.path(), &progress).unwrap();
        let subject = |number| SubjectRecord {
            id: format!("{number:040}"),
            aliases: Vec::new(),
            entitlements: Vec::new(),
        };
        for previous_page_bits in [None, Some(0), Some(9)] {
            let settings = Settings { seed: [7; 32], usage_as_of: at(), previous_page_bits };
            let body = Body::encode(&gathered, &settings, &folder, &progress).unwrap();
            let whole = encode(&settings, &[], (0..20_000).map(subject).collect()).unwrap();
            assert_eq!((body.page_bits, body.above.roots), (whole.page_bits, whole.roots));
        }
    }

    #[test]
    fn there_may_be_more_pages_than_buckets() {
        let root = tempfile::tempdir().unwrap();
        let files = files(root.path(), 500);
        let (folder, progress) = (Folder::new(root.path()), Progress::default());
        let gathered = gather(&files, at(), [7; 32], root.path(), &progress).unwrap();
        let usage_as_of = gathered.usage_as_of(at());
        let settings = Settings { seed: [7; 32], usage_as_of, previous_page_bits: None };
        let encoder = Encoder {
            gathered: &gathered,
            settings: &settings,
            folder: &folder,
            progress: &progress,
        };
        let (pages, bytes) = encoder.pages(10, BUCKETS).unwrap().unwrap();
        let features = gathered.packer.features();
        let writer = PageWriter::new(&settings, features, 10).unwrap().knowing(&gathered.common);
        let whole = writer.write(0..1024, &gathered.read(0..BUCKETS).unwrap()).unwrap();
        assert_eq!(bytes, whole.iter().map(|part| part.bytes.len() as u64).sum::<u64>());
        for ((name, span), part) in pages.pages.iter().zip(&whole) {
            assert_eq!((*name, pages.read(*span).unwrap()), (part.digest, part.bytes.clone()));
        }
    }
}
