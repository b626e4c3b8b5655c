//! The settings as an operator meets them: the example file, the layers, and one file for every
//! mistake with the exact text it earns. `UPDATE=1 cargo test` rewrites what is generated.

#![expect(clippy::unwrap_used, reason = "the helpers fail as the tests do")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use patdeck::{
    config::{self, Config, ConfigError, Environment, Flags, Folders, Glyphs, Origin, ThemeName},
    domain::EntityType,
    keymap::{self, Action, Mode},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn environment() -> Environment {
    Environment {
        folders: Some(Folders {
            home: "/home/op".into(),
            config: "/home/op/.config".into(),
            data: "/home/op/.local/share".into(),
        }),
        current: "/srv".into(),
        ..Environment::default()
    }
}

/// The settings that a file with this text gives.
fn load(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    let flags = Flags { config: Some(path), ..Flags::default() };
    Config::load(&flags, &environment())
}

fn defaults() -> Config {
    Config::load(&Flags::default(), &environment()).unwrap()
}

/// The same values, forgetting where they came from.
fn values(config: Config) -> Config {
    Config { file: None, origins: defaults().origins, ..config }
}

/// Compares a generated text with what is there, or with `UPDATE=1` puts it there.
fn same(path: &Path, wanted: &str) {
    if env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(path, wanted).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, wanted, "{}: run with UPDATE=1", path.display());
}

mod example {
    use super::*;

    #[test]
    fn says_what_is_built_in() {
        assert_eq!(values(load(config::example()).unwrap()), defaults());
    }

    #[test]
    fn says_what_is_built_in_with_every_line_uncommented() {
        let config = load(&uncommented()).unwrap();
        let silent: Vec<_> = config
            .origins
            .iter()
            .filter(|(_, origin)| **origin != Origin::File)
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(silent, ["glyphs"], "which `auto` leaves to the locale");
        assert_eq!(values(config), defaults());
    }

    /// The file with the `# ` taken from every line that names a setting.
    fn uncommented() -> String {
        let setting = |line: &str| {
            let (word, _) = line.strip_prefix("# ")?.split_once(" = ")?;
            word.chars().all(|c| c.is_ascii_lowercase() || c == '-').then(|| line[2..].to_owned())
        };
        let lines = config::example().lines();
        let lines: Vec<_> =
            lines.map(|line| setting(line).unwrap_or_else(|| line.to_owned())).collect();
        lines.join("\n")
    }

    #[test]
    fn ends_with_the_keys_of_the_table() {
        let path = root().join("config.example.toml");
        let text = fs::read_to_string(&path).unwrap();
        let start = text.find("\n[keys.").map_or(text.len(), |at| at + 1);
        same(&path, &format!("{}{}", &text[..start], keymap::to_toml()));
    }

    #[test]
    fn stays_within_a_hundred_columns() {
        for line in config::example().lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

mod readme {
    use super::*;

    const MARKS: [&str; 2] = ["<!-- keys -->\n", "<!-- /keys -->"];

    #[test]
    fn shows_the_keys_of_the_table() {
        let path = root().join("README.md");
        let Ok(text) = fs::read_to_string(&path) else {
            return;
        };
        let parts = text.split_once(MARKS[0]).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(MARKS[1])?;
            Some((before, after))
        });
        let (before, after) = parts.expect("README.md has the marks around its table of keys");
        let [open, close] = MARKS;
        let table = keymap::to_markdown();
        same(&path, &format!("{before}{open}{table}{close}{after}"));
    }
}

#[test]
fn every_mistake_is_told_in_one_sentence_with_file_line_and_advice() {
    let folder = root().join("tests/config/invalid");
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "toml") {
            continue;
        }
        let flags = Flags { config: Some(path.clone()), ..Flags::default() };
        let error = Config::load(&flags, &environment()).unwrap_err();
        let told = error.to_string();
        let told = told.replace(&format!("{}/", folder.display()), "");
        assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told}");
        same(&path.with_extension("txt"), &format!("{told}\n"));
        seen += 1;
    }
    assert!(seen > 15, "the files are there");
}

mod layers {
    use super::*;

