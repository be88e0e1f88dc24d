//! From an export to an answer.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::shell::{NOW, Shell, get, published};

#[test]
fn a_bundle_holds_the_head_and_the_pack() {
    let shell = published();
    shell.run(&format!("publish facts.ndjson --out out --key-file key --bundle one --at {NOW}"), 0);
    let (head, pack) = edgegrant::gate::unbundle(fs::read(shell.path("one")).unwrap()).unwrap();
    assert_eq!(head, fs::read(shell.path("out/public/head")).unwrap());
    let packs = fs::read_dir(shell.path("out/private/pack")).unwrap();
    let found = packs.map(|file| fs::read(file.unwrap().path()).unwrap()).any(|file| file == pack);
    assert!(found);
}

#[test]
fn arguments_that_cannot_be_are_refused_and_secrets_not_repeated() {
    let shell = published();
    for line in ["--amount=-1", "--used=-1", "--amount=9007199254740992"] {
        assert_eq!(
            shell.output(&format!("check customer-1 api_calls {line}")).status.code(),
            Some(2)
        );
    }
    let secret = fs::read_to_string(shell.path("key")).unwrap();
    let output = shell.output(&format!("check customer-1 api_calls --trusted-key {secret}"));
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("key-malformed") && !errors.contains(secret.trim()), "{errors}");
}

#[test]
fn a_reader_that_stops_early_is_no_fault() {
    let shell = published();
    for line in ["types out", "--json inspect out", "schema"] {
        let mut command = shell.command(line);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), &*errors), (Some(0), ""), "{line}");
    }
}

#[test]
fn a_slice_answers_as_the_folder_it_was_cut_from() {
    let shell = published();
    let cut = shell.json("slice out --subject customer-1 --out one.slice", 0);
    let slice = fs::read(shell.path("one.slice")).unwrap();
    assert_eq!(cut.pointer("/bytes").unwrap(), slice.len());
    assert_eq!(cut.pointer("/subject").unwrap(), "customer-1");
    assert_eq!(shell.output("slice out --subject customer-1").stdout, slice);
    for verb in ["check", "explain"] {
        let question = format!("{verb} customer-1 api_calls --amount 3 --now {NOW}");
        let answer = shell.json(&question, 0);
        assert_eq!(shell.json(&format!("{question} --slice one.slice"), 0), answer);
        let text = shell.run(&question, 0);
        assert_eq!(shell.run(&format!("{question} --slice one.slice"), 0), text);
        // Neither a folder nor the environment's has to be there.
        let mut alone = shell.command(&format!("{question} --slice one.slice"));
        assert!(alone.env_remove("EDGEGRANT_FOLDER").output().unwrap().status.success());
    }
    let lacking = shell.json(&format!("check customer-1 sso --slice one.slice --now {NOW}"), 1);
    assert_eq!(lacking.pointer("/reason").unwrap(), "not-entitled");
    let old =
        shell.json("check customer-1 api_calls --slice one.slice --now 2027-01-01T00:00:00Z", 1);
    assert_eq!(old.pointer("/reason").unwrap(), "dead-snapshot");
}

#[test]
fn what_is_no_slice_of_the_subject_is_refused() {
    let shell = published();
    shell.run("slice out --subject customer-1 --out one.slice", 0);
    let code = |line: &str, exit| {
        let error = shell.error(line, exit);
        let message = error.pointer("/error/message").unwrap().as_str().unwrap().to_owned();
        assert!(!message.contains("customer-"), "{message}");
        error.pointer("/error/code").unwrap().as_str().unwrap().to_owned()
    };
    assert_eq!(code("slice out --subject nobody --out none", 1), "unknown-subject");
    assert!(!shell.path("none").exists());
    assert_eq!(code("slice out --subject customer-1", 2), "out-missing");
    assert_eq!(code("check customer-2 api_calls --slice one.slice", 4), "slice-subject");
    assert_eq!(code("check customer-1 api_calls --slice out/public/head", 4), "slice-malformed");
    shell.run(&format!("publish facts.ndjson --out out --key-file key --bundle one --at {NOW}"), 0);
    assert_eq!(code("check customer-1 api_calls --slice one", 4), "slice-is-snapshot");
    let mut bytes = fs::read(shell.path("one.slice")).unwrap();
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    fs::write(shell.path("one.slice"), bytes).unwrap();
    let forged = code("check customer-1 api_calls --slice one.slice", 4);
    assert!(["snapshot-digest", "slice-malformed"].contains(&&*forged), "{forged}");
    assert_eq!(code("check customer-1 api_calls --slice missing", 3), "io");
}

