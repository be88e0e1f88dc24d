//! AWS Marketplace: `GetEntitlements`, in JSON 1.1.
//!
//! The wire is that of the service model `marketplace-entitlement` of 2017-01-11; rules that the
//! model does not hold are those of its documentation.

mod page;
mod shelf;
mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::any;
use serde::Serialize;

use self::page::page;
pub(super) use self::shelf::Shelf;
use self::wire::Request;
use super::answer::{self, header};
use super::world::{Unavailable, World};

const SYSTEM: &str = "aws-marketplace";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const OPERATION: &str = "AWSMPEntitlementService.GetEntitlements";

pub(super) fn router() -> Router<Arc<World>> {
    Router::new().route("/", any(entitlements))
}

async fn entitlements(
    State(world): State<Arc<World>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = match asked(&world, &method, &headers, &body) {
        Ok(request) => request,
        Err(refused) => return refused.response(),
    };
    match world.ask(move |present| page(present, &request)).await {
        Ok(Ok(page)) => answer::json(StatusCode::OK, CONTENT_TYPE, &page),
        Ok(Err(refused)) => refused.response(),
        Err(unavailable) => Refused::from(unavailable).response(),
    }
}

fn asked(
    world: &World,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Request, Refused> {
    let signed = header(headers, AUTHORIZATION).ok_or(UNSIGNED)?;
    if !access_key(signed).is_some_and(|key| world.is_token(key)) {
        return Err(UNRECOGNIZED);
    }
    if method != Method::POST || header(headers, TARGET) != Some(OPERATION) {
        return Err(UNKNOWN_OPERATION);
    }
    serde_json::from_slice(body).map_err(|_| MALFORMED)
}

/// The access key in a header of Signature Version 4:
/// `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/<service>/aws4_request, …`.
fn access_key(authorization: &str) -> Option<&str> {
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let mut fields = fields.split(',').map(str::trim);
    let credential = fields.find_map(|field| field.strip_prefix("Credential="))?;
    // The key may hold what stands between the other parts.
    credential.rsplitn(5, '/').nth(4)
}

/// An error of the service.
#[derive(Clone, Debug)]
struct Refused {
    status: StatusCode,
    kind: &'static str,
    message: Cow<'static, str>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    __type: &'a str,
    message: &'a str,
}

impl Refused {
    fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        let kind = "InvalidParameterException";
        Self { status: StatusCode::BAD_REQUEST, kind, message: message.into() }
    }

    fn response(&self) -> Response {
        let body = ErrorBody { __type: self.kind, message: &self.message };
        let mut response = answer::json(self.status, CONTENT_TYPE, &body);
        response.headers_mut().insert(ERROR_TYPE, HeaderValue::from_static(self.kind));
        response
    }
}

impl From<Unavailable> for Refused {
    fn from(unavailable: Unavailable) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: "InternalServiceErrorException",
            message: format!("there is no usable snapshot ({}); publish one", unavailable.0).into(),
        }
    }
}

const fn refused(status: StatusCode, kind: &'static str, message: &'static str) -> Refused {
    Refused { status, kind, message: Cow::Borrowed(message) }
}

const UNSIGNED: Refused = refused(
    StatusCode::BAD_REQUEST,
    "MissingAuthenticationTokenException",
    "Missing Authentication Token",
);
const UNRECOGNIZED: Refused = refused(
    StatusCode::BAD_REQUEST,
    "UnrecognizedClientException",
    "The security token included in the request is invalid.",
);
const UNKNOWN_OPERATION: Refused = refused(
    StatusCode::NOT_FOUND,
    "UnknownOperationException",
    "GetEntitlements in JSON 1.1 is the only operation here; ask AWS itself for others",
);
const MALFORMED: Refused =
    refused(StatusCode::BAD_REQUEST, "SerializationException", "the request is not as modelled");
