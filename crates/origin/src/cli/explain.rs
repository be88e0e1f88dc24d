//! `edgegrant explain`

use edgegrant::Amount;
use edgegrant::engine::{GrantAccount, Segment};
use serde::Serialize;

use super::Outcome;
use super::gate::{AnswerView, Asked, Question, print};
use super::history::SegmentView;
use crate::failure::Exit;

/// Why is the answer what it is? Grants in burn order, resets and rollovers.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    question: Question,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    #[serde(flatten)]
    answer: AnswerView,
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluated_at: Option<String>,
    grants: Vec<GrantView>,
    segments: Vec<SegmentView>,
    truncated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GrantView {
    id: String,
    state: &'static str,
    balance: Amount,
    burnt: Amount,
    amount: Amount,
    effective_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let explained = args.asked.explain(&args.question)?;
    let ids = &explained.grant_ids;
    let derivation = explained.explanation.as_ref();
    let grants: Vec<GrantView> = derivation
        .map(|derivation| derivation.grants.iter().map(|grant| grant_view(grant, ids)).collect())
        .unwrap_or_default();
    let segments: &[Segment] = derivation.map_or(&[], |derivation| &derivation.segments);
    if json {
        super::print_json(&View {
            answer: AnswerView::from(&explained.answer),
            evaluated_at: derivation.map(|derivation| derivation.evaluated_at.to_string()),
            grants,
            segments: segments.iter().map(|segment| SegmentView::new(segment, ids)).collect(),
            truncated: derivation.is_some_and(|derivation| derivation.truncated),
        })?;
        return Ok(Exit::Ok);
    }
    print(&explained.answer);
    let is_burnt = explained.answer.total_available.is_some();
    for GrantView { id, state, balance, burnt, amount, .. } in grants {
        if is_burnt {
            say!("  grant {id}: {state}, {balance} left, {burnt} burnt");
        } else {
            say!("  grant {id}: {state}, gives {amount}");
        }
    }
    for segment in segments {
        let what = if segment.from == segment.to { "reset" } else { "phase" };
        let overage = segment.overage.to_string();
        say!(
            "  {what} {} to {}: usage {}, overage {overage}",
            segment.from,
            segment.to,
            segment.usage
        );
    }
    Ok(Exit::Ok)
}

fn grant_view(grant: &GrantAccount, ids: &[String]) -> GrantView {
    let state = grant.state.as_str();
    let id = ids.get(grant.index).cloned().unwrap_or_default();
    GrantView {
        id,
        state,
        balance: grant.balance,
        burnt: grant.burnt,
        amount: grant.amount,
        effective_at: grant.effective_at.to_string(),
        ends_at: grant.ends_at.map(|end| end.to_string()),
    }
}
