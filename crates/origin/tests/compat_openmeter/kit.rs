//! A server over published facts, and how it is asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use edgegrant::model::Fact;
use edgegrant::trust::{Keyring, SecretKey};
use edgegrant::{Instant, Interval, gate};
use edgegrant_origin::compat::{self, World};
use edgegrant_origin::folder::Folder;
use edgegrant_origin::publish::{Options, Terms, publish};
use edgegrant_origin::serve::Server;
use edgegrant_origin::sources::{Notes, openmeter};
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;

const TOKEN: &str = "of-the-tests";
const AUDIENCE: &str = "acme/test";

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn imported(files: &[PathBuf], now: Instant) -> (Vec<Fact>, Notes) {
    let mut notes = Notes::default();
    let options = openmeter::Options { at: now, trust_units: false };
    let facts = openmeter::import(files, &options, &mut notes).unwrap().collect();
    (facts, notes)
}

/// What an import says of its records.
pub(crate) fn import_codes(files: &[PathBuf], now: Instant) -> Vec<String> {
    let (_, notes) = imported(files, now);
    notes.all().iter().map(|note| note.code.to_owned()).collect()
}

/// A server whose clock the test moves.
pub(crate) struct Served {
    url: String,
    clock: Arc<AtomicI64>,
    agent: Agent,
    _folder: TempDir,
}

impl Served {
    /// Files of answers, imported, published and served at an instant.
    pub(crate) fn import(files: &[PathBuf], now: Instant) -> Self {
        Self::publish(&imported(files, now).0, now)
    }

    /// Facts, published and served at an instant.
    pub(crate) fn publish(facts: &[impl Serialize], now: Instant) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("facts.ndjson");
        let lines = facts.iter().map(|fact| serde_json::to_string(fact).unwrap() + "\n");
        fs::write(&file, lines.collect::<String>()).unwrap();
        let published = Folder::new(folder.path().join("published"));
        let key = SecretKey::from_seed(1, [7; 32]);
        let options = Options { facts: vec![file.clone()], terms: terms(now), allow_shrink: false };
        publish(&options, std::slice::from_ref(&key), &published).unwrap();
        let clock = Arc::new(AtomicI64::new(now.millis()));
        let told = Arc::clone(&clock);
        let keyring = Keyring::new(vec![key.trusted_key()], 1).unwrap();
        let options = compat::Options {
            folder: published.clone(),
            facts: vec![file],
            gate: gate::Options::new(AUDIENCE.into(), keyring),
            clock: Box::new(move || Instant::from_millis(told.load(Ordering::SeqCst)).unwrap()),
        };
        let url = listen(published, World::open(options, TOKEN).unwrap());
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Self { url, clock, agent, _folder: folder }
    }

    pub(crate) fn set(&self, now: &str) {
        self.clock.store(at(now).millis(), Ordering::SeqCst);
    }

    /// The status and the body.
    pub(crate) fn ask(&self, path: &str) -> (u16, Value) {
        let request = self.agent.get(format!("{}{path}", self.url));
        let mut answer = request.header("authorization", format!("Bearer {TOKEN}")).call().unwrap();
        let body = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&body).unwrap())
    }

    /// The status of a request with a method.
    pub(crate) fn status(&self, method: &str, path: &str) -> u16 {
        self.call(method, &format!("Bearer {TOKEN}"), path)
    }

    /// The status of a request of whoever shows something.
    pub(crate) fn status_as(&self, authorization: &str, path: &str) -> u16 {
        self.call("GET", authorization, path)
    }

    fn call(&self, method: &str, authorization: &str, path: &str) -> u16 {
        let request = ureq::http::Request::builder().method(method);
        let request = request.uri(format!("{}{path}", self.url));
        let request = request.header("authorization", authorization).body(()).unwrap();
        self.agent.run(request).unwrap().status().as_u16()
    }

    /// The body of what is there.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(path);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The status and the detail of what is refused.
    pub(crate) fn refusal(&self, path: &str) -> (u16, String) {
        let (status, body) = self.ask(path);
        assert_eq!(body["status"], status, "{body}");
        (status, body["detail"].as_str().unwrap().to_owned())
    }
}

fn terms(now: Instant) -> Terms {
    let interval = |text| Interval::parse(text).unwrap();
    Terms {
        audience: AUDIENCE.into(),
        now,
        stale_after: interval("PT2M"),
        expires_after: interval("P1D"),
        dead_after: interval("P7D"),
    }
}

/// Serves as long as the tests run.
fn listen(folder: Folder, world: World) -> String {
    let (listening, address) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::bind(&folder, TOKEN, Some(world), 0).await.unwrap();
            listening.send(server.address).unwrap();
            server.run().await.unwrap();
        });
    });
    format!("http://{}", address.recv().unwrap())
}

/// The files of this project for the system.
pub(crate) fn own() -> PathBuf {
    root().join("tests/compat/fixtures/openmeter")
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn read(file: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}
