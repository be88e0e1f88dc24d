//! How many pages a body gets, and how often they are written for it.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod snapshot_support;

use edgegrant::Error;
use edgegrant::snapshot::{BUCKETS, Settings, fit, units};
use snapshot_support::settings;

/// The page bits for subjects of so many bytes each, and what was written: page bits and buckets.
fn fitted(previous: Option<u8>, subjects: u64, each: u64, most: u64) -> (u8, Vec<(u8, usize)>) {
    let mut asked = Vec::new();
    let write = |page_bits: u8, buckets: usize| {
        asked.push((page_bits, buckets));
        let bytes = subjects * each * buckets as u64 / BUCKETS as u64;
        let mean = (subjects * each) >> page_bits;
        Ok::<_, Error>((mean <= most).then_some(((), bytes)))
    };
    let settings = Settings { previous_page_bits: previous, ..settings() };
    let (page_bits, (), bytes) = fit(&settings, subjects, write).unwrap();
    assert_eq!(bytes, subjects * each);
    (page_bits, asked)
}

const ANY: u64 = u64::MAX;

#[test]
fn many_subjects_are_written_once_whatever_they_take() {
    for each in [20, 64, 130, 700] {
        let (page_bits, asked) = fitted(None, 1_000_000, each, ANY);
        assert!((4096..=8192).contains(&((1_000_000 * each) >> page_bits)), "{each}");
        let whole: Vec<_> = asked.iter().filter(|(_, buckets)| *buckets == BUCKETS).collect();
        assert_eq!(whole, [&(page_bits, BUCKETS)], "{each}");
        assert_eq!(asked.len(), 2, "{each}");
    }
}

#[test]
fn few_subjects_are_written_as_a_whole() {
    let (page_bits, asked) = fitted(None, 10_000, 20, ANY);
    assert!((4096..=8192).contains(&(200_000 >> page_bits)));
    assert!(asked.iter().all(|(_, buckets)| *buckets == BUCKETS));
}

#[test]
fn a_number_that_was_published_is_tried_alone_unless_it_cannot_stay() {
    let (page_bits, asked) = fitted(Some(9), 100_000, 40, ANY);
    assert_eq!((page_bits, asked), (9, vec![(9, BUCKETS)]));
    // From one page, which so many subjects cannot have left, none is written that holds them all.
    let (page_bits, asked) = fitted(Some(0), 100_000, 40, 1 << 20);
    assert_eq!(page_bits, 9);
    assert!(asked.iter().all(|(page_bits, _)| *page_bits >= 9), "{asked:?}");
}

#[test]
fn pages_that_are_too_long_are_tried_on_a_few_buckets() {
    let (page_bits, asked) = fitted(None, 100_000, 900_000, 1 << 20);
    assert_eq!(page_bits, 24);
    let whole = asked.iter().filter(|(_, buckets)| *buckets == BUCKETS).count();
    assert_eq!(whole, 1, "{asked:?}");
}

#[test]
fn what_is_wrong_is_told_by_all_together() {
    let write = |_, buckets| match buckets {
        BUCKETS => Err(Error::new("all", "told by all")),
        _ => Err(Error::new("some", "told by some")),
    };
    let told = fit::<(), _>(&settings(), 1_000_000, write);
    assert_eq!(told.unwrap_err().code(), "all");
}

#[test]
fn units_are_whole_buckets_and_whole_pages() {
    for page_bits in 0..=12 {
        let mut next = (0, 0);
        for unit in units(page_bits, BUCKETS) {
            assert_eq!((unit.buckets.start, unit.pages.start), next);
            let share = (unit.buckets.len() << page_bits, unit.pages.len() * BUCKETS);
            assert_eq!(share.0, share.1);
            next = (unit.buckets.end, unit.pages.end);
        }
        assert_eq!(next, (BUCKETS, 1 << page_bits));
    }
}
