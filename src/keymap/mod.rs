//! The words of the user interface: which key does what, and how that is told.
