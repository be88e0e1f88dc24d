//! Ids of grants: most cost nothing or 16 bytes.

use super::bytes::{Reader, put_part};
use super::fields::IdKind;
use super::layout::GRANT_ID_BYTES_MAX;

/// The digits of a ULID (Crockford's base 32).
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ULID_DIGITS: u32 = 26;

/// How an id is kept.
pub(super) fn kind(id: &str, feature: &str) -> IdKind {
    if let Some(number) = derived(id, feature) {
        IdKind::Derived(number)
    } else if ulid(id).is_some() {
        IdKind::Ulid
    } else {
        IdKind::Text
    }
}

/// The number of an id of the form `<feature>-<number>`.
fn derived(id: &str, feature: &str) -> Option<u64> {
    let number = id.strip_prefix(feature)?.strip_prefix('-')?;
    let canonical = number == "0" || !number.starts_with(['0', '+']);
    number.parse().ok().filter(|_| canonical)
}

fn ulid(id: &str) -> Option<u128> {
    if id.len() != ULID_DIGITS as usize || id.as_bytes().first()? > &b'7' {
        return None;
    }
    id.bytes().try_fold(0, |value: u128, digit| {
        let digit = DIGITS.iter().position(|known| *known == digit)?;
        Some(value << 5 | digit as u128)
    })
}

/// Writes what of an id is not in the shape.
pub(super) fn put(out: &mut Vec<u8>, kind: IdKind, id: &str) {
    match kind {
        IdKind::Derived(_) => (),
        IdKind::Ulid => out.extend_from_slice(&ulid(id).unwrap_or_default().to_be_bytes()),
        IdKind::Text => put_part(out, id.as_bytes()),
    }
}

/// Reads an id again.
pub(super) fn read(reader: &mut Reader<'_>, kind: IdKind, feature: &str) -> Option<String> {
    match kind {
        IdKind::Derived(number) => Some(format!("{feature}-{number}")),
        IdKind::Ulid => Some(ulid_text(u128::from_be_bytes(*reader.array()?))),
        IdKind::Text => Some(reader.text(GRANT_ID_BYTES_MAX)?.to_owned()),
    }
}

/// Passes over an id.
pub(super) fn skip(reader: &mut Reader<'_>, kind: IdKind) -> Option<()> {
    match kind {
        IdKind::Derived(_) => Some(()),
        IdKind::Ulid => reader.array::<16>().map(drop),
        IdKind::Text => reader.text(GRANT_ID_BYTES_MAX).map(drop),
    }
}

fn ulid_text(value: u128) -> String {
    let digit = |place: u32| DIGITS.get((value >> (5 * place) & 31) as usize);
    (0..ULID_DIGITS).rev().filter_map(digit).map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn ids_are_read_as_they_were_written() {
        for (id, expected) in [
            ("api-7", IdKind::Derived(7)),
            ("api-0", IdKind::Derived(0)),
            ("api-07", IdKind::Text),
            ("api-+7", IdKind::Text),
            ("api-", IdKind::Text),
            ("other-7", IdKind::Text),
            ("01G65Z755AFWAKHE12NY0CQ9FH", IdKind::Ulid),
            ("01g65z755afwakhe12ny0cq9fh", IdKind::Text),
            ("81G65Z755AFWAKHE12NY0CQ9FH", IdKind::Text),
            ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", IdKind::Ulid),
        ] {
            let found = kind(id, "api");
            assert_eq!(found, expected, "{id}");
            let mut out = Vec::new();
            put(&mut out, found, id);
            assert_eq!(read(&mut Reader::new(&out), found, "api").unwrap(), id);
        }
    }
}
