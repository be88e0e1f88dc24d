//! Usage in the text of an entitlement.

use edgegrant::Amount;
use edgegrant::model::{Usage, UsageEvent, UsageKind};
use edgegrant::time::Timestamp;

/// The usage that some bytes begin with, and how long it is.
pub(super) fn first(bytes: &[u8]) -> Option<(Usage, usize)> {
    plain(bytes).or_else(|| {
        let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Usage>();
        let usage = values.next()?.ok()?;
        Some((usage, values.byte_offset()))
    })
}

/// Reads usage as most is written: events of whole units. Other ways are for a library to read.
fn plain(bytes: &[u8]) -> Option<(Usage, usize)> {
    let mut usage = Usage::new(UsageKind::Flow);
    let mut rest = bytes.strip_prefix(br#"{"kind":"flow""#)?;
    if let Some(events) = rest.strip_prefix(br#","events":["#) {
        rest = plain_events(events, &mut usage.events)?;
    }
    if let Some(as_of) = rest.strip_prefix(br#","asOf":""#) {
        let (as_of, behind) = instant(as_of)?;
        (usage.as_of, rest) = (Some(as_of), behind);
    }
    let rest = rest.strip_prefix(b"}")?;
    Some((usage, bytes.len() - rest.len()))
}

/// Reads events, of which there is at least one, and gives what follows their list.
fn plain_events<'a>(mut rest: &'a [u8], events: &mut Vec<UsageEvent>) -> Option<&'a [u8]> {
    loop {
        let (at, behind) = instant(rest.strip_prefix(br#"{"at":""#)?)?;
        let (amount, behind) = whole_units(behind.strip_prefix(br#","amount":"#)?)?;
        events.push(UsageEvent { at, amount });
        match behind {
            [b'}', b',', next @ ..] => rest = next,
            [b'}', b']', behind @ ..] => return Some(behind),
            _ => return None,
        }
    }
}

/// An instant of whole seconds in UTC and the quote behind it.
fn instant(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    const BYTES: usize = "2024-01-31T00:00:00Z".len();
    let (text, behind) = bytes.split_at_checked(BYTES)?;
    let at = Timestamp::parse(str::from_utf8(text).ok()?).ok()?;
    Some((at, behind.strip_prefix(b"\"")?))
}

/// A number of at most 15 digits and nothing else.
fn whole_units(bytes: &[u8]) -> Option<(Amount, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, behind) = bytes.split_at_checked(digits)?;
    let is_json = digits == 1 || number.first().is_some_and(|first| *first != b'0');
    if !is_json || digits > 15 {
        return None;
    }
    let units = number.iter().fold(0, |units, digit| units * 10 + i64::from(digit - b'0'));
    Some((Amount::from_units(units), behind))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a failed unwrap is a failed test"
    )]
    use fastrand::Rng;

    use super::*;

    fn library(bytes: &[u8]) -> Option<(Usage, usize)> {
        let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Usage>();
        let usage = values.next()?.ok()?;
        Some((usage, values.byte_offset()))
    }

    /// Usage as it is written, of which bytes may be something else.
    fn text(dice: &mut Rng) -> Vec<u8> {
        let events = (0..dice.usize(0..4)).map(|_| {
            let amount = dice.choice(["0", "7", "120", "007", "-3", "1.5", "1e3", ""]).unwrap();
            let many = "9".repeat(dice.usize(1..18));
            let amount = if dice.bool() { amount } else { &many };
            let (month, second) = (dice.u8(1..14), dice.u8(0..61));
            format!(r#"{{"at":"2026-{month:02}-30T10:00:{second:02}Z","amount":{amount}}}"#)
        });
        let events = events.collect::<Vec<_>>().join(",");
        let events = if dice.bool() { format!(r#","events":[{events}]"#) } else { String::new() };
        let as_of = if dice.bool() { r#","asOf":"2026-11-20T12:34:00Z""# } else { "" };
        let mut text = format!(r#"{{"kind":"flow"{events}{as_of}}},"x":1}}"#).into_bytes();
        if dice.u8(0..3) == 0 {
            let at = dice.usize(0..text.len());
            text[at] = *dice.choice(b"{}[]\",:\\ 0a\xff").unwrap();
        }
        text
    }

    #[test]
    fn what_is_read_plainly_is_what_a_library_reads() {
        let mut dice = Rng::with_seed(7);
        let (mut read, mut left) = (0, 0);
        for _ in 0..100_000 {
            let text = text(&mut dice);
            let expected = library(&text);
            if let Some(plain) = plain(&text) {
                assert_eq!(Some(plain), expected, "{}", String::from_utf8_lossy(&text));
                read += 1;
            } else if expected.is_some() {
                left += 1;
            }
            assert_eq!(first(&text), expected);
        }
        assert!(read > 10_000 && left > 1_000, "{read} read, {left} left");
    }
}