    #[test]
    fn a_flag_is_stronger_than_a_variable_and_that_than_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "store = \"mine/store.redb\"\ntheme = \"default\"\n").unwrap();
        let mut environment = environment();
        environment.config = Some(path.clone());
        let mut flags = Flags::default();
        let load = |flags: &Flags, environment: &Environment| {
            let config = Config::load(flags, environment).unwrap();
            (config.origins["store"], config.store)
        };
        assert_eq!(
            load(&flags, &environment),
            (Origin::File, folder.path().join("mine/store.redb"))
        );
        environment.store = Some("var.redb".into());
        assert_eq!(load(&flags, &environment), (Origin::Environment, "/srv/var.redb".into()));
        flags.store = Some("./flag.redb".into());
        assert_eq!(load(&flags, &environment), (Origin::Flag, "/srv/flag.redb".into()));
    }

    #[test]
    fn the_store_is_in_the_users_own_data_folder() {
        let config = defaults();
        let store = "/home/op/.local/share/patdeck/store.redb";
        assert_eq!(config.store, Path::new(store));
        assert_eq!(config.origins["store"], Origin::Default);
    }

    #[test]
    fn no_color_overrules_the_file() {
        let environment = Environment { no_color: true, ..environment() };
        let config = Config::load(&Flags::default(), &environment).unwrap();
        assert_eq!(config.theme, ThemeName::Mono);
        assert_eq!(config.origins["theme"], Origin::Environment);
    }

    #[test]
    fn every_theme_is_known_by_its_word() {
        for theme in ThemeName::ALL {
            let config = load(&format!("theme = '{}'", theme.as_str())).unwrap();
            assert_eq!(config.theme, theme);
        }
    }

    #[test]
    fn the_mouse_is_off_unless_the_file_or_the_flag_asks_for_it() {
        let off = defaults();
        assert_eq!((off.mouse, off.origins["mouse"]), (false, Origin::Default));
        let asked = load("mouse = true").unwrap();
        assert_eq!((asked.mouse, asked.origins["mouse"]), (true, Origin::File));
        let flags = Flags { mouse: true, ..Flags::default() };
        let flagged = Config::load(&flags, &environment()).unwrap();
        assert_eq!((flagged.mouse, flagged.origins["mouse"]), (true, Origin::Flag));
    }

    #[test]
    fn glyphs_follow_the_locale_unless_the_file_says_otherwise() {
        assert_eq!(defaults().glyphs, Glyphs::Ascii, "no locale is known");
        let environment = Environment { locale: Some("C.UTF-8".into()), ..environment() };
        let config = Config::load(&Flags::default(), &environment).unwrap();
        assert_eq!(config.glyphs, Glyphs::Unicode);
        let config = load("glyphs = \"unicode\"").unwrap();
        assert_eq!(config.glyphs, Glyphs::Unicode);
    }
}

mod file {
    use super::*;

    fn told(config: &str, by: &str) -> String {
        let mut environment = environment();
        let mut flags = Flags::default();
        match by {
            "--config" => flags.config = Some(config.into()),
            _ => environment.config = Some(config.into()),
        }
        Config::load(&flags, &environment).unwrap_err().to_string()
    }

    #[test]
    fn that_was_named_must_be_there() {
        assert_eq!(
            told("no-such.toml", "--config"),
            "there is no file /srv/no-such.toml, which --config names: correct it, or leave it out"
        );
        assert_eq!(
            told("/no/such.toml", "PATDECK_CONFIG"),
            "there is no file /no/such.toml, which PATDECK_CONFIG names: correct it, or leave it out"
        );
    }

    #[test]
    fn that_cannot_be_read_is_not_taken_for_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert!(told(path, "--config").starts_with(&format!("cannot read {path} (")));
        let latin = folder.path().join("latin.toml");
        fs::write(&latin, b"theme = \"m\xf6no\"").unwrap();
        let latin = latin.to_str().unwrap();
        assert_eq!(told(latin, "--config"), format!("{latin} is not UTF-8 text: save it as UTF-8"));
    }

    #[test]
    fn is_not_needed_but_a_place_for_the_store_is() {
        let homeless = Environment { folders: None, ..environment() };
        assert_eq!(
            Config::load(&Flags::default(), &homeless).unwrap_err().to_string(),
            "there is no home directory to keep the store in: set HOME, or name a file with --store"
        );
        let flags = Flags { store: Some("/x.redb".into()), ..Flags::default() };
        assert_eq!(Config::load(&flags, &homeless).unwrap().store, Path::new("/x.redb"));
    }

    #[test]
    fn sets_what_it_names_and_leaves_the_rest() {
        let config = load(
            "store = '~/tokens.redb'\n\
             lifetime = { max = '7d' }\n\
             clipboard.command = ['xclip', '-in']\n\
             [catalogue]\n\
             domains = ['d1', 'd1']\n\
             types.channels.operations = ['mute', 'publish']\n\
             types.zones = { operations = ['read'] }\n\
             types.areas = { operations = ['read'], entities = ['a-1'] }\n\
             [presets]\n\
             muter = ['channels:mute', '*:list']\n\
             subscriber = []\n\
             publisher = ['channels:publish']\n\
             [keys]\n\
             tokens.new = 'N'\n",
        )
        .unwrap();
        assert_eq!(config.store, Path::new("/home/op/tokens.redb"));
        assert_eq!(config.lifetime.to_string(), "7d", "the default follows the maximum");
        assert_eq!(config.origins["lifetime.default"], Origin::Default);
        assert_eq!(config.clipboard, ["xclip", "-in"]);
        assert_eq!(config.catalogue.domains.len(), 1);
        let types: Vec<_> =
            config.catalogue.offers.iter().map(|offer| offer.entity_type.as_str()).collect();
        assert_eq!(types[7..], ["zones", "areas"], "after the built-in ones, as written");
        let channels = EntityType::parse("channels").unwrap();
        let channels = config.catalogue.offer(&channels).unwrap();
        assert_eq!(channels.operations.len(), 10);
        let presets = config.catalogue.presets.iter().map(|preset| preset.name.as_str());
        let names: Vec<_> = presets.collect();
        assert_eq!(names, ["read-only", "publisher", "full-access", "muter"]);
        let publisher = config.catalogue.by_preset("publisher:c-42").unwrap();
        assert_eq!(publisher.len(), 1, "the file's takes the place of the built-in one");
        let keys = config.keymap.keys(Mode::Tokens, Action::New);
        assert_eq!(keys, ["N".parse().unwrap()]);
        assert_eq!(config.prefix, defaults().prefix);
    }

    #[test]
    fn may_allow_never_and_offer_it_first() {
        let config = load("[lifetime]\nallow-never = true\ndefault = 'never'").unwrap();
        assert!(config.limits.allow_never);
        assert_eq!(config.lifetime.to_string(), "never");
    }
}
