//! Tests of the config: the example file, the priority of the layers, and the exact error text of each
//! invalid file in `tests/config/invalid`. `UPDATE=1 cargo test --test config` rewrites generated
//! files.

#![expect(clippy::unwrap_used, reason = "the helpers fail as the tests do")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use patdeck::{
    config::{
        self, Config, ConfigError, ConfigFlags, Environment, GlyphSet, SettingSource, ThemeName,
        UserDirs,
    },
    domain::{AuditAction, EntityType},
    keymap::{self, Action, Mode},
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn environment() -> Environment {
    Environment {
        user_dirs: Some(UserDirs {
            home: "/home/op".into(),
            config: "/home/op/.config".into(),
            data: "/home/op/.local/share".into(),
        }),
        current: "/srv".into(),
        ..Environment::default()
    }
}

/// Loads a config file with this text.
fn load(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    let flags = ConfigFlags { config: Some(path), ..ConfigFlags::default() };
    Config::load(&flags, &environment())
}

fn defaults() -> Config {
    Config::load(&ConfigFlags::default(), &environment()).unwrap()
}

/// The config with the default sources, to compare only the values.
fn values(config: Config) -> Config {
    Config { file: None, sources: defaults().sources, ..config }
}

/// Compares the file with the generated text; with `UPDATE=1`, writes the text first.
fn assert_generated(path: &Path, expected: &str) {
    if env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(path, expected).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, expected, "{}: run with UPDATE=1", path.display());
}

mod example {
    use super::*;

    #[test]
    fn has_the_default_values() {
        assert_eq!(values(load(config::example()).unwrap()), defaults());
    }

    #[test]
    fn documents_the_defaults_in_comments() {
        let config = load(&uncommented()).unwrap();
        let unset: Vec<_> = config
            .sources
            .iter()
            .filter(|(_, origin)| **origin != SettingSource::File)
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(unset, ["glyphs"], "`auto` leaves it to the locale");
        assert_eq!(values(config), defaults());
    }

    /// The example file without the `# ` in front of settings.
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
    fn lists_the_default_keys() {
        let path = root().join("config.example.toml");
        let text = fs::read_to_string(&path).unwrap();
        let start = text.find("\n[keys.").map_or(text.len(), |at| at + 1);
        assert_generated(&path, &format!("{}{}", &text[..start], keymap::to_toml()));
    }

    #[test]
    fn lists_the_actions_of_hooks() {
        let all = AuditAction::ALL.into_iter().filter(|action| *action != AuditAction::HookRan);
        let words: Vec<_> = all.map(AuditAction::verb).collect();
        let text = config::example().replace("\n# ", " ");
        let listed = text.split_once("actions of the audit trail: ").unwrap().1;
        let mut listed: Vec<_> = listed.split_once('.').unwrap().0.split(", ").collect();
        listed.sort_by_key(|word| words.iter().position(|known| known == word));
        assert_eq!(listed, words);
    }

    #[test]
    fn has_at_most_100_columns() {
        for line in config::example().lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

mod guide {
    use super::*;

    const MARKS: [&str; 2] = ["<!-- keys -->\n", "<!-- /keys -->"];

    #[test]
    fn lists_the_default_keys() {
        let path = root().join("docs/guide.md");
        let Ok(text) = fs::read_to_string(&path) else {
            return;
        };
        let parts = text.split_once(MARKS[0]).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(MARKS[1])?;
            Some((before, after))
        });
        let (before, after) = parts.expect("docs/guide.md has the marks around its key table");
        let [open, close] = MARKS;
        let table = keymap::to_markdown();
        assert_generated(&path, &format!("{before}{open}{table}{close}{after}"));
    }
}

#[test]
fn each_fault_has_a_message_with_file_line_and_advice() {
    let folder = root().join("tests/config/invalid");
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "toml") {
            continue;
        }
        let flags = ConfigFlags { config: Some(path.clone()), ..ConfigFlags::default() };
        let error = Config::load(&flags, &environment()).unwrap_err();
        let text = error.to_string();
        let text = text.replace(&format!("{}/", folder.display()), "");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert_generated(&path.with_extension("txt"), &format!("{text}\n"));
        count += 1;
    }
    assert!(count > 15, "found only {count} files");
}

mod layers {
    use super::*;

    #[test]
    fn flags_override_variables_and_variables_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "store = \"mine/store.redb\"\ntheme = \"default\"\n").unwrap();
        let mut environment = environment();
        environment.config = Some(path.clone());
        let mut flags = ConfigFlags::default();
        let load = |flags: &ConfigFlags, environment: &Environment| {
            let config = Config::load(flags, environment).unwrap();
            (config.sources["store"], config.store)
        };
        assert_eq!(
            load(&flags, &environment),
            (SettingSource::File, folder.path().join("mine/store.redb"))
        );
        environment.store = Some("var.redb".into());
        assert_eq!(
            load(&flags, &environment),
            (SettingSource::Environment, "/srv/var.redb".into())
        );
        flags.store = Some("./flag.redb".into());
        assert_eq!(load(&flags, &environment), (SettingSource::Flag, "/srv/flag.redb".into()));
    }

    #[test]
    fn the_default_store_is_in_the_data_directory() {
        let config = defaults();
        let store = "/home/op/.local/share/patdeck/store.redb";
        assert_eq!(config.store, Path::new(store));
        assert_eq!(config.sources["store"], SettingSource::Default);
    }

    #[test]
    fn no_color_overrides_the_file() {
        let environment = Environment { no_color: true, ..environment() };
        let config = Config::load(&ConfigFlags::default(), &environment).unwrap();
        assert_eq!(config.theme, ThemeName::Mono);
        assert_eq!(config.sources["theme"], SettingSource::Environment);
    }

    #[test]
    fn every_theme_can_be_set_by_its_label() {
        for theme in ThemeName::ALL {
            let config = load(&format!("theme = '{}'", theme.as_str())).unwrap();
            assert_eq!(config.theme, theme);
        }
    }

    #[test]
    fn the_mouse_is_off_by_default() {
        let off = defaults();
        assert_eq!((off.mouse, off.sources["mouse"]), (false, SettingSource::Default));
        let asked = load("mouse = true").unwrap();
        assert_eq!((asked.mouse, asked.sources["mouse"]), (true, SettingSource::File));
        let flags = ConfigFlags { mouse: true, ..ConfigFlags::default() };
        let flagged = Config::load(&flags, &environment()).unwrap();
        assert_eq!((flagged.mouse, flagged.sources["mouse"]), (true, SettingSource::Flag));
    }

    #[test]
    fn the_file_overrides_the_glyphs_of_the_locale() {
        assert_eq!(defaults().glyphs, GlyphSet::Ascii, "no locale is set");
        let environment = Environment { locale: Some("C.UTF-8".into()), ..environment() };
        let config = Config::load(&ConfigFlags::default(), &environment).unwrap();
        assert_eq!(config.glyphs, GlyphSet::Unicode);
        let config = load("glyphs = \"unicode\"").unwrap();
        assert_eq!(config.glyphs, GlyphSet::Unicode);
    }
}

