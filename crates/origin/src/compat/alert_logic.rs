//! Alert Logic: entitlements and subscriptions of accounts, and the token that they are asked with.
//!
//! The wire is that of the OpenAPI documents `subscriptions.v1` and `aims.v1`, whose refusals have
//! empty bodies.

mod account;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::json;

use self::account::{Account, Wanted, account_ids};
use super::answer::{self, header};
use super::present::Present;
use super::world::{Unavailable, World};

const SYSTEM: &str = "alert-logic";
const TOKEN: HeaderName = HeaderName::from_static("x-aims-auth-token");
/// How long clients may think that the token holds, in seconds.
const TOKEN_SECONDS: i64 = 6 * 60 * 60;

pub(super) fn router(world: Arc<World>) -> Router<Arc<World>> {
    let subscriptions = Router::new()
        .route("/account_ids/entitlement/{family}", read(get(list_accounts)))
        .route("/{account}/entitlements", read(get(entitlements)))
        .route("/{account}/subscriptions", read(get(subscriptions)))
        .route("/{account}/subscription/{id}", read(get(subscription)))
        .fallback(forbidden);
    let aims = Router::new().route("/token_info", get(token_info));
    let inside = Router::new().nest("/subscriptions/v1", subscriptions).nest("/aims/v1", aims);
    let inside = inside.layer(middleware::from_fn_with_state(world, authorized));
    inside.route("/aims/v1/authenticate", post(authenticate))
}

/// What changes something stays with Alert Logic.
fn read(method: MethodRouter<Arc<World>>) -> MethodRouter<Arc<World>> {
    method.fallback(forbidden)
}

async fn forbidden() -> StatusCode {
    StatusCode::FORBIDDEN
}

async fn authorized(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    if header(request.headers(), TOKEN).is_some_and(|given| world.is_token(given)) {
        return next.run(request).await;
    }
    StatusCode::UNAUTHORIZED.into_response()
}

/// Why there is no answer.
enum Refused {
    Status(StatusCode),
    Unavailable(Unavailable),
}

impl From<Unavailable> for Refused {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

fn respond<T: Serialize>(answer: Result<Result<T, Refused>, Unavailable>) -> Response {
    match answer {
        Ok(Ok(body)) => answer::json(StatusCode::OK, "application/json", &body),
        Ok(Err(Refused::Status(status))) => status.into_response(),
        Ok(Err(Refused::Unavailable(reason))) | Err(reason) => {
            let body = json!({ "error": reason.0 });
            answer::json(StatusCode::SERVICE_UNAVAILABLE, "application/json", &body)
        }
    }
}

/// The account of an id, which is forbidden where there is none.
fn known<'a>(present: &'a Present, id: &'a str) -> Result<Account<'a>, Refused> {
    Account::new(present, id).ok_or(Refused::Status(StatusCode::FORBIDDEN))
}

async fn entitlements(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Response {
    let wanted = Wanted::new(&uri);
    // What it leaves out is written nowhere.
    if wanted.bundles {
        let body = json!({ "error": "filter_bundles_not_supported" });
        return answer::json(StatusCode::BAD_REQUEST, "application/json", &body);
    }
    respond(world.ask(move |present| Ok(known(present, &id)?.entitlements(&wanted)?)).await)
}

async fn list_accounts(
    State(world): State<Arc<World>>,
    Path(family): Path<String>,
    uri: Uri,
) -> Response {
    let wanted = Wanted::new(&uri);
    respond(world.ask(move |present| Ok(account_ids(present, &family, &wanted)?)).await)
}

async fn subscriptions(State(world): State<Arc<World>>, Path(id): Path<String>) -> Response {
    respond(world.ask(move |present| Ok(known(present, &id)?.subscriptions())).await)
}

async fn subscription(
    State(world): State<Arc<World>>,
    Path((account, id)): Path<(String, String)>,
) -> Response {
    let find = move |present: &Present| {
        let found = known(present, &account)?.subscription(&id)?;
        found.ok_or(Refused::Status(StatusCode::NOT_FOUND))
    };
    respond(world.ask(find).await)
}

/// An access key, whose secret is the token, gives the token.
async fn authenticate(State(world): State<Arc<World>>, headers: HeaderMap) -> Response {
    let Some((key, secret)) = basic(&headers).filter(|(_, secret)| world.is_token(secret)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let told = world.ask(move |present| {
        let expires = present.now().millis() / 1000 + TOKEN_SECONDS;
        let account = own(present, &key);
        let user = json!({ "id": key, "name": key, "active": true });
        Ok(json!({ "authentication": {
            "token": secret, "token_expiration": expires, "user": user, "account": account,
        } }))
    });
    respond(told.await)
}

async fn token_info(State(world): State<Arc<World>>) -> Response {
    let told = world.ask(|present| {
        let expires = present.now().millis() / 1000 + TOKEN_SECONDS;
        Ok(json!({ "account": own(present, ""), "token_expiration": expires }))
    });
    respond(told.await)
}

/// The account that a key is of: the one that it names, or the only one. Nobody knows others.
fn own(present: &Present, key: &str) -> serde_json::Value {
    let named = Account::new(present, key).map(|account| account.id());
    let mut all = Account::all(present).map(|account| account.id());
    let only = all.next().filter(|_| all.next().is_none());
    match named.or(only) {
        Some(id) => json!({ "id": id, "name": id, "active": true }),
        None => json!({}),
    }
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = header(headers, AUTHORIZATION)?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (key, secret) = text.split_once(':')?;
    Some((key.to_owned(), secret.to_owned()))
}
