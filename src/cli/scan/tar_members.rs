//! Searches the members of a tar archive. Long names and extended headers are members too, so that
//! no part of the archive is kept in memory. Used by `nested.rs`.

use std::io::{self, Read};

use super::{content::Content, nested::Location};

/// Maximum length of a member name in bytes; a longer name is cut.
const MAX_NAME_LEN: u64 = 4 << 10;

/// Searches the archive that begins at the next byte of `content`.
pub(super) fn search(content: &mut Content<'_>) {
    content.pause();
    let result = search_members(content);
    content.resume();
    if let Err(error) = result {
        content.report_not_searched(&format!("damaged tar archive ({error})"));
    }
}

fn search_members(content: &mut Content<'_>) -> io::Result<()> {
    let (search, location, depth) = (content.search, content.location, content.depth);
    let mut archive = tar::Archive::new(content);
    archive.set_ignore_zeros(true);
    let mut long_name = None;
    for member in archive.entries()?.raw(true) {
        let mut member = member?;
        if search.is_exhausted() {
            break;
        }
        let kind = member.header().entry_type();
        if kind.is_gnu_longname() {
            let mut name = Vec::new();
            member.by_ref().take(MAX_NAME_LEN).read_to_end(&mut name)?;
            while name.last() == Some(&0) {
                name.pop();
            }
            long_name = Some(name);
            continue;
        }
        let is_header = kind.is_pax_local_extensions() || kind.is_pax_global_extensions();
        let name = match long_name.take() {
            Some(name) if !is_header => name,
            _ => member.path_bytes().into_owned(),
        };
        let path = format!("{}!{}", location.path, String::from_utf8_lossy(&name));
        search.search(&mut member, Location { path: &path, enclosing: None }, depth + 1);
    }
    Ok(())
}
