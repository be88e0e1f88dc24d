//! What is asked in other words, for others, or of a snapshot that has expired.

use serde_json::{Value, json};

use crate::kit::{Served, at, own};

const NOW: &str = "2026-11-20T00:00:00Z";

/// A customer with a feature that ends with the snapshot, and one that does not.
fn expiring() -> Served {
    let period = json!({ "interval": "P1W", "anchor": "2026-11-02T00:00:00Z" });
    let given = |feature: &str| {
        json!({ "feature": feature, "type": "metered", "usagePeriod": period,
                "measureUsageFrom": "2026-11-02T00:00:00Z",
                "grants": [{ "id": "g", "amount": 5, "maxRollover": 5,
                             "effectiveAt": "2026-11-02T00:00:00Z" }],
                "usage": { "kind": "flow" },
                "source": { "system": "openmeter", "id": format!("e-{feature}") } })
    };
    let recorded = |feature: &str| {
        json!({ "system": "openmeter", "kind": "entitlement", "feature": feature, "json": {
            "id": format!("e-{feature}"), "type": "metered", "featureKey": feature,
            "customerId": "id", "customerKey": "mill",
            "currentUsagePeriod": { "from": "recorded", "to": "recorded" } } })
    };
    let facts = [
        json!({ "feature": "shut", "whenExpired": "closed" }),
        json!({ "feature": "open", "whenExpired": "last-known" }),
        json!({ "subject": "mill", "entitlements": [given("shut"), given("open")],
                "records": [recorded("shut"), recorded("open")] }),
    ];
    Served::publish(&facts, at(NOW))
}

#[test]
fn a_feature_that_is_closed_closes_no_other() {
    let served = expiring();
    served.set("2026-11-22T00:00:00Z");
    let access = served.get("/api/v1/customers/mill/access");
    assert_eq!(access["entitlements"]["shut"], json!({ "hasAccess": false }));
    assert_eq!(access["entitlements"]["open"]["hasAccess"], true);
    served.set("2026-11-28T00:00:00Z");
    assert_eq!(served.refusal("/api/v1/customers/mill/access").0, 503);
}

#[test]
fn a_usage_period_that_nobody_can_tell_is_left_out() {
    let served = expiring();
    let period = |id: &str| -> Option<Value> {
        served.get(&format!("/api/v2/entitlements/{id}")).get("currentUsagePeriod").cloned()
    };
    let week = json!({ "from": "2026-11-16T00:00:00Z", "to": "2026-11-23T00:00:00Z" });
    assert_eq!((period("e-shut"), period("e-open")), (Some(week.clone()), Some(week.clone())));
    served.set("2026-11-22T00:00:00Z");
    assert_eq!((period("e-shut"), period("e-open")), (None, Some(week)));
}

#[test]
fn a_name_that_is_no_text_is_refused_as_everything_else_is() {
    let served = Served::import(&[own()], at(NOW));
    for path in ["v2/customers/%ff/entitlements", "v1/features/%C3%28"] {
        assert_eq!(served.refusal(&format!("/api/{path}")).0, 400, "{path}");
    }
}

#[test]
fn asking_for_the_head_of_an_answer_changes_nothing() {
    let served = Served::import(&[own()], at(NOW));
    assert_eq!(served.status("HEAD", "/api/v2/entitlements"), 200);
    for method in ["HEAD", "OPTIONS"] {
        assert_eq!(served.status(method, "/api/v1/grants/g"), 404, "{method}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        assert_eq!(served.status(method, "/api/v1/grants/g"), 403, "{method}");
    }
}

#[test]
fn version_2_knows_customers_by_id_and_key_only() {
    let served = Served::import(&[own()], at(NOW));
    for name in ["harbour", "01K9CUST00000000000000HARB"] {
        served.get(&format!("/api/v2/customers/{name}/entitlements"));
        served.get(&format!("/api/v1/customers/{name}/access"));
        served.get(&format!("/api/v2/grants?customer={name}"));
    }
    for path in [
        "v2/customers/harbour-eu/entitlements",
        "v1/customers/harbour-eu/access",
        "v2/grants?customer=harbour-eu",
    ] {
        assert_eq!(served.refusal(&format!("/api/{path}")).0, 404, "{path}");
    }
    served.get("/api/v1/subjects/harbour-eu/entitlements");
}

#[test]
fn the_scheme_of_a_token_is_of_any_case() {
    let served = Served::import(&[own()], at(NOW));
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(served.status_as(&format!("{scheme} of-the-tests"), "/api/v1/features"), 200);
    }
    for wrong in ["Bearer of-the-test", "Basic of-the-tests", "of-the-tests", "bearer"] {
        assert_eq!(served.status_as(wrong, "/api/v1/features"), 401, "{wrong}");
    }
}
