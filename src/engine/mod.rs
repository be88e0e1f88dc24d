//! The judge: a program, the usage it has not seen and an instant in, a decision out.
//!
//! `program` is the data, `timeline` and `grant` its calendar, `run` the burn-down that `jump`
//! makes short, `decide` the rules, `steady` their short cut, `retry` looks ahead, `record` what
//! happened on the way, `explain` and `history` tell it. `compile` makes programs from facts.

#[cfg(feature = "facts")]
mod compile;
mod decide;
mod explain;
mod grant;
mod history;
mod jump;
pub mod program;
mod record;
mod retry;
mod run;
mod steady;
mod timeline;

#[cfg(feature = "facts")]
pub use compile::{Compiled, Ledger, Problem, burn_order, compile, ledger};
pub use decide::{Decision, Kind, Numbers, Question, Reason, Terms, decide};
pub use explain::{BurnDown, Explanation, GrantAccount, GrantState, explain};
pub use history::{History, HistoryQuery, PAGE, Window, WindowSize};
pub use program::{Period, Program};
pub use record::Segment;
pub use run::UsageEvent;
pub(crate) use steady::decide_steadily;
pub use steady::decide_with;
pub use timeline::Reset;
