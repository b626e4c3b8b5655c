//! What is left of a secret in the memory of the running program once its panel is closed.
//! Needs the right to look into other processes, which root has; says so where it is missing.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};

use super::home::{Home, SIZE, count, create, random_part};
use super::support::Pty;

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
/// text or spread over cells. A piece is enough: memory that was freed is overwritten in part.
fn copies(pty: &Pty, secret: &str) -> io::Result<Vec<String>> {
    let wanted = random_part(secret).as_bytes();
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
        for (from, piece) in wanted.chunks_exact(PIECE).enumerate() {
            let from = from * PIECE;
            let places = places(&bytes, piece);
            found.extend(
                places.map(|(at, apart)| format!("[{from}..] in {name} +{at:#x}, {apart} apart")),
            );
        }
    }
    Ok(found)
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
