//! The app driven by key scripts through its real loop: a real worker on a store in a file, a
//! fixed clock, seeded randomness, and a display that keeps what was drawn and sent. Each module
//! walks one part of what an operator does; `snapshots` pictures every screen. The one command
//! that takes new pictures is `INSTA_UPDATE=always cargo test --test journeys`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as in itself"
)]

mod auditing;
mod cloning;
mod command_lines;
mod creating;
mod crowd;
mod deciding;
mod ending;
mod finding;
mod fixture;
mod foreign;
mod guarding;
mod honesty;
mod idle;
mod journey;
mod listing;
mod marking;
mod menus;
mod opening;
mod paper;
mod picture;
mod pointing;
mod reading;
mod responses;
mod scenes;
mod scoping;
mod secret;
mod sharing;
mod snapshots;
mod storms;
mod undoing;
