//! An origin over HTTP.

use std::time::Duration;

use edgegrant::snapshot::{Digest, Roots};
use edgegrant::trust::HEAD_BYTES_MAX;
use ureq::Agent;

use crate::failure::{Exit, Failure};
use crate::reach::PART_BYTES_MAX;

/// An origin's address, and what its private part asks for.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    /// The address, with a slash at its end.
    origin: String,
    token: Token,
}

/// A secret that is never shown.
#[derive(Clone, Default)]
struct Token(Option<String>);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "a token" } else { "no token" })
    }
}

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(300);
/// How long it may take to be connected.
const CONNECT: Duration = Duration::from_secs(10);

impl Client {
    /// A client of the origin at an address that begins with `https://` or `http://`. Redirects are
    /// not followed: the token is for this origin alone, and it is never shown.
    ///
    /// ```
    /// use edgegrant_origin::read::Client;
    ///
    /// let client = Client::new("https://entitlements.example.com/acme", Some("secret".into()));
    /// assert!(!format!("{client:?}").contains("secret"));
    /// ```
    #[must_use]
    pub fn new(origin: &str, token: Option<String>) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(ANSWER))
            .timeout_connect(Some(CONNECT))
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        let origin = format!("{}/", origin.trim_end_matches('/'));
        Self { agent: config.into(), origin, token: Token(token) }
    }

    pub(super) fn head(&self) -> Result<Vec<u8>, Failure> {
        self.get("public/head", HEAD_BYTES_MAX as u64, &Token::default())
    }

    pub(super) fn pack(&self, roots: &Roots) -> Result<Vec<u8>, Failure> {
        let path = format!("private/pack/{}", roots.pack_name());
        self.get(&path, roots.pack_length, &self.token)
    }

    pub(super) fn part(&self, name: &Digest) -> Result<Vec<u8>, Failure> {
        self.get(&format!("private/part/{name}"), PART_BYTES_MAX, &self.token)
    }

    /// Whether the private part is given to those who have no token.
    ///
    /// # Errors
    /// An origin that cannot be reached.
    pub fn gives_to_anybody(&self, catalogue: &Digest) -> Result<bool, Failure> {
        let path = format!("private/part/{catalogue}");
        Ok(self.answer(&path, &Token::default())?.status().is_success())
    }

    fn answer(
        &self,
        path: &str,
        token: &Token,
    ) -> Result<ureq::http::Response<ureq::Body>, Failure> {
        let url = format!("{}{path}", self.origin);
        let mut request = self.agent.get(&url);
        if let Some(token) = &token.0 {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call().map_err(|error| failed(&url, &error.to_string()))
    }

    fn get(&self, path: &str, most: u64, token: &Token) -> Result<Vec<u8>, Failure> {
        let url = format!("{}{path}", self.origin);
        let answer = self.answer(path, token)?;
        let status = answer.status();
        if status.as_u16() == 401 || status.as_u16() == 403 {
            let cure = "give the token of the private part by --token-file or EDGEGRANT_TOKEN";
            return Err(failed(&url, &format!("{status}; {cure}")));
        }
        if status.as_u16() != 200 {
            return Err(failed(&url, &status.to_string()));
        }
        let body = answer.into_body().into_with_config().limit(most.saturating_add(1));
        let bytes = body.reader();
        let mut read = Vec::new();
        std::io::Read::read_to_end(
            &mut std::io::Read::take(bytes, most.saturating_add(1)),
            &mut read,
        )
        .map_err(|error| failed(&url, &error.to_string()))?;
        if read.len() as u64 > most {
            return Err(failed(&url, &format!("the answer has more than {most} bytes")));
        }
        Ok(read)
    }
}

fn failed(url: &str, why: &str) -> Failure {
    Failure { code: "http".into(), message: format!("{url}: {why}"), exit: Exit::Io }
}
