//! Prints everything that a published snapshot says, as the reader of the crate reads it: the
//! trusted key, the audience, the file of the head and that of the pack are its arguments.
#![allow(clippy::unwrap_used, reason = "this is part of the tests, and stops at what is wrong")]

use std::io::Write as _;

use edgegrant::snapshot::{Body, Digest, Roots};
use edgegrant::trust::{Keyring, TrustedKey, verify};

#[path = "../../snapshot_support/told.rs"]
#[allow(unreachable_pub, reason = "the tests of the crate use it as a module")]
mod told;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [key, audience, head, pack] = arguments.try_into().unwrap();
    let keyring = Keyring::new(vec![TrustedKey::parse(&key).unwrap()], 1).unwrap();
    let head = verify(&std::fs::read(head).unwrap(), &keyring, &audience).unwrap();
    let head = head.head();
    let roots = Roots {
        root: Digest(head.root),
        catalogue: Digest(head.catalogue),
        pack_length: head.pack_length,
    };
    let body = Body::open(std::fs::read(pack).unwrap(), &roots, head.usage_as_of).unwrap();
    body.verify().unwrap();
    let text = serde_json::to_vec(&told::body(&body)).unwrap();
    std::io::stdout().write_all(&text).unwrap();
}
