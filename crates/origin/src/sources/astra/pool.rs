//! All entitlements of a pool, as one.

use edgegrant::Amount;
use edgegrant::Instant;
use edgegrant::model::{Config, Entitlement, EntitlementType, Grant, Status, Usage, UsageKind};
use edgegrant::time::Timestamp;

use super::members::{Lapse, Member, Said};
use super::{Notes, Options, Reason};

/// A product's entitlements of one type, of an account or of one object in it.
#[derive(Debug, Default)]
pub(super) struct Pool {
    members: Vec<Member>,
}

const VALUES_MIXED: Reason = (
    "values-mixed",
    "the entitlements of one pool have values of several types; ask the vendor which counts",
);
const SUPERSEDED: Reason = (
    "entitlement-superseded",
    "another entitlement of its pool decides at present; import again when that ends",
);

impl Pool {
    pub(super) fn add(&mut self, member: Member) {
        self.members.push(member);
    }

    /// One entitlement of the type that all members have; without one, a note says why.
    pub(super) fn into_entitlement(
        self,
        key: &str,
        options: &Options,
        notes: &mut Notes,
    ) -> Option<Entitlement> {
        let usage = self.usage(options.at);
        let any_gives = self.members.iter().any(|member| member.lapse != Lapse::Over);
        let gives = |member: &Member| !any_gives || member.lapse != Lapse::Over;
        let giving: Vec<Member> = self.members.into_iter().filter(gives).collect();
        let kind = giving.first().map(kind)?;
        if giving.iter().any(|member| self::kind(member) != kind) {
            notes.error(&giving.last()?.place, VALUES_MIXED);
            return None;
        }
        let giving = match kind {
            EntitlementType::Metered => one_limit(giving, options.at.into(), notes),
            EntitlementType::Static => one_text(giving, options.at.into(), notes),
            EntitlementType::Boolean => giving,
        };
        let mut target = Entitlement::new(key, kind);
        fill(&mut target, &giving, any_gives);
        match kind {
            EntitlementType::Metered => fill_metered(&mut target, &giving, usage),
            EntitlementType::Static => fill_static(&mut target, &giving, notes),
            EntitlementType::Boolean => {
                target.attributes.insert("flag".into(), "value-missing".into());
            }
        }
        Some(target)
    }

    /// What is used of the pool, also of what is over: the resources are there.
    fn usage(&self, at: Instant) -> Usage {
        let used: Option<Vec<Amount>> =
            self.members.iter().map(|member| member.consumption).collect();
        let Some(used) = used else { return Usage::new(UsageKind::Unknown) };
        let (amount, as_of) = (Some(used.into_iter().sum()), Some(at.into()));
        Usage { amount, as_of, ..Usage::new(UsageKind::Level) }
    }
}

fn kind(member: &Member) -> EntitlementType {
    match member.said {
        Said::Number(_) | Said::Unlimited => EntitlementType::Metered,
        Said::Text(_) => EntitlementType::Static,
        Said::Nothing => EntitlementType::Boolean,
    }
}

/// While an entitlement without limit holds, amounts beside it mean nothing; until it does, it
/// means nothing.
fn one_limit(members: Vec<Member>, at: Timestamp, notes: &mut Notes) -> Vec<Member> {
    let endless = |member: &Member| member.said == Said::Unlimited;
    let now = members.iter().any(|member| endless(member) && member.holds(at));
    let only = members.iter().all(endless);
    let (kept, left_out) = members.into_iter().partition(|member| only || endless(member) == now);
    told(left_out, notes);
    kept
}

/// Of several texts the one that holds decides, and of those the one that holds longest.
fn one_text(mut members: Vec<Member>, at: Timestamp, notes: &mut Notes) -> Vec<Member> {
    members.sort_by_key(|member| (member.holds(at), member.end()));
    let last = members.pop();
    told(members, notes);
    last.into_iter().collect()
}

fn told(left_out: Vec<Member>, notes: &mut Notes) {
    for member in left_out {
        notes.warn(&member.place, SUPERSEDED);
    }
}

/// The window around all of them, and whether their subscriptions give anything at all.
fn fill(target: &mut Entitlement, giving: &[Member], any_gives: bool) {
    if !any_gives {
        target.status = Status::Suspended;
    }
    if giving.iter().any(|member| member.lapse != Lapse::None) {
        target.attributes.insert("status".into(), "inactive".into());
    }
    let from: Option<Vec<_>> = giving.iter().map(|member| member.from).collect();
    target.active_from = from.and_then(|all| all.into_iter().min());
    let until: Option<Vec<_>> = giving.iter().map(|member| member.until).collect();
    target.active_to = until.and_then(|all| all.into_iter().max());
}

fn fill_metered(target: &mut Entitlement, giving: &[Member], usage: Usage) {
    for member in giving {
        let from = member.from.unwrap_or(Instant::EPOCH.into());
        match member.said {
            Said::Number(amount) => {
                let grant = Grant::new(&member.id, amount, from);
                target.grants.push(Grant { expires_at: member.until, ..grant });
            }
            _ => target.unlimited = true,
        }
    }
    let graces = giving.iter().filter_map(|member| match member.lapse {
        Lapse::Grace(end) => Some(end),
        Lapse::None | Lapse::Over => None,
    });
    target.grace_until = graces.max();
    target.usage = Some(usage);
}

fn fill_static(target: &mut Entitlement, giving: &[Member], notes: &mut Notes) {
    let Some(Member { said: Said::Text(value), .. }) = giving.first() else { return };
    match Config::parse(&serde_json::json!({ "value": value }).to_string()) {
        Ok(config) => target.config = Some(config),
        Err(error) => notes.error(&target.feature, (error.code(), error.message())),
    }
}
