//! Facts that are read, and facts that are refused with line, path and code.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use std::io::{BufReader, Read};

use edgegrant::Instant;
use edgegrant_origin::facts::{self, Checker, Problem, ReadError, schema};
use edgegrant_origin::generate::{self, Facts, GrantIds};

fn at() -> Instant {
    Instant::parse("2026-11-20T00:00:00Z").unwrap()
}

fn problems(text: impl AsRef<[u8]>) -> Vec<Problem> {
    let mut checker = Checker::default();
    let refused = facts::Facts::new(text.as_ref(), at(), &mut checker).filter_map(Result::err);
    refused
        .map(|error| match error {
            ReadError::Refused(problem) => problem,
            ReadError::Io(error) => panic!("{error}"),
        })
        .collect()
}

/// Facts with one entitlement, written over the given fields.
fn metered(fields: &str) -> String {
    format!(
        "{{\"feature\":\"f\"}}\n{{\"subject\":\"s\",\"entitlements\":[{{\"feature\":\"f\",\
         \"type\":\"metered\",\"measureUsageFrom\":\"2026-01-01T00:00:00Z\",{fields}}}]}}"
    )
}

fn grant(fields: &str) -> String {
    metered(&format!(
        "\"grants\":[{{\"id\":\"g\",\"effectiveAt\":\"2026-01-01T00:00:00Z\",{fields}}}]"
    ))
}

const GOOD: &str = include_str!("fixtures/good.ndjson");

#[test]
fn good_facts_are_read_with_crlf_and_blank_lines_too() {
    assert_eq!(problems(GOOD), []);
    assert_eq!(problems(GOOD.replace('\n', "\r\n")), []);
    let mut checker = Checker::default();
    assert_eq!(facts::Facts::new(GOOD.as_bytes(), at(), &mut checker).count(), 3);
}

/// Checks that the second line, of one fault, is refused at a path with a code.
fn assert_refused(cases: &[(String, &str, &str)]) {
    for (text, path, code) in cases {
        let found = problems(text);
        let [problem] = found.as_slice() else { panic!("{text}: {found:?}") };
        assert_eq!((problem.line, &*problem.path, &*problem.code), (2, *path, *code), "{text}");
        assert!(!problem.message.is_empty());
    }
}

