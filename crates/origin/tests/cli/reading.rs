//! Verifying, comparing and inspecting snapshots, wherever they lie.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::shell::{NOW, Shell, published};

const FIRST: &str = "2026-11-20T12:34:00Z";
const SECOND: &str = "2026-11-20T12:35:00Z";

/// Customers with a plan, of whom some are as told.
fn facts(change: &dyn Fn(usize, &mut Value)) -> String {
    let mut lines =
        vec![json!({ "feature": "sso" }), json!({ "feature": "calls", "unit": "call" })];
    for number in 0..400 {
        let since = "2026-01-01T00:00:00Z";
        let grant = json!({ "id": "plan", "amount": 1000, "effectiveAt": since });
        let calls = json!({
            "feature": "calls", "type": "metered", "measureUsageFrom": since,
            "usagePeriod": { "interval": "P1M", "anchor": since }, "grants": [grant],
            "usage": { "kind": "flow", "events": [] },
        });
        let sso = json!({ "feature": "sso", "type": "boolean" });
        let mut subject = json!({
            "subject": format!("customer-with-a-long-name-{number}"),
            "entitlements": [sso, calls],
        });
        change(number, &mut subject);
        if !subject.is_null() {
            lines.push(subject);
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn changed() -> String {
    let changed = facts(&|number, subject| match number {
        7 => *subject.pointer_mut("/entitlements/1/grants/0/amount").unwrap() = json!(2000),
        8 => *subject.pointer_mut("/entitlements/0/type").unwrap() = json!("static"),
        9 => *subject = Value::Null,
        10 => drop(subject.as_object_mut().unwrap().insert("aliases".into(), json!(["ten"]))),
        11 => drop(subject.pointer_mut("/entitlements").unwrap().as_array_mut().unwrap().pop()),
        12 => drop(subject.as_object_mut().unwrap().insert("status".into(), json!("suspended"))),
        _ => {}
    });
    let changed = changed.replace("\"unit\":\"call\"", "\"unit\":\"request\"");
    let sso = json!({ "feature": "sso", "type": "boolean" });
    let newcomer = json!({ "subject": "newcomer", "entitlements": [sso] });
    let static_config = "\"feature\":\"sso\",\"type\":\"static\"";
    changed.replace(static_config, &format!("\"config\":{{\"realm\":\"x\"}},{static_config}"))
        + &format!("{newcomer}\n")
}

fn publish(shell: &Shell, facts: &str, at: &str, more: &str) -> u64 {
    fs::write(shell.path("facts.ndjson"), facts).unwrap();
    let line = format!("publish facts.ndjson --out out --key-file key --at {at} {more}");
    shell.json(&line, 0).pointer("/version").unwrap().as_u64().unwrap()
}

/// A folder with two versions, and each in one file.
fn two_versions() -> (Shell, u64, u64) {
    let shell = Shell::new();
    let key = shell.run("keygen --out key", 0);
    fs::write(shell.path("key.pub"), key).unwrap();
    let first = publish(&shell, &facts(&|_, _| ()), FIRST, "--bundle first");
    let second = publish(&shell, &changed(), SECOND, "--bundle second");
    (shell, first, second)
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn changes_are_told_for_whom_and_in_words() {
    let (shell, first, second) = two_versions();
    let told = lines(&shell.run(&format!("--json diff out@{first} out"), 1));
    let find = |change: &str| -> Vec<&Value> {
        told.iter().filter(|line| line.pointer("/change").is_some_and(|is| is == change)).collect()
    };
    let name = |number: u8| format!("customer-with-a-long-name-{number}");
    let text = |value: &Value, at: &str| value.pointer(at).unwrap().as_str().unwrap().to_owned();
    assert_eq!(
        find("feature-changed"),
        [&json!({
            "change": "feature-changed", "feature": "calls",
            "fields": [{ "field": "unit", "from": "call", "to": "request" }],
        })]
    );
    assert_eq!(
        find("subject-added"),
        [&json!({
            "change": "subject-added", "subject": "newcomer", "features": ["sso"],
        })]
    );
    assert_eq!(
        find("subject-removed"),
        [&json!({
            "change": "subject-removed", "subject": name(9), "features": ["calls", "sso"],
        })]
    );
    assert_eq!(
        find("entitlement-removed"),
        [&json!({
            "change": "entitlement-removed", "subject": name(11), "feature": "calls",
        })]
    );
    assert_eq!(
        find("alias-changed"),
        [&json!({
            "change": "alias-changed", "alias": "ten", "to": name(10),
        })]
    );
    let changed = find("entitlement-changed");
    let of = |number: u8| -> Vec<&&Value> {
        changed.iter().filter(|line| text(line, "/subject") == name(number)).collect()
    };
    let grant = json!([{ "field": "grant plan: amount", "from": "1000", "to": "2000" }]);
    let amount = of(7).first().unwrap().pointer("/fields").unwrap();
    assert!(amount.as_array().unwrap().contains(grant.pointer("/0").unwrap()), "{amount}");
    let kind = of(8).first().unwrap().pointer("/fields").unwrap();
    let kind = kind.as_array().unwrap();
    assert!(kind.contains(&json!({ "field": "type", "from": "boolean", "to": "static" })));
    assert!(kind.contains(&json!({ "field": "config", "to": "{\"realm\":\"x\"}" })));
    assert_eq!(of(12).len(), 2, "both of its entitlements");
    let summary = told.last().unwrap();
    let number = |at: &str| summary.pointer(at).unwrap().as_u64().unwrap();
    assert_eq!((number("/summary/fromVersion"), number("/summary/toVersion")), (first, second));
    assert_eq!(number("/summary/changes"), told.len() as u64 - 1);

    // The same from the files, and backwards it is the other way round.
    let from_files = lines(&shell.run("--json diff first second", 1));
    assert_eq!(from_files.len(), told.len());
    let back = shell.run("--json diff second first", 1);
    assert!(back.contains("\"change\":\"subject-added\""));
    assert!(back.contains("\"subject\":\"newcomer\""));
}

#[test]
fn what_did_not_change_is_not_read() {
    let (shell, first, _) = two_versions();
    let pages = shell.json("inspect first", 0);
    let summary = json!({
        "fromVersion": first, "toVersion": first, "changes": 0, "shown": 0, "counts": {},
        "pages": pages.pointer("/sizes/pages").unwrap(), "pagesRead": 0,
    });
    let told = shell.json(&format!("diff out@{first} first"), 0);
    assert_eq!(told, json!({ "summary": summary }));
    let one = facts(&|number, subject| {
        if number == 7 {
            drop(subject.as_object_mut().unwrap().insert("status".into(), json!("suspended")));
        }
    });
    publish(&shell, &one, "2026-11-20T12:36:00Z", "--bundle third");
    let told = lines(&shell.run(&format!("--json diff out@{first} out --limit 1"), 1));
    let summary = told.last().unwrap();
    assert_eq!(summary.pointer("/summary/pagesRead").unwrap(), 1);
    assert!(summary.pointer("/summary/pages").unwrap().as_u64().unwrap() > 1);
    assert_eq!(summary.pointer("/summary/changes").unwrap(), 2);
    assert_eq!((told.len(), summary.pointer("/summary/shown").unwrap()), (2, &json!(1)));
    // Pages that did not change may be gone and nobody misses them.
    let text = shell.run("diff first third", 1);
    assert!(
        text.contains("~ customer-with-a-long-name-7: calls\n    suspended: no → yes"),
        "{text}"
    );
}

#[test]
fn snapshots_that_lie_differently_are_compared_all_the_same() {
    let (shell, first, _) = two_versions();
    // A publisher that lost its state draws another seed, and every page is another.
    fs::remove_file(shell.path("out/state/publisher.json")).unwrap();
    publish(&shell, &facts(&|_, _| ()), "2026-11-20T12:36:00Z", "");
    let told = shell.json(&format!("diff out@{first} out"), 0);
    assert_eq!(told.pointer("/summary/changes").unwrap(), 0);
    assert_eq!(told.pointer("/summary/pagesRead"), told.pointer("/summary/pages"));
}

#[test]
fn sizes_validity_and_keys_are_inspected() {
    let shell = published();
    let later = "2026-11-21T12:34:00Z";
    let told = shell.json(&format!("inspect out --now {later}"), 0);
    let number = |at: &str| told.pointer(at).unwrap().as_u64().unwrap();
    assert_eq!(told.pointer("/state").unwrap(), "expired");
    assert_eq!(number("/ageMs"), 24 * 3_600_000);
    assert_eq!(told.pointer("/signers/0/epoch").unwrap(), 1);
    let parts =
        number("/sizes/catalogueBytes") + number("/sizes/nodeBytes") + number("/sizes/pageBytes");
    assert_eq!(parts + 8 + 4 * number("/sizes/pages"), number("/sizes/packBytes"));
    let on_disk: u64 = fs::read_dir(shell.path("out/private/part"))
        .unwrap()
        .map(|part| part.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(parts, on_disk);
    assert!(number("/sizes/pageBytesMin") <= number("/sizes/pageBytesMedian"));
    let head_file = fs::metadata(shell.path("out/public/head")).unwrap();
    assert_eq!(number("/sizes/headBytes"), head_file.len());
    let head = shell.json(&format!("inspect out/public/head --now {NOW}"), 0);
    assert_eq!(head.pointer("/state").unwrap(), "fresh");
    assert!(head.pointer("/sizes").is_none());
    assert_eq!(shell.error("inspect key", 4).pointer("/error/code").unwrap(), "bundle-malformed");
}

/// The bytes of a part, summed over all for which the name is right.
fn part_bytes(told: &Value, wanted: impl Fn(&str) -> bool) -> u64 {
    let parts = told.pointer("/sizes/parts").unwrap().as_array().unwrap();
    let named =
        parts.iter().filter(|part| wanted(part.pointer("/part").unwrap().as_str().unwrap()));
    named.map(|part| part.pointer("/bytes").unwrap().as_u64().unwrap()).sum()
}

#[test]
fn the_bytes_of_a_snapshot_are_told_part_by_part_to_the_last() {
    for ids in ["derived", "ulid"] {
        let shell = Shell::new();
        shell.run("keygen --out key", 0);
        shell.run(&format!("generate --subjects 300 --grant-ids {ids} --out facts.ndjson"), 0);
        shell.run(
            &format!("publish facts.ndjson --out out --key-file key --at {NOW} --bundle b"),
            0,
        );
        let told = shell.json("inspect out", 0);
        let pack = fs::metadata(shell.path("b")).unwrap().len()
            - fs::metadata(shell.path("out/public/head")).unwrap().len()
            - 8;
        assert_eq!(part_bytes(&told, |_| true), pack);
        assert_eq!(told.pointer("/sizes"), shell.json("inspect b", 0).pointer("/sizes"));
        // `subject-1` to `subject-300`, each with its length, and three ULIDs of 16 bytes.
        assert_eq!(part_bytes(&told, |part| part == "ids"), 300 * 9 + 9 + 90 * 2 + 201 * 3);
        let grant_ids = if ids == "ulid" { 300 * 3 * 16 } else { 0 };
        assert_eq!(part_bytes(&told, |part| part == "grant-ids"), grant_ids);
        let pages = told.pointer("/sizes/pages").unwrap().as_u64().unwrap();
        assert_eq!(part_bytes(&told, |part| part == "digests"), 32 * pages);
        assert!(part_bytes(&told, |part| part == "differences") > 300);
    }
}

#[test]
fn folders_versions_and_files_are_verified_to_the_last_byte() {
    let (shell, first, second) = two_versions();
    let verified = |target: &str| {
        let told = shell.json(&format!("verify {target} --now {SECOND}"), 0);
        assert_eq!(told.pointer("/verified").unwrap(), true);
        told.pointer("/version").unwrap().as_u64().unwrap()
    };
    assert_eq!(verified("out"), second);
    assert_eq!(verified(&format!("out@{first}")), first);
    assert_eq!((verified("first"), verified("second")), (first, second));
    let packs = fs::read_dir(shell.path("out/private/pack")).unwrap();
    let packs = packs.map(|pack| pack.unwrap().path().display().to_string());
    let codes = packs.map(|pack| {
        let line = format!("verify {pack} --head out/public/head --now {SECOND}");
        shell.output(&line).status.code().unwrap()
    });
    let mut codes: Vec<i32> = codes.collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 4], "the head's own pack, and another");

    // A byte in a page, of which gates might never ask.
    let part = fs::read_dir(shell.path("out/private/part"))
        .unwrap()
        .map(|part| part.unwrap().path())
        .max_by_key(|part| fs::metadata(part).unwrap().len())
        .unwrap();
    let bytes = fs::read(&part).unwrap();
    let mut damaged = bytes.clone();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&part, damaged).unwrap();
    let codes = [format!("out@{first}"), "out".to_owned()]
        .map(|target| shell.output(&format!("verify {target} --now {SECOND}")).status.code());
    assert!(codes.contains(&Some(4)), "{codes:?}");
}

#[test]
fn an_origin_is_verified_over_http() {
    let (shell, _, second) = two_versions();
    let (_served, address) = shell.serve("s3cret");
    let line = format!("verify http://{address} --now {SECOND}");
    let told = shell.error(&line, 3);
    let message = told.pointer("/error/message").unwrap().as_str().unwrap();
    assert!(message.contains("--token-file"), "{message}");
    fs::write(shell.path("token"), "s3cret\n").unwrap();
    let told = shell.json(&format!("{line} --token-file token"), 0);
    assert_eq!(told.pointer("/version").unwrap(), second);
    fs::write(shell.path("token"), "other").unwrap();
    shell.error(&format!("{line} --token-file token"), 3);
    shell.error(&format!("verify http://127.0.0.1:1 --now {SECOND}"), 3);
    // Who asks for TLS gets nothing without it.
    shell.error(&format!("verify https://{address} --token-file token --now {SECOND}"), 3);
    shell.error(&format!("{line} --token-file token --audience acme/live"), 4);
}

/// Answers requests for files of a folder, whoever asks.
fn serve_to_anybody(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = String::new();
            let mut lines = BufReader::new(&stream);
            while lines.read_line(&mut request).unwrap() > 2 {}
            let path = request.split(' ').nth(1).unwrap().trim_start_matches('/');
            let body = fs::read(folder.join(path)).unwrap();
            let length = body.len();
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
            write!(stream, "{head}: {length}\r\n\r\n").unwrap();
            stream.write_all(&body).unwrap();
        }
    });
    address
}

#[test]
fn an_origin_that_shows_every_subject_to_anybody_is_refused() {
    let (shell, ..) = two_versions();
    let address = serve_to_anybody(shell.path("out"));
    let line = format!("verify http://{address} --now {SECOND}");
    let told = shell.error(&line, 4);
    assert_eq!(told.pointer("/error/code").unwrap(), "private-part-public");
    shell.json(&format!("{line} --allow-public"), 0);
}