#[test]
fn an_export_becomes_answers() {
    let shell = published();
    let ask = |question: &str, code| shell.json(&format!("{question} --now {NOW}"), code);
    let answer = ask("check customer-1 api_calls", 0);
    assert_eq!(answer.pointer("/hasAccess").unwrap(), true);
    assert_eq!(answer.pointer("/reason").unwrap(), "within-balance");
    let balance = answer.pointer("/balance").unwrap().as_u64().unwrap();
    let exhausted = ask(&format!("check customer-1 api_calls --used {balance}"), 1);
    assert_eq!(exhausted.pointer("/reason").unwrap(), "exhausted");
    // Refilled on the hour, seen a minute before.
    assert_eq!(exhausted.pointer("/retryAt").unwrap(), "2026-11-20T12:59:00.001Z");
    assert_eq!(ask("check customer-1 sso", 1).pointer("/reason").unwrap(), "not-entitled");
    assert_eq!(ask("check nobody sso", 1).pointer("/reason").unwrap(), "unknown-subject");
    let config = ask("check customer-3 regions", 0);
    assert_eq!(config.pointer("/config/2").unwrap(), "ap");

    let explained = ask("explain customer-1 api_calls", 0);
    assert_eq!(explained.pointer("/balance"), answer.pointer("/balance"));
    assert_eq!(explained.pointer("/grants/0/balance"), answer.pointer("/balance"));
    let from = "--from 2026-11-20T12:30:00Z --to 2026-11-20T13:30:00Z --window hour";
    let history = ask(&format!("history customer-1 api_calls {from}"), 0);
    assert_eq!(history.pointer("/windowedHistory/0/balanceAtStart").unwrap(), 20);
    // It has no instant, amount or usage to ask with, and does not pretend to.
    for ignored in ["--at 2026-11-20T12:34:00Z", "--amount 5", "--used 5"] {
        let line = format!("history customer-1 api_calls {from} {ignored}");
        assert_eq!(shell.output(&line).status.code(), Some(2));
    }
    let before = "--from 2020-01-01T00:00:00Z --to 2020-01-02T00:00:00Z";
    shell.error(&format!("history customer-1 api_calls {before} --now {NOW}"), 1);
}

#[test]
fn a_snapshot_is_inspected_verified_and_typed() {
    let shell = published();
    let inspected = shell.json("inspect out", 0);
    assert_eq!(inspected.pointer("/audience").unwrap(), "acme/test");
    assert_eq!(inspected.pointer("/catalogue/subjects").unwrap(), 10);
    let verified = shell.json(&format!("verify --now {NOW}"), 0);
    assert_eq!(verified.pointer("/version"), inspected.pointer("/version"));
    assert!(shell.run("types out", 0).contains("\n  | \"api_calls\"\n"));

    let expired = shell.error("verify --now 2026-11-22T00:00:00Z", 4);
    assert_eq!(expired.pointer("/error/code").unwrap(), "head-expired");
    let other = shell.error(&format!("verify --audience acme/live --now {NOW}"), 4);
    assert_eq!(other.pointer("/error/code").unwrap(), "head-audience");
    let pack =
        fs::read_dir(shell.path("out/private/pack")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&pack).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&pack, bytes).unwrap();
    shell.error(&format!("verify --now {NOW}"), 4);
}

