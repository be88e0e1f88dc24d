//! Other systems' own read calls, answered from a published snapshot and the facts beside it.
//!
//! Whether something may be used, how much of it and since when not any more comes from a gate over
//! the snapshot; names, dates and ids that no snapshot holds come from the records in the facts.
//! Each module speaks one system's wire. What would change something is refused in that system's
//! words: it stays the origin of truth.

mod alert_logic;
mod answer;
mod aws_marketplace;
mod facts;
mod present;
mod world;

use std::sync::Arc;

use axum::Router;

pub use world::{Options, World};

/// The paths of every system, which none of them shares with another.
pub(crate) fn router(world: World) -> Router {
    let world = Arc::new(world);
    Router::new()
        .merge(alert_logic::router(Arc::clone(&world)))
        .merge(aws_marketplace::router())
        .with_state(world)
}
