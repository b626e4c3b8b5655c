//! The pictures in `assets/`: what the app draws, on a store of made-up tokens, at a fixed
//! instant. `UPDATE=1 cargo test --test pictures` draws them anew.

// `cfg(test)` tells clippy that panicking is the point here.
#[cfg(test)]
mod demo;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod svg;

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use patdeck::config::ThemeName;

    use super::stage::Stage;

    /// The size of a usual picture, and one where list and detail stand side by side.
    const USUAL: (u16, u16) = (100, 28);
    const WIDE: (u16, u16) = (140, 34);
    /// One that shows the colours, and fits four times on a page.
    const SMALL: (u16, u16) = (72, 15);

    #[test]
    fn the_pictures_show_what_the_program_draws() {
        let mut stage = Stage::new(ThemeName::Default);
        let mut outdated = Vec::new();
        let mut take = |stage: &mut Stage, name: &str, size| {
            if !is_current(name, &stage.picture(size)) {
                outdated.push(name.to_owned());
            }
        };
        stage.keys("f f f g j");
        take(&mut stage, "list", USUAL);
        stage.keys("Space j Space v j j v r");
        take(&mut stage, "bulk", USUAL);
        stage.keys("Esc Esc g j");
        stage.keys("Enter");
        take(&mut stage, "detail", USUAL);
        stage.keys("r");
        take(&mut stage, "revoke", USUAL);
        stage.keys("Esc 4");
        take(&mut stage, "audit", USUAL);
        stage.keys("1");
        take(&mut stage, "side-by-side", WIDE);
        stage.keys("n");
        stage.text("kiosk-lyon");
        stage.keys("Tab Tab");
        stage.text("Shows the line status in the entrance hall");
        stage.keys("Tab a c Tab BS");
        stage.text("line-3");
        stage.keys("Tab r Space s s Space Ctrl-S a d Tab Tab r Space l Space Ctrl-S");
        take(&mut stage, "create", USUAL);
        stage.keys("Ctrl-S");
        take(&mut stage, "secret", USUAL);
        assert_current(&outdated);
    }

    #[test]
    fn the_pictures_of_the_themes_show_what_the_program_draws() {
        let mut outdated = Vec::new();
        for theme in ThemeName::ALL.into_iter().filter(|theme| *theme != ThemeName::Default) {
            let mut stage = Stage::new(theme);
            stage.keys("f f f g j");
            let name = format!("theme-{}", theme.as_str());
            if !is_current(&name, &stage.picture(SMALL)) {
                outdated.push(name);
            }
        }
        assert_current(&outdated);
    }

    fn assert_current(outdated: &[String]) {
        assert!(
            outdated.is_empty(),
            "the program draws something else: {outdated:?}; look at what changed, then run \
             `UPDATE=1 cargo test --test pictures`"
        );
    }

    /// Whether the file of this name is `picture`; with `UPDATE=1` it is made so.
    fn is_current(name: &str, picture: &str) -> bool {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(format!("{name}.svg"));
        if env::var_os("UPDATE").is_some_and(|value| value == "1") {
            fs::write(path, picture).unwrap();
            return true;
        }
        fs::read_to_string(path).is_ok_and(|there| there == picture)
    }
}
