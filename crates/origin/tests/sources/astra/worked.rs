//! The worked answers, and every recorded file.

use edgegrant::gate::Reason;
use edgegrant_origin::sources::astra::{Options, import};

use super::{ACCOUNT, COLUMNS, numbers, options};
use crate::kit::{Imported, NOW, amount, at, left_and_over, recorded};

fn worked(files: &[&str], options: &Options) -> Option<Imported> {
    let answers = recorded("astra", files)?.unwrap();
    Some(Imported::new(|notes| import(&answers, options, notes)))
}

#[test]
fn worked_astra_02() {
    for (when, expected) in
        [("2022-10-06T00:00:00Z", Reason::Ended), ("2021-01-01T00:00:00Z", Reason::WithinBalance)]
    {
        let asked = Options { at: at(when), ..options() };
        let Some(import) = worked(&["02-entitlement-single.json"], &asked) else { return };
        assert_eq!(import.codes(), Vec::<&str>::new());
        let answer = import.gate_at(when).ask(ACCOUNT, "Astra SDS/capacity", when, None, None);
        assert_eq!(answer.reason, expected);
        if expected == Reason::WithinBalance {
            assert_eq!(left_and_over(&answer), numbers("1", "0"));
            let ends = import.entitlement(ACCOUNT, "Astra SDS/capacity").active_to;
            assert_eq!(ends, Some(at("2021-08-06T00:00:00Z").into()));
        }
    }
}

const LIST: &str = "20-generated-list-objects.json";

#[test]
fn worked_astra_20_vcpus() {
    let Some(import) = worked(&[LIST], &options()) else { return };
    let answer = import.gate().check(ACCOUNT, "Astra Control Center/vcpus");
    assert_eq!(left_and_over(&answer), numbers("3590", "0"));
    assert_eq!(answer.usage, Some(amount("1210")));
    // 4,800 are granted: with the level that is 1,210 and what is left.
    assert_eq!(answer.usage.unwrap() + answer.balance.unwrap(), amount("4800"));
}

#[test]
fn worked_astra_20_capacity() {
    let Some(import) = worked(&[LIST], &options()) else { return };
    let answer = import.gate().check(ACCOUNT, "Astra Control Center/capacity");
    assert_eq!((answer.reason, left_and_over(&answer)), (Reason::Exhausted, numbers("0", "0.5")));
}

#[test]
fn worked_astra_20_clusters() {
    let Some(import) = worked(&[LIST], &options()) else { return };
    let gate = import.gate();
    let object = format!("{ACCOUNT}/5e9fe8f7-4c54-441c-ac94-fd8451f9ca38");
    let ask = |more| gate.ask(&object, "Astra Control Center/clusters", NOW, Some(more), None);
    assert!(ask("100").has_access && !ask("101").has_access);
    assert_eq!((ask("100").usage_known, ask("100").usage), (Some(false), None));
}

#[test]
fn recorded_answers_are_imported_or_refused() {
    let unlisted: &[&str] = &[];
    let files = [
        ("01-list-include-arrays.json", Ok((2, 2))),
        ("02-entitlement-single.json", Ok((1, 1))),
        ("03-error-401.json", Err("error-answer")),
        ("04-error-400.json", Err("error-answer")),
        ("05-error-403.json", Err("error-answer")),
        ("06-error-404.json", Err("error-answer")),
        ("07-licenses-list-arrays.json", Err("include-missing")),
        ("08-license-single.json", Ok((1, 0))),
        ("09-subscriptions-list.json", Ok((1, 0))),
        ("10-subscription-single.json", Ok((1, 0))),
        ("20-generated-list-objects.json", Ok((2, 5))),
        ("21-generated-page1.json", Err("pages-missing")),
        ("22-generated-page-last.json", Ok((1, 1))),
        ("23-generated-empty.json", Ok((1, 0))),
        ("24-generated-include-full-order.json", Ok((1, 2))),
    ];
    let include = COLUMNS.split(',').map(str::to_owned).collect();
    let options = Options { include, ..options() };
    for (file, expected) in files {
        let Some(answers) = recorded("astra", &[file]) else { return };
        let answers = answers.unwrap();
        let refused = import(&answers, &options, &mut Default::default()).map(|_| ());
        if let Err(failure) = refused {
            assert_eq!(Err(&*failure.code), expected, "{file}");
            continue;
        }
        let import = Imported::new(|notes| import(&answers, &options, notes));
        assert_eq!(import.codes(), unlisted, "{file}");
        import.gate();
        let subjects = import.subjects();
        let entitlements = subjects.iter().map(|subject| subject.entitlements.len()).sum();
        assert_eq!(Ok((subjects.len(), entitlements)), expected, "{file}");
    }
}

#[test]
fn pages_and_their_subscription_are_one_account() {
    let files =
        ["21-generated-page1.json", "22-generated-page-last.json", "10-subscription-single.json"];
    let Some(import) = worked(&files, &options()) else { return };
    assert_eq!(import.subjects().len(), 1);
    assert_eq!(import.subject(ACCOUNT).records.len(), 4);
    assert_eq!(import.subject(ACCOUNT).entitlements.len(), 3);
}
