//! Encodings in which a secret could leak, and a list of all files in a folder. Used by the tests
//! that search files, output and memory for a secret.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::home::random_part;

/// Every file below `folder`.
pub(crate) fn all_files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { all_files(&path) } else { vec![path] }).collect()
}

/// The random part of `secret` in eight encodings: plain, reversed, UTF-16, hexadecimal in both
/// cases, and base64 at each of its three alignments.
pub(crate) fn encodings(secret: &str) -> Vec<Vec<u8>> {
    let part = random_part(secret).as_bytes();
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap();
    let hex: String = part.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    let base64 = (0..3).map(|shift| {
        let base64 = BASE64_STANDARD.encode([&vec![0; shift][..], part].concat());
        // The characters at both ends depend on the neighbouring bytes.
        base64.as_bytes()[4..base64.len() - 4].to_vec()
    });
    let wide = part.iter().flat_map(|byte| [*byte, 0]).collect();
    let reverse = part.iter().rev().copied().collect();
    let plain = [part.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes(), wide, reverse];
    plain.into_iter().chain(base64).collect()
}

/// The index of the first encoding that `bytes` contains.
pub(crate) fn find_encoding(bytes: &[u8], encodings: &[Vec<u8>]) -> Option<usize> {
    encodings.iter().position(|encoding| bytes.windows(encoding.len()).any(|at| at == encoding))
}