#[test]
fn faults_of_grants() {
    let path = |field: &str| format!("entitlements[0].grants[0]{field}");
    let cases = [
        (r#""amount":"1.0000000001""#, ".amount", "amount-too-precise"),
        (r#""amount":9007199254740992"#, ".amount", "amount-out-of-range"),
        (r#""amount":"NaN""#, ".amount", "amount-malformed"),
        (r#""amount":true"#, ".amount", "amount-malformed"),
        (r#""amount":-1"#, ".amount", "amount-negative"),
        (r#""amount":1,"priority":-1"#, ".priority", "wrong-type"),
        (r#""amount":1,"amount":2"#, "", "duplicate-field"),
        (r#""priority":1"#, "", "missing-field"),
        (r#""amount":1,"voidedAt":"yesterday""#, ".voidedAt", "instant-malformed"),
        (r#""amount":1,"expiresAt":"2025-01-01T00:00:00Z""#, ".expiresAt", "end-before-start"),
        (r#""amount":1,"recurrence":{"interval":"P1D"}"#, ".recurrence", "missing-field"),
        (
            r#""amount":1,"recurrence":{"interval":"1 day","anchor":"2026-01-01T00:00:00Z"}"#,
            ".recurrence.interval",
            "interval-malformed",
        ),
        (
            r#""amount":1,"recurrence":{"interval":"PT59M","anchor":"2026-01-01T00:00:00Z"}"#,
            ".recurrence.interval",
            "interval-too-short",
        ),
    ];
    for (fields, field, code) in cases {
        assert_refused(&[(grant(fields), &path(field), code)]);
    }
    let found = problems(grant(r#""amount":1,"priority":256"#));
    assert_eq!(found.first().unwrap().message, "expected a whole number from 0 to 255");
    let twice = r#""amount":1},{"id":"g","amount":1,"effectiveAt":"2026-01-01T00:00:00Z""#;
    assert_refused(&[(grant(twice), "entitlements[0].grants[1].id", "grant-repeated")]);
}

#[test]
fn faults_of_entitlements_and_subjects() {
    let subject = |fields: &str| format!("{{\"feature\":\"f\"}}\n{{\"subject\":\"s\",{fields}}}");
    let twice = r#"{"feature":"f","type":"boolean"}"#;
    let window = r#""activeFrom":"2026-02-01T00:00:00Z","activeTo":"2026-01-01T00:00:00Z""#;
    assert_refused(&[
        (metered(r#""colour":1"#), "entitlements[0].colour", "unknown-field"),
        (metered(r#""status":"asleep""#), "entitlements[0].status", "unknown-value"),
        (metered(window), "entitlements[0].activeTo", "end-before-start"),
        (subject(r#""colour":"red""#), "colour", "unknown-field"),
        (subject(r#""aliases":["s"]"#), "aliases[0]", "duplicate-alias"),
        (subject(r#""aliases":["a","a"]"#), "aliases[1]", "duplicate-alias"),
        (subject(r#""aliases":[""]"#), "aliases[0]", "name-length"),
        (subject(r#""attributes":{"a":"1","a":"2"}"#), "attributes", "duplicate-name"),
        (
            subject(r#""entitlements":[{"feature":"g","type":"boolean"}]"#),
            "entitlements[0].feature",
            "undeclared-feature",
        ),
        (
            subject(&format!("\"entitlements\":[{twice},{twice}]")),
            "entitlements[1].feature",
            "duplicate-entitlement",
        ),
    ]);
}

#[test]
fn what_no_snapshot_could_hold_is_refused_with_its_place() {
    let line = |fields: &str| {
        format!("{{\"feature\":\"f\"}}\n{{\"subject\":\"s\",\"entitlements\":[{{{fields}}}]}}")
    };
    let config = format!(r#""feature":"f","type":"static","config":"{}""#, "x".repeat(65_535));
    let resets: Vec<String> = (0..4096)
        .map(|n| {
            format!(
                "{{\"at\":\"2026-{:02}-{:02}T{:02}:{:02}:00Z\"}}",
                n / 672 + 3,
                n / 24 % 28 + 1,
                n % 24,
                0
            )
        })
        .collect();
    let most = "9007199254740991";
    let late = format!(
        r#""opening":{{"at":"2026-01-01T00:00:00Z","periodStart":"2026-01-01T00:00:00Z",
        "balances":{{}},"overage":{most}}},"usage":{{"kind":"flow","events":[
        {{"at":"2026-02-01T00:00:00Z","amount":{most}}}]}}"#
    )
    .replace('\n', "");
    assert_refused(&[
        ("{\"feature\":\"e\"}\n{\"feature\":\"f\",\"unit\":\"\"}".into(), "unit", "name-length"),
        (line(&config), "entitlements[0].config", "config-length"),
        (
            metered(&format!("\"resets\":[{}]", resets.join(","))),
            "entitlements[0].resets",
            "too-many-resets",
        ),
        (metered(&late), "entitlements[0].usage", "total-out-of-range"),
    ]);
    let deleted = r#""feature":"f","type":"boolean","activeFrom":"2027-01-01T00:00:00Z","#;
    let early = line(&format!("{deleted}\"deletedAt\":\"2026-01-01T00:00:00Z\""));
    assert_eq!(problems(&early), []);
}

#[test]
fn faults_of_lines() {
    let second = |line: &str| format!("{{\"feature\":\"f\"}}\n{line}");
    assert_refused(&[
        (second(r#"{"feature":"f"}"#), "feature", "duplicate-feature"),
        ("{\"subject\":\"s\"}\n{\"subject\":\"s\"}".into(), "subject", "duplicate-subject"),
        (
            "{\"subject\":\"s\",\"aliases\":[\"t\"]}\n{\"subject\":\"t\"}".into(),
            "subject",
            "duplicate-subject",
        ),
        (second(&format!("{{\"subject\":\"{}\"}}", "x".repeat(257))), "subject", "name-length"),
        (second(r#"{"subject":"s"} {"subject":"t"}"#), "", "more-than-one-value"),
        (second(r#"{"subject":"s""#), "", "json-malformed"),
        (second(r#"{"subject":7}"#), "subject", "wrong-type"),
        (second(r#"{"subject":"s","feature":"f"}"#), "feature", "unknown-field"),
        (second(r#"{"name":"s"}"#), "", "not-a-fact"),
        (second("[]"), "", "wrong-type"),
        (second("\u{feff}{\"subject\":\"s\"}"), "", "byte-order-mark"),
    ]);
    assert_eq!(problems(b"{\"subject\":\"\xff\"}").first().unwrap().code, "not-utf8");
}

#[test]
fn messages_hold_no_ids_and_no_values() {
    for text in [
        r#"{"subject":"s3cret","status":"s3cret"}"#,
        r#"{"subject":"s3cret","aliases":"s3cret, expected s3cret"}"#,
        r#"{"subject":"s3cret","aliases":["s3cret"]}"#,
        r#"{"subject":"s3cret","entitlements":[{"feature":"s3cret","type":"boolean"}]}"#,
        r#"{"subject":"s3cret" "s3cret"}"#,
        "{\"subject\":\"s3cret\"}\n{\"subject\":\"s3cret\"}",
    ] {
        let found = problems(text);
        assert_eq!(found.len(), 1, "{text}");
        assert!(!found.first().unwrap().to_string().contains("s3cret"), "{found:?}");
    }
}

#[test]
fn reading_goes_on_after_a_refused_line() {
    let text = "{\"subject\":1}\n{\"subject\":\"a\"}\n{\"subject\":\"a\"}\n";
    let lines: Vec<u64> = problems(text).iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 3]);
}

#[test]
fn nesting_is_bounded_without_recursion() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let config = format!(
        "{{\"feature\":\"f\"}}\n{{\"subject\":\"s\",\"entitlements\":[{{\"feature\":\"f\",\
         \"type\":\"static\",\"config\":{deep}}}]}}"
    );
    let found = problems(config);
    assert_eq!(found.first().unwrap().path, "entitlements[0].config");
    assert_eq!(found.first().unwrap().code, "config-too-deep");
    let unknown = format!("{{\"subject\":\"s\",\"deep\":{deep}}}");
    assert_eq!(problems(unknown).first().unwrap().code, "unknown-field");
    let before = format!("{{\"deep\":{deep},\"subject\":\"s\"}}");
    assert_eq!(problems(before).len(), 1);
}

/// A gigabyte that is made as it is read.
struct Endless(u64);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.min(buffer.len() as u64);
        self.0 -= count;
        buffer.fill(b'x');
        Ok(count as usize)
    }
}

#[test]
fn a_line_of_a_gigabyte_is_refused_without_being_kept() {
    let head = &b"{\"subject\":\""[..];
    let tail = &b"\"}\n{\"subject\":\"after\"}\n"[..];
    let input = BufReader::with_capacity(1 << 16, head.chain(Endless(1 << 30)).chain(tail));
    let mut checker = Checker::default();
    let facts: Vec<_> = facts::Facts::new(input, at(), &mut checker).collect();
    let [Err(ReadError::Refused(problem)), Ok(_)] = facts.as_slice() else { panic!("{facts:?}") };
    assert_eq!((problem.line, &*problem.code), (1, "line-too-long"));
}

#[test]
fn the_committed_schema_is_fresh_and_agrees_with_the_reader() {
    let generated = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/facts.schema.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == generated,
        "run `edgegrant schema > crates/origin/tests/golden/facts.schema.json`"
    );

    let schema = serde_json::from_str(&committed).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for line in GOOD.lines().filter(|line| !line.is_empty()) {
        assert!(validator.is_valid(&serde_json::from_str(line).unwrap()), "{line}");
    }
    let options = Facts { subjects: 20, seed: 1, at: at(), grant_ids: GrantIds::Ulid };
    for fact in generate::facts(options).unwrap() {
        assert!(validator.is_valid(&serde_json::to_value(fact).unwrap()));
    }
    for line in [
        r#"{"subject":"s","colour":1}"#,
        r#"{"feature":"f","subject":"s"}"#,
        r#"{"subject":"s","entitlements":[{"feature":"f"}]}"#,
        grant(r#""amount":"x""#).split_once('\n').unwrap().1,
    ] {
        assert!(!validator.is_valid(&serde_json::from_str(line).unwrap()), "{line}");
    }
}
