//! What somebody without the token gets from an origin: the head, whatever they try.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]
#![allow(clippy::indexing_slicing, reason = "what is out of bounds is a failed test")]

#[path = "../../../tests/snapshot_support/independent.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of snapshots")]
mod independent;
#[path = "../../../tests/snapshot_support/sliced.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests of snapshots")]
mod sliced;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use edgegrant::trust::{Head, read_unverified};
use independent::{pair, sha};
use serde_json::Value;
use sliced::{Hash, Sliced};
use tempfile::TempDir;

const TOKEN: &str = "0f8c2f7a-the-token";
const SUBJECT: &str = "subject-7";

/// An origin that serves a folder in which something was published twice.
struct Origin {
    root: TempDir,
    server: Child,
    address: String,
    /// The heads that were public, the present one last.
    heads: Vec<Vec<u8>>,
    slice: Sliced,
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

fn edgegrant(root: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgegrant"));
    command.current_dir(root).args(line.split_whitespace()).env("EDGEGRANT_TOKEN", TOKEN);
    command
}

fn run(root: &Path, line: &str) {
    let output = edgegrant(root, line).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Origin {
    fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path();
        run(path, "keygen --out key");
        let heads = ["1", "2"].map(|seed| {
            run(path, &format!("generate --subjects 800 --seed {seed} --out facts.ndjson"));
            let signed = "--audience acme/test --key-file key --at 2026-11-20T12:34:00Z";
            run(path, &format!("publish facts.ndjson --out out {signed}"));
            fs::read(path.join("out/public/head")).unwrap()
        });
        run(path, &format!("slice out --subject {SUBJECT} --out slice"));
        let slice = Sliced::read(&fs::read(path.join("slice")).unwrap());
        let serve = edgegrant(path, "--json serve out --port 0").stdout(Stdio::piped()).spawn();
        let mut server = serve.unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let url = told.pointer("/url").unwrap().as_str().unwrap();
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Self { root, server, address, heads: heads.to_vec(), slice }
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("out")
    }

    /// Sends a request as it stands and reads until the server closes.
    fn send(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        Answer::read(&bytes)
    }

    fn ask(&self, method: &str, target: &str, headers: &str) -> Answer {
        let host = &self.address;
        self.send(&format!(
            "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n"
        ))
    }
}

/// What came back; nothing at all where the server hung up.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            assert!(bytes.is_empty());
            return Self { status: 0, head: String::new(), body: Vec::new() };
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let lines: Vec<&str> = head.lines().filter(|line| !line.starts_with("date: ")).collect();
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: lines.join("\n"), body: bytes[end + 4..].to_vec() }
    }

    /// It tells nothing of any file but the head.
    fn assert_nothing(&self, head: &[u8], asked: &str) {
        let Self { status, head: fields, body } = self;
        if matches!(status, 200 | 206 | 304) {
            let part = body.is_empty() || head.windows(body.len()).any(|part| part == body);
            assert!(part, "{asked}: {fields}");
            return;
        }
        assert!(*status == 0 || (400..500).contains(status), "{asked}: {fields}");
        assert!(body.len() < 400, "{asked}: {} bytes", body.len());
        for field in ["etag", "last-modified", "content-range", "location"] {
            assert!(!fields.contains(&format!("\n{field}: ")), "{asked}: {fields}");
        }
    }
}

fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn head_of(bytes: &[u8]) -> Head {
    read_unverified(bytes).unwrap().head
}

/// The names of all digests that a head and a slice name or lead to.
fn names(origin: &Origin) -> BTreeSet<String> {
    let slice = &origin.slice;
    let mut digests: Vec<Hash> = slice.digests();
    let mut hash = sha(&[&[2], &slice.salt, &slice.record]);
    digests.push(hash);
    let page = |subjects: Hash| sha(&[&[0], &subjects, &slice.page_body]);
    for (path, rises) in [(&slice.subject_path, true), (&slice.page_path, false)] {
        for (is_left, sibling) in path {
            hash = if *is_left { pair(*sibling, hash) } else { pair(hash, *sibling) };
            digests.push(hash);
        }
        if rises {
            hash = page(hash);
            digests.push(hash);
        }
    }
    let heads: Vec<Head> = origin.heads.iter().map(|head| head_of(head)).collect();
    assert_eq!(hash, heads.last().unwrap().root);
    let mut names = BTreeSet::new();
    let mut packs = Vec::new();
    for (head, bytes) in heads.iter().zip(&origin.heads) {
        let pack = sha(&[&head.root, &head.catalogue]);
        digests.extend([head.root, head.catalogue, pack, sha(&[bytes])]);
        packs.push(hex(&pack));
        names.extend([head.version.to_string(), format!("heads/{}", head.version)]);
    }
    names.insert(format!("{}-{}", packs[0], packs[1]));
    names.extend(digests.iter().map(|digest| hex(digest)));
    names
}

