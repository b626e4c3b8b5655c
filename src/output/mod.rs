//! What several front ends print. Called by the command line and the app.

pub mod advice;
