//! A signature that is made elsewhere, from the command line.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::shell::{NOW, published};

#[test]
fn what_was_handed_out_is_signed_and_taken_back() {
    let shell = published();
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
    let key = format!("eg1:2:{}", URL_SAFE_NO_PAD.encode(pair.public_key()));
    let before = fs::read(shell.path("out/public/head")).unwrap();
    let prepare = format!("publish facts.ndjson --out out --unsigned-out unsigned --at {NOW}");
    assert_eq!(shell.output(&prepare).status.code(), Some(2), "by whom?");
    shell.json(&format!("{prepare} --signer {key}"), 0);
    assert_eq!(fs::read(shell.path("out/public/head")).unwrap(), before);

    let unsigned = fs::read_to_string(shell.path("unsigned")).unwrap();
    let unsigned: serde_json::Value = serde_json::from_str(&unsigned).unwrap();
    assert_eq!(unsigned.pointer("/toSign/0/trustedKey").unwrap(), key.as_str());
    let message = unsigned.pointer("/toSign/0/message").unwrap().as_str().unwrap();
    let signature = pair.sign(&STANDARD.decode(message).unwrap());
    fs::write(shell.path("wrong"), [7; 64]).unwrap();
    fs::write(shell.path("signature"), STANDARD.encode(signature) + "\n").unwrap();
    let complete = |file: &str| format!("publish --out out --signature {file} --at {NOW}");
    let refused = shell.error(&complete("wrong"), 4);
    assert_eq!(refused.pointer("/error/code").unwrap(), "signature-invalid");
    let told = shell.json(&complete("signature"), 0);
    assert_eq!(told.pointer("/version"), unsigned.pointer("/version"));
    shell.json(&format!("verify out --now {NOW} --trusted-key {key}"), 0);
    let again = shell.error(&complete("signature"), 2);
    assert_eq!(again.pointer("/error/code").unwrap(), "nothing-pending");
}

#[test]
fn a_folder_is_renewed_and_swept() {
    let shell = published();
    let later = "2026-11-21T12:30:00Z";
    let renewed = shell.json(&format!("publish --renew --out out --key-file key --at {later}"), 0);
    assert_eq!(renewed.pointer("/newParts").unwrap(), 0);
    shell.json(&format!("verify out --now {later}"), 0);
    let freed = shell.json("gc out --dry-run --at 2026-11-21T13:00:00Z", 0);
    assert_eq!(freed.pointer("/headsForgotten").unwrap(), 1);
    assert_eq!(freed.pointer("/dryRun").unwrap(), true);
    let freed = shell.json("gc out --only-present --at 2026-11-21T12:30:00Z", 0);
    assert_eq!(freed.pointer("/headsForgotten").unwrap(), 1);
    shell.json(&format!("verify out --now {later}"), 0);
    assert_eq!(shell.error("gc nowhere", 2).pointer("/error/code").unwrap(), "nothing-published");
}

#[test]
fn nobody_publishes_what_has_expired_unknowingly() {
    let shell = published();
    let line = "--json publish facts.ndjson --out out --key-file key --at";
    let output = shell.output(&format!("{line} 2026-11-20T12:35:00Z --expires-after PT5M"));
    assert!(output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("\"code\":\"head-expired\""), "{errors}");
    let output = shell.output(&format!("{line} 2126-11-20T12:34:00Z"));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("head-expired"));
    let twice = shell.error("publish facts.ndjson --out out --key-file key --key-file key", 2);
    assert_eq!(twice.pointer("/error/code").unwrap(), "key-duplicate");
}

#[cfg(unix)]
#[test]
fn what_is_secret_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let shell = published();
    shell.run(&format!("publish facts.ndjson --out out --key-file key --bundle one --at {NOW}"), 0);
    let mode = |name: &str| fs::metadata(shell.path(name)).unwrap().permissions().mode() & 0o777;
    for secret in ["key", "one", "out/state/publisher.json"] {
        assert_eq!(mode(secret), 0o600, "{secret}");
    }
    assert_eq!(mode("out/state"), 0o700);
}
