//! The embedded store: redb and bincode live here and nowhere else.
