//! Tests of the grammar of labels and of their changes.

use proptest::prelude::*;

use super::*;

/// Any label, with small sets of keys and values so that labels often clash.
pub(crate) fn any_label() -> impl Strategy<Value = Label> {
    let keys = prop_oneof!["[aAbB]", "[a-zA-Z0-9][a-zA-Z0-9_./-]{0,62}"];
    let values = prop_oneof!["[xyX]", "[ -~äßé\u{301}漢]{0,128}"];
    (keys, values)
        .prop_filter_map("a label", |(key, value)| Label::new(key.parse().unwrap(), &value).ok())
}

pub(crate) fn any_labels() -> impl Strategy<Value = Labels> {
    prop::collection::vec(any_label(), 0..8).prop_map(|labels| {
        labels.into_iter().fold(Labels::default(), |all, label| with(&all, label))
    })
}

fn with(labels: &Labels, label: Label) -> Labels {
    labels.changed(&LabelChanges { set: vec![label], removed: Vec::new() }).unwrap()
}

fn labels(text: &str) -> Labels {
    text.parse().unwrap()
}

fn error(text: &str) -> String {
    text.parse::<Labels>().unwrap_err().to_string()
}

#[test]
fn labels_are_trimmed_and_sorted_by_key() {
    let all = labels(" team = edge nord ,Env=prod, a.b/c-d_e=1 ,");
    assert_eq!(all.to_string(), "a.b/c-d_e=1, Env=prod, team=edge nord");
    assert_eq!(labels("  "), Labels::default());
    let value = |key: &str| all.get(&key.parse().unwrap()).map(Label::value);
    assert_eq!((value("ENV"), value("envi")), (Some("prod"), None));
    assert_eq!(labels("url=a=b").to_string(), "url=a=b", "the first = ends the key");
}

#[test]
fn invalid_labels_are_errors_with_a_hint() {
    for (text, expected) in [
        ("team", "invalid label `team`: use KEY=VALUE, e.g. team=edge"),
        ("team=", "label team has no value: use team=VALUE"),
        ("a=1, A=2", "label A is given more than once: use each key once"),
        (
            "a=b\u{202e}c",
            "the value of a contains U+202E, which is invisible, a control character or a stray mark: remove it",
        ),
        (
            "a=b\tc",
            "the value of a contains U+0009, which is invisible, a control character or a stray mark: remove it",
        ),
    ] {
        assert_eq!(error(text), expected);
    }
    for key in ["", "-a", "_a", ".a", "/a", "a b", "é", "a\u{1b}", &"k".repeat(64)] {
        let expected = format!("invalid key `{}`: use up to 63 letters", escape(key));
        assert!(error(&format!("{key}=x")).starts_with(&expected), "{key}");
    }
    let long = |count| format!("{}={}", "k".repeat(63), "é".repeat(count));
    assert!(long(64).parse::<Label>().is_ok());
    assert!(error(&long(65)).ends_with("is too long (130 bytes): use at most 128 bytes"));
    let comma = Label::new("a".parse().unwrap(), "1,2").unwrap_err();
    assert_eq!(comma.to_string(), "the value of a contains a comma: leave it out");
    let many = |count| (0..count).map(|n| format!("k{n}=x")).collect::<Vec<_>>().join(",");
    assert_eq!(labels(&many(16)).iter().len(), 16);
    assert_eq!(error(&many(17)), "too many labels: a token can have at most 16");
}

#[test]
fn a_change_replaces_adds_and_removes_labels() {
    let before = labels("team=edge, env=prod");
    let change = |set: &[&str], removed: &[&str]| {
        let set = set.iter().map(|text| text.parse().unwrap()).collect();
        let removed = removed.iter().map(|text| text.parse().unwrap()).collect();
        before.changed(&LabelChanges { set, removed })
    };
    assert_eq!(change(&["TEAM=core", "x=1"], &["Env"]), Ok(labels("TEAM=core, x=1")));
    let error = |set: &[&str], removed: &[&str]| change(set, removed).unwrap_err().to_string();
    assert_eq!(error(&[], &["teams"]), "the token has no label teams");
    assert_eq!(
        error(&["team=a"], &["Team"]),
        "label Team is set and removed at once: choose one of the two"
    );
    assert!(error(&["a=1", "A=2"], &[]).contains("more than once"));
}

proptest! {
    #[test]
    fn labels_round_trip_through_text(all in any_labels()) {
        prop_assert_eq!(all.to_string().parse::<Labels>(), Ok(all.clone()));
        for label in all.iter() {
            prop_assert_eq!(label.to_string().parse(), Ok(label.clone()));
        }
    }

    #[test]
    fn parsing_never_panics_and_keeps_the_rules(text in any::<String>()) {
        if let Ok(all) = text.parse::<Labels>() {
            prop_assert!(all.iter().len() <= Labels::MAX);
            for label in all.iter() {
                prop_assert!(label.key().as_str().len() <= LabelKey::MAX_BYTES);
                prop_assert!((1..=Label::MAX_VALUE_BYTES).contains(&label.value().len()));
                prop_assert_eq!(first_unsafe(label.value()), None);
            }
        }
    }

    #[test]
    fn the_change_between_two_sets_makes_the_second(
        before in any_labels(), after in any_labels(),
    ) {
        let change = LabelChanges::between(&before, &after);
        prop_assert_eq!(before.changed(&change), Ok(after.clone()));
        prop_assert_eq!(change.is_empty(), before == after);
    }
}
