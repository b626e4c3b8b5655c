//! The five tabs, one per file, with their parts and the lines around them. A screen turns actions
//! into effects, draws itself from the read-only model, and does no I/O. Called by the app.

pub mod audit;
pub mod chrome;
pub mod create;
pub mod detail;
mod filter_bar;
mod marked_tokens;
pub mod overview;
mod search_box;
mod token_actions;
pub mod tokens;
