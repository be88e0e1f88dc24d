//! The worked example of docs/FORMAT.md: the bytes of a small snapshot, every field of them named.
//!
//! `cargo test -p edgegrant --test format_example -- --ignored` writes it anew. The names are
//! checked by their lengths here, and by the second reader, which reads the example off the page.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test"
)]

mod snapshot_support;

use std::fmt::Write as _;
use std::path::PathBuf;

use edgegrant::engine::program::Rule;
use edgegrant::snapshot::{
    Body, Encoded, EntitlementRecord, FeatureRecord, Settings, SubjectRecord, WhenExpired, cut,
    encode,
};
use edgegrant::time::Instant;
use edgegrant::trust::{Head, SecretKey, sign};
use snapshot_support::independent::sha;
use snapshot_support::plain;

/// Some bytes and what they are.
type Named = (usize, &'static str);

const HEAD: &[Named] = &[
    (2, "tag 98: COSE_Sign"),
    (1, "an array of 4"),
    (1, "no protected header"),
    (1, "no unprotected header"),
    (2, "the payload, bytes of this length"),
    (1, "a map of 13 keys"),
    (16, "0: the type, edgegrant-head"),
    (2, "1: the format version"),
    (11, "2: the audience, acme/test"),
    (2, "3: the version"),
    (10, "4: issuedAt, 2026-01-01T00:00:00Z"),
    (10, "5: staleAfter, 2 minutes later"),
    (10, "6: expiresAt, a day later"),
    (10, "7: deadAt, a week later"),
    (10, "8: usageAsOf, as issuedAt"),
    (35, "9: the digest of the root, which is the page"),
    (35, "10: the digest of the catalogue"),
    (3, "11: the length of the pack"),
    (2, "12: shrunkAtVersion, never"),
    (1, "an array of one signature"),
    (1, "an array of 3"),
    (1, "the protected header, bytes of this length"),
    (1, "a map of 2 keys"),
    (2, "1: the algorithm, EdDSA"),
    (2, "4: the key id, 12 bytes"),
    (4, "    the epoch"),
    (8, "    the first bytes of H(public key)"),
    (1, "no unprotected header"),
    (2, "the signature, 64 bytes"),
    (64, "    Ed25519"),
];

const PACK: &[Named] = &[
    (4, "EGB and the format version"),
    (4, "the length of the catalogue"),
    (0, "catalogue"),
    (4, "EGC and the format version"),
    (32, "the seed"),
    (1, "k: 2^0 pages"),
    (3, "zero"),
    (8, "subjects"),
    (8, "aliases"),
    (8, "entitlements"),
    (4, "features"),
    (8, "S(sso)"),
    (4, "where its item ends"),
    (1, "    closed after expiresAt"),
    (4, "    the key, sso"),
    (0, "no nodes; where each page ends"),
    (4, "the only page"),
    (0, "page"),
    (32, "the root over the subjects"),
    (4, "EGP and the format version"),
    (16, "the pepper"),
    (1, "k"),
    (4, "the index"),
    (2, "features"),
    (2, "configs"),
    (2, "shapes"),
    (2, "plans"),
    (2, "records"),
    (8, "S(sso)"),
    (2, "the slot of acme"),
    (3, "where the shape ends"),
    (3, "where the plan ends"),
    (3, "where the record ends"),
    (1, "the shape: no config"),
    (1, "    flags: a boolean rule, nothing else"),
    (2, "the plan: the first feature of the page"),
    (2, "    in the first shape"),
    (5, "the record: the id acme"),
    (1, "    the first plan"),
    (1, "    no entitlement has an own part"),
];

const SLICE: &[Named] = &[
    (4, "EGS and the format version"),
    (2, "the head, of this length"),
    (0, "the head as above"),
    (16, "the salt"),
    (1, "the expanded record, of this length"),
    (4, "EGR and the format version"),
    (5, "the id, acme"),
    (1, "one entitlement"),
    (4, "    the feature, sso"),
    (1, "    closed after expiresAt"),
    (1, "    no unit"),
    (1, "    no config"),
    (2, "    the fields: flags"),
    (1, "    no ids of grants"),
    (1, "no steps to the root over the subjects"),
    (32, "H(the page without its first 32 bytes)"),
    (1, "no steps to the root of the head"),
];

fn issued_at() -> Instant {
    Instant::parse("2026-01-01T00:00:00Z").unwrap()
}

fn encoded() -> Encoded {
    let settings = Settings { seed: [7; 32], usage_as_of: issued_at(), previous_page_bits: None };
    let sso =
        FeatureRecord { key: "sso".to_owned(), unit: None, when_expired: WhenExpired::Closed };
    let entitlement = EntitlementRecord {
        feature: "sso".to_owned(),
        program: plain(Rule::Boolean),
        config: None,
        grant_ids: Vec::new(),
        steady: None,
    };
    let acme = SubjectRecord {
        id: "acme".to_owned(),
        aliases: Vec::new(),
        entitlements: vec![entitlement],
    };
    encode(&settings, &[sso], vec![acme]).unwrap()
}

fn key() -> SecretKey {
    SecretKey::from_seed(1, [42; 32])
}

fn signed_head(encoded: &Encoded) -> Vec<u8> {
    let head = Head {
        audience: "acme/test".to_owned(),
        version: 7,
        issued_at: issued_at(),
        stale_after: issued_at().plus_millis(120_000),
        expires_at: issued_at().plus_millis(86_400_000),
        dead_at: issued_at().plus_millis(7 * 86_400_000),
        usage_as_of: issued_at(),
        root: encoded.roots.root.0,
        catalogue: encoded.roots.catalogue.0,
        pack_length: encoded.roots.pack_length,
        shrunk_at_version: 0,
    };
    sign(&head, &[key()]).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each field on a line of its own, 16 bytes a line; a name without bytes is a heading.
fn lines(title: &str, bytes: &[u8], names: &[Named], left_out: &[u8]) -> String {
    let mut text = format!("{title}, {} bytes\n", bytes.len());
    let mut rest = bytes;
    for (length, name) in names {
        if *length == 0 {
            writeln!(text, "{:32}  ({name})", "").unwrap();
            rest = rest.strip_prefix(left_out).unwrap_or(rest);
            continue;
        }
        let (field, after) = rest.split_at(*length);
        rest = after;
        for (index, line) in field.chunks(16).enumerate() {
            let name = if index == 0 { *name } else { "" };
            let line = format!("{:32}  {name}", hex(line));
            writeln!(text, "{}", line.trim_end()).unwrap();
        }
    }
    assert!(rest.is_empty(), "{title}: {} bytes have no name", rest.len());
    text
}

fn example() -> String {
    let encoded = encoded();
    let head = signed_head(&encoded);
    let body = Body::open(encoded.pack(), &encoded.roots, issued_at()).unwrap();
    let subject = body.subject("acme").unwrap().unwrap();
    let slice = cut(&body, &subject, &head).unwrap();
    let page = &encoded.pages[0].bytes;
    let pages_body = hex(&sha(&[&page[32..]]));
    let digests = format!(
        "H(catalogue)           {}\nH(the page's rest)     {pages_body}\n\
         the page's digest      {}\nthe trusted key        {}\n",
        encoded.roots.catalogue,
        encoded.roots.root,
        key().trusted_key(),
    );
    let blocks = [
        lines("head", &head, HEAD, b""),
        lines("pack", &encoded.pack(), PACK, b""),
        digests,
        lines("slice", &slice, SLICE, &head),
    ];
    format!("```text\n{}```\n", blocks.join("\n"))
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/FORMAT.md")
}

/// The page before, the example, and the page after.
fn taken_apart(page: &str) -> (&str, &str, &str) {
    let at = page.find("```text\nhead, ").unwrap();
    let end = at + page[at..].find("\n```\n").unwrap() + "\n```\n".len();
    (&page[..at], &page[at..end], &page[end..])
}

#[test]
fn the_example_of_the_format_is_what_is_written() {
    let page = std::fs::read_to_string(file()).unwrap();
    assert_eq!(taken_apart(&page).1, example());
}

#[test]
#[ignore = "writes the example anew"]
fn write_the_example_of_the_format() {
    let page = std::fs::read_to_string(file()).unwrap();
    let (before, _, after) = taken_apart(&page);
    std::fs::write(file(), [before, &example(), after].concat()).unwrap();
}
