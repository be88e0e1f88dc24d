//! What a pull must not take for what it asked for, and what it must not destroy.

use std::fs;

use serde_json::{Value, json};

use crate::server::{Given, Server};
use crate::{Shell, aws, aws_page};

fn aws_line(server: &Server) -> String {
    format!("aws-marketplace --product prod --out got --endpoint {}", server.address)
}

/// A server whose second page fails as a test says, as long as it was not asked so often before.
fn failing_second(times: usize, given: fn() -> Given) -> Server {
    Server::new(move |asked, before| match asked.json().get("NextToken") {
        Some(token) if token == "1" && before < times => given(),
        _ => Given::json(&aws(asked)),
    })
}

#[test]
fn what_another_server_said_is_not_gone_on_from() {
    let fails = failing_second(usize::MAX, || Given::status(403, &json!({})));
    let shell = Shell::new();
    assert_eq!(shell.refused(&aws_line(&fails)).1["code"], "pull-refused");
    assert!(shell.path("got.partial").exists());
    let healthy = Server::new(|asked, _| Given::json(&aws(asked)));
    let pulled = shell.pulled(&aws_line(&healthy));
    assert_eq!((&pulled["answers"], &pulled["resumed"]), (&json!(3), &json!(0)));
}

#[test]
fn a_token_that_is_not_accepted_any_more_is_asked_for_anew() {
    let thrown = || Given::status(400, &json!({ "__type": "InvalidParameterException" }));
    let server = failing_second(2, thrown);
    let shell = Shell::new();
    for _ in 0..2 {
        assert_eq!(shell.refused(&aws_line(&server)).1["code"], "pull-refused");
    }
    assert_eq!(shell.pulled(&aws_line(&server))["resumed"], 0);
}

#[test]
fn what_cannot_be_read_is_asked_for_again_and_quotes_nobody() {
    let server =
        failing_second(1, || Given::json(&json!({ "Entitlements": [{ "ProductCode": 4711 }] })));
    let shell = Shell::new();
    let (_, error) = shell.refused(&aws_line(&server));
    assert_eq!(error["code"], "answer-malformed");
    assert!(!error["message"].as_str().unwrap().contains("4711"), "{error}");
    assert_eq!(shell.pulled(&aws_line(&server))["resumed"], 1);
}

#[test]
fn pages_that_came_round_are_not_gone_on_from() {
    let server = failing_second(1, || Given::json(&aws_page(None, Some("1"))));
    let shell = Shell::new();
    assert_eq!(shell.refused(&aws_line(&server)).1["code"], "pull-loop");
    assert_eq!(shell.pulled(&aws_line(&server))["answers"], 3);
}

#[test]
fn another_products_entitlements_are_not_taken() {
    let server = Server::new(|_, _| Given::json(&aws_page(Some("users"), None)));
    let line = format!("aws-marketplace --product mine --out got --endpoint {}", server.address);
    let shell = Shell::new();
    assert_eq!(shell.refused(&line).1["code"], "product-differs");
    assert!(!shell.path("got").exists());
}

#[test]
fn a_throttling_that_only_a_header_tells_is_borne() {
    let server = failing_second(1, || {
        let kind = "ThrottlingException:http://internal.example.com/";
        Given::text("").code(400).with("x-amzn-errortype", kind).with("retry-after", "0")
    });
    assert_eq!(Shell::new().pulled(&aws_line(&server))["answers"], 3);
}

#[test]
fn an_id_that_is_given_twice_is_asked_for_once() {
    let server = Server::new(|asked, _| Given::json(&aws(asked)));
    let line = format!("{} --product prod", aws_line(&server));
    assert_eq!(Shell::new().pulled(&line)["answers"], 3);
}

