//! What several front ends print: the question before a command, and the command line that does
//! the same as a command. Pure; called by the app and by the command line.

pub mod command_line;
pub mod question;
