//! List of every screen and dialog in its relevant states: a fixture and the keys that lead there.
//! `snapshots` and `random_input` run all of them.

use patdeck::{
    config::{GlyphSet, ThemeName},
    tui::theme::Theme,
};

use super::{
    fixture::Fixture::{self, Empty, Few, Long, Many, One, Rotated, Undelivered},
    journey::Journey,
};

/// One screen in one state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    pub(crate) screen: &'static str,
    pub(crate) state: &'static str,
    fixture: Fixture,
    keys: &'static str,
}

const fn scene(
    screen: &'static str,
    state: &'static str,
    fixture: Fixture,
    keys: &'static str,
) -> Scene {
    Scene { screen, state, fixture, keys }
}

impl Scene {
    /// A journey at this scene: mono ASCII if the state ends with `ascii`, else the default theme.
    pub(crate) fn open(&self, width: u16, height: u16) -> Journey {
        let theme = if self.state.ends_with("ascii") {
            Theme::new(ThemeName::Mono, GlyphSet::Ascii)
        } else {
            Theme::new(ThemeName::Default, GlyphSet::Unicode)
        };
        self.open_with_theme(theme, width, height)
    }

    /// The same with another theme.
    pub(crate) fn open_with_theme(&self, theme: Theme, width: u16, height: u16) -> Journey {
        if self.state == "read-only" {
            let mut it = Journey::read_only(self.fixture, width, height);
            it.keys(self.keys);
            return it;
        }
        let mut it = Journey::with_theme(theme, self.fixture, width, height);
        it.keys(self.keys);
        it
    }
}