#[test]
fn what_no_pull_made_is_not_replaced() {
    let server = Server::new(|asked, _| Given::json(&aws(asked)));
    let shell = Shell::new();
    fs::create_dir(shell.path("got")).unwrap();
    shell.pulled(&aws_line(&server));
    shell.pulled(&aws_line(&server));
    fs::create_dir(shell.path("photos")).unwrap();
    fs::write(shell.path("photos/one"), "1").unwrap();
    for out in ["photos", ".", "photos/one"] {
        let line = aws_line(&server).replace("got", out);
        let (code, error) = shell.refused(&line);
        assert_eq!((code, &error["code"]), (2, &json!("out-occupied")), "{out}");
    }
    assert_eq!(fs::read_to_string(shell.path("photos/one")).unwrap(), "1");
}

#[test]
fn an_end_between_the_two_renames_loses_nothing() {
    let server = failing_second(usize::MAX, || Given::status(403, &json!({})));
    let healthy = Server::new(|asked, _| Given::json(&aws(asked)));
    let shell = Shell::new();
    shell.pulled(&aws_line(&healthy));
    // So it lies where the old answers are moved away and the new ones are not in their place.
    fs::rename(shell.path("got"), shell.path("got.before")).unwrap();
    shell.refused(&aws_line(&server));
    assert_eq!(shell.imported("aws-marketplace got").len(), 1);
    shell.pulled(&aws_line(&healthy));
    assert!(!shell.path("got.before").exists() && !shell.path("got.partial").exists());
}

#[test]
fn what_is_not_complete_is_not_imported_with_what_is() {
    let page = aws_page(Some("users"), None);
    let shell = Shell::new();
    for folder in ["market", "market.partial", "market.before"] {
        let other = page.to_string().replace("\"c\"", &format!("\"{folder}\""));
        fs::create_dir_all(shell.path("export").join(folder)).unwrap();
        fs::write(shell.path("export").join(folder).join("1.json"), other).unwrap();
    }
    let facts = shell.imported("aws-marketplace export");
    assert_eq!(facts.keys().collect::<Vec<_>>(), ["market"]);
}

fn entitlements(items: &[Value], more: &Value) -> Given {
    let kind = "application/astra-entitlements";
    Given::json(&json!({ "type": kind, "version": "1.0", "items": items, "metadata": more }))
}

#[test]
fn what_may_not_be_read_is_not_taken_for_what_is_not_there() {
    for refused in ["subscriptions?limit", "continue=more"] {
        let server = Server::new(move |asked, _| match () {
            () if asked.line.contains(refused) => {
                Given::status(if refused.contains("more") { 404 } else { 403 }, &json!({}))
            }
            () if asked.line.contains("/entitlements") => entitlements(&[], &json!({})),
            () => entitlements(&[], &json!({ "continue": "more" })),
        });
        let line = format!("astra --account a --out got --endpoint {}", server.address);
        assert_eq!(Shell::new().refused(&line).1["code"], "pull-refused", "{refused}");
    }
}

#[test]
fn openmeters_pages_may_be_smaller_than_asked_for() {
    let server = Server::new(|asked, _| {
        let (path, query) = asked.line.split_once('?').unwrap_or((&asked.line, ""));
        let page = query.split('&').find_map(|pair| pair.strip_prefix("page="));
        match (path.trim_start_matches("GET "), page) {
            ("/api/v1/customers", Some(page @ ("1" | "2" | "3"))) => {
                let customer = json!({ "id": format!("c{page}"), "key": format!("k{page}") });
                Given::json(&json!({ "items": [customer], "page": page.parse::<u8>().unwrap(),
                                     "pageSize": 1, "totalCount": 3 }))
            }
            (_, Some(_)) => Given::json(&json!({ "items": [] })),
            _ => Given::json(&json!([])),
        }
    });
    let shell = Shell::new();
    shell.pulled(&format!("openmeter --out got --endpoint {}", server.address));
    assert_eq!(server.lines().iter().filter(|line| line.contains("/customers")).count(), 3);
    assert_eq!(shell.imported("openmeter got").len(), 3);
}
