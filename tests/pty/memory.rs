//! Searches the memory of the running program for a secret after its panel is closed. Reading the
//! memory of another process needs permission (root has it); without it, the test is skipped with
//! a message.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::home::{Home, SIZE, count_occurrences, create, random_part};
use super::secret_encodings::encodings;
use super::support::Pty;

/// Characters of the secret in a row that count as a leak: too many for a coincidence.
const PIECE_LEN: usize = 9;

/// Maximum distance, in bytes, between the characters of a secret. A screen buffer stores each
/// character in its own cell.
const MAX_STRIDE: usize = 64;

/// Terminal size, environment, name of the token and keys that close the panel. A copy that remains
/// is overwritten in some layouts of the heap and not in others.
type Scenario = ((u16, u16), &'static [(&'static str, &'static str)], &'static str, &'static str);

const SCENARIOS: [Scenario; 5] = [
    (SIZE, &[], "ci deploy", "a"),
    (SIZE, &[], "ci deploy", "y <Esc>"),
    (SIZE, &[], "ci deploy", "s s a"),
    (SIZE, &[("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0")], "ci deploy", "y <Esc>"),
    ((200, 60), &[], "a token with a name of forty characters.", "y <Esc>"),
];

#[test]
fn a_closed_secret_is_nowhere_in_process_memory() {
    for (size, env, name, keys) in SCENARIOS {
        let home = Home::new();
        let mut pty = home.start(size, env);
        let secret = create(&mut pty, name);
        match find_in_memory(&pty, &secret) {
            Ok(found) => assert!(!found.is_empty(), "the open panel must contain the secret"),
            Err(error) => {
                println!("skipped: the memory of the program cannot be read: {error}");
                return;
            }
        }
        for file in ["cmdline", "environ"] {
            let content = fs::read(format!("/proc/{}/{file}", pty.process_id())).unwrap();
            assert_eq!(
                count_occurrences(&content, &secret),
                0,
                "other users can read arguments and environment"
            );
        }
        pty.keys(keys);
        pty.wait_until_gone(random_part(&secret));
        pty.wait_for("secret saved");
        let found = find_in_memory(&pty, &secret).unwrap();
        assert_eq!(found, Vec::<String>::new(), "{size:?} {env:?} {keys}");
    }
}

/// Searches the writable memory of the program for pieces of the random part of `secret`: as text,
/// spread over cells, or encoded. A piece counts, because freed memory is only partly overwritten.
fn find_in_memory(pty: &Pty, secret: &str) -> io::Result<Vec<String>> {
    let pid = pty.process_id();
    let mut memory = fs::File::open(format!("/proc/{pid}/mem"))?;
    let mut found = Vec::new();
    for map in fs::read_to_string(format!("/proc/{pid}/maps"))?.lines() {
        let mut fields = map.split_whitespace();
        let (Some(range), Some(rights)) = (fields.next(), fields.next()) else {
            continue;
        };
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        memory.seek(SeekFrom::Start(start))?;
        // Unreadable mappings were never touched or are reserved by the kernel: they hold no data.
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        let name = fields.nth(3).unwrap_or("anonymous");
        found.extend(
            find_pieces(&bytes, secret).into_iter().map(|trace| format!("{name}: {trace}")),
        );
    }
    Ok(found)
}

/// The pieces of the random part of `secret` in `bytes`, each with its offset.
fn find_pieces(bytes: &[u8], secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (n, piece) in random_part(secret).as_bytes().chunks_exact(PIECE_LEN).enumerate() {
        let offsets = find_strided(bytes, piece);
        found.extend(offsets.map(|(at, stride)| format!("piece {n} at {at:#x}, stride {stride}")));
    }
    for (n, encoding) in encodings(secret).iter().enumerate() {
        // A quarter of an encoding contains about nine characters of the secret.
        for piece in encoding.chunks_exact(encoding.len() / 4) {
            let at = memchr::memmem::find(bytes, piece);
            found.extend(at.map(|at| format!("encoding {n} at {at:#x}")));
        }
    }
    found
}

#[test]
fn the_memory_search_finds_a_secret_in_every_encoding() {
    let secret = format!("pat_4fKq9Zt0WbXe_{}", "0q9Wz7xK3bY5cR1dT8eL".repeat(2).split_at(38).0);
    let part = random_part(&secret);
    for encoding in encodings(&secret) {
        assert_ne!(find_pieces(&encoding, &secret), Vec::<String>::new());
    }
    for before in ["", "a", "ab"] {
        let coded = BASE64_STANDARD.encode(format!("{before}{part}"));
        assert_ne!(find_pieces(coded.as_bytes(), &secret), Vec::<String>::new());
    }
    let spread: Vec<u8> = part.bytes().flat_map(|byte| [byte, 0, 0, 7]).collect();
    assert_ne!(find_pieces(&spread, &secret), Vec::<String>::new());
    assert_eq!(find_pieces(b"pat_4fKq9Zt0WbXe_", &secret), Vec::<String>::new());
}

/// Offsets of `wanted` in `bytes` with the stride between its characters, from 1 to `MAX_STRIDE`.
fn find_strided<'a>(
    bytes: &'a [u8],
    wanted: &'a [u8],
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let starts = (0..bytes.len()).filter(|at| bytes[*at] == wanted[0]);
    starts.flat_map(move |at| {
        (1..=MAX_STRIDE)
            .filter(move |stride| {
                wanted
                    .iter()
                    .enumerate()
                    .all(|(n, letter)| bytes.get(at + n * stride) == Some(letter))
            })
            .map(move |stride| (at, stride))
    })
}
