//! One request at a time, patiently.

use std::io::Read as _;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::value::RawValue;
use ureq::Agent;
use ureq::http;

use super::{Answer, Caller, Request};
use crate::failure::{Exit, Failure};

/// Where an API is.
#[derive(Clone, Debug)]
pub struct Endpoint(String);

impl Endpoint {
    /// An address with all that stands before the paths.
    ///
    /// # Errors
    /// `endpoint-insecure` unless it begins with `https://`, or with `http://` on this machine:
    /// secrets are sent to it.
    ///
    /// ```
    /// use edgegrant_origin::pull::Endpoint;
    ///
    /// assert!(Endpoint::parse("https://api.example.com/v1/").is_ok());
    /// assert_eq!(Endpoint::parse("http://example.com").unwrap_err().code, "endpoint-insecure");
    /// ```
    pub fn parse(address: &str) -> Result<Self, Failure> {
        let address = address.trim_end_matches('/');
        let uri = address.parse::<http::Uri>().ok();
        let scheme = uri.as_ref().and_then(http::Uri::scheme_str);
        let local =
            |uri: &http::Uri| matches!(uri.host(), Some("127.0.0.1" | "localhost" | "[::1]"));
        match (scheme, &uri) {
            (Some("https"), _) => Ok(Self(address.to_owned())),
            (Some("http"), Some(uri)) if local(uri) => Ok(Self(address.to_owned())),
            _ => {
                let message = "the endpoint is not https://…; secrets are sent nowhere else";
                Err(Failure::bad_input("endpoint-insecure", message))
            }
        }
    }

    /// What tells it from others, without a name and password in it.
    pub(super) fn name(&self) -> &str {
        self.0.rsplit_once('@').map_or(&*self.0, |(_, name)| name)
    }

    /// The address of a request.
    pub(super) fn url(&self, request: &Request) -> String {
        let mark = if request.query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{}", self.0, request.path, request.query)
    }

    /// Path and query of a link, which may be relative, or `None` for one to elsewhere.
    ///
    /// A link may name another host of the same domain, where the API answers too. It is asked for
    /// here all the same: secrets go nowhere else.
    pub(super) fn within<'a>(&self, link: &'a str) -> Option<(&'a str, &'a str)> {
        let (host, path) = parts(link);
        let (own, base) = parts(&self.0);
        let path = match host {
            "" => path,
            _ if host == own || are_siblings(host, own) => path.strip_prefix(base)?,
            _ => return None,
        };
        let path = path.starts_with('/').then_some(path)?;
        Some(path.split_once('?').unwrap_or((path, "")))
    }
}

/// Scheme and host of an address, empty where it has none, and what follows them. One without may
/// quote another in its query.
fn parts(address: &str) -> (&str, &str) {
    let whole = address.split_once("://").filter(|(scheme, _)| !scheme.contains(['/', '?', '#']));
    let Some((scheme, rest)) = whole else { return ("", address) };
    let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    address.split_at_checked(scheme.len() + "://".len() + host).unwrap_or(("", address))
}

/// Whether two hosts, each with `https`, stand side by side in a domain.
fn are_siblings(one: &str, other: &str) -> bool {
    let domain = |host: &str| {
        let (_, domain) = host.strip_prefix("https://")?.split_once('.')?;
        domain.contains('.').then(|| domain.to_owned())
    };
    domain(one).is_some_and(|one| domain(other) == Some(one))
}

/// Makes requests to one endpoint.
#[derive(Debug)]
pub struct Http<'a> {
    agent: Agent,
    endpoint: &'a Endpoint,
}

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(10);
/// How often a request is made before the pull is broken off.
const ATTEMPTS: u32 = 8;
/// The first pause, without a word of the source; each is up to twice as long as the last.
const PAUSE: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// Who asks for a longer pause is asked again another time.
const PATIENCE: Duration = Duration::from_secs(600);
const BODY_BYTES_MAX: u64 = 1 << 28;

/// What came of an attempt.
enum Outcome {
    Answered(Answer),
    Absent,
    SessionEnded,
    /// To be made again, after what the source asked for.
    Again(String, Option<Duration>),
}

