//! What is left of a secret in the memory of the running program once its panel is closed.
//! Needs the right to look into other processes, which root has; says so where it is missing.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::home::{Home, SIZE, count, create, random_part};
use super::support::Pty;
use super::traces::forms;

/// So many characters in a row do not come about by chance.
const PIECE: usize = 9;

/// The widest distance at which the characters of a secret are looked for: a screen buffer
/// keeps each in a cell of its own.
const WIDEST: usize = 64;

#[test]
fn a_secret_that_was_closed_is_nowhere_in_the_memory_of_the_program() {
    for way in ["a", "y <Esc>", "s s a"] {
        let home = Home::new();
        let mut pty = home.start(SIZE, &[]);
        let secret = create(&mut pty, "ci deploy");
        match copies(&pty, &secret) {
            Ok(found) => assert!(!found.is_empty(), "the open panel must hold it"),
            Err(error) => {
                println!("skipped: the memory of the program cannot be read: {error}");
                return;
            }
        }
        for told in ["cmdline", "environ"] {
            let told = fs::read(format!("/proc/{}/{told}", pty.process())).unwrap();
            assert_eq!(count(&told, &secret), 0, "others can read what a process was started with");
        }
        pty.keys(way);
        pty.gone(random_part(&secret));
        pty.wait_for("claimed");
        assert_eq!(copies(&pty, &secret).unwrap(), Vec::<String>::new(), "{way}");
    }
}

/// Where a piece of the random part of `secret` stands in memory that the program can write, as
/// text, spread over cells or encoded. A piece is enough: memory that was freed is overwritten in
/// part.
fn copies(pty: &Pty, secret: &str) -> io::Result<Vec<String>> {
    let pid = pty.process();
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
        // Pages that the program never touched, or the kernel keeps for itself, hold nothing.
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        let name = fields.nth(3).unwrap_or("anonymous");
        found.extend(traces(&bytes, secret).into_iter().map(|trace| format!("{name}: {trace}")));
    }
    Ok(found)
}

/// The pieces of the random part of `secret` in `bytes`, and where they are.
fn traces(bytes: &[u8], secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (n, piece) in random_part(secret).as_bytes().chunks_exact(PIECE).enumerate() {
        let places = places(bytes, piece);
        found.extend(places.map(|(at, apart)| format!("piece {n} at {at:#x}, {apart} apart")));
    }
    for (n, form) in forms(secret).iter().enumerate() {
        // A quarter of it: some nine characters of the secret, however they are written.
        for piece in form.chunks_exact(form.len() / 4) {
            let at = memchr::memmem::find(bytes, piece);
            found.extend(at.map(|at| format!("form {n} at {at:#x}")));
        }
    }
    found
}

#[test]
fn what_looks_for_a_secret_finds_it_in_every_form() {
    let secret = format!("pat_4fKq9Zt0WbXe_{}", "0q9Wz7xK3bY5cR1dT8eL".repeat(2).split_at(38).0);
    let part = random_part(&secret);
    for form in forms(&secret) {
        assert_ne!(traces(&form, &secret), Vec::<String>::new());
    }
    for before in ["", "a", "ab"] {
        let coded = BASE64_STANDARD.encode(format!("{before}{part}"));
        assert_ne!(traces(coded.as_bytes(), &secret), Vec::<String>::new());
    }
    let apart: Vec<u8> = part.bytes().flat_map(|byte| [byte, 0, 0, 7]).collect();
    assert_ne!(traces(&apart, &secret), Vec::<String>::new());
    assert_eq!(traces(b"pat_4fKq9Zt0WbXe_", &secret), Vec::<String>::new());
}

/// Where `wanted` stands in `bytes`, its characters next to each other or evenly apart.
fn places<'a>(bytes: &'a [u8], wanted: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let starts = (0..bytes.len()).filter(|at| bytes[*at] == wanted[0]);
    starts.flat_map(move |at| {
        (1..=WIDEST)
            .filter(move |apart| {
                wanted
                    .iter()
                    .enumerate()
                    .all(|(n, letter)| bytes.get(at + n * apart) == Some(letter))
            })
            .map(move |apart| (at, apart))
    })
}