/// Where such a name could be found: all that is served, and what only the publisher has.
fn places(names: &BTreeSet<String>) -> Vec<String> {
    let folders = ["part", "pack", "delta"].map(|kind| format!("private/{kind}"));
    let mut places: Vec<String> =
        folders.iter().flat_map(|f| names.iter().map(move |name| format!("{f}/{name}"))).collect();
    places.extend(names.iter().map(|name| format!("state/{name}")));
    let fixed = ["private", "private/", "state/publisher.json", "state/lock", "state/pending.json"];
    places.extend(fixed.map(str::to_owned));
    places.extend(folders.iter().flat_map(|f| [f.clone(), format!("{f}/"), format!("{f}/.")]));
    places.extend(
        ["../key", "../facts.ndjson", "../slice", "state/", "state/heads/"].map(Into::into),
    );
    places
}

/// Ways to write a place that a careless server takes for something public.
fn disguises(place: &str) -> Vec<String> {
    let dots = place.replace('/', "%2f");
    let letter = format!("%{:02x}{}", place.as_bytes()[0], &place[1..]);
    let prefixes = [
        "/",
        "//",
        "/./",
        "/public/../",
        "/public/%2e%2e/",
        "/public/..%2f",
        "/public/%2e%2e%2f",
        "/public/.%2e/",
        "/public/%252e%252e/",
        "/public/..\\",
        "/public/..%5c",
        "/public/..;/",
        "/public//../",
        "/public/./../",
        "/public/head/../../",
        "/public/head/",
        "/public/",
        "/public/%00/../",
        "/public/....//",
        "/public/..%c0%af",
        "/PUBLIC/../",
        "/private/../",
    ];
    let mut all: Vec<String> = prefixes.iter().map(|prefix| format!("{prefix}{place}")).collect();
    all.extend([format!("/{dots}"), format!("/public/..%2f{dots}"), format!("/{letter}")]);
    all.extend([
        format!("/{}", place.to_uppercase()),
        format!("/{place}%00"),
        format!("/{place}?x"),
    ]);
    all.extend([format!("/{place}#/public/head"), format!("/{place}.gz"), format!("/{place}%20")]);
    all
}

#[test]
fn without_the_token_everything_reachable_gives_the_head_alone() {
    let origin = Origin::start();
    let head = origin.heads.last().unwrap();
    let names = names(&origin);
    let places = places(&names);
    let mut asked = 0;
    for target in places.iter().flat_map(|place| disguises(place)) {
        let answer = origin.ask("GET", &target, "");
        answer.assert_nothing(head, &target);
        // What is public stays what is public: nothing else is the head either.
        assert!(answer.status != 200 || target.contains("public"), "{target}");
        asked += 1;
    }
    println!("{asked} requests for {} names", names.len());

    // With the token the derived names are those of files, so what was tried is what is there.
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    let found = places.iter().filter(|place| {
        let answer = origin.ask("GET", &format!("/{place}"), &token);
        let file = fs::read(origin.folder().join(place));
        assert_eq!(answer.status == 200, file.as_ref().is_ok_and(|file| *file == answer.body));
        assert!(answer.status != 200 || place.starts_with("private/"));
        answer.status == 200
    });
    // Both roots and packs, the catalogue that they share, the page and its neighbour.
    let found = found.count();
    println!("{found} of them are files");
    assert!(found >= 7, "{found}");
}

