//! Other systems' own read calls, answered from a published snapshot and the facts beside it.
//!
//! Whether something may be used, how much of it and since when not any more comes from a gate over
//! the snapshot. Names, dates and ids that no snapshot holds come from the records in the facts; so
//! does the past, which a snapshot has summed up, from their usage.
//! Each module speaks one system's wire. What would change something is refused in that system's
//! words: it stays the origin of truth.

mod alert_logic;
mod answer;
mod astra;
mod aws_marketplace;
pub(crate) mod facts;
mod meraki;
mod openmeter;
mod present;
mod query;
mod world;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};

pub use world::{Options, World};

/// The paths of every system, which none of them shares with another.
pub(crate) fn router(world: World) -> Router {
    let world = Arc::new(world);
    Router::new()
        .merge(alert_logic::router(Arc::clone(&world)))
        .merge(astra::router(Arc::clone(&world)))
        .merge(aws_marketplace::router())
        .merge(meraki::router(Arc::clone(&world)))
        .merge(openmeter::router(Arc::clone(&world)))
        .layer(middleware::from_fn(received))
        .with_state(world)
}

/// The largest body that is taken: what is asked for is small.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Receives requests whole before they are answered, for some clients give reads a body: closing a
/// connection on one that nobody has read may take the answer away with it.
async fn received(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match to_bytes(body, BODY_BYTES_MAX).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}
