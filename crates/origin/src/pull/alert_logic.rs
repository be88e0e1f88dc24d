//! Alert Logic's subscriptions API, with a token from its identity service.

use std::cell::RefCell;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use edgegrant::Instant;
use serde::Deserialize;

use super::{Api, Caller, Http, Request, Secret};
use crate::failure::Failure;

/// The accounts, and who asks.
#[derive(Debug)]
pub struct AlertLogic {
    /// The ids of accounts.
    pub accounts: Vec<String>,
    /// The id of the access key.
    pub access_key: String,
    /// The secret of the access key.
    pub secret_key: Secret,
    token: RefCell<Option<Secret>>,
}

#[derive(Deserialize)]
struct Authenticated {
    authentication: Authentication,
}

#[derive(Deserialize)]
struct Authentication {
    token: String,
}

impl AlertLogic {
    /// Where it answers unless said otherwise.
    pub const ENDPOINT: &str = "https://api.global-services.global.alertlogic.com";

    /// Accounts that are asked for with an access key.
    #[must_use]
    pub const fn new(accounts: Vec<String>, access_key: String, secret_key: Secret) -> Self {
        Self { accounts, access_key, secret_key, token: RefCell::new(None) }
    }

    /// Changes the access key for a token.
    fn authenticate(&self, http: &Http<'_>) -> Result<Secret, Failure> {
        let key = format!("{}:{}", self.access_key, self.secret_key.expose());
        let basic = Basic(format!("Basic {}", BASE64_STANDARD.encode(key)));
        let path = "/aims/v1/authenticate".into();
        let posted = Some(String::new());
        let request = Request { json: posted, ..Request::get("authentication", path, &[]) };
        let answer = http.answer(&basic, &request, &mut |_| ())?;
        let body = answer.as_ref().map_or("", |answer| answer.body.get());
        let answer = serde_json::from_str::<Authenticated>(body).map_err(|_| {
            let message = "authentication: the answer has no token; check the endpoint";
            Failure::bad_input("answer-malformed", message)
        })?;
        Ok(Secret::new(&answer.authentication.token))
    }
}

/// Asks with a header alone.
struct Basic(String);

impl Caller for Basic {
    fn headers(
        &self,
        _: &Http<'_>,
        _: &Request,
        _: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        Ok(vec![("authorization".into(), self.0.clone())])
    }
}

impl Caller for AlertLogic {
    fn headers(
        &self,
        http: &Http<'_>,
        _: &Request,
        _: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let known = self.token.borrow().clone();
        let token = match known {
            Some(token) => token,
            None => self.token.borrow_mut().insert(self.authenticate(http)?).clone(),
        };
        let header = ("x-aims-auth-token".into(), token.expose().to_owned());
        Ok(vec![header, super::accept_json()])
    }

    fn end_session(&self) -> bool {
        self.token.take().is_some()
    }
}

impl Api for AlertLogic {
    fn first(&self, _: Instant) -> Vec<Request> {
        let of = |kind: &str, account: &String| {
            Request::get(kind, format!("/subscriptions/v1/{account}/{kind}"), &[])
        };
        let of_account =
            |account| [of("entitlements", account), of("subscriptions", account).optional()];
        self.accounts.iter().flat_map(of_account).collect()
    }
}
