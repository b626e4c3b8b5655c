//! `patdeck demo` in a terminal: it says that it is a demo, works, and leaves no file behind.

use std::fs;

use super::home::{Home, SIZE};

#[test]
fn the_demo_works_and_touches_no_file() {
    let home = Home::new();
    let folder = home.path();
    let temporary = folder.to_str().unwrap();
    let mut pty = home.launch_with(&["demo".into()], SIZE, &[("TMPDIR", temporary)]);
    pty.wait_for("DEMO");
    pty.wait_for("[Active ");
    pty.keys("5");
    pty.wait_for("legacy-sync: 412 denied today, 10.0.0.7");
    pty.keys("1 n");
    pty.wait_for("Name *");
    pty.type_text("tried-out");
    pty.keys("<C-s>");
    pty.wait_for("Secret of tried-out");
    pty.keys("w <Enter>");
    pty.wait_for("The demo writes no file.");
    pty.keys("<Esc> a 1 <Space> <Space> R");
    pty.wait_for("Regenerate 2 tokens");
    pty.keys("<C-s>");
    pty.wait_for("Regenerate 2 tokens?");
    pty.keys("2 <Enter>");
    pty.wait_for("Issued 2 new secrets. The demo writes no file.");
    pty.keys("<Enter>");
    let files = fs::read_dir(&folder).unwrap().count();
    pty.keys("<C-c> <C-c> <C-c>");
    pty.wait_exit();
    assert_eq!((files, fs::read_dir(&folder).unwrap().count()), (0, 0));
}
