//! The Meraki Dashboard API, version 1.

use edgegrant::Instant;

use super::{Answer, Api, Caller, Endpoint, Http, Request, Secret};
use crate::failure::Failure;

/// The organizations, and who asks.
#[derive(Debug)]
pub struct Meraki {
    /// The ids of organizations.
    pub organizations: Vec<String>,
    /// The key of the API.
    pub key: Secret,
    /// Where the API is, from which links are relative.
    pub endpoint: Endpoint,
}

const SUBSCRIPTIONS: &str = "/administered/licensing/subscription/subscriptions";
const PAGE: &str = "1000";

impl Meraki {
    /// Where it answers unless said otherwise.
    pub const ENDPOINT: &str = "https://api.meraki.com/api/v1";
}

impl Caller for Meraki {
    fn headers(
        &self,
        _: &Http<'_>,
        _: &Request,
        _: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        Ok(vec![self.key.bearer(), super::accept_json()])
    }
}

impl Api for Meraki {
    /// Subscriptions, what they lack, and the licences of organizations that have none.
    fn first(&self, _: Instant) -> Vec<Request> {
        let mut first = vec![
            Request::get(
                "catalogue",
                "/administered/licensing/subscription/entitlements".into(),
                &[],
            )
            .optional(),
        ];
        for id in &self.organizations {
            let of = [("organizationIds[]", id.as_str())];
            let paged = [of[0], ("perPage", PAGE)];
            let overview = format!("/organizations/{id}/licenses/overview");
            let licences = format!("/organizations/{id}/licenses");
            let coterm = format!("/organizations/{id}/licensing/coterm/licenses");
            first.extend([
                Request::get("subscriptions", SUBSCRIPTIONS.into(), &paged),
                Request::get("compliance", format!("{SUBSCRIPTIONS}/compliance/statuses"), &of),
                Request::get("licence-overview", overview, &[]).optional(),
                Request::get("licences", licences, &[("perPage", PAGE)]).optional(),
                Request::get("co-term-licences", coterm, &[("perPage", PAGE)]).optional(),
            ]);
        }
        first
    }

    fn next(&self, asked: &Request, answer: &Answer, _: Instant) -> Result<Vec<Request>, Failure> {
        let Some(link) = next_link(&answer.link) else { return Ok(Vec::new()) };
        let Some((path, query)) = self.endpoint.within(link) else {
            let message = format!("{}: the next page is at another address", asked.kind);
            return Err(Failure::bad_input("link-elsewhere", message));
        };
        let (path, query) = (path.into(), query.into());
        Ok(vec![Request { path, query, optional: false, ..asked.clone() }])
    }
}

/// The address of the relation `next` in a header `Link` (RFC 8288).
fn next_link(header: &str) -> Option<&str> {
    let links = header.split('<').skip(1).filter_map(|link| link.split_once('>'));
    let is_next = |parameters: &str| {
        let mut relations = parameters.split(';').filter_map(|one| one.trim().strip_prefix("rel="));
        relations.any(|relation| relation.trim_matches([',', ' ', '"']) == "next")
    };
    links.into_iter().find(|(_, parameters)| is_next(parameters)).map(|(address, _)| address)
}
