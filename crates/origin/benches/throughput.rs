//! What publishing costs: `cargo bench -p edgegrant-origin --bench throughput -- <subjects>`.
//!
//! One size for each process, because the peak of memory is that of a process. Figures are CPU time
//! of all threads, beside that of reading the same lines with `serde_json` into its `Value`.
#![allow(clippy::expect_used, missing_docs, reason = "a measurement stops at a broken assumption")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::time::Instant as Stopwatch;

use edgegrant::trust::SecretKey;
use edgegrant::{Instant, Interval};
use edgegrant_origin::folder::Folder;
use edgegrant_origin::generate::{self, GrantIds};
use edgegrant_origin::publish::{Options, Published, Terms, publish};

const AT: &str = "2026-11-20T12:34:00Z";

fn main() {
    let counts = std::env::args().filter_map(|argument| argument.parse().ok());
    for subjects in counts.collect::<Vec<u64>>() {
        measure(subjects);
    }
}

fn measure(subjects: u64) {
    let root = tempfile::tempdir().expect("a folder");
    let facts = root.path().join("facts.ndjson");
    let changed = root.path().join("changed.ndjson");
    let bytes = write_facts(subjects, &facts, &changed);
    println!("{subjects} subjects, {} bytes of facts each", bytes / subjects.max(1));
    let reference = told("serde_json to Value", subjects, None, || parse(&facts));
    let folder = Folder::new(root.path().join("out"));
    let first = Some(reference);
    let mut body = 0;
    told("first publishing", subjects, first, || body = published(&facts, &folder).pack_bytes);
    told("nothing changed", subjects, first, || {
        assert_eq!(published(&facts, &folder).new_parts, 0);
    });
    told("one in 1000 changed", subjects, first, || _ = published(&changed, &folder));
    println!("    peak of memory {} MB, pack {} MB\n", peak_kb() / 1024, body >> 20);
}

/// Prints what something costs and gives its CPU seconds.
fn told(name: &str, subjects: u64, reference: Option<f64>, work: impl FnOnce()) -> f64 {
    let (cpu, wall) = (cpu_seconds(), Stopwatch::now());
    work();
    let (cpu, wall) = (cpu_seconds() - cpu, wall.elapsed().as_secs_f64());
    let (micros, rate) = (cpu * 1e6 / subjects as f64, subjects as f64 / cpu);
    let ratio =
        reference.map_or_else(String::new, |reference| format!("{:6.2} x", cpu / reference));
    println!("    {name:20} {micros:7.2} us {rate:9.0} /s/core {ratio:>8} {wall:8.2} s");
    cpu
}

fn parse(facts: &Path) {
    let mut input = BufReader::with_capacity(1 << 18, File::open(facts).expect("facts"));
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line).expect("a line") > 0 {
        black_box(serde_json::from_slice::<serde_json::Value>(&line).expect("JSON"));
        line.clear();
    }
}

/// Writes facts, and the same with one subject in 1000 suspended, and says how long they are.
fn write_facts(subjects: u64, facts: &Path, changed: &Path) -> u64 {
    let at = Instant::parse(AT).expect("an instant");
    let options = generate::Facts { subjects, seed: 1, at, grant_ids: GrantIds::Derived };
    let create = |path| BufWriter::new(File::create(path).expect("a file"));
    let (mut plain, mut other) = (create(facts), create(changed));
    for (number, fact) in generate::facts(options).expect("facts").enumerate() {
        let line = serde_json::to_string(&fact).expect("JSON");
        writeln!(plain, "{line}").expect("a line");
        let suspended = "{\"status\":\"suspended\",\"subject\"";
        let line =
            if number % 1000 == 999 { line.replacen("{\"subject\"", suspended, 1) } else { line };
        writeln!(other, "{line}").expect("a line");
    }
    [plain, other].iter_mut().for_each(|file| file.flush().expect("a file"));
    fs::metadata(facts).expect("a file").len()
}

fn published(facts: &Path, folder: &Folder) -> Published {
    let interval = |text| Interval::parse(text).expect("an interval");
    let terms = Terms {
        audience: "acme/bench".to_owned(),
        now: Instant::parse(AT).expect("an instant").plus_millis(60_000),
        stale_after: interval("PT2M"),
        expires_after: interval("P1D"),
        dead_after: interval("P7D"),
    };
    let options = Options { facts: vec![facts.to_owned()], terms, allow_shrink: false };
    publish(&options, &[SecretKey::from_seed(1, [7; 32])], folder).expect("a snapshot")
}

/// CPU time of this process so far, in user and system, which Linux counts in hundredths.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The most memory that this process has had.
fn peak_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or_default()
}
