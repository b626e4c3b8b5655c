//! A neighbour that is stopped in the middle of a write.
