//! Checks that the SVG pictures in `assets/` show what the app draws, on the store of `patdeck demo` at
//! a fixed time. `UPDATE=1 cargo test --test pictures` updates them.

// `cfg(test)` allows `unwrap` and `panic` under clippy.
#[cfg(test)]
mod demo_app;
#[cfg(test)]
mod demo_store;
#[cfg(test)]
mod svg;

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use patdeck::config::ThemeName;

    use super::demo_app::DemoApp;

    /// Columns and lines of most pictures.
    const NORMAL: (u16, u16) = (100, 28);
    /// Wide enough for list and detail side by side.
    const WIDE: (u16, u16) = (140, 34);
    /// For the themes, four of which fit on a page.
    const SMALL: (u16, u16) = (72, 15);

    #[test]
    fn the_pictures_are_current() {
        let mut app = DemoApp::new(ThemeName::Default);
        let mut outdated = Vec::new();
        let mut compare = |app: &mut DemoApp, name: &str, size| {
            if !is_current(name, &app.picture(size)) {
                outdated.push(name.to_owned());
            }
        };
        app.keys("f f f g j");
        compare(&mut app, "list", NORMAL);
        app.keys("Space j Space v j j v r");
        compare(&mut app, "bulk", NORMAL);
        app.keys("Esc Esc /");
        app.text("ci-deploy");
        app.keys("Enter Enter");
        compare(&mut app, "detail", NORMAL);
        app.keys("r");
        compare(&mut app, "revoke", NORMAL);
        app.keys("Esc 4");
        compare(&mut app, "audit", NORMAL);
        app.keys("5");
        compare(&mut app, "overview", NORMAL);
        app.keys("1 Esc");
        compare(&mut app, "side-by-side", WIDE);
        app.keys("n");
        app.text("kiosk-lyon");
        app.keys("Tab Tab");
        app.text("Shows the line status in the entrance hall");
        app.keys("Tab a c Tab BS");
        app.text("line-3");
        app.keys("Tab r Space s s Space Ctrl-S a d Tab Tab r Space l Space Ctrl-S");
        compare(&mut app, "create", NORMAL);
        app.keys("Ctrl-S");
        compare(&mut app, "secret", NORMAL);
        assert_current(&outdated);
    }

    #[test]
    fn the_theme_pictures_are_current() {
        let mut outdated = Vec::new();
        for theme in ThemeName::ALL.into_iter().filter(|theme| *theme != ThemeName::Default) {
            let mut app = DemoApp::new(theme);
            app.keys("f f f g j");
            let name = format!("theme-{}", theme.as_str());
            if !is_current(&name, &app.picture(SMALL)) {
                outdated.push(name);
            }
        }
        assert_current(&outdated);
    }

    fn assert_current(outdated: &[String]) {
        assert!(
            outdated.is_empty(),
            "outdated pictures: {outdated:?}; review the changes, then run \
             `UPDATE=1 cargo test --test pictures`"
        );
    }

    /// Whether the file of this name equals `picture`; with `UPDATE=1` it is overwritten.
    fn is_current(name: &str, picture: &str) -> bool {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(format!("{name}.svg"));
        if env::var_os("UPDATE").is_some_and(|value| value == "1") {
            fs::write(path, picture).unwrap();
            return true;
        }
        fs::read_to_string(path).is_ok_and(|text| text == picture)
    }
}
