//! What several front ends print: the question before a command, the command line that does the
//! same as a command, and the sentence for an error with what to do about it. Called by the app
//! and by the command line.

pub mod advice;
pub mod command_line;
pub mod json;
pub mod question;
