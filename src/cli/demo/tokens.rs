//! The tokens of the demo: those of a small company that runs plants, dashboards and build servers.
//! Plain data; `history` creates them.

use crate::domain::ScopeCatalogue;

/// How a token of the demo has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DemoEnding {
    None,
    /// Revoked this many days ago.
    Revoked(i64),
}

/// A token with its history.
#[derive(Debug, Clone)]
pub(super) struct DemoToken {
    pub(super) name: String,
    pub(super) description: String,
    /// Labels and owner, as on the command line. They can be empty.
    pub(super) labels: &'static str,
    pub(super) owner: &'static str,
    pub(super) lifetime: &'static str,
    pub(super) scopes: Vec<String>,
    /// Number of days since it was created.
    pub(super) age: i64,
    /// Number of allowed checks on a working day.
    pub(super) checks: u64,
    /// Number of days since its last allowed check; `None` if it was never used.
    pub(super) last_used: Option<i64>,
    /// Number of denied checks today.
    pub(super) denied_today: u64,
    /// Whether its secret was saved.
    pub(super) is_saved: bool,
    pub(super) ending: DemoEnding,
}

/// Name, description, lifetime, scopes, age in days, checks a day, days since the last use.
type TokenRow =
    (&'static str, &'static str, &'static str, &'static [&'static str], i64, u64, Option<i64>);

const SINGLE: &[TokenRow] = &[
    (
        "ci-deploy",
        "Publishes build results and registers new clients",
        "90d",
        &[
            "channels:builds:publish",
            "channels:builds:subscribe",
            "clients:*:create",
            "clients:*:read",
            "groups:release:update@factory",
        ],
        40,
        34,
        Some(0),
    ),
    ("ci-nightly", "Nightly tests on staging", "30d", &["channels:builds:publish"], 27, 6, Some(0)),
    ("ci-docs", "", "60d", &["dashboards:docs:update", "dashboards:docs:read"], 20, 2, Some(1)),
    (
        "grafana-prod",
        "Dashboards of the operations room",
        "365d",
        &["dashboards:*:read", "dashboards:*:list", "channels:*:read"],
        200,
        48,
        Some(0),
    ),
    (
        "nightly-backup",
        "Copies every dashboard to the cold store",
        "60d",
        &["dashboards:*:list", "dashboards:*:read", "groups:*:list"],
        55,
        1,
        Some(0),
    ),
    (
        "billing-export",
        "Monthly, started by hand",
        "365d",
        &["clients:*:list", "users:*:list"],
        220,
        1,
        Some(130),
    ),
    ("audit-2025", "For the auditors", "365d", &["users:*:read"], 190, 1, Some(170)),
    ("legacy-sync", "Replaced by fleet-sync", "365d", &["clients:*:list"], 150, 3, Some(3)),
    ("fleet-sync", "Inventory of the vehicles", "90d", &["clients:*:list"], 30, 12, Some(0)),
    (
        "contractor-lyon",
        "Access of the installers, until the line is handed over",
        "90d",
        &["clients:*:create", "clients:*:list"],
        80,
        2,
        Some(31),
    ),
    ("oncall-laptop", "", "30d", &[], 3, 0, None),
    (
        "load-test",
        "Messages by the million, on the staging broker only",
        "7d",
        &["messages:*:publish"],
        40,
        9,
        Some(34),
    ),
    (
        "sensor-import",
        "Old readings of the cold store, for the migration",
        "7d",
        &["channels:archive:publish", "channels:archive:list"],
        5,
        4,
        Some(2),
    ),
    ("status-page", "Public status page", "365d", &["channels:health:read"], 100, 20, Some(0)),
    (
        "gateway-東京",
        "Edge gateway of the plant in Tokyo",
        "90d",
        &["channels:line-1:publish"],
        33,
        8,
        Some(0),
    ),
];

/// Towns with an edge gateway, and the age of its token in days.
const GATEWAYS: [(&str, i64); 16] = [
    ("bergen", 4),
    ("bilbao", 9),
    ("brno", 15),
    ("cork", 15),
    ("gdansk", 22),
    ("ghent", 29),
    ("graz", 36),
    ("leeds", 36),
    ("lyon", 44),
    ("oslo", 51),
    ("porto", 58),
    ("riga", 58),
    ("seville", 58),
    ("turin", 65),
    ("utrecht", 72),
    ("zagreb", 86),
];
const KIOSKS: [&str; 8] =
    ["berlin", "dublin", "geneva", "lisbon", "malmo", "nantes", "tallinn", "vienna"];
const HALLS: usize = 12;
const VEHICLES: usize = 7;

/// All tokens, in no particular order.
pub(super) fn tokens() -> Vec<DemoToken> {
    let mut all: Vec<_> = SINGLE.iter().map(single).collect();
    let everything = ScopeCatalogue::default();
    all.push(DemoToken {
        description: "Only for emergencies; in the safe".to_owned(),
        scopes: everything.all_requests().map(|it| it.as_scope().to_string()).collect(),
        ..family("break-glass", "365d", 45, 0, None)
    });
    all.extend(GATEWAYS.iter().zip(1_i64..).map(|((town, age), line)| DemoToken {
        description: format!("Edge gateway of the plant in {}", capitalised(town)),
        scopes: vec![
            format!("channels:line-{line}:publish"),
            format!("channels:line-{line}:subscribe"),
            format!("clients:gateway-{town}:read@factory"),
        ],
        ..family(&format!("gateway-{town}"), "90d", *age, 6, Some(0))
    }));
    all.extend(KIOSKS.iter().zip(0_i64..).map(|(town, number)| DemoToken {
        description: "Shows the state of the line in the entrance hall".to_owned(),
        scopes: vec![format!("dashboards:kiosk-{town}:read")],
        ending: if number % 3 == 2 { DemoEnding::Revoked(10 + number) } else { DemoEnding::None },
        ..family(&format!("kiosk-{town}"), "365d", 60 + 9 * number, 3, Some(20 * number + 12))
    }));
    all.extend((1..=HALLS).zip(0_i64..).map(|(hall, number)| DemoToken {
        description: format!("Temperature of hall {hall}"),
        scopes: vec![format!("channels:hall-{hall}:publish")],
        ..family(&format!("sensor-hall-{hall}"), "60d", 14 + 5 * number, 5, Some(0))
    }));
    all.extend((1..=VEHICLES).zip(0_i64..).map(|(vehicle, number)| DemoToken {
        scopes: vec![format!("messages:truck-{vehicle}:publish")],
        is_saved: number != 0,
        ..family(&format!("truck-{vehicle}"), "30d", 1 + 4 * number, 4, (number > 0).then_some(0))
    }));
    all
}

fn single((name, description, lifetime, scopes, age, checks, last_used): &TokenRow) -> DemoToken {
    let ending = match *name {
        "legacy-sync" => DemoEnding::Revoked(2),
        "contractor-lyon" => DemoEnding::Revoked(1),
        _ => DemoEnding::None,
    };
    DemoToken {
        description: (*description).to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        denied_today: if *name == "legacy-sync" { 412 } else { 0 },
        ending,
        ..family(name, lifetime, *age, *checks, *last_used)
    }
}

fn family(
    name: &str,
    lifetime: &'static str,
    age: i64,
    checks: u64,
    last_used: Option<i64>,
) -> DemoToken {
    let (labels, owner) = labels_and_owner(name);
    DemoToken {
        name: name.to_owned(),
        description: String::new(),
        labels,
        owner,
        lifetime,
        scopes: Vec::new(),
        age,
        checks,
        last_used,
        denied_today: 0,
        is_saved: true,
        ending: DemoEnding::None,
    }
}

/// The labels and the owner of a token, by the family of its name.
fn labels_and_owner(name: &str) -> (&'static str, &'static str) {
    match name.split('-').next().unwrap_or_default() {
        "ci" => ("team=build, env=prod", "Mona Keller"),
        "load" => ("team=build, env=staging", "Mona Keller"),
        "gateway" | "sensor" => ("team=edge, env=prod", ""),
        "fleet" | "truck" => ("team=fleet, env=prod", "Iris Nolan"),
        "grafana" | "status" | "nightly" => ("team=operations, env=prod", ""),
        "billing" => ("team=finance", "Theo Brandt"),
        _ => ("", ""),
    }
}

fn capitalised(town: &str) -> String {
    let mut letters = town.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
