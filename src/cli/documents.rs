//! `completions` and `man`: made from the definition of the arguments. The manual is one page
//! with a part for every command.

use std::io::{self, Write};

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use super::{
    args::Args,
    exit::{CliError, Exit},
    print::Output,
};

pub(super) fn completions(shell: Shell, out: &Output) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "patdeck", &mut script);
    document("completions", &script, out)
}

/// Prints a document as it is; as JSON, as the one text of an object.
fn document(kind: &str, bytes: &[u8], out: &Output) -> Result<Exit, CliError> {
    if out.json {
        out.object(json!({ kind: String::from_utf8_lossy(bytes) }))?;
    } else {
        io::stdout().write_all(bytes)?;
    }
    Ok(Exit::Done)
}

pub(super) fn man(out: &Output) -> Result<Exit, CliError> {
    let mut page = Vec::new();
    let mut all = Args::command();
    all.build();
    let man = Man::new(all.clone()).manual("patdeck");
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    writeln!(page, ".SH COMMANDS")?;
    for command in all.get_subcommands() {
        part(command, "", &mut page)?;
    }
    writeln!(page, ".SH NOTES")?;
    notes(&all, &mut page)?;
    document("man", &page, out)
}

/// The part of one command and of those below it.
fn part(command: &Command, above: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let name = format!("{above}{}", command.get_name());
    writeln!(page, ".SS \"patdeck {}\"", escaped(&name))?;
    // What all commands share is told once, at the top.
    let own = command.clone().mut_args(|arg| {
        let shared = arg.is_global_set() || arg.get_id() == "help";
        arg.hide(shared)
    });
    let man = Man::new(own);
    let mut text = Vec::new();
    man.render_description_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_options_section(&mut text)?;
    for line in String::from_utf8_lossy(&text).lines() {
        // Headings and the preamble of each section belong to a page of its own.
        let heading = line.starts_with(".SH");
        if heading || line.starts_with(".ie") || line.starts_with(".el") {
            writeln!(page, ".PP")?;
        } else {
            writeln!(page, "{line}")?;
        }
    }
    notes(command, page)?;
    let above = format!("{name} ");
    command.get_subcommands().try_for_each(|below| part(below, &above, page))
}

/// What stands below the help, with its lines as they are.
fn notes(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let notes = command.get_after_long_help().or(command.get_after_help());
    let Some(notes) = notes else {
        return Ok(());
    };
    writeln!(page, ".PP\n.nf")?;
    for line in notes.to_string().lines() {
        writeln!(page, "\\&{}", escaped(line))?;
    }
    writeln!(page, ".fi")
}

/// As roff shows it unchanged, with hyphens that can be copied into a shell.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}
