//! The core API of Astra Control.

use edgegrant::Instant;
use serde::Deserialize;

use super::{Answer, Api, Caller, Http, Request, Secret};
use crate::failure::Failure;

/// The accounts, and who asks.
#[derive(Debug)]
pub struct Astra {
    /// The ids of accounts.
    pub accounts: Vec<String>,
    /// The token of the API.
    pub token: Secret,
}

const PAGE: &str = "100";

#[derive(Deserialize)]
struct Page {
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "continue")]
    more: Option<String>,
}

impl Astra {
    /// Where it answers unless said otherwise.
    pub const ENDPOINT: &str = "https://astra.netapp.io";
}

impl Caller for Astra {
    fn headers(
        &self,
        _: &Http<'_>,
        _: &Request,
        _: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        Ok(vec![self.token.bearer(), super::accept_json()])
    }
}

impl Api for Astra {
    /// Without `include`, so that every field has its name.
    fn first(&self, _: Instant) -> Vec<Request> {
        let of = |kind: &str, account: &String| {
            let path = format!("/accounts/{account}/core/v1/{kind}");
            Request::get(kind, path, &[("limit", PAGE), ("count", "true")])
        };
        let of_account = |account| {
            let beside = ["subscriptions", "licenses"].map(|kind| of(kind, account).optional());
            [of("entitlements", account)].into_iter().chain(beside)
        };
        self.accounts.iter().flat_map(of_account).collect()
    }

    fn next(&self, asked: &Request, answer: &Answer, _: Instant) -> Result<Vec<Request>, Failure> {
        let page: Page = super::parsed(asked, answer.body.get())?;
        let more = page.metadata.and_then(|metadata| metadata.more);
        let next = more.filter(|token| !token.is_empty()).map(|token| {
            let query = [("limit", PAGE), ("count", "true"), ("continue", token.as_str())];
            Request::get(&asked.kind, asked.path.clone(), &query)
        });
        Ok(next.into_iter().collect())
    }
}
