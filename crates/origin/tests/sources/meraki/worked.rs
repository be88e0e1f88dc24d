//! The worked answers, and every recorded file.

use edgegrant::gate::{Fit, Reason, Shortfall};
use edgegrant_origin::Failure;
use edgegrant_origin::sources::meraki::import;

use super::{ORGANIZATION, numbers, options};
use crate::kit::{Imported, amount, at, left_and_over, recorded};

fn worked() -> Option<Imported> {
    let files = [
        "20-generated-statuses.json",
        "21-generated-compliance-grace.json",
        "25-generated-catalogue-array.json",
    ];
    let answers = recorded("meraki", &files)?.unwrap();
    Some(Imported::new(|notes| import(&answers, &options(), notes)))
}

#[test]
fn worked_meraki_20_lic_mr_a() {
    let Some(import) = worked() else { return };
    assert_eq!(import.codes(), Vec::<&str>::new());
    let answer = import.gate().check(ORGANIZATION, "LIC-MR-A");
    assert_eq!((answer.has_access, left_and_over(&answer)), (true, numbers("15", "0")));
    // What 1002 gives begins in June.
    let then = import.gate().ask(ORGANIZATION, "LIC-MR-A", "2027-07-01T00:00:00Z", None, None);
    assert_eq!(left_and_over(&then), numbers("40", "0"));
}

#[test]
fn worked_meraki_20_lic_ms_100_s_e_with_21() {
    let Some(import) = worked() else { return };
    let gate = import.gate();
    for holder in [ORGANIZATION, "1005"] {
        let answer = gate.check(holder, "LIC-MS-100-S-E");
        assert_eq!((answer.has_access, answer.reason), (true, Reason::Grace));
        assert_eq!(left_and_over(&answer), numbers("0", "11"));
        assert_eq!(answer.until, Some(at("2026-12-07T00:00:00Z")));
        let after = gate.ask(holder, "LIC-MS-100-S-E", "2026-12-07T00:00:00Z", None, None);
        assert_eq!((after.has_access, after.reason), (false, Reason::Exhausted));
        let violations = gate.violations(holder);
        let [violation] = violations.as_slice() else { panic!("{violations:?}") };
        assert_eq!(violation.feature, "LIC-MS-100-S-E");
        assert_eq!(violation.answer.overage, Some(amount("11")));
        assert_eq!(violation.grace_until, Some(at("2026-12-07T00:00:00Z")));
    }
}

#[test]
fn worked_meraki_20_lic_ms_400_l_a() {
    let Some(import) = worked() else { return };
    let answer = import.gate().check(ORGANIZATION, "LIC-MS-400-L-A");
    assert_eq!(
        (answer.reason, left_and_over(&answer)),
        (Reason::WithinBalance, numbers("15", "0"))
    );
}

#[test]
fn worked_meraki_20_can_fit() {
    let Some(import) = worked() else { return };
    let told = import.gate().can_fit("1001", &[("LIC-MR-A", "20")]);
    let missing = vec![Shortfall {
        feature: "LIC-MR-A".to_owned(),
        amount: Some(amount("5")),
        reason: Reason::Exhausted,
    }];
    assert_eq!(told, Fit { fits: false, missing, unknown: Vec::new() });
}

#[test]
fn pages_are_one_list() {
    let files = ["22-generated-page1.json", "23-generated-page2-last.json"];
    let Some(answers) = recorded("meraki", &files) else { return };
    let import = Imported::new(|notes| import(&answers.unwrap(), &options(), notes));
    assert_eq!(import.subjects().len(), 1 + 4);
    assert_eq!(import.subject(ORGANIZATION).records.len(), 4);
    import.gate();
}

/// Subjects, entitlements and the codes of warnings.
type Given = (usize, usize, Vec<String>);

/// What a recorded file gives, or the code of its refusal.
fn outcome(file: &str) -> Option<Result<Given, String>> {
    let code = |failure: Failure| failure.code;
    let answers = match recorded("meraki", &[file])? {
        Ok(answers) => answers,
        Err(failure) => return Some(Err(code(failure))),
    };
    if let Err(failure) = import(&answers, &options(), &mut Default::default()) {
        return Some(Err(code(failure)));
    }
    let import = Imported::new(|notes| import(&answers, &options(), notes));
    import.gate();
    let entitlements = import.subjects().iter().map(|subject| subject.entitlements.len()).sum();
    let codes = import.codes().iter().map(|code| (*code).to_owned()).collect();
    Some(Ok((import.subjects().len(), entitlements, codes)))
}

#[test]
fn recorded_answers_are_imported_or_refused() {
    let unknown = || Err("answer-unknown");
    let error = || Err("error-answer");
    let clean = |subjects, entitlements| Ok((subjects, entitlements, vec![]));
    let late = || vec!["past-end-at-import"];
    let files = [
        ("01-subscriptions-list.json", clean(2, 4)),
        ("02-entitlements-catalogue.json", clean(0, 0)),
        ("03-compliance-statuses.json", Ok((0, 0, vec!["subscription-missing"]))),
        ("04-bind-insufficient.json", unknown()),
        ("05-claim.json", unknown()),
        ("06-validate-claim-key.json", unknown()),
        ("07-coterm-licenses.json", Ok((1, 0, vec!["overview-missing"]))),
        ("08-coterm-move.json", unknown()),
        ("09-perdevice-licenses.json", Ok((1, 1, late()))),
        ("10-licenses-overview-example.json", Ok((1, 1, late()))),
        ("11-subscriptions-list-v1.42.json", clean(2, 2)),
        ("12-licenses-overview-coterm-LIVE.json", clean(1, 7)),
        ("13-subscriptions-counts-only.json", clean(2, 2)),
        ("14-error-subscription-org-on-licenses.json", error()),
        (
            "15-perdevice-missing-fields.json",
            Ok((1, 2, vec!["record-without-key", "status-unknown"])),
        ),
        ("20-generated-statuses.json", clean(6, 10)),
        ("21-generated-compliance-grace.json", Ok((0, 0, vec!["subscription-missing"; 2]))),
        ("22-generated-page1.json", Err("pages-missing")),
        ("23-generated-page2-last.json", clean(2, 2)),
        ("24-generated-empty.json", clean(0, 0)),
        ("25-generated-catalogue-array.json", clean(0, 0)),
        ("26-generated-bind-ok.json", unknown()),
    ];
    for (file, expected) in files {
        let Some(outcome) = outcome(file) else { return };
        let expected: Result<(usize, usize, Vec<&str>), &str> = expected;
        let owned = expected.map_err(str::to_owned).map(|(subjects, entitlements, codes)| {
            (subjects, entitlements, codes.into_iter().map(str::to_owned).collect())
        });
        assert_eq!(outcome, owned, "{file}");
    }
}

#[test]
fn a_counts_only_subscription_is_full() {
    let Some(answers) = recorded("meraki", &["13-subscriptions-counts-only.json"]) else { return };
    let import = Imported::new(|notes| import(&answers.unwrap(), &options(), notes));
    let answer = import.gate().check("S1", "*");
    assert_eq!((answer.reason, left_and_over(&answer)), (Reason::Exhausted, numbers("0", "0")));
}
