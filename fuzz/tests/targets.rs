//! Every target as a property: its seeds, what was once found, and random changes to them.
//!
//! `EDGEGRANT_FUZZ_SECONDS` says for how long each is tried, and `EDGEGRANT_SEED` where the dice
//! start; both are printed.

#![allow(
    non_snake_case,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests are named by the ids of faults, and a failed unwrap is a failed test"
)]

use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use edgegrant_fuzz::mutate::mutant;
use edgegrant_fuzz::{TARGETS, Target};

/// One target at a time, because the allocator counts for all threads.
static ALONE: Mutex<()> = Mutex::new(());

const SECONDS: u64 = 10;

/// What takes longer has no end. An input is a matter of milliseconds; the rest is for a busy
/// machine.
const SLOWEST: Duration = Duration::from_secs(5);

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Prints the input when the target panics.
struct Trying<'a>(&'a str, &'a [u8]);

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex: String = self.1.iter().map(|byte| format!("{byte:02x}")).collect();
            eprintln!("the input of `{}`, {} bytes in hex: {hex}", self.0, self.1.len());
        }
    }
}

fn run(target: &Target, input: &[u8]) {
    let _trying = Trying(target.name, input);
    (target.run)(input);
}

/// Inputs that once failed, kept under their target's name.
fn findings(target: &Target) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("findings").join(target.name);
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn holds(name: &str) {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let mut seeds = (target.seeds)();
    seeds.extend(findings(target));
    seeds.iter().for_each(|seed| run(target, seed));
    let seconds = setting("EDGEGRANT_FUZZ_SECONDS", SECONDS);
    let seed = setting("EDGEGRANT_SEED", 1);
    let mut rng = fastrand::Rng::with_seed(seed);
    let (start, mut count, mut slowest) = (Instant::now(), 0_u64, Duration::ZERO);
    while start.elapsed() < Duration::from_secs(seconds) {
        let input = mutant(&seeds, &mut rng);
        let begun = Instant::now();
        run(target, &input);
        slowest = slowest.max(begun.elapsed());
        assert!(slowest < SLOWEST, "{name} took {slowest:?} for {input:?}");
        count += 1;
    }
    let line = format!("{name}: {count} inputs in {seconds} s from seed {seed}, ");
    // Past the capture of the test harness: whoever asks for many inputs wants to see them counted.
    let _ = writeln!(std::io::stderr(), "{line}the slowest took {slowest:?}");
    assert!(count > 0 || seconds == 0);
}

macro_rules! properties {
    ($($test:ident => $name:literal),*) => {
        $(#[test] fn $test() { holds($name); })*

        #[test]
        fn every_target_is_a_property() {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$($name),*]);
        }
    };
}

properties!(
    fault_B32_heads => "head",
    fault_B32_catalogues => "catalogue",
    fault_B32_pages => "page",
    fault_B32_nodes => "node",
    fault_B32_packs => "pack",
    fault_B32_slices => "slice",
    fault_B32_deltas => "delta",
    fault_B32_facts => "facts"
);
