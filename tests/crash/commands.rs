//! The same with the command line: each command is killed at a random moment of its short life,
//! and those that had ended well are held to what they said.