pub(crate) const SCENES: &[Scene] = &[
    scene("list", "empty", Empty, ""),
    scene("list", "one", One, ""),
    scene("list", "few", Few, "F"),
    scene("list", "many", Many, "F <C-d>"),
    scene("list", "long", Long, ""),
    scene("list", "error", Few, "u"),
    scene("list", "undelivered", Undelivered, ""),
    scene("list", "searching", Many, "/ fleet"),
    scene("list", "nothing", Few, "/ zebra <Enter>"),
    scene("list", "expired", One, "f"),
    scene("list", "local", Few, "F t"),
    scene("list", "prefix", Few, "y"),
    scene("list", "ascii", Few, "F"),
    scene("list", "read-only", Few, "r"),
    scene("list", "terms", Many, "/ op:pub <Space> expiring>7d"),
    scene("list", "found", Many, "/ status:exp <Space> type:cl <Enter>"),
    scene("list", "search-fault", Few, "/ staus:x"),
    scene("list", "search-empty", Few, "/"),
    scene("list", "expiring", Many, "E"),
    scene("list", "marked", Many, "F j <Space> j v j j"),
    scene("list", "marked-ascii", Few, "F * <Esc> <Space> j <Space>"),
    scene("bulk", "revoke", Few, "F * r"),
    scene("bulk", "typed", Few, "* r 2"),
    scene("bulk", "error", Few, "F * r 4 <Enter>"),
    scene("bulk", "nothing", Few, "f f f * r"),
    scene("bulk", "many", Many, "F * D <PgDn>"),
    scene("bulk", "long", Long, "* D"),
    scene("bulk", "scopes", Few, "* a c <Tab> x <Tab> p <Space> s <Space> <C-s>"),
    scene("bulk", "form", Few, "F * R"),
    scene("bulk", "form-error", Few, "* R <Tab> <Tab> <C-u> <C-s>"),
    scene("bulk", "regenerate", Few, "F * R <Tab> <Right> <C-s>"),
    scene("create", "empty", Empty, "n"),
    scene("create", "custom", Empty, "n nightly <Tab> 45m"),
    scene(
        "create",
        "many",
        Empty,
        "n nightly <Tab> <Tab> one <C-j> two <Tab> a c <Tab> <Tab> p <Space> r <Space> <C-s> \
         a u <Tab> <Tab> * <C-s> a m <Tab> <Tab> p <Space> <C-s>",
    ),
    scene(
        "create",
        "long",
        Empty,
        "n a-name-that-is-as-long-as-a-name-may-be-which-is-sixty-four-in-all <Tab> <Tab> \
         a-description-of-many-words-in-one-line-that-goes-on-and-on-until-it-must-wrap <Tab> \
         a c c <Tab> <Home> <C-k> an-entity-with-a-rather-long-id-0123456789-0123456789 <Tab> \
         * <C-s>",
    ),
    scene("create", "cloned", Few, "j c"),
    scene("create", "cloned-rows", Few, "j c <Tab> <Tab> <Tab>"),
    scene("draft", "kept", Few, "n half-done <Esc> j c"),
    scene("preset", "rows", Empty, "n ci <Tab> <Tab> <Tab> p"),
    scene("preset", "full", Empty, "n ci <Tab> <Tab> <Tab> p f"),
    scene(
        "preset",
        "fault",
        Empty,
        "n ci <Tab> <Tab> <Tab> p f <Tab> <Tab> <Home> <C-k> c-42 <C-s>",
    ),
    scene("preset", "added", Empty, "n ci <Tab> <Tab> <Tab> p <C-s>"),
    scene("preset", "token", Few, "j <Enter> p p"),
    scene("preset", "nothing", Few, "j <Enter> p p <Tab> c <C-s>"),
    scene("create", "error", Few, "n ci-deploy <C-s>"),
    scene("create", "faults", Few, "n <Tab> 999d <C-s>"),
    scene("detail", "empty", Empty, "3"),
    scene("detail", "one", One, "<Enter>"),
    scene("detail", "many", Few, "j <Enter> j"),
    scene("detail", "long", Long, "<Enter>"),
    scene("detail", "expired", Few, "f f <Enter>"),
    scene("detail", "revoked", Few, "f f <Enter>"),
    scene("detail", "rotated", One, "R <Tab> <Right> <Tab> <Right> <Enter> a"),
    scene("detail", "overlap", Rotated, "<Enter>"),
    scene("detail", "read-only", Few, "j <Enter>"),
    scene("detail", "pending", Few, "j <Enter> <Space> j <Space>"),
    scene("detail", "pending-ascii", Few, "j <Enter> <Space> j <Space>"),
    scene("detail", "apply", Few, "j <Enter> <Space> j <Space> <C-s>"),
    scene("detail", "error", Few, "<Enter> d"),
    scene("audit", "empty", Empty, "4"),
    scene("audit", "one", One, "4"),
    scene("audit", "many", Many, "4 <C-d>"),
    scene("audit", "long", Long, "4"),
    scene("audit", "filtered", Many, "4 f a w"),
    scene("audit", "searching", Many, "4 / action:revoke"),
    scene("audit", "search-fault", Few, "4 / who:x"),
    scene("overview", "empty", Empty, "5"),
    scene("overview", "few", Few, "5 j"),
    scene("overview", "many", Many, "5"),
    scene("overview", "undelivered", Undelivered, "5 j"),
    scene("overview", "ascii", Many, "5"),
    scene("revoke", "one", One, "r"),
    scene("revoke", "chosen", Few, "j r <Right>"),
    scene("revoke", "long", Long, "r"),
    scene("end-old", "in-use", Rotated, "<Enter> O"),
    scene("revoke", "themes", Few, "F j r"),
    scene("regenerate", "active", Few, "j R"),
    scene("regenerate", "revoked", Few, "f f R"),
    scene("regenerate", "long", Long, "R"),
    scene("regenerate", "error", Few, "f f R 400d <Tab> <Right> <Enter>"),
    scene("delete", "one", One, "D"),
    scene("delete", "typed", One, "D ci-deploy"),
    scene("delete", "long", Long, "D"),
    scene("delete", "error", Few, "j D no <Enter>"),
    scene("delete-all", "many", Many, "X"),
    scene("delete-all", "error", Few, "X 5 <Enter>"),
    scene("edit", "one", One, "e"),
    scene("edit", "long", Long, "e <Tab>"),
    scene("edit", "error", Few, "e <Home> <C-k> ci-deploy <C-s>"),
    scene("edit", "dirty", One, "e x <Esc>"),
    scene("add-scope", "empty", One, "a"),
    scene("add-scope", "several", One, "a c <Tab> x <Tab> r <Space> l <Space>"),
    scene("add-scope", "absorbs", Few, "j a c <Tab> <Tab> s s <Space>"),
    scene("add-scope", "error", One, "a c <Tab> <Tab> p <Space> <C-s>"),
    scene("add-scope", "faults", One, "a <Tab> x * <Tab> <Tab> a:b <C-s>"),
    scene("drop-scope", "one", Few, "j <Enter> d"),
    scene("drop-scope", "long", Long, "<Enter> d"),
    scene("drop-all", "many", Few, "j <Enter> X"),
    scene("test", "allowed", Few, "j <Enter> T"),
    scene("test", "denied", Few, "j <Enter> T <Tab> <Tab> r"),
    scene("test", "expired", Few, "f <Enter> T"),
    scene("test", "long", Long, "<Enter> T"),
    scene("secret", "new", One, "n nightly <C-s>"),
    scene("secret", "hidden", One, "n nightly <C-s> s"),
    scene("secret", "error", One, "n nightly <C-s> <Esc>"),
    scene("secret", "sent", One, "n nightly <C-s> y"),
    scene("secret", "long", Long, "R <Enter> <Enter> <Right> <Enter>"),
    scene("write", "new", One, "n nightly <C-s> w"),
    scene("write", "error", One, "n nightly <C-s> w <Home> <C-k> /no/such/folder/x <Enter>"),
    scene("help", "list", One, "?"),
    scene("help", "detail", One, "<Enter> ? <PgDn>"),
    scene("help", "searching", One, "? revoke"),
    scene("help", "read-only", Few, "?"),
    scene("help", "nothing", One, "? zebra"),
    scene("palette", "list", One, ":"),
    scene("palette", "typed", One, ": rev <Down>"),
    scene("palette", "elsewhere", One, ": test"),
    scene("palette", "nothing", One, ": zebra"),
    scene("palette", "ascii", Few, ": y"),
    scene("messages", "empty", One, "m"),
    scene("messages", "some", Few, "t u r <Right> <Enter> D x <Enter> <Esc> m <Down>"),
];