impl<'a> Http<'a> {
    /// Redirects are not followed: secrets are for this endpoint alone.
    pub(super) fn new(endpoint: &'a Endpoint) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(ANSWER))
            .timeout_connect(Some(CONNECT))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("edgegrant/", env!("CARGO_PKG_VERSION")));
        // A proxy of the environment would see the secrets of what is not encrypted.
        let is_plain = endpoint.0.starts_with("http://");
        let config = if is_plain { config.proxy(None) } else { config };
        Self { agent: config.build().into(), endpoint }
    }

    /// The answer to a request; `None` where an optional one asks for what is not there.
    pub(super) fn answer(
        &self,
        caller: &dyn Caller,
        request: &Request,
        waits: &mut dyn FnMut(u64),
    ) -> Result<Option<Answer>, Failure> {
        let mut failed = String::new();
        let mut renewed = false;
        for attempt in 0..ATTEMPTS {
            match self.attempt(caller, request)? {
                Outcome::Answered(answer) => return Ok(Some(answer)),
                Outcome::Absent => return Ok(None),
                Outcome::SessionEnded if !renewed => renewed = true,
                Outcome::SessionEnded => return Err(refused(request, "401")),
                Outcome::Again(why, asked) => {
                    failed = why;
                    let pause = asked.unwrap_or_else(|| jittered(attempt));
                    if pause > PATIENCE {
                        failed = format!("{failed}; it asks to wait {} s", pause.as_secs());
                        break;
                    }
                    if attempt + 1 < ATTEMPTS {
                        waits(pause.as_secs());
                        thread::sleep(pause);
                    }
                }
            }
        }
        let kind = &request.kind;
        let message =
            format!("{kind}: {failed}; what was fetched is kept, pull again to go on with it");
        Err(Failure { code: "pull-failed".into(), message, exit: Exit::Io })
    }

    fn attempt(&self, caller: &dyn Caller, request: &Request) -> Result<Outcome, Failure> {
        let url = self.endpoint.url(request);
        let headers = caller.headers(self, request, &url)?;
        let mut response = match self.send(&url, request, &headers) {
            Ok(response) => response,
            // The error may quote an address, and an address may name somebody.
            Err(error) => return Ok(Outcome::Again(reason(&error), None)),
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let link = header("link").unwrap_or_default().to_owned();
        let asked = header("retry-after").and_then(retry_after);
        let moved = header("location").map_or("", |location| parts(location).0).to_owned();
        let mut body = String::new();
        let limited = response.body_mut().with_config().limit(BODY_BYTES_MAX);
        if let Err(error) = limited.reader().read_to_string(&mut body) {
            return Ok(Outcome::Again(format!("the answer broke off ({})", error.kind()), None));
        }
        match status {
            200 => {
                let body = RawValue::from_string(body);
                let why = "the answer is not JSON; check the endpoint";
                let body = body.map_err(|_| refused(request, why))?;
                Ok(Outcome::Answered(Answer { link, body }))
            }
            401 if caller.end_session() => Ok(Outcome::SessionEnded),
            400 | 404 if request.optional => Ok(Outcome::Absent),
            429 | 500..=599 => Ok(Outcome::Again(status.to_string(), asked)),
            _ if caller.asks_for_patience(&headers, &body) => {
                Ok(Outcome::Again(status.to_string(), asked))
            }
            300..=399 if !moved.is_empty() => Err(refused(request, &elsewhere(status, &moved))),
            _ => Err(refused(request, &status.to_string())),
        }
    }

    fn send(
        &self,
        url: &str,
        request: &Request,
        headers: &[(String, String)],
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let method = if request.json.is_some() { "POST" } else { "GET" };
        let mut built = http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            built = built.header(name, value);
        }
        self.agent.run(built.body(request.json.clone().unwrap_or_default())?)
    }
}

fn elsewhere(status: u16, host: &str) -> String {
    // Before the name there may be a password.
    let host = host.rsplit_once('@').map_or(host, |(_, name)| name);
    format!("{status}, it is answered at {host}; if you trust that, name it in the endpoint")
}

fn refused(request: &Request, why: &str) -> Failure {
    let hint = match why {
        "401" | "403" => "; check the secret and what it is allowed",
        _ => "",
    };
    let message = format!("{}: {why}{hint}", request.kind);
    Failure { code: "pull-refused".into(), message, exit: Exit::Io }
}

fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => format!("the connection failed ({})", error.kind()),
        ureq::Error::Timeout(_) => "no answer came in time".into(),
        ureq::Error::HostNotFound => "the host is not known".into(),
        ureq::Error::ConnectionFailed => "no connection was made".into(),
        _ => "the request could not be made".into(),
    }
}

/// Seconds, or a date.
fn retry_after(text: &str) -> Option<Duration> {
    let seconds = text.trim().parse::<u64>().ok().map(Duration::from_secs);
    let until = || {
        let date = httpdate::parse_http_date(text.trim()).ok()?;
        Some(date.duration_since(SystemTime::now()).unwrap_or_default())
    };
    seconds.or_else(until)
}

/// A random part of a pause that doubles, so that many do not come back at once.
fn jittered(attempt: u32) -> Duration {
    let longest = PAUSE.saturating_mul(1 << attempt.min(16)).min(PAUSE_MAX);
    // Without randomness the pause is a whole one.
    let share = getrandom::u32().unwrap_or(u32::MAX);
    longest.mul_f64(f64::from(share) / f64::from(u32::MAX))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::{Endpoint, elsewhere, parts};

    #[test]
    fn a_link_without_a_host_may_quote_an_address() {
        let endpoint = Endpoint::parse("https://api.example.com/api/v1").unwrap();
        let link = "/things?from=https://n42.example.com/a";
        let query = "from=https://n42.example.com/a";
        assert_eq!(endpoint.within(link), Some(("/things", query)));
        // What a redirect quotes is nobody's host, and may be secret.
        assert_eq!(
            parts("/login?token=7&to=https://example.com/"),
            ("", "/login?token=7&to=https://example.com/")
        );
        assert!(!elsewhere(302, "https://me:secret@example.com").contains("secret"));
    }

    #[test]
    fn a_link_is_within_where_it_leads_to_the_same_api() {
        let endpoint = Endpoint::parse("https://api.example.com/api/v1").unwrap();
        for link in [
            "/things?after=1",
            "https://api.example.com/api/v1/things?after=1",
            // Another host of theirs is asked by way of the endpoint.
            "https://n42.example.com/api/v1/things?after=1",
        ] {
            assert_eq!(endpoint.within(link), Some(("/things", "after=1")), "{link}");
        }
        for link in [
            "https://api.example.org/api/v1/things",
            "https://example.com/api/v1/things",
            "https://n42.api.example.com/api/v1/things",
            "http://n42.example.com/api/v1/things",
            "https://n42.example.com/api/v2/things",
            "https://n42.example.com/api/v1things",
            "https://n42.example.com",
            "things?after=1",
            "",
        ] {
            assert_eq!(endpoint.within(link), None, "{link}");
        }
        let local = Endpoint::parse("http://127.0.0.1:80/api/v1").unwrap();
        assert_eq!(local.within("https://1.0.0.1/api/v1/things"), None);
        let apex = Endpoint::parse("https://example.com").unwrap();
        assert_eq!(apex.within("https://another.com/things"), None);
    }
}
