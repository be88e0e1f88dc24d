//! What other systems' clients are answered when there is nothing to answer from.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use edgegrant::trust::{Keyring, SecretKey};
use edgegrant::{Instant, Interval, gate};
use edgegrant_origin::compat::{self, World};
use edgegrant_origin::folder::Folder;
use edgegrant_origin::publish::{Options, Terms, publish};
use edgegrant_origin::serve::Server;
use ring::rand::SystemRandom;
use tempfile::TempDir;
use ureq::Agent;

const TOKEN: &str = "of-the-tests";
const PRODUCT: &str = r#"{"ProductCode":"p"}"#;
const FACTS: &str = concat!(
    r#"{"feature":"p/seats"}"#,
    "\n",
    r#"{"feature":"detect"}"#,
    "\n",
    r#"{"subject":"310000000007","#,
    r#""entitlements":[{"feature":"p/seats","type":"boolean"},"#,
    r#"{"feature":"detect","type":"boolean"}],"records":["#,
    r#"{"system":"aws-marketplace","kind":"entitlement","feature":"p/seats","json":"#,
    r#"{"ProductCode":"p","Dimension":"seats","CustomerAWSAccountId":"310000000007","#,
    r#""Value":{"BooleanValue":true}}},"#,
    r#"{"system":"alert-logic","kind":"entitlement","feature":"detect","json":"#,
    r#"{"product_family":"detect","status":"active"}}]}"#
);

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

/// A server whose clock the test moves.
struct Served {
    url: String,
    clock: Arc<AtomicI64>,
    folder: TempDir,
}

impl Served {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let facts = folder.path().join("facts.ndjson");
        fs::write(&facts, FACTS).unwrap();
        let key = key();
        publish_facts(&facts, &key, folder.path());
        let clock = Arc::new(AtomicI64::new(at("2026-11-20T00:00:00Z").millis()));
        let keyring = Keyring::new(vec![key.trusted_key()], 1).unwrap();
        let told = Arc::clone(&clock);
        let options = compat::Options {
            folder: Folder::new(folder.path()),
            facts: vec![facts],
            gate: gate::Options::new("acme/test".into(), keyring),
            clock: Box::new(move || Instant::from_millis(told.load(Ordering::SeqCst)).unwrap()),
        };
        let world = World::open(options, TOKEN).unwrap();
        let url = listen(&Folder::new(folder.path()), Some(world));
        Self { url, clock, folder }
    }

    fn set(&self, now: &str) {
        self.clock.store(at(now).millis(), Ordering::SeqCst);
    }

    /// The status and the body of `GetEntitlements`.
    fn marketplace(&self) -> (u16, String) {
        let credential = format!("{TOKEN}/20261120/us-east-1/aws-marketplace/aws4_request");
        let request = agent()
            .post(&self.url)
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}"))
            .header("x-amz-target", "AWSMPEntitlementService.GetEntitlements");
        let mut answer = request.send(PRODUCT).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    fn alert_logic(&self) -> (u16, String) {
        let url = format!("{}subscriptions/v1/310000000007/entitlements", self.url);
        let mut answer = agent().get(url).header("x-aims-auth-token", TOKEN).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).build().into()
}

/// What anybody can read signs for nobody.
fn key() -> SecretKey {
    let seed: [u8; 32] = ring::rand::generate(&SystemRandom::new()).unwrap().expose();
    SecretKey::from_seed(1, seed)
}

fn publish_facts(facts: &Path, key: &SecretKey, folder: &Path) {
    let interval = |text| Interval::parse(text).unwrap();
    let terms = Terms {
        audience: "acme/test".into(),
        now: at("2026-11-20T00:00:00Z"),
        stale_after: interval("PT2M"),
        expires_after: interval("P1D"),
        dead_after: interval("P7D"),
    };
    let options = Options { facts: vec![facts.to_owned()], terms, allow_shrink: false };
    publish(&options, std::slice::from_ref(key), &Folder::new(folder)).unwrap();
}

/// Serves as long as the test runs.
fn listen(folder: &Folder, world: Option<World>) -> String {
    let (listening, address) = std::sync::mpsc::channel();
    let folder = folder.clone();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::bind(&folder, TOKEN, world, 0).await.unwrap();
            listening.send(server.address).unwrap();
            server.run().await.unwrap();
        });
    });
    format!("http://{}/", address.recv().unwrap())
}

#[test]
fn a_snapshot_that_is_too_old_is_an_error_of_the_server() {
    let served = Served::new();
    assert_eq!(served.marketplace().0, 200);
    assert!(served.alert_logic().1.contains(r#""status":"active""#));
    served.set("2026-11-26T00:00:00Z");
    assert_eq!((served.marketplace().0, served.alert_logic().0), (200, 200));
    served.set("2026-11-27T00:00:00Z");
    let (status, body) = served.marketplace();
    assert_eq!(status, 500);
    assert!(body.contains(r#""__type":"InternalServiceErrorException""#), "{body}");
    assert_eq!(served.alert_logic(), (503, r#"{"error":"dead-snapshot"}"#.into()));
}

#[test]
fn a_head_that_is_refused_leaves_the_answers_as_they_were() {
    let served = Served::new();
    let before = served.marketplace();
    let head = Folder::new(served.folder.path()).head();
    let good = fs::read(&head).unwrap();
    fs::write(&head, b"no head").unwrap();
    assert_eq!(served.marketplace(), before);
    publish_facts(&served.folder.path().join("facts.ndjson"), &key(), served.folder.path());
    assert_eq!(served.marketplace(), before, "the key of somebody else");
    fs::write(&head, good).unwrap();
    assert_eq!(served.marketplace(), before);
}

#[test]
fn nothing_is_answered_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let url = listen(&Folder::new(folder.path()), None);
    assert_eq!(agent().post(&url).send(PRODUCT).unwrap().status(), 404);
    let url = format!("{url}aims/v1/token_info");
    assert_eq!(agent().get(url).call().unwrap().status(), 404);
}
