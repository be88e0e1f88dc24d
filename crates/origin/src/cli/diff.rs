//! `edgegrant diff`

use std::collections::BTreeMap;

use serde_json::json;

use super::Outcome;
use crate::diff::{Change, Compared, Field, diff};
use crate::failure::Exit;
use crate::read::{Snapshot, Target};

/// What changed from one snapshot to another, and for whom. Exits 1 when anything did.
///
/// Signatures are not asked for; `verify` does that. With --json each change is a line, and the
/// last line holds the numbers. Pages with the same digest are not read.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The earlier snapshot: a folder, `<folder>@<version>`, or a file that `publish --bundle`
    /// wrote.
    from: String,
    /// The later one, written alike.
    to: String,
    /// Show so many changes; all are counted.
    #[arg(long, default_value_t = 100)]
    limit: u64,
}

/// How often each kind of change was met, and what was shown.
#[derive(Default)]
struct Tally {
    changes: u64,
    kinds: BTreeMap<&'static str, u64>,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let mut from = Snapshot::open(Target::parse(&args.from))?;
    let mut to = Snapshot::open(Target::parse(&args.to))?;
    let mut tally = Tally::default();
    let compared = diff(&mut from, &mut to, &mut |change| {
        tally.changes += 1;
        *tally.kinds.entry(kind(&change)).or_default() += 1;
        if tally.changes <= args.limit {
            show(&change, json);
        }
    })?;
    let versions = (from.head.head.version, to.head.head.version);
    summarize(args, &tally, compared, versions, json);
    Ok(if tally.changes == 0 { Exit::Ok } else { Exit::No })
}

fn show(change: &Change, json: bool) {
    if json {
        say!("{}", json!(change));
        return;
    }
    match change {
        Change::FeatureAdded { feature } => say!("+ feature {feature}"),
        Change::FeatureRemoved { feature } => say!("- feature {feature}"),
        Change::FeatureChanged { feature, fields } => {
            say!("~ feature {feature}");
            show_fields(fields);
        }
        Change::SubjectAdded { subject, features } => say!("+ {subject}: {}", features.join(", ")),
        Change::SubjectRemoved { subject, features } => {
            say!("- {subject}: {}", features.join(", "));
        }
        Change::EntitlementAdded { subject, feature } => say!("~ {subject}: + {feature}"),
        Change::EntitlementRemoved { subject, feature } => say!("~ {subject}: - {feature}"),
        Change::EntitlementChanged { subject, feature, fields } => {
            say!("~ {subject}: {feature}");
            show_fields(fields);
        }
        Change::AliasChanged { alias, from, to } => {
            let name = |id: &Option<String>| id.clone().unwrap_or_else(|| "nobody".into());
            say!("~ alias {alias}: {} → {}", name(from), name(to));
        }
    }
}

fn show_fields(fields: &[Field]) {
    for Field { field, from, to } in fields {
        let value = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
        say!("    {field}: {} → {}", value(from), value(to));
    }
}

const fn kind(change: &Change) -> &'static str {
    match change {
        Change::FeatureAdded { .. } => "featuresAdded",
        Change::FeatureRemoved { .. } => "featuresRemoved",
        Change::FeatureChanged { .. } => "featuresChanged",
        Change::SubjectAdded { .. } => "subjectsAdded",
        Change::SubjectRemoved { .. } => "subjectsRemoved",
        Change::EntitlementAdded { .. } => "entitlementsAdded",
        Change::EntitlementRemoved { .. } => "entitlementsRemoved",
        Change::EntitlementChanged { .. } => "entitlementsChanged",
        Change::AliasChanged { .. } => "aliasesChanged",
    }
}

fn summarize(args: &Args, tally: &Tally, compared: Compared, versions: (u64, u64), json: bool) {
    let Compared { pages, pages_read } = compared;
    let shown = tally.changes.min(args.limit);
    if json {
        let summary = json!({
            "fromVersion": versions.0, "toVersion": versions.1, "changes": tally.changes,
            "shown": shown, "counts": tally.kinds, "pages": pages, "pagesRead": pages_read,
        });
        say!("{}", json!({ "summary": summary }));
        return;
    }
    let (from, to) = versions;
    say!("{} changes from version {from} to {to}, {shown} shown", tally.changes);
    for (kind, count) in &tally.kinds {
        say!("  {kind}: {count}");
    }
    say!("{pages_read} of {pages} pages differ");
}
