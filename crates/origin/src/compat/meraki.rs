//! Cisco Meraki: what the dashboard API, version 1, answers about licences.
//!
//! Paths and parameters are those of its OpenAPI document 1.73.0. Links to other pages are relative
//! to where the API is, as the vendor's client takes them.

mod bind;
mod organization;
mod page;
mod subscriptions;
mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::{HeaderMap, HeaderName, HeaderValue, LINK};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get, post};
use edgegrant::model::Subject;
use serde::Serialize;
use serde_json::Value;

use super::answer::{self, header};
use super::facts::is_of;
use super::present::Present;
use super::query::Query;
use super::world::{Unavailable, World};
use crate::bearer;
use crate::failure::Failure;

const SYSTEM: &str = "meraki";
const CONTENT_TYPE: &str = "application/json";
const OLD_KEY: HeaderName = HeaderName::from_static("x-cisco-meraki-api-key");
/// Where the API is.
const BASE: &str = "/api/v1";

pub(super) fn router(world: Arc<World>) -> Router<Arc<World>> {
    let licensing = "/api/v1/administered/licensing/subscription";
    let administered = |path: &str| format!("{licensing}/{path}");
    let of = |path: &str| format!("{BASE}/organizations/{{organization}}/{path}");
    let read = |read: Read| get(move |world, uri| list(world, uri, read)).fallback(write);
    let read_of =
        |read: ReadOf| get(move |world, id, uri| list_of(world, id, uri, read)).fallback(write);
    Router::new()
        .route(&administered("entitlements"), read(organization::catalogue))
        .route(&administered("subscriptions"), read(subscriptions::list))
        .route(&administered("subscriptions/compliance/statuses"), read(subscriptions::compliance))
        .route(&administered("subscriptions/{subscription}/bind"), post(bind).fallback(write))
        .route(&administered("{*other}"), any(write))
        .route(&of("licensing/coterm/licenses"), read_of(organization::coterm))
        .route(&of("licensing/coterm/{*other}"), any(write))
        .route(&of("licenses/overview"), read_of(organization::overview))
        .route(&of("licenses"), read_of(organization::licenses))
        .route(&of("licenses/{*other}"), any(write))
        .layer(middleware::from_fn_with_state(world, authorized))
}

/// A list or a record, and the links to its other pages.
#[derive(Debug)]
struct Reply {
    body: Value,
    links: Option<String>,
}

/// An error of the API.
#[derive(Clone, Debug)]
struct Refused {
    status: StatusCode,
    message: Cow<'static, str>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    errors: [&'a str; 1],
}

/// What was asked for: the path below [`BASE`], and what stands behind the question mark.
#[derive(Clone, Debug)]
struct Asked {
    path: String,
    query: Query,
}

type Read = fn(&Present, &Asked) -> Result<Reply, Refused>;
type ReadOf = fn(&Present, &Subject, &Asked) -> Result<Reply, Refused>;

async fn authorized(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    match key(request.headers()) {
        None => KEY_MISSING.response(),
        Some(key) if world.is_token(key) => next.run(request).await,
        Some(_) => KEY_INVALID.response(),
    }
}

/// The API key, as clients say it now or said it before.
fn key(headers: &HeaderMap) -> Option<&str> {
    bearer::token(headers).or_else(|| header(headers, OLD_KEY))
}

async fn list(State(world): State<Arc<World>>, uri: Uri, read: Read) -> Response {
    let asked = Asked::new(&uri);
    respond(world.ask(move |present| read(present, &asked)).await)
}

async fn list_of(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    uri: Uri,
    read: ReadOf,
) -> Response {
    let asked = Asked::new(&uri);
    let answer = world.ask(move |present| read(present, organization(present, &id)?, &asked));
    respond(answer.await)
}

async fn bind(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    uri: Uri,
    body: Bytes,
) -> Response {
    let asked = Asked::new(&uri);
    if asked.query.one("validate") != Some("true") {
        return WRITE.response();
    }
    respond(world.ask(move |present| bind::validate(present, &id, &body)).await)
}

async fn write() -> Response {
    WRITE.response()
}

fn respond(answer: Result<Result<Reply, Refused>, Unavailable>) -> Response {
    let reply = answer.map_err(Refused::from).and_then(|answer| answer);
    let Reply { body, links } = match reply {
        Ok(reply) => reply,
        Err(refused) => return refused.response(),
    };
    let mut response = answer::json(StatusCode::OK, CONTENT_TYPE, &body);
    if let Some(links) = links.and_then(|links| HeaderValue::from_str(&links).ok()) {
        response.headers_mut().insert(LINK, links);
    }
    response
}

/// The subject that an organization is.
fn organization<'a>(present: &'a Present, id: &str) -> Result<&'a Subject, Refused> {
    let subject = present.known().facts.subject(id);
    subject.filter(|subject| is(subject, "organization")).ok_or(ORGANIZATION_UNKNOWN)
}

/// Whether the import said that a subject is an organization, or a subscription.
fn is(subject: &Subject, kind: &str) -> bool {
    is_of(subject, SYSTEM) && subject.attributes.get("kind").is_some_and(|known| known == kind)
}

impl Asked {
    fn new(uri: &Uri) -> Self {
        let path = uri.path();
        let path = path.strip_prefix(BASE).unwrap_or(path).to_owned();
        Self { path, query: Query::new(uri) }
    }
}

impl Reply {
    const fn whole(body: Value) -> Self {
        Self { body, links: None }
    }
}

impl Refused {
    fn bad(message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: message.into() }
    }

    fn response(&self) -> Response {
        answer::json(self.status, CONTENT_TYPE, &ErrorBody { errors: [&self.message] })
    }
}

impl From<Unavailable> for Refused {
    fn from(unavailable: Unavailable) -> Self {
        let message = format!("there is no usable snapshot ({}); publish one", unavailable.0);
        Self { status: StatusCode::SERVICE_UNAVAILABLE, message: message.into() }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, message: failure.message.into() }
    }
}

const fn refused(status: StatusCode, message: &'static str) -> Refused {
    Refused { status, message: Cow::Borrowed(message) }
}

const KEY_MISSING: Refused =
    refused(StatusCode::UNAUTHORIZED, "No valid authentication method found");
const KEY_INVALID: Refused = refused(StatusCode::UNAUTHORIZED, "Invalid API key");
const WRITE: Refused = refused(
    StatusCode::FORBIDDEN,
    "Only licences are read here, and nothing is changed; ask the dashboard itself",
);
const ORGANIZATION_UNKNOWN: Refused =
    refused(StatusCode::NOT_FOUND, "The organization is not among the facts; import it");
