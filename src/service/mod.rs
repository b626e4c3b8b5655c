//! Every use case, one function each, in one transaction; owns clock, randomness and actor.