#[test]
fn without_the_token_no_method_range_condition_or_header_helps() {
    let origin = Origin::start();
    let head = origin.heads.last().unwrap();
    let present = head_of(head);
    let pack = format!("/private/pack/{}", hex(&sha(&[&present.root, &present.catalogue])));
    let part = format!("/private/part/{}", hex(&present.catalogue));
    let host = &origin.address;
    let methods = "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT PROPFIND MKCOL COPY get";
    let headers = [
        String::new(),
        "range: bytes=0-\r\n".into(),
        "range: bytes=0-0,5-9\r\n".into(),
        "range: bytes=-8\r\n".into(),
        "if-none-match: *\r\n".into(),
        "if-match: *\r\n".into(),
        "if-modified-since: Thu, 01 Jan 1970 00:00:00 GMT\r\n".into(),
        "if-unmodified-since: Thu, 01 Jan 2099 00:00:00 GMT\r\n".into(),
        "accept-encoding: gzip, br\r\n".into(),
        "authorization:\r\n".into(),
        "authorization: Bearer\r\n".into(),
        "authorization: Bearer \r\n".into(),
        "authorization: Bearer null\r\n".into(),
        format!("authorization: {TOKEN}\r\n"),
        format!("authorization: Basic {TOKEN}\r\n"),
        format!("authorization: Bearer {TOKEN}x\r\n"),
        format!("authorization: Bearer {}\r\n", &TOKEN[..TOKEN.len() - 1]),
        format!("authorization: Bearer {}\r\n", TOKEN.to_uppercase()),
        format!("authorization: Bearer x\r\nauthorization: Bearer {TOKEN}\r\n"),
        format!("proxy-authorization: Bearer {TOKEN}\r\n"),
        format!("cookie: token={TOKEN}; authorization=Bearer {TOKEN}\r\n"),
        format!("x-original-url: {pack}\r\nx-rewrite-url: {pack}\r\n"),
        "x-http-method-override: GET\r\nx-forwarded-for: 127.0.0.1\r\n".into(),
        "expect: 100-continue\r\n".into(),
        "upgrade: h2c\r\nconnection: upgrade\r\n".into(),
    ];
    for (method, target) in methods.split(' ').flat_map(|m| [(m, &pack), (m, &part)]) {
        for headers in &headers {
            let answer = origin.ask(method, target, headers);
            answer.assert_nothing(head, &format!("{method} {target} {headers}"));
            assert!(!matches!(answer.status, 200 | 206 | 304), "{method} {headers}");
        }
    }
    // Other forms of the request's first line.
    for line in [
        format!("GET http://{host}{pack} HTTP/1.1"),
        format!("GET http://{host}/public/head@{host}{pack} HTTP/1.1"),
        format!("GET {pack} HTTP/1.0"),
        format!("GET {pack}"),
        format!("GET {pack}?token={TOKEN}&access_token={TOKEN} HTTP/1.1"),
        format!("GET http://user:{TOKEN}@{host}{pack} HTTP/1.1"),
    ] {
        let answer = origin.send(&format!("{line}\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
        answer.assert_nothing(head, &line);
        assert!(!matches!(answer.status, 200 | 206 | 304), "{line}");
    }
    // The control: with the token the same file comes.
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    let whole = origin.ask("GET", &pack, &token);
    assert_eq!((whole.status, whole.body.len() as u64), (200, present.pack_length));
}

#[test]
fn without_the_token_what_is_there_and_what_is_not_are_answered_alike() {
    let origin = Origin::start();
    let present = head_of(origin.heads.last().unwrap());
    let there = format!("/private/part/{}", hex(&present.root));
    let nowhere = format!("/private/part/{}", hex(&[7; 32]));
    assert!(origin.folder().join(&there[1..]).exists());
    for headers in ["", "range: bytes=0-\r\n", "if-none-match: *\r\n"] {
        for method in ["GET", "HEAD", "POST", "OPTIONS"] {
            let answers = [&there, &nowhere].map(|target| origin.ask(method, target, headers));
            assert_eq!(answers[0], answers[1], "{method} {headers}");
            assert_eq!(answers[0].status, 401);
        }
    }
}

#[test]
fn nothing_is_listed_and_the_publishers_own_files_are_never_served() {
    let origin = Origin::start();
    let head = origin.heads.last().unwrap();
    let token = format!("authorization: Bearer {TOKEN}\r\n");
    let listings = ["/", "/public", "/public/", "/private", "/private/", "/private/part/"];
    for (target, headers) in listings.iter().flat_map(|target| [(target, ""), (target, &token)]) {
        let answer = origin.ask("GET", target, headers);
        answer.assert_nothing(head, target);
        assert_ne!(answer.status, 200, "{target}");
    }
    let secret = fs::read_to_string(origin.root.path().join("key")).unwrap();
    let mut own = vec!["../key".to_owned(), "state/publisher.json".to_owned()];
    own.extend(["state/lock", "../facts.ndjson"].map(Into::into));
    for target in own.iter().flat_map(|place| disguises(place)) {
        let answer = origin.ask("GET", &target, &token);
        assert!(!String::from_utf8_lossy(&answer.body).contains(secret.trim()));
        answer.assert_nothing(head, &target);
    }
}
