//! What fills the terminal: the four tabs, one a file with their parts beside them, and the lines
//! around them. A screen is a value: it answers keys with what it wants, draws itself from a
//! read-only context, and does no I/O.

pub mod audit;
pub mod chrome;
pub mod create;
pub mod detail;
mod filter_bar;
mod multi_select;
mod search_box;
mod token_actions;
pub mod token_table;
pub mod tokens;