#[test]
fn bad_input_has_a_code_and_writes_nothing() {
    let shell = Shell::new();
    fs::write(shell.path("bad.ndjson"), "{\"subject\":\"a\"}\n{\"subject\":7}\n[]\n").unwrap();
    let output = shell.output("validate bad.ndjson --json --max-problems 1");
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors.lines().count(), 1);
    let problem: Value = serde_json::from_str(&errors).unwrap();
    assert_eq!(problem.pointer("/problem/line").unwrap(), 2);
    assert_eq!(problem.pointer("/problem/code").unwrap(), "wrong-type");

    shell.run("keygen --out key", 0);
    shell.error("keygen --out key", 3);
    shell.error("publish bad.ndjson --out out --key-file key", 2);
    assert!(!shell.path("out").exists());
    let failure = shell.error("publish bad.ndjson --out out", 2);
    assert_eq!(failure.pointer("/error/code").unwrap(), "key-missing");
    shell.error("validate absent.ndjson", 3);

    fs::create_dir(shell.path("export")).unwrap();
    fs::write(shell.path("export/grants.json"), "[{\"id\":1}]").unwrap();
    shell.error("import openmeter export --out facts.ndjson", 2);
    assert!(!shell.path("facts.ndjson").exists());
}

#[test]
fn the_environment_may_hold_the_key() {
    let shell = published();
    let secret = fs::read_to_string(shell.path("key")).unwrap();
    let mut command = shell.command("publish facts.ndjson --out other --json");
    let output = command.env("EDGEGRANT_SIGNING_KEY", secret.trim()).output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("eg1-secret"), "{said}");
}

#[test]
fn the_development_origin_knows_tags_ranges_and_tokens() {
    let shell = published();
    shell.error("serve out --port 0", 2);
    let (_served, address) = shell.serve("s3cret");
    let address = address.as_str();
    let (status, head, body) = get(address, "/public/head", "");
    assert_eq!((status, body), (200, fs::read(shell.path("out/public/head")).unwrap()));
    assert!(head.contains("cache-control: no-cache"));
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let (status, _, body) = get(address, "/public/head", &format!("if-none-match: {tag}\r\n"));
    assert_eq!((status, body.len()), (304, 0));

    let pack = fs::read_dir(shell.path("out/private/pack")).unwrap().next().unwrap().unwrap();
    let path = format!("/private/pack/{}", pack.file_name().to_str().unwrap());
    let bytes = fs::read(pack.path()).unwrap();
    let token = "authorization: Bearer s3cret\r\n";
    assert_eq!(get(address, &path, "").0, 401);
    assert_eq!(get(address, &path, "authorization: Bearer s3cret2\r\n").0, 401);
    let (status, head, body) = get(address, &path, token);
    assert_eq!((status, &body), (200, &bytes));
    assert!(head.contains("cache-control: private, max-age=31536000, immutable"));
    let (status, _, body) = get(address, &path, &format!("{token}range: bytes=10-19\r\n"));
    assert_eq!((status, body.as_slice()), (206, bytes.get(10..20).unwrap()));

    // Deltas are private, and missing where there is none.
    shell.run(&format!("publish facts.ndjson --out out --key-file key --at {NOW}"), 0);
    let name = format!("{0}-{0}", "0".repeat(64));
    fs::write(shell.path(&format!("out/private/delta/{name}")), "EGD0").unwrap();
    let path = format!("/private/delta/{name}");
    assert_eq!(get(address, &path, "").0, 401);
    assert_eq!(get(address, &path, token).0, 200);
    assert_eq!(get(address, "/private/delta/none", token).0, 404);

    for path in ["/state/publisher.json", "/public/../state/publisher.json", "/", "/private"] {
        assert_ne!(get(address, path, token).0, 200, "{path}");
    }
}

/// A file in the place of a device takes it from everybody on the machine.
#[test]
#[cfg(unix)]
fn no_file_takes_the_place_of_what_is_none() {
    use std::os::unix::fs::FileTypeExt as _;

    let shell = Shell::new();
    let _listener = std::os::unix::net::UnixListener::bind(shell.path("device")).unwrap();
    for line in ["generate --subjects 1 --out device", "keygen --out device"] {
        shell.error(line, 3);
        let kind = fs::symlink_metadata(shell.path("device")).unwrap().file_type();
        assert!(kind.is_socket(), "{line}");
    }
    shell.run("generate --subjects 1 --out /dev/null", 0);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}
