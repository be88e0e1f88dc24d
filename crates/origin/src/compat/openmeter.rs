//! OpenMeter: who is entitled to what, what is left and how it came about, version 1 by subject and
//! version 2 by customer.
//!
//! Paths, parameters and shapes are those of its OpenAPI document (`api/openapi.yaml`), and what
//! that leaves open is done as its handlers do it (`openmeter/entitlement/driver`,
//! `openmeter/credit/driver`).

mod entitlements;
mod features;
mod grants;
mod history;
mod ledger;
mod list;
mod shape;
mod shelf;
mod value;
mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, any, get};
use serde_json::{Value, json};

use super::answer;
use super::present::Present;
use super::query::Query;
use super::world::{Unavailable, World};
use crate::bearer;
use crate::failure::Failure;
pub(super) use shelf::Shelf;

const SYSTEM: &str = "openmeter";
const CONTENT_TYPE: &str = "application/json";
const PROBLEM_TYPE: &str = "application/problem+json";

pub(super) fn router(world: Arc<World>) -> Router<Arc<World>> {
    let mut router = Router::new();
    for (version, api) in [(Version::One, "/api/v1"), (Version::Two, "/api/v2")] {
        let owner = match version {
            Version::One => format!("{api}/subjects/{{owner}}/entitlements"),
            Version::Two => format!("{api}/customers/{{owner}}/entitlements"),
        };
        let entitlement = format!("{owner}/{{entitlement}}");
        let read = |read: Read| route(read, version);
        router = router
            .route(&owner, read(entitlements::of_owner))
            .route(&entitlement, read(entitlements::of_owner_one))
            .route(&format!("{entitlement}/value"), read(value::value))
            .route(&format!("{entitlement}/grants"), read(grants::of_entitlement))
            .route(&format!("{entitlement}/history"), read(history::history))
            .route(&format!("{entitlement}/{{other}}"), any(other))
            .route(&format!("{api}/entitlements"), read(entitlements::all))
            .route(&format!("{api}/entitlements/{{entitlement}}"), read(entitlements::one))
            .route(&format!("{api}/grants"), read(grants::all))
            .route(&format!("{api}/grants/{{grant}}"), any(other));
    }
    // What version 1 has of customers is answered as version 2 answers it.
    let customer = "/api/v1/customers/{owner}";
    let entitlements = format!("{customer}/entitlements");
    let entitlement = format!("{entitlements}/{{entitlement}}");
    router
        .route(&format!("{customer}/access"), route(value::access, Version::Two))
        .route(&format!("{entitlement}/value"), route(value::value, Version::Two))
        .route(&entitlements, any(other))
        .route(&entitlement, any(other))
        .route(&format!("{entitlement}/{{other}}"), any(other))
        .route("/api/v1/features", route(features::all, Version::One))
        .route("/api/v1/features/{feature}", route(features::one, Version::One))
        .layer(middleware::from_fn_with_state(world, authorized))
}

/// The versions of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// Subjects; arrays, unless pages are asked for.
    One,
    /// Customers; pages; values tell what is left of each grant.
    Two,
}

/// What was asked for: the names in the path, and what stands behind the question mark.
#[derive(Clone, Debug)]
struct Asked {
    version: Version,
    names: Vec<String>,
    query: Query,
}

impl Asked {
    /// The first name in the path: whose, or of what.
    fn owner(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// The last name in the path: the id of something, or the key of a feature.
    fn id(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }
}

/// A call that reads.
type Read = fn(&Present, &Asked) -> Result<Value, Problem>;

fn route(read: Read, version: Version) -> MethodRouter<Arc<World>> {
    get(move |world, names, uri| respond(world, names, uri, read, version)).fallback(other)
}

async fn respond(
    State(world): State<Arc<World>>,
    names: Result<RawPathParams, RawPathParamsRejection>,
    uri: Uri,
    read: Read,
    version: Version,
) -> Response {
    let Ok(names) = names else { return NAME.response() };
    let names = names.iter().map(|(_, name)| name.to_owned()).collect();
    let asked = Asked { version, names, query: Query::new(&uri) };
    let answer = world.ask(move |present| read(present, &asked)).await;
    match answer.map_err(Problem::from).and_then(|answer| answer) {
        Ok(body) => answer::json(StatusCode::OK, CONTENT_TYPE, &body),
        Err(problem) => problem.response(),
    }
}

/// Everything else that there is about entitlements.
async fn other(method: Method) -> Response {
    if method.is_safe() { UNANSWERED.response() } else { WRITE.response() }
}

async fn authorized(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    if bearer::token(request.headers()).is_some_and(|token| world.is_token(token)) {
        return next.run(request).await;
    }
    TOKEN.response()
}

/// What is wrong (RFC 9457).
#[derive(Clone, Debug)]
struct Problem {
    status: StatusCode,
    detail: Cow<'static, str>,
}

impl Problem {
    fn bad(detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: detail.into() }
    }

    fn response(&self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let Self { status, detail } = self;
        let body = json!({
            "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail,
        });
        answer::json(*status, PROBLEM_TYPE, &body)
    }
}

impl From<Unavailable> for Problem {
    fn from(_: Unavailable) -> Self {
        problem(StatusCode::SERVICE_UNAVAILABLE, "there is no usable snapshot; publish one")
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, detail: failure.message.into() }
    }
}

const fn problem(status: StatusCode, detail: &'static str) -> Problem {
    Problem { status, detail: Cow::Borrowed(detail) }
}

const TOKEN: Problem = problem(StatusCode::UNAUTHORIZED, "the bearer token is missing or wrong");
const NAME: Problem = problem(StatusCode::BAD_REQUEST, "a name in the path must be UTF-8");
const OWNER_UNKNOWN: Problem =
    problem(StatusCode::NOT_FOUND, "the customer or subject is not known; import and publish it");
const OWNER_DELETED: Problem = problem(StatusCode::PRECONDITION_FAILED, "the customer is deleted");
const ENTITLEMENT_UNKNOWN: Problem =
    problem(StatusCode::NOT_FOUND, "there is no such entitlement, or it is not active now");
const FEATURE_UNKNOWN: Problem =
    problem(StatusCode::NOT_FOUND, "there is no such feature, or it is archived");
const UNANSWERED: Problem = problem(
    StatusCode::NOT_FOUND,
    "only entitlements, grants, features, values, access and history are answered here; ask the \
     server itself",
);
const WRITE: Problem =
    problem(StatusCode::FORBIDDEN, "nothing is changed here; ask the server itself");
