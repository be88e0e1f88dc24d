//! `edgegrant run`: several sources in one snapshot, and what stays when one of them fails.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::Shell;
use crate::server::{Asked, Given, Server};

/// How a server behaves, to be changed between rounds.
#[derive(Clone, Default)]
struct Mood(Arc<AtomicU8>);

const WELL: u8 = 0;
const EMPTY: u8 = 1;
const FAILING: u8 = 2;
const TAKEN: u8 = 3;

impl Mood {
    fn set(&self, mood: u8) {
        self.0.store(mood, Ordering::SeqCst);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::SeqCst)
    }
}

fn marketplace(mood: Mood) -> Server {
    Server::new(move |_: &Asked, _| {
        let entitlement = |customer: u32| {
            json!({ "ProductCode": "prod", "Dimension": "users",
                    "CustomerIdentifier": format!("c{customer}"),
                    "Value": { "IntegerValue": 5 }, "ExpirationDate": 4_000_000_000_u64 })
        };
        match mood.get() {
            EMPTY => Given::json(&json!({ "Entitlements": [] })),
            FAILING => Given::status(503, &json!({})).with("retry-after", "0"),
            _ => {
                let entitlements: Vec<Value> = (0..3).map(entitlement).collect();
                Given::json(&json!({ "Entitlements": entitlements }))
            }
        }
    })
}

fn subscriptions(mood: Mood) -> Server {
    Server::new(move |asked, _| match &*asked.line {
        "POST /aims/v1/authenticate" => {
            Given::json(&json!({ "authentication": { "token": "token" } }))
        }
        _ if mood.get() == FAILING => Given::status(503, &json!({})).with("retry-after", "0"),
        line if line.ends_with("/entitlements") => {
            let family = if mood.get() == TAKEN { "prod/users" } else { "detect" };
            let detect = json!({ "product_family": family, "status": "active" });
            let listed = if mood.get() == EMPTY { vec![] } else { vec![detect] };
            Given::json(&json!({ "account_id": "01", "entitlements": listed }))
        }
        _ => Given::status(404, &json!({})),
    })
}

struct Runner {
    shell: Shell,
    marketplace: Mood,
    subscriptions: Mood,
    _servers: [Server; 2],
}

impl Runner {
    fn new() -> Self {
        let (market, subscription) = (Mood::default(), Mood::default());
        let servers = [marketplace(market.clone()), subscriptions(subscription.clone())];
        let shell = Shell::new();
        let plan = json!({
            "audience": "acme/test", "folder": "out", "work": "work", "facts": ["names.ndjson"],
            "sources": [
                { "name": "market", "source": "aws-marketplace", "ids": ["prod"],
                  "endpoint": servers[0].address },
                { "name": "alerts", "source": "alert-logic", "ids": ["01"],
                  "endpoint": servers[1].address },
            ],
        });
        fs::write(shell.path("plan.json"), plan.to_string()).unwrap();
        // Says by hand whose account it is.
        let names = json!({ "subject": "acme", "aliases": ["01", "c0"] });
        fs::write(shell.path("names.ndjson"), format!("{names}\n")).unwrap();
        fs::write(shell.path("key.pub"), shell.run("keygen --out key").stdout).unwrap();
        Self { shell, marketplace: market, subscriptions: subscription, _servers: servers }
    }