mod file {
    use super::*;

    fn load_error(config: &str, by: &str) -> String {
        let mut environment = environment();
        let mut flags = ConfigFlags::default();
        match by {
            "--config" => flags.config = Some(config.into()),
            _ => environment.config = Some(config.into()),
        }
        Config::load(&flags, &environment).unwrap_err().to_string()
    }

    #[test]
    fn a_named_file_must_exist() {
        assert_eq!(
            load_error("no-such.toml", "--config"),
            "config file /srv/no-such.toml does not exist: correct or remove --config"
        );
        assert_eq!(
            load_error("/no/such.toml", "PATDECK_CONFIG"),
            "config file /no/such.toml does not exist: correct or remove PATDECK_CONFIG"
        );
    }

    #[test]
    fn an_unreadable_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        assert!(load_error(path, "--config").starts_with(&format!("cannot read {path} (")));
        let latin = folder.path().join("latin.toml");
        fs::write(&latin, b"theme = \"m\xf6no\"").unwrap();
        let latin = latin.to_str().unwrap();
        assert_eq!(
            load_error(latin, "--config"),
            format!("{latin} is not UTF-8 text: save it as UTF-8")
        );
    }

    #[test]
    fn a_file_is_optional_but_a_store_path_is_not() {
        let homeless = Environment { user_dirs: None, ..environment() };
        assert_eq!(
            Config::load(&ConfigFlags::default(), &homeless).unwrap_err().to_string(),
            "no home directory for the store: set HOME, or pass a file with --store"
        );
        let flags = ConfigFlags { store: Some("/x.redb".into()), ..ConfigFlags::default() };
        assert_eq!(Config::load(&flags, &homeless).unwrap().store, Path::new("/x.redb"));
    }

    #[test]
    fn a_file_overrides_only_the_settings_it_contains() {
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
        assert_eq!(config.sources["lifetime.default"], SettingSource::Default);
        assert_eq!(config.clipboard, ["xclip", "-in"]);
        assert_eq!(config.catalogue.domains.len(), 1);
        let types: Vec<_> =
            config.catalogue.entity_types.iter().map(|offer| offer.entity_type.as_str()).collect();
        assert_eq!(
            types[7..],
            ["zones", "areas"],
            "new types follow the built-in ones in file order"
        );
        let channels = EntityType::parse("channels").unwrap();
        let channels = config.catalogue.entry(&channels).unwrap();
        assert_eq!(channels.operations.len(), 10);
        let presets = config.catalogue.presets.iter().map(|preset| preset.name.as_str());
        let names: Vec<_> = presets.collect();
        assert_eq!(names, ["read-only", "publisher", "full-access", "muter"]);
        let publisher = config.catalogue.expand_preset("publisher:c-42").unwrap();
        assert_eq!(publisher.len(), 1, "the preset of the file replaces the built-in one");
        let keys = config.keymap.keys(Mode::Tokens, Action::New);
        assert_eq!(keys, ["N".parse().unwrap()]);
        assert_eq!(config.prefix, defaults().prefix);
    }

    #[test]
    fn hooks_keep_the_order_of_the_file() {
        let config = load(
            "[[hook]]\non = ['revoke', 'scope added']\nrun = ['/usr/bin/logger', '-t', '{id}']\n\
             [[hook]]\nname = 'b.c-1'\non = ['import']\nrun = ['/bin/true']\ntimeout = '2m'\n",
        )
        .unwrap();
        let hooks: Vec<_> = config.hooks.iter().collect();
        let names: Vec<_> = hooks.iter().map(|hook| hook.name()).collect();
        assert_eq!(names, ["logger", "b.c-1"]);
        assert_eq!(hooks[0].actions(), [AuditAction::Revoked, AuditAction::ScopesAdded]);
        assert_eq!(hooks[0].command().collect::<Vec<_>>(), ["/usr/bin/logger", "-t", "{id}"]);
        let timeouts: Vec<_> = hooks.iter().map(|hook| hook.timeout().as_secs()).collect();
        assert_eq!(timeouts, [10, 120]);
        assert!(defaults().hooks.is_empty());
    }

    #[test]
    fn never_can_be_allowed_and_be_the_default() {
        let config = load("[lifetime]\nallow-never = true\ndefault = 'never'").unwrap();
        assert!(config.limits.allow_never);
        assert_eq!(config.lifetime.to_string(), "never");
    }
}
