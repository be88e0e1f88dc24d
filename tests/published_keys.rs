//! Keys whose secrets can be read in this repository or in well-known vectors are trusted by
//! nobody: the crate refuses each, and a secret that it does not know of fails here.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed unwrap is a failed test, and a test says what it found"
)]

use std::fs;
use std::path::{Path, PathBuf};

use edgegrant::trust::{SecretKey, TrustedKey};

/// Secrets of documents that everybody has, in hexadecimal.
const WELL_KNOWN: &[&str] = &[
    // RFC 8032 §7.1: tests 1 (also of RFC 8037 and of the COSE examples), 2, 3, 1024, SHA(abc).
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    // RFC 8032 §7.2.
    "0305334e381af78f141cb666f6199f57bc3495335a256a95bd2a55bf546663f6",
    "ab9c2853ce297ddab85c993b3ae14bcad39b2c682beabc27d6d4eb20711d6560",
    // PASETO, version 4.
    "b4cbfb43df4ce210727d953e4a713307fa19bb7d9f85041438d9e11b942a3774",
    // The bytes from 0 to 31, and from 1 to 32.
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
];

/// Folders that are made, and those of other people's code.
const SKIPPED: &[&str] = &["target", "node_modules", "dist", ".git"];

/// How a seed is given in code, up to its first character.
const GIVEN: &[&str] = &["from_seed(", "SigningKey::from_bytes(&", "from_seed_bytes("];

fn hex(text: &str) -> [u8; 32] {
    let digits: Vec<u8> =
        text.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    bytes.try_into().unwrap()
}

/// Every seed that is published: one byte 32 times over, as tests have it, and the well-known ones.
fn seeds() -> impl Iterator<Item = [u8; 32]> {
    (0..=255).map(|byte| [byte; 32]).chain(WELL_KNOWN.iter().map(|text| hex(text)))
}

fn is_refused(key: &TrustedKey) -> bool {
    TrustedKey::parse(&key.to_string()).is_err_and(|error| error.code() == "key-published")
}

/// The list as `src/trust/published.rs` has it.
fn list() -> String {
    let id = |seed| SecretKey::from_seed(0, seed).trusted_key().id().to_bytes();
    let mut starts: Vec<u32> =
        seeds().map(|seed| u32::from_be_bytes(id(seed)[4..8].try_into().unwrap())).collect();
    starts.sort_unstable();
    let lines: Vec<String> = starts
        .chunks(8)
        .map(|line| line.iter().map(|start| format!("{start:#010x}, ")).collect::<String>())
        .map(|line| format!("    {}\n", line.trim_end()))
        .collect();
    format!("const PUBLISHED: [u32; {}] = [\n{}];\n", starts.len(), lines.concat())
}

#[test]
fn every_published_key_is_refused_whatever_its_epoch() {
    for seed in seeds() {
        for epoch in [0, 1, u32::MAX] {
            let key = SecretKey::from_seed(epoch, seed).trusted_key();
            assert!(is_refused(&key), "write this list into src/trust/published.rs:\n{}", list());
        }
    }
}

#[test]
fn a_key_whose_secret_nobody_has_is_not() {
    let text = "eg1:1:c3yHIXuJGZMnjEiHTc_UwQSoZkRzJKLmGM1VZD2RsS0";
    assert_eq!(TrustedKey::parse(text).unwrap().to_string(), text);
}

#[test]
fn no_file_of_the_repository_holds_another_secret() {
    let mut found = 0;
    for path in files(Path::new(env!("CARGO_MANIFEST_DIR"))) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for secret in texts(&text) {
            found += 1;
            let key = SecretKey::parse(secret).unwrap().trusted_key();
            assert!(is_refused(&key), "{}: a secret key as text is not listed", path.display());
        }
        for seed in GIVEN.iter().flat_map(|given| text.split(given).skip(1)) {
            found += 1;
            assert!(is_listed(seed), "{}: {:.60} is not listed", path.display(), seed);
        }
    }
    assert!(found > 10, "{found}");
}

/// The secret keys that stand in a text.
fn texts(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("eg1-secret:").filter_map(|(at, _)| {
        let rest = text.get(at..)?;
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:".contains(c)));
        rest.get(..end.unwrap_or(rest.len())).filter(|secret| SecretKey::parse(secret).is_ok())
    })
}

/// Whether a seed, as code gives it, is one byte 32 times over or no constant at all.
fn is_listed(code: &str) -> bool {
    let arguments = code.split(')').next().unwrap_or_default();
    let Some((_, array)) = arguments.split_once('[') else { return !arguments.contains("b\"") };
    array.trim_end().split_once("; 32]").is_some_and(|(byte, _)| !byte.contains([',', '[']))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut found): (Vec<_>, Vec<_>) = entries
        .filter(|path| !SKIPPED.iter().any(|skipped| path.ends_with(skipped)))
        .partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| files(folder)));
    found
}

#[test]
fn the_search_knows_what_it_looks_for() {
    let secret = SecretKey::from_seed(1, [9; 32]).to_text();
    let text = format!("KEY={secret}\n`{secret}` eg1-secret:<epoch>:<43 characters>");
    assert_eq!(texts(&text).collect::<Vec<_>>(), [&secret, &secret]);
    for seed in ["1, [7; 32])", "1, [number; 32])", "self.epoch, seed)", "&random()?)"] {
        assert!(is_listed(seed), "{seed}");
    }
    for seed in ["1, [1, 2, 3])", "1, *b\"0123456789abcdef0123456789abcdef\")", "[[1; 8]; 4])"] {
        assert!(!is_listed(seed), "{seed}");
    }
}
