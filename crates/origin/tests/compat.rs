//! What other systems' clients are answered when there is nothing to answer from.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
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
    key: SecretKey,
}

impl Served {
    fn new() -> Self {
        Self::with(FACTS)
    }

    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let facts = folder.path().join("facts.ndjson");
        fs::write(&facts, text).unwrap();
        let key = key();
        publish_facts(&facts, &key, folder.path());
        let clock = Arc::new(AtomicI64::new(at("2026-11-20T00:00:00Z").millis()));
        let options = options(folder.path(), facts, &key, Arc::clone(&clock));
        let world = World::open(options, TOKEN).unwrap();
        let url = listen(&Folder::new(folder.path()), Some(world));
        Self { url, clock, folder, key }
    }

    fn facts(&self) -> PathBuf {
        self.folder.path().join("facts.ndjson")
    }

    /// Publishes other facts under the same key.
    fn publish(&self, facts: &str) {
        fs::write(self.facts(), facts).unwrap();
        publish_facts(&self.facts(), &self.key, self.folder.path());
    }

    fn set(&self, now: &str) {
        self.clock.store(at(now).millis(), Ordering::SeqCst);
    }

    /// The status and the body of `GetEntitlements`.
    fn marketplace(&self) -> (u16, String) {
        self.get_entitlements(PRODUCT)
    }

    fn get_entitlements(&self, body: &str) -> (u16, String) {
        let credential = format!("{TOKEN}/20261120/us-east-1/aws-marketplace/aws4_request");
        let request = agent()
            .post(&self.url)
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={credential}"))
            .header("x-amz-target", "AWSMPEntitlementService.GetEntitlements");
        told(request.send(body).unwrap())
    }

    fn alert_logic(&self) -> (u16, String) {
        self.get("subscriptions/v1/310000000007/entitlements")
    }

    /// What a path answers to whoever says the token in every way.
    fn get(&self, path: &str) -> (u16, String) {
        let request = agent().get(format!("{}{path}", self.url));
        let request = request.header("x-aims-auth-token", TOKEN);
        told(request.header("authorization", format!("Bearer {TOKEN}")).call().unwrap())
    }

    /// Whether networks could be bound to a subscription.
    fn bind(&self, subscription: &str, networks: &str) -> (u16, String) {
        let path =
            format!("api/v1/administered/licensing/subscription/subscriptions/{subscription}");
        let request = agent().post(format!("{}{path}/bind?validate=true", self.url));
        let request = request.header("authorization", format!("Bearer {TOKEN}"));
        told(request.send(format!(r#"{{"networkIds":[{networks}]}}"#)).unwrap())
    }
}

fn told(mut answer: ureq::http::Response<ureq::Body>) -> (u16, String) {
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

/// Trusts a key, and tells the time by a clock.
fn options(
    folder: &Path,
    facts: PathBuf,
    key: &SecretKey,
    clock: Arc<AtomicI64>,
) -> compat::Options {
    let keyring = Keyring::new(vec![key.trusted_key()], 1).unwrap();
    compat::Options {
        folder: Folder::new(folder),
        facts: vec![facts],
        gate: gate::Options::new("acme/test".into(), keyring),
        clock: Box::new(move || Instant::from_millis(clock.load(Ordering::SeqCst)).unwrap()),
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

#[test]
fn nothing_is_answered_from_a_dead_snapshot() {
    let served = Served::with(NETWORKS);
    let reads = [
        "subscriptions/v1/310000000007/entitlements",
        "subscriptions/v1/310000000007/subscriptions",
        "subscriptions/v1/account_ids/entitlement/detect",
        "api/v1/administered/licensing/subscription/entitlements?organizationIds[]=1",
        "api/v1/administered/licensing/subscription/subscriptions?organizationIds[]=1",
        "accounts/acct/core/v1/licenses",
    ];
    for read in reads {
        let (status, body) = served.get(read);
        assert!(status == 200, "{read}: {status} {body}");
    }
    let nobody = r#"{"ProductCode":"of-nobody"}"#;
    assert_eq!((served.bind("s-1", "").0, served.get_entitlements(nobody).0), (200, 200));
    served.set("2026-11-27T00:00:00Z");
    for read in reads {
        assert_eq!(served.get(read).0, 503, "{read}");
    }
    assert_eq!((served.bind("s-1", "").0, served.get_entitlements(nobody).0), (503, 500));
}

/// Two organizations with a subscription and a network each, an account of two more systems.
const NETWORKS: &str = concat!(
    r#"{"feature":"detect"}"#,
    "\n",
    r#"{"feature":"AP"}"#,
    "\n",
    r#"{"subject":"310000000007","records":[{"system":"alert-logic","kind":"subscription","#,
    r#""json":{"id":"s","account_id":"310000000007","active":true}}]}"#,
    "\n",
    r#"{"subject":"acct","source":{"system":"astra","id":"acct"}}"#,
    "\n",
    r#"{"subject":"1","source":{"system":"meraki","id":"1"},"#,
    r#""attributes":{"kind":"organization"},"records":["#,
    r#"{"system":"meraki","kind":"subscription","json":{"subscriptionId":"s-1"}},"#,
    r#"{"system":"meraki","kind":"network","json":{"id":"N_1","entitlements":[]}}]}"#,
    "\n",
    r#"{"subject":"2","source":{"system":"meraki","id":"2"},"#,
    r#""attributes":{"kind":"organization"},"records":["#,
    r#"{"system":"meraki","kind":"subscription","json":{"subscriptionId":"s-2"}},"#,
    r#"{"system":"meraki","kind":"network","json":{"id":"N_2","entitlements":[]}}]}"#,
    "\n",
    r#"{"subject":"s-1","source":{"system":"meraki","id":"s-1"},"#,
    r#""attributes":{"kind":"subscription"}}"#,
    "\n",
    r#"{"subject":"s-2","source":{"system":"meraki","id":"s-2"},"#,
    r#""attributes":{"kind":"subscription"}}"#,
    "\n",
);

#[test]
fn a_subscription_is_bound_to_networks_of_its_own_organization() {
    let served = Served::with(NETWORKS);
    for (subscription, networks, status) in [
        ("s-1", r#""N_1""#, 200),
        ("s-2", r#""N_2""#, 200),
        ("s-1", r#""N_2""#, 400),
        ("s-2", r#""N_2","N_1""#, 400),
        ("s-1", "", 200),
        ("s-3", r#""N_1""#, 404),
    ] {
        let (answered, body) = served.bind(subscription, networks);
        assert_eq!(answered, status, "{subscription} {networks}: {body}");
    }
}

#[test]
fn no_facts_are_read_for_a_head_that_nobody_signed() {
    let served = Served::new();
    let head = Folder::new(served.folder.path()).head();
    let mut forged = fs::read(&head).unwrap();
    *forged.last_mut().unwrap() ^= 1;
    fs::write(&head, forged).unwrap();
    fs::write(served.facts(), "no facts").unwrap();
    let clock = Arc::clone(&served.clock);
    let options = options(served.folder.path(), served.facts(), &served.key, clock);
    let refused = World::open(options, TOKEN).err().unwrap();
    assert_eq!(refused.code, "signature-invalid");
}

#[test]
fn a_head_that_is_refused_is_not_tried_for_every_question() {
    let served = Served::new();
    let before = served.marketplace();
    let more = FACTS.replace(r#""BooleanValue":true"#, r#""BooleanValue":true,"More":1"#);
    let renamed = more.replace("\"Dimension\":\"seats\"", "\"Dimension\":\"chairs\"");
    served.publish(&renamed);
    fs::write(served.facts(), "no facts").unwrap();
    assert_eq!(served.marketplace(), before);
    fs::write(served.facts(), &renamed).unwrap();
    assert_eq!(served.marketplace(), before, "the facts were read again at once");
    served.set("2026-11-20T00:00:10Z");
    assert!(served.marketplace().1.contains("chairs"));
}

/// A member of a body, which is JSON.
fn member(body: &str, path: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let found = body.pointer(path).and_then(serde_json::Value::as_str);
    found.unwrap_or_else(|| panic!("{path} is missing: {body}")).to_owned()
}

#[test]
fn a_marketplace_token_is_for_the_records_that_it_came_with() {
    let two = FACTS.replace(
        r#"{"system":"alert-logic""#,
        &format!("{},{}", FACTS_OF_SEATS, r#"{"system":"alert-logic""#),
    );
    let served = Served::with(&two);
    let (_, first) = served.get_entitlements(r#"{"ProductCode":"p","MaxResults":1}"#);
    let token = member(&first, "/NextToken");
    let on = format!(r#"{{"ProductCode":"p","MaxResults":1,"NextToken":"{token}"}}"#);
    assert_eq!(served.get_entitlements(&on).0, 200);
    // What is published is the same, but not the records beside it.
    served.publish(&two);
    assert_eq!(served.get_entitlements(&on).0, 200);
    served.publish(&two.replace("\"LicenseArn\":\"arn:2\"", "\"LicenseArn\":\"arn:3\""));
    let (status, body) = served.get_entitlements(&on);
    assert_eq!((status, member(&body, "/__type").as_str()), (400, "InvalidParameterException"));
}

const FACTS_OF_SEATS: &str = concat!(
    r#"{"system":"aws-marketplace","kind":"entitlement","feature":"p/seats","json":"#,
    r#"{"ProductCode":"p","Dimension":"seats","CustomerAWSAccountId":"310000000007","#,
    r#""LicenseArn":"arn:2","Value":{"BooleanValue":true}}}"#
);

/// An account with so many entitlements in one pool, each of one unit.
fn pool(count: usize, product: &str) -> String {
    let (mut grants, mut records) = (Vec::new(), Vec::new());
    for number in 0..count {
        // An entitlement has at most a thousand grants.
        if number < 1000 {
            let since = "2026-01-01T00:00:00Z";
            grants.push(format!(r#"{{"id":"e-{number}","amount":1,"effectiveAt":"{since}"}}"#));
        }
        records.push(format!(
            r#"{{"system":"astra","kind":"entitlement","feature":"units","json":{{"id":"e-{number}",
               "product":"{product}","entitlementValue":"1","entitlementConsumption":"1"}}}}"#
        ));
    }
    let (grants, records) = (grants.join(","), records.join(",").replace('\n', " "));
    format!(
        "{{\"feature\":\"units\"}}\n{{\"subject\":\"acct\",\"source\":{{\"system\":\"astra\",\
         \"id\":\"acct\"}},\"entitlements\":[{{\"feature\":\"units\",\"type\":\"metered\",\
         \"measureUsageFrom\":\"2026-01-01T00:00:00Z\",\"usage\":{{\"kind\":\"level\",\
         \"amount\":{count}}},\"grants\":[{grants}]}}],\"records\":[{records}]}}\n"
    )
}

#[test]
fn a_token_of_astra_is_for_the_list_and_the_records_that_it_came_with() {
    let served = Served::with(&pool(5, "Center"));
    let list = "accounts/acct/core/v1/entitlements?limit=2";
    let token = member(&served.get(list).1, "/metadata/continue");
    let on = |more: &str| {
        let (status, body) = served.get(&format!("{list}&continue={token}{more}"));
        if status == 400 {
            assert_eq!(member(&body, "/invalidParams/0/name"), "continue");
        }
        status
    };
    assert_eq!(on(""), 200);
    assert_eq!(on("&include=id&count=true"), 200);
    assert_eq!(on("&orderBy=id%20desc"), 400);
    assert_eq!(on("&filter=id%20eq%20'e-1'"), 400);
    served.publish(&pool(5, "Other"));
    assert_eq!(on(""), 400);
}

#[test]
fn thousands_of_entitlements_of_a_pool_take_no_time() {
    let served = Served::with(&pool(10_000, "Center"));
    let (status, body) = served.get("accounts/acct/core/v1/entitlements?limit=1&count=true");
    assert_eq!(status, 200);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body.pointer("/metadata/count").unwrap(), 10_000);
}

#[test]
fn members_that_are_null_are_as_if_they_were_absent() {
    let null = concat!(
        r#""json":{"subscriptionId":"s-1","name":null,"productTypes":null,"#,
        r#""entitlements":null,"startDate":null,"counts":null}"#
    );
    let absent = r#""json":{"subscriptionId":"s-1"}"#;
    let served = Served::with(&NETWORKS.replace(absent, null));
    let list = "api/v1/administered/licensing/subscription/subscriptions?organizationIds[]=1";
    let (status, body) = served.get(list);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains(r#""productTypes":null"#), "{body}");
    assert_eq!(served.get(&format!("{list}&productTypes[]=wireless")), (200, "[]".into()));
    assert_eq!(served.get(&format!("{list}&skus[]=AP")), (200, "[]".into()));
}

#[test]
fn what_a_bundle_leaves_out_is_not_invented() {
    let served = Served::new();
    let list = "subscriptions/v1/310000000007/entitlements?filter_bundles=";
    for (wanted, status) in [("false", 200), ("False", 200), ("true", 400), ("1", 400), ("", 400)] {
        assert_eq!(served.get(&format!("{list}{wanted}")).0, status, "{wanted}");
    }
}

/// A customer whom a file by hand names, with what two systems say of it under names of their own.
const JOINED: &str = concat!(
    r#"{"feature":"units"}"#,
    "\n",
    r#"{"subject":"acme","aliases":["42","acct"],"source":{"system":"meraki","id":"42"},"#,
    r#""attributes":{"kind":"organization"},"records":["#,
    r#"{"system":"meraki","kind":"subscription","json":{"subscriptionId":"s-1"}},"#,
    r#"{"system":"astra","kind":"entitlement","feature":"units","json":{"id":"e-1"}},"#,
    r#"{"system":"astra","kind":"entitlement","feature":"units","#,
    r#""json":{"id":"e-2","allocation":"here"}}],"#,
    r#""entitlements":[{"feature":"units","type":"boolean"}]}"#,
    "\n",
    r#"{"subject":"acct/here","source":{"system":"astra","id":"acct/here"},"#,
    r#""attributes":{"allocation":"here"},"#,
    r#""entitlements":[{"feature":"units","type":"boolean"}]}"#,
    "\n",
    r#"{"subject":"s-1","source":{"system":"meraki","id":"s-1"},"#,
    r#""attributes":{"kind":"subscription"}}"#,
    "\n",
);

#[test]
fn a_customer_of_two_systems_is_answered_in_both() {
    for first in ["meraki", "astra"] {
        let source = format!(r#""source":{{"system":"{first}","id":"42"}}"#);
        let served =
            Served::with(&JOINED.replacen(r#""source":{"system":"meraki","id":"42"}"#, &source, 1));
        for name in ["acme", "42"] {
            let list = "api/v1/administered/licensing/subscription/subscriptions";
            let (status, body) = served.get(&format!("{list}?organizationIds[]={name}"));
            assert_eq!((status, body.contains("s-1")), (200, true), "{first} {name}: {body}");
        }
        for name in ["acme", "acct"] {
            let (status, body) = served.get(&format!("accounts/{name}/core/v1/entitlements"));
            assert_eq!(status, 200, "{first} {name}: {body}");
            assert!(body.contains("e-1") && body.contains("e-2"), "{first} {name}: {body}");
        }
    }
}
