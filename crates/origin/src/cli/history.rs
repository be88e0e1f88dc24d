//! `edgegrant history`

use std::collections::BTreeMap;

use edgegrant::engine::{Segment, Window, WindowSize};
use edgegrant::gate::Ask;
use edgegrant::{Amount, Instant};
use serde::Serialize;

use super::gate::{PeriodView, Trust};
use super::{Outcome, output};
use crate::failure::{Exit, Failure};

/// How were usage and balance over time? In the shape of OpenMeter's history.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The id or an alias of a subject.
    subject: String,
    /// The key of a feature.
    feature: String,
    #[command(flatten)]
    trust: Trust,
    /// The beginning; floored to the minute.
    #[arg(long, value_parser = output::instant)]
    from: Instant,
    /// The end; now when absent.
    #[arg(long, value_parser = output::instant)]
    to: Option<Instant>,
    /// How long each window is.
    #[arg(long, value_enum, default_value_t = Size::Day)]
    window: Size,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Size {
    Hour,
    Day,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    windowed_history: Vec<WindowView>,
    burndown_history: Vec<SegmentView>,
    /// Where to go on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WindowView {
    period: PeriodView,
    usage: Amount,
    balance_at_start: Amount,
}

/// One phase of the burn-down, or a reset, which has no length.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SegmentView {
    period: PeriodView,
    usage: Amount,
    overage: Amount,
    balance_at_start: Amount,
    grant_balances_at_start: BTreeMap<String, Amount>,
    balance_at_end: Amount,
    grant_balances_at_end: BTreeMap<String, Amount>,
    grant_usages: Vec<GrantUsage>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GrantUsage {
    grant_id: String,
    usage: Amount,
}

impl SegmentView {
    pub(super) fn new(segment: &Segment, ids: &[String]) -> Self {
        let mut ends = segment.balances_at_start.clone();
        for (index, burnt) in &segment.grant_usages {
            if let Some(end) = ends.get_mut(*index) {
                *end -= *burnt;
            }
        }
        let named =
            |balances: &[Amount]| ids.iter().cloned().zip(balances.iter().copied()).collect();
        let id = |index: usize| ids.get(index).cloned().unwrap_or_default();
        let usages = segment.grant_usages.iter();
        Self {
            period: PeriodView::new(segment.from, Some(segment.to)),
            usage: segment.usage,
            overage: segment.overage,
            balance_at_start: segment.balances_at_start.iter().copied().sum(),
            grant_balances_at_start: named(&segment.balances_at_start),
            balance_at_end: ends.iter().copied().sum(),
            grant_balances_at_end: named(&ends),
            grant_usages: usages
                .map(|(index, usage)| GrantUsage { grant_id: id(*index), usage: *usage })
                .collect(),
        }
    }
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let gate = args.trust.gate()?;
    let window = match args.window {
        Size::Hour => WindowSize::Hour,
        Size::Day => WindowSize::Day,
    };
    let clock = args.trust.clock();
    let Args { subject, feature, .. } = args;
    let ask = Ask { subject, feature, clock, at: None, amount: None, used: None };
    let told = gate.history(&ask, args.from, args.to, window).map_err(|error| {
        let exit = Exit::No;
        Failure { exit, ..Failure::from(error) }
    })?;
    let history = &told.history;
    if !json {
        for Window { from, to, usage, balance_at_start } in &history.windows {
            let (usage, balance) = (usage.to_string(), balance_at_start.to_string());
            say!("{from} to {to}: usage {usage}, balance at its start {balance}");
        }
        return Ok(Exit::Ok);
    }
    let window = |window: &Window| WindowView {
        period: PeriodView::new(window.from, Some(window.to)),
        usage: window.usage,
        balance_at_start: window.balance_at_start,
    };
    let segment = |segment| SegmentView::new(segment, &told.grant_ids);
    super::print_json(&View {
        windowed_history: history.windows.iter().map(window).collect(),
        burndown_history: history.segments.iter().map(segment).collect(),
        next: history.next.map(|next| next.to_string()),
    })?;
    Ok(Exit::Ok)
}
