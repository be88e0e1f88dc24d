//! A publisher that is killed. It has a process of its own: a child that is being born holds the
//! locks of its parent for a moment.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::kit::{Origin, at, bulky, key, verified};

#[path = "publish/kit.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod kit;

#[test]
fn a_killed_publisher_leaves_a_snapshot_that_is_whole() {
    let before = bulky(32);
    let after = before.replace("\"bulky-7\"", "\"bulky-7\",\"status\":\"suspended\"");
    let origin = Origin::new(&before);
    origin.publish("2026-11-20T12:05:10Z").unwrap();
    let secret = key().to_text();
    let mut killed = 0;
    for round in 0..24 {
        origin.write(if round % 2 == 0 { &after } else { &before });
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgegrant"));
        command.arg("publish").arg(origin.facts()).arg("--out").arg(origin.folder().path());
        command.args(["--audience", "acme/test", "--at", "2026-11-20T12:10:10Z"]);
        command.env("EDGEGRANT_SIGNING_KEY", &secret);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 4));
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        origin.assert_whole();
    }
    assert!(killed > 0);
    origin.publish("2026-11-20T12:20:10Z").unwrap();
    origin.gc("2026-11-22T12:20:09Z");
    assert_eq!(origin.parts().len(), origin.named_parts());
    assert!(origin.files().iter().all(|(name, _)| !name.contains(".tmp")));
    let head = verified(&origin.head_bytes());
    assert_eq!(head.head().issued_at, at("2026-11-20T12:20:10Z"));
}