    fn round(&self, more: &str, code: i32) -> Value {
        let output = self.shell.run(&format!("--json run plan.json --key-file key --once{more}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn may(&self, subject: &str, feature: &str) -> bool {
        let key = fs::read_to_string(self.shell.path("key.pub")).unwrap();
        let line = format!(
            "check {subject} {feature} --folder out --audience acme/test --trusted-key {}",
            key.trim()
        );
        self.shell.run(&line).status.code() == Some(0)
    }
}

#[test]
fn sources_are_joined_by_the_names_that_somebody_gave() {
    let runner = Runner::new();
    let round = runner.round("", 0);
    assert_eq!(round["published"]["subjects"], 3);
    assert_eq!(round["sources"][0], json!({ "name": "market", "subjects": 3, "error": null }));
    for name in ["acme", "01", "c0"] {
        assert!(runner.may(name, "detect") && runner.may(name, "prod/users"), "{name}");
    }
    assert!(runner.may("c1", "prod/users") && !runner.may("c1", "detect"));
}

#[test]
fn a_source_that_fails_is_left_as_it_was() {
    let runner = Runner::new();
    let first = runner.round("", 0)["published"]["version"].as_u64().unwrap();
    runner.subscriptions.set(FAILING);
    let round = runner.round("", 3);
    assert_eq!(round["sources"][1]["error"]["code"], "pull-failed");
    assert!(round["published"]["version"].as_u64().unwrap() > first);
    assert!(runner.may("acme", "detect"));
    runner.subscriptions.set(WELL);
    runner.round("", 0);
}

#[test]
fn an_empty_list_does_not_take_everything_away() {
    let runner = Runner::new();
    runner.round("", 0);
    runner.marketplace.set(EMPTY);
    let round = runner.round("", 3);
    assert_eq!(round["sources"][0]["error"]["code"], "source-shrunk");
    assert!(runner.may("c1", "prod/users"));
    runner.round(" --allow-shrink", 0);
    assert!(!runner.may("c1", "prod/users") && runner.may("acme", "detect"));
}

#[test]
fn accounts_that_are_listed_with_nothing_keep_what_they_had() {
    let runner = Runner::new();
    runner.round("", 0);
    runner.subscriptions.set(EMPTY);
    let round = runner.round("", 3);
    assert_eq!(round["sources"][1]["error"]["code"], "source-shrunk");
    assert!(runner.may("acme", "detect"));
    runner.round(" --allow-shrink", 0);
    assert!(!runner.may("acme", "detect") && runner.may("c1", "prod/users"));
}

#[test]
fn two_sources_that_disagree_are_both_named_and_nothing_changes() {
    let runner = Runner::new();
    runner.round("", 0);
    runner.subscriptions.set(TAKEN);
    let round = runner.round("", 2);
    assert_eq!(round["error"]["code"], "conflict-entitlement");
    let message = round["error"]["message"].as_str().unwrap();
    assert!(message.contains("market") && message.contains("alerts"), "{message}");
    assert!(!message.contains("acme") && !message.contains("c0"), "{message}");
    assert!(runner.may("acme", "detect"));
}

#[test]
fn without_a_first_answer_nothing_is_published() {
    let runner = Runner::new();
    runner.marketplace.set(FAILING);
    let round = runner.round("", 2);
    assert_eq!(round["error"]["code"], "source-missing");
    assert!(!runner.shell.path("out").exists());
}

#[test]
fn a_plan_that_cannot_be_meant_is_refused() {
    let shell = Shell::new();
    let refused = |plan: Value| {
        fs::write(shell.path("plan.json"), plan.to_string()).unwrap();
        let output = shell.run("--json run plan.json --once");
        let errors = String::from_utf8(output.stderr).unwrap();
        let error: Value = serde_json::from_str(errors.lines().last().unwrap()).unwrap();
        (output.status.code(), error["error"]["code"].as_str().unwrap().to_owned())
    };
    let plan = |sources: Value| {
        json!({ "audience": "a", "folder": "out",
                "work": "work", "sources": sources })
    };
    let market = json!({ "name": "m", "source": "aws-marketplace", "ids": ["p"] });
    let code = |plan| refused(plan).1;
    assert_eq!(refused(plan(json!([]))), (Some(2), "plan-empty".into()));
    assert_eq!(code(plan(json!([market, market]))), "plan-name");
    assert_eq!(
        code(plan(json!([{ "name": "../m", "source": "aws-marketplace", "ids": ["p"] }]))),
        "plan-name"
    );
    assert_eq!(
        code(plan(json!([{ "name": "m", "source": "aws-marketplace", "ids": [] }]))),
        "plan-ids"
    );
    let ended = |source: &str, ids: Value| {
        json!([{ "name": "m", "source": source,
                 "ids": ids, "renewalGrace": "P1D" }])
    };
    assert_eq!(code(plan(ended("astra", json!(["1"])))), "plan-option");
    assert_eq!(code(plan(ended("openmeter", json!([])))), "plan-option");
    let mut months = plan(ended("alert-logic", json!(["1"])));
    months["sources"][0]["renewalGrace"] = json!("P1M");
    assert_eq!(code(months), "grace-in-months");
    let mut rare = plan(json!([market]));
    rare["every"] = json!("P1M");
    assert_eq!(code(rare), "plan-every");
    let mut within = plan(json!([market]));
    within["work"] = json!("out/work");
    assert_eq!(code(within.clone()), "plan-work");
    fs::create_dir_all(shell.path("out")).unwrap();
    std::os::unix::fs::symlink(shell.path("out"), shell.path("link")).unwrap();
    let absolute = shell.path("out/work");
    for work in ["./out/work", "out/../out/work", "link/work", absolute.to_str().unwrap()] {
        within["work"] = json!(work);
        assert_eq!(code(within.clone()), "plan-work", "{work}");
    }
    let region = json!([{ "name": "m", "source": "alert-logic", "ids": ["1"], "region": "x" }]);
    assert_eq!(code(plan(region)), "plan-option");
    assert_eq!(
        code(plan(json!([{ "name": "m", "source": "elsewhere", "ids": ["1"] }]))),
        "unknown-value"
    );
    assert_eq!(code(json!({ "audience": "a", "secret": "s" })), "unknown-field");
}

/// Whoever asks later does not know that it was still usable then.
#[test]
fn what_was_usable_when_a_pull_began_ends_although_the_pull_went_on_later() {
    let shell = Shell::new();
    shell.run("keygen --out key");
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let end = seconds() + 5;
    let mood = Mood::default();
    mood.set(FAILING);
    let does = mood.clone();
    let server = Server::new(move |asked, _| match asked.json().get("NextToken") {
        Some(_) if does.get() == FAILING => Given::status(503, &json!({})).with("retry-after", "0"),
        Some(_) => Given::json(&json!({ "Entitlements": [] })),
        None => Given::json(&json!({ "NextToken": "1", "Entitlements": [
            { "ProductCode": "prod", "Dimension": "sso", "CustomerIdentifier": "c",
              "Value": { "BooleanValue": true }, "ExpirationDate": end }] })),
    });
    let market = json!({ "name": "market", "source": "aws-marketplace", "ids": ["prod"],
                         "endpoint": server.address, "renewalGrace": "0" });
    let plan = json!({ "audience": "acme/test", "folder": "out", "work": "work",
                       "sources": [market] });
    fs::write(shell.path("plan.json"), plan.to_string()).unwrap();
    let round = || shell.run("--json run plan.json --key-file key --once").status.code();
    assert_eq!(round(), Some(2));
    while seconds() <= end {
        thread::sleep(Duration::from_millis(100));
    }
    mood.set(WELL);
    assert_eq!(round(), Some(0));
    let facts = fs::read_to_string(shell.path("work/facts.ndjson")).unwrap();
    assert!(facts.contains("activeTo"), "{facts}");
    // And so it is for whoever imports the folder.
    let facts = shell.imported("aws-marketplace --renewal-grace 0 work/market/answers");
    assert!(facts["c"]["entitlements"][0]["activeTo"].is_string());
}

#[test]
fn a_work_folder_is_of_one_run() {
    let runner = Runner::new();
    fs::create_dir(runner.shell.path("work")).unwrap();
    let lock = fs::File::create(runner.shell.path("work/.lock")).unwrap();
    lock.lock().unwrap();
    let output = runner.shell.run("--json run plan.json --key-file key --once");
    assert_eq!(output.status.code(), Some(3));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("run-busy"), "{errors}");
    assert!(!runner.shell.path("work/market").exists());
}

#[test]
fn what_a_killed_round_left_is_removed() {
    let runner = Runner::new();
    let left = [".tmpA", "market/.tmpB", "alerts/.tmpC"];
    let kept = ["notes", "market/notes", "other/.tmpD"];
    for name in left.into_iter().chain(kept) {
        let path = runner.shell.path("work").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "half").unwrap();
    }
    runner.round("", 0);
    let exists = |name: &str| runner.shell.path("work").join(name).exists();
    assert!(left.into_iter().all(|name| !exists(name)));
    assert!(kept.into_iter().all(exists));
}

#[test]
fn what_ends_a_run_is_told_once() {
    let runner = Runner::new();
    runner.marketplace.set(FAILING);
    let output = runner.shell.run("run plan.json --key-file key --once");
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors.matches("source-missing").count(), 1, "{errors}");
}
