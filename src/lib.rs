//! Entitlements answered at the edge: may this customer use this feature now, how much is left, how
//! much is over.
//!
//! The engine evaluates a [`Program`](engine::Program), the compiled form of one entitlement, at an
//! instant that the caller names. It has no clock, does no I/O and knows no host.

pub mod amount;
pub mod engine;
pub mod error;
pub mod gate;
#[cfg(feature = "facts")]
pub mod model;
pub mod snapshot;
pub mod time;
pub mod trust;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use amount::Amount;
pub use error::Error;
pub use time::{Instant, Interval, Recurrence};
