//! The forms in which a secret may lie about where it does not belong, and all the files of a
//! folder. Shared by the tests that look for them in files, in output and in memory.

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

/// The random part of `secret` as it may lie about: as it is, in hexadecimal digits, in base64
/// at each of its three alignments, in UTF-16, in reverse.
pub(crate) fn forms(secret: &str) -> Vec<Vec<u8>> {
    let part = random_part(secret).as_bytes();
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap();
    let hex: String = part.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    let coded = (0..3).map(|shift| {
        let coded = BASE64_STANDARD.encode([&vec![0; shift][..], part].concat());
        // Its ends depend on what stands beside it.
        coded.as_bytes()[4..coded.len() - 4].to_vec()
    });
    let wide = part.iter().flat_map(|byte| [*byte, 0]).collect();
    let reverse = part.iter().rev().copied().collect();
    let plain = [part.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes(), wide, reverse];
    plain.into_iter().chain(coded).collect()
}

/// Which of `forms` stands in `bytes`.
pub(crate) fn holds(bytes: &[u8], forms: &[Vec<u8>]) -> Option<usize> {
    forms.iter().position(|form| bytes.windows(form.len()).any(|at| at == form))
}
