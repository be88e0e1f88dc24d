//! What a subject costs.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod snapshot_support;

use snapshot_support::{Own, encode_planned};

const SUBJECTS: usize = 6_000;
/// `customer-000000`.
const KEY_BYTES: f64 = 15.0;

/// Bytes of the pack for each subject beyond its key.
fn bytes_a_subject(own: Own) -> f64 {
    let encoded = encode_planned(SUBJECTS, own);
    let bytes = encoded.roots.pack_length as f64 / SUBJECTS as f64 - KEY_BYTES;
    let mean = encoded.roots.pack_length >> encoded.page_bits;
    println!(
        "{bytes:.1} B a subject beyond its key; {} page bits, pages of {mean} B",
        encoded.page_bits
    );
    assert!((3 * 1024..12 * 1024).contains(&mean));
    bytes
}

#[test]
fn ten_features_of_three_plans_cost_at_most_64_bytes() {
    assert!(bytes_a_subject(Own::Usage) <= 64.0);
}

#[test]
fn own_anchors_and_ulids_are_kept_compact() {
    // 48 bytes of it are the three ULIDs.
    assert!(bytes_a_subject(Own::Anchors) <= 128.0);
}
