//! Properties that hold for the random ledger of every seed.

use std::io::Write as _;

/// Tries a property on many seeds, on as many threads as the machine has, and stops the test with
/// the first of its failures.
///
/// `EDGEGRANT_PROPERTIES` says how many seeds in place of `count`, and `EDGEGRANT_SEED` the first.
///
/// # Panics
/// When the property lists a failure for any seed.
pub fn holds(name: &str, count: u64, property: impl Fn(u64) -> Vec<String> + Sync) {
    let (count, first) = (setting("EDGEGRANT_PROPERTIES", count), setting("EDGEGRANT_SEED", 1));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let property = &property;
    let failures = std::thread::scope(|scope| {
        let run = |thread: u64| {
            let seeds = (first..first + count).filter(move |seed| seed % threads == thread);
            scope.spawn(move || seeds.flat_map(|seed| failures(seed, property)).collect())
        };
        let running: Vec<_> = (0..threads).map(run).collect();
        let found = running.into_iter().map(|thread| thread.join().expect("a thread"));
        found.collect::<Vec<Vec<String>>>().concat()
    });
    // Past the capture of the test harness: who asks for many ledgers wants to see that they ran.
    let _ = writeln!(std::io::stderr(), "{name}: {count} ledgers from seed {first}");
    let shown = failures.iter().take(20).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{name}: {} failures\n{shown}", failures.len());
}

fn failures(seed: u64, property: &(impl Fn(u64) -> Vec<String> + Sync)) -> Vec<String> {
    property(seed).into_iter().map(|failure| format!("seed {seed}: {failure}")).collect()
}

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}
