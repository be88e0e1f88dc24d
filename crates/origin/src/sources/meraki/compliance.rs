//! Until when violations are borne.

use std::collections::{BTreeMap, HashMap, HashSet};

use edgegrant::time::Timestamp;

use super::received::Received;
use super::wire::Violation;
use super::{Notes, Reason};

/// Violations by subscription. They name a product class, and the skus that are short in it.
#[derive(Debug)]
pub(super) struct Violations<'a> {
    by_subscription: HashMap<&'a str, &'a [Violation]>,
    classes: BTreeMap<&'a str, &'a str>,
}

const SUBSCRIPTION_MISSING: Reason = (
    "subscription-missing",
    "its subscription is not listed; list the subscriptions of the organization too",
);

impl<'a> Violations<'a> {
    pub(super) fn new(received: &'a Received, notes: &mut Notes) -> Self {
        let subscriptions = received.subscriptions.iter().map(|owned| &owned.item.value);
        let listed: HashSet<&str> =
            subscriptions.filter_map(|listed| listed.subscription_id.as_deref()).collect();
        let mut by_subscription = HashMap::new();
        for item in &received.compliance {
            let Some(id) = item.value.subscription.id.as_deref() else {
                notes.warn(&item.place, super::WITHOUT_KEY);
                continue;
            };
            if !listed.contains(id) {
                notes.warn(&item.place, SUBSCRIPTION_MISSING);
            }
            by_subscription.insert(id, item.value.violations.by_product_class.as_slice());
        }
        Self { by_subscription, classes: received.classes() }
    }

    /// Until when a subscription may fall short of a sku.
    ///
    /// Other classes of the same subscription are not affected. Without the catalogue only the
    /// skus are known to be in the class that fall short.
    pub(super) fn grace_of(&self, subscription: &str, sku: &str) -> Option<Timestamp> {
        let violations = self.by_subscription.get(subscription).copied().unwrap_or_default();
        let class = self.classes.get(sku).copied();
        let concerns = |violation: &&Violation| {
            let short = violation.missing.iter().flat_map(|missing| &missing.entitlements);
            let named = short.filter_map(|short| short.sku.as_deref()).any(|short| short == sku);
            named || (class.is_some() && violation.product_class.as_deref() == class)
        };
        let graces = violations.iter().filter(concerns);
        graces.filter_map(|violation| violation.grace_period_ends_at).max()
    }
}
