//! OpenMeter: whether customers may use features, version 1 by subject and version 2 by customer.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{any, get};
use edgegrant::Instant;
use edgegrant::engine::GrantState;
use edgegrant::gate::{Explained, Reason};
use edgegrant::model::Subject;
use edgegrant::time::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::{self, header, number};
use super::present::{Present, is_gone};
use super::query::Query;
use super::world::{Unavailable, World};

const SYSTEM: &str = "openmeter";
const CONTENT_TYPE: &str = "application/json";
const PROBLEM_TYPE: &str = "application/problem+json";

pub(super) fn router(world: Arc<World>) -> Router<Arc<World>> {
    let of = |owner: &str| format!("/api/{owner}/{{owner}}/entitlements");
    let mut router = Router::new();
    for (owners, shape) in
        [("v1/subjects", Shape::One), ("v1/customers", Shape::Two), ("v2/customers", Shape::Two)]
    {
        let value = get(move |world, path, uri| value(world, path, uri, shape)).fallback(other);
        let entitlements = of(owners);
        router = router
            .route(&entitlements, any(other))
            .route(&format!("{entitlements}/{{entitlement}}"), any(other))
            .route(&format!("{entitlements}/{{entitlement}}/value"), value)
            .route(&format!("{entitlements}/{{entitlement}}/{{other}}"), any(other));
    }
    router
        .route("/api/v1/customers/{owner}/access", get(access).fallback(other))
        .layer(middleware::from_fn_with_state(world, authorized))
}

/// What a value has: version 2 tells what is left of each grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    One,
    Two,
}

/// What is wrong (RFC 9457).
#[derive(Clone, Copy, Debug)]
struct Problem {
    status: StatusCode,
    detail: &'static str,
}

async fn authorized(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let said = header(request.headers(), AUTHORIZATION);
    let token = said.and_then(|said| said.strip_prefix("Bearer "));
    if token.is_some_and(|token| world.is_token(token)) {
        return next.run(request).await;
    }
    Problem { status: StatusCode::UNAUTHORIZED, detail: "the bearer token is missing or wrong" }
        .response()
}

async fn value(
    State(world): State<Arc<World>>,
    Path((owner, entitlement)): Path<(String, String)>,
    uri: Uri,
    shape: Shape,
) -> Response {
    let at = match Query::new(&uri).one("time").map(Timestamp::parse).transpose() {
        Ok(at) => at.map(Timestamp::ceil_millis),
        Err(_) => return TIME.response(),
    };
    respond(world.ask(move |present| value_of(present, &owner, &entitlement, at, shape)).await)
}

async fn access(State(world): State<Arc<World>>, Path(owner): Path<String>) -> Response {
    respond(world.ask(move |present| access_of(present, &owner)).await)
}

/// Everything else that there is about entitlements.
async fn other(method: Method) -> Response {
    if method == Method::GET { UNANSWERED.response() } else { WRITE.response() }
}

fn respond(answer: Result<Result<Value, Problem>, Unavailable>) -> Response {
    match answer.map_err(Problem::from).and_then(|answer| answer) {
        Ok(body) => answer::json(StatusCode::OK, CONTENT_TYPE, &body),
        Err(problem) => problem.response(),
    }
}

fn value_of(
    present: &Present,
    owner: &str,
    entitlement: &str,
    at: Option<Instant>,
    shape: Shape,
) -> Result<Value, Problem> {
    let subject = subject(present, owner)?;
    let is_named = |id: &str| id == entitlement;
    let by_id = subject
        .entitlements
        .iter()
        .find(|given| given.source.as_ref().is_some_and(|source| is_named(&source.id)));
    let feature = by_id.map_or(entitlement, |given| given.feature.as_str());
    told(&present.explain_at(&subject.subject, feature, at)?, shape)
}

/// The values of what is active now, by feature.
fn access_of(present: &Present, owner: &str) -> Result<Value, Problem> {
    let subject = subject(present, owner)?;
    let mut values = Map::new();
    for given in &subject.entitlements {
        let explained = present.explain(&subject.subject, &given.feature)?;
        if !is_gone(explained.answer.reason) {
            values.insert(given.feature.clone(), told(&explained, Shape::Two)?);
        }
    }
    Ok(json!({ "entitlements": values }))
}

fn subject<'a>(present: &'a Present, owner: &str) -> Result<&'a Subject, Problem> {
    let subject = present.known().facts.subject(owner);
    let is_ours = |subject: &&Subject| {
        let mut sources = subject.entitlements.iter().filter_map(|given| given.source.as_ref());
        subject.source.as_ref().is_some_and(|source| source.system == SYSTEM)
            || sources.any(|source| source.system == SYSTEM)
    };
    subject.filter(is_ours).ok_or(OWNER_UNKNOWN)
}

/// A decision as a value. What is not active has no numbers.
fn told(explained: &Explained, shape: Shape) -> Result<Value, Problem> {
    let answer = &explained.answer;
    match answer.reason {
        Reason::BeforeOpening => return Err(TOO_EARLY),
        Reason::UnknownSubject => return Err(OWNER_UNKNOWN),
        reason if is_gone(reason) => return Ok(json!({ "hasAccess": false })),
        _ => {}
    }
    let mut value = Map::new();
    value.insert("hasAccess".into(), answer.has_access.into());
    let numbers = [
        ("balance", answer.balance),
        ("usage", answer.usage),
        ("overage", answer.overage),
        ("totalAvailableGrantAmount", answer.total_available),
    ];
    let known = numbers.into_iter().filter_map(|(name, amount)| Some((name, amount?)));
    value.extend(known.map(|(name, amount)| (name.to_owned(), number(amount))));
    value.extend(answer.config.iter().map(|config| ("config".to_owned(), config.clone().into())));
    if shape == Shape::Two && answer.balance.is_some() {
        value.insert("grantBalances".into(), grant_balances(explained));
    }
    Ok(Value::Object(value))
}

fn grant_balances(explained: &Explained) -> Value {
    let grants = explained.explanation.iter().flat_map(|explanation| &explanation.grants);
    let counting =
        grants.filter(|grant| matches!(grant.state, GrantState::Active | GrantState::Exhausted));
    let named = counting.filter_map(|grant| {
        Some((explained.grant_ids.get(grant.index)?.clone(), number(grant.balance)))
    });
    Value::Object(named.collect())
}

impl Problem {
    fn response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or_default();
        let Self { status, detail } = self;
        let body = json!({
            "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail,
        });
        answer::json(status, PROBLEM_TYPE, &body)
    }
}

impl From<Unavailable> for Problem {
    fn from(_: Unavailable) -> Self {
        let detail = "there is no usable snapshot; publish one";
        Self { status: StatusCode::SERVICE_UNAVAILABLE, detail }
    }
}

const TIME: Problem =
    Problem { status: StatusCode::BAD_REQUEST, detail: "time must be an instant of RFC 3339" };
const TOO_EARLY: Problem = Problem {
    status: StatusCode::BAD_REQUEST,
    detail: "time is before the snapshot's opening; ask the server itself",
};
const OWNER_UNKNOWN: Problem = Problem {
    status: StatusCode::NOT_FOUND,
    detail: "the customer or subject is not known; import and publish it",
};
const UNANSWERED: Problem = Problem {
    status: StatusCode::NOT_FOUND,
    detail: "only values and access are answered here; ask the server itself",
};
const WRITE: Problem = Problem {
    status: StatusCode::FORBIDDEN,
    detail: "nothing is changed here; ask the server itself",
};
