//! NetApp Astra Control: the collections of the core API 24.02 that say what accounts are entitled
//! to, with their licences and subscriptions.

mod collection;
mod pool;
mod select;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use serde_json::Value;

use super::answer;
use super::present::Present;
use super::query::Query;
use super::world::{Unavailable, World};
use crate::bearer;
use crate::failure::Failure;

const SYSTEM: &str = "astra";
const CONTENT_TYPE: &str = "application/json";
const PROBLEM_TYPE: &str = "application/problem+json";

pub(super) fn router(world: Arc<World>) -> Router<Arc<World>> {
    let root = "/accounts/{account}/core/v1/{collection}";
    Router::new()
        .route(root, get(list).fallback(write))
        .route(&format!("{root}/{{id}}"), get(one).fallback(write))
        .layer(middleware::from_fn_with_state(world, authorized))
}

/// What is wrong, as RFC 9457 has it, but for the status, which is text.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    #[serde(serialize_with = "text")]
    status: StatusCode,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invalid_params: Vec<InvalidParameter>,
}

/// A parameter, and what is wrong with it.
#[derive(Clone, Debug, Serialize)]
struct InvalidParameter {
    name: &'static str,
    reason: &'static str,
}

async fn authorized(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    match bearer::token(request.headers()) {
        None => TOKEN_MISSING.response(),
        Some(token) if world.is_token(token) => next.run(request).await,
        Some(_) => TOKEN_INVALID.response(),
    }
}

async fn list(
    State(world): State<Arc<World>>,
    Path((account, name)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    let query = Query::new(&uri);
    let read = move |present: &Present| collection::list(present, &account, &name, &query);
    respond(world.ask(read).await)
}

async fn one(
    State(world): State<Arc<World>>,
    Path((account, name, id)): Path<(String, String, String)>,
) -> Response {
    respond(world.ask(move |present| collection::one(present, &account, &name, &id)).await)
}

async fn write() -> Response {
    WRITE.response()
}

fn respond(answer: Result<Result<Value, Problem>, Unavailable>) -> Response {
    match answer.map_err(Problem::from).and_then(|answer| answer) {
        Ok(body) => answer::json(StatusCode::OK, CONTENT_TYPE, &body),
        Err(problem) => problem.response(),
    }
}

impl Problem {
    fn invalid(name: &'static str, reason: &'static str) -> Self {
        Self { invalid_params: vec![InvalidParameter { name, reason }], ..INVALID }
    }

    fn response(&self) -> Response {
        answer::json(self.status, PROBLEM_TYPE, self)
    }
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        let detail = format!("There is no usable snapshot ({}); publish one.", unavailable.0);
        Self {
            kind: UNSPECIFIED,
            title: "Service unavailable",
            detail: detail.into(),
            status: StatusCode::SERVICE_UNAVAILABLE,
            invalid_params: Vec::new(),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self {
            kind: UNSPECIFIED,
            title: "Internal server error",
            detail: failure.message.into(),
            status: StatusCode::INTERNAL_SERVER_ERROR,
            invalid_params: Vec::new(),
        }
    }
}

fn text<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status.as_str())
}

const fn problem(
    kind: &'static str,
    status: StatusCode,
    title: &'static str,
    detail: &'static str,
) -> Problem {
    Problem { kind, title, detail: Cow::Borrowed(detail), status, invalid_params: Vec::new() }
}

/// A problem without a page of its own.
const UNSPECIFIED: &str = "about:blank";
const TOKEN_MISSING: Problem = problem(
    "https://astra.netapp.io/problems/3",
    StatusCode::UNAUTHORIZED,
    "Missing bearer token",
    "The request is missing the required bearer token.",
);
const TOKEN_INVALID: Problem = problem(
    UNSPECIFIED,
    StatusCode::UNAUTHORIZED,
    "Invalid bearer token",
    "The bearer token is not the one that edgegrant was given.",
);
const INVALID: Problem = problem(
    "https://astra.netapp.io/problems/5",
    StatusCode::BAD_REQUEST,
    "Invalid query parameters",
    "The supplied query parameters are invalid.",
);
const WRITE: Problem = problem(
    "https://astra.netapp.io/problems/11",
    StatusCode::FORBIDDEN,
    "Operation not permitted",
    "The requested operation isn't permitted.",
);
const NOT_FOUND: Problem = problem(
    "https://astra.netapp.io/problems/2",
    StatusCode::NOT_FOUND,
    "Collection not found",
    "The collection specified in the request URI wasn't found.",
);
