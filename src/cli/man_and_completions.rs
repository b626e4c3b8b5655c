//! `completions` and `man`, both generated from the definition of the arguments. The manual is one
//! page with a section for every command.

use std::io::{self, Write};

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use serde_json::json;

use super::{
    args::Args,
    completers,
    exit::{CliError, Exit},
    print::{Output, ok_if_closed},
};

pub(super) fn completions(shell: Shell, out: &Output) -> Result<Exit, CliError> {
    let script = completers::script(shell).unwrap_or_else(|| {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Args::command(), "patdeck", &mut script);
        script
    });
    print_document("completions", &script, out)
}

/// Prints a document unchanged, or with `--json` as a string in an object.
fn print_document(kind: &str, bytes: &[u8], out: &Output) -> Result<Exit, CliError> {
    if out.json {
        out.object(json!({ kind: String::from_utf8_lossy(bytes) }))?;
    } else {
        let mut stdout = io::stdout().lock();
        ok_if_closed(stdout.write_all(bytes).and_then(|()| stdout.flush()))?;
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
        write_command_section(command, "", &mut page)?;
    }
    writeln!(page, ".SH NOTES")?;
    write_after_help(&all, &mut page)?;
    print_document("man", &page, out)
}

/// Writes the section of a command and of its subcommands. `parent` is the name of the parent
/// command followed by a space, or is empty.
fn write_command_section(command: &Command, parent: &str, page: &mut Vec<u8>) -> io::Result<()> {
    let name = format!("{parent}{}", command.get_name());
    writeln!(page, ".SS \"patdeck {}\"", escape_roff(&name))?;
    // The global options are described once, in the section of the program.
    let own = command.clone().mut_args(|arg| {
        let is_global = arg.is_global_set() || arg.get_id() == "help";
        arg.hide(is_global)
    });
    let man = Man::new(own);
    let mut text = Vec::new();
    man.render_description_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_options_section(&mut text)?;
    for line in String::from_utf8_lossy(&text).lines() {
        // Replace headings and section preambles: they are valid only in a separate page, and this
        // text is part of a larger page.
        let is_heading = line.starts_with(".SH");
        if is_heading || line.starts_with(".ie") || line.starts_with(".el") {
            writeln!(page, ".PP")?;
        } else {
            writeln!(page, "{line}")?;
        }
    }
    write_after_help(command, page)?;
    let parent = format!("{name} ");
    command.get_subcommands().try_for_each(|sub| write_command_section(sub, &parent, page))
}

/// Writes the text that follows the help. roff wraps its paragraphs, but not its indented lines.
fn write_after_help(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let text = command.get_after_long_help().or(command.get_after_help());
    let Some(text) = text else {
        return Ok(());
    };
    writeln!(page, ".PP")?;
    let mut is_wrapped = true;
    for line in text.to_string().lines() {
        let wraps = !line.starts_with(' ');
        if wraps != is_wrapped {
            writeln!(page, "{}", if wraps { ".fi" } else { ".nf" })?;
            is_wrapped = wraps;
        }
        match line {
            "" => writeln!(page, ".sp")?,
            line => writeln!(page, "\\&{}", escape_roff(line))?,
        }
    }
    if is_wrapped { Ok(()) } else { writeln!(page, ".fi") }
}

/// Escapes `text` for roff. Hyphens stay ASCII, so that commands can be copied into a shell.
fn escape_roff(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq")
}
