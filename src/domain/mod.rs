//! What a personal access token is: names, scopes, lifetimes, secrets, states and decisions.
//! Pure: no I/O, no clock, no serde, no randomness of its own. Everything above calls it;
//! it calls nothing of patdeck.
