//! `scan` and encoded content: each form in which a file can contain a secret, and content that
//! cannot be searched.

use std::process::{Command, Stdio};

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, Engine as _};
use flate2::{Compression, write::GzEncoder};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, name, bytes).unwrap();
    archive.into_inner().unwrap()
}

/// A zip archive with one member, written as a stream: its sizes follow the compressed data.
fn zip(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    let data = encoder.finish().unwrap();
    let name_len = u16::try_from(name.len()).unwrap().to_le_bytes();
    let mut out = b"PK\x03\x04\x14\0\x08\0\x08\0".to_vec();
    out.extend([0; 16]);
    out.extend(name_len);
    out.extend([0; 2]);
    out.extend(name.as_bytes());
    out.extend(&data);
    out.extend(b"PK\x07\x08");
    out.extend(crc32fast::hash(bytes).to_le_bytes());
    out.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out.extend(b"PK\x05\x06");
    out.extend([0; 18]);
    out
}

#[test]
fn encoded_and_unbounded_secrets_are_found() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    let utf_16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fixture.write("bom", [&[0xff, 0xfe], utf_16.as_slice()].concat());
    fixture.write("utf-16", utf_16);
    fixture.write("letters", format!("x{secret}x"));
    fixture.write("url", secret.replace('_', "%5F"));
    fixture.write("json", secret.replace('_', "\\u005f"));
    fixture.write("mail", secret.replace('_', "=5F=\r\n"));
    let (a, b) = secret.split_at(30);
    fixture.write("script", format!("export TOKEN={a}\\\n    {b}\n"));
    let (code, out, err) = fixture.scan(&["."]);
    assert_eq!((code, out.lines().count()), (1, 7), "{out}{err}");
    assert!(out.contains("./script:1: ") && out.contains("./utf-16:1: "), "{out}");
}

#[test]
fn a_secret_in_each_form_of_content_is_found() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    let line = format!("TOKEN={secret}\n");
    let wide: Vec<u8> = line.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let document = zip("word/document.xml", format!("<w:t>{secret}</w:t>").as_bytes());
    let base64 = BASE64_STANDARD.encode(&line);
    let forms: [(&str, Vec<u8>, &str); 14] = [
        ("utf-16", wide.clone(), "utf-16:1"),
        ("utf-16-mark", [&[0xfe, 0xff], wide.as_slice()].concat(), "utf-16-mark:1"),
        ("base64-0", BASE64_STANDARD.encode(&secret).into(), "base64-0:1"),
        ("base64-1", BASE64_STANDARD.encode(format!("x{secret}")).into(), "base64-1:1"),
        ("base64-2", BASE64_STANDARD.encode(format!("xy{secret}")).into(), "base64-2:1"),
        ("base64-url", format!("\n{}", BASE64_URL_SAFE.encode(&line)).into(), "base64-url:2"),
        ("base64-lines", format!("{}\n{}", &base64[..40], &base64[40..]).into(), "base64-lines:1"),
        ("log.gz", gzip(format!("\n{line}").as_bytes()), "log.gz:2"),
        ("src.tar", tar("src/.env", line.as_bytes()), "src.tar!src/.env:1"),
        ("src.tgz", gzip(&tar("src/.env", line.as_bytes())), "src.tgz!src/.env:1"),
        ("a.docx", document.clone(), "a.docx!word/document.xml:1"),
        ("all.tar.gz", gzip(&tar("a.docx", &document)), "all.tar.gz!a.docx!word/document.xml:1"),
        ("mail", BASE64_STANDARD.encode(&document).into(), "mail!word/document.xml:1"),
        ("stored.zip", zip("x", &gzip(line.as_bytes())), "stored.zip!x:1"),
    ];
    for (name, bytes, _) in &forms {
        fixture.write(name, bytes);
    }
    let (code, out, err) = fixture.scan(&["."]);
    assert_eq!(code, 1, "{err}");
    for (name, _, position) in &forms {
        let found = out.matches(&format!("./{position}: {}", public_part(&secret))).count();
        assert_eq!(found, 1, "{name}: {out}{err}");
    }
    assert_eq!(out.lines().count(), forms.len(), "{out}");
}

#[test]
fn archives_of_the_usual_programs_are_searched() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    fixture.write("in/.env", format!("\n{secret}"));
    let script = "tar czf a.tgz in && tar cf - in | gzip -9 > b.gz && gzip -c in/.env > c.gz && \
                  python3 -m zipfile -c d.zip in && rm -r in";
    let mut run = Command::new("sh");
    run.args(["-c", script]).current_dir(fixture.folder());
    let Ok(status) = run.stdout(Stdio::null()).stderr(Stdio::null()).status() else { return };
    if !status.success() {
        return;
    }
    let (_, out, _) = fixture.scan(&["."]);
    let mut lines: Vec<_> = out.lines().map(|line| line.split(": ").next().unwrap()).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["./a.tgz!in/.env:2", "./b.gz!in/.env:2", "./c.gz:2", "./d.zip!in/.env:2"]);
}

#[test]
fn content_that_cannot_be_searched_is_counted_and_named() {
    let fixture = Fixture::new();
    fixture.create("ci");
    let archive = gzip(&vec![b'x'; 100_000]);
    fixture.write("cut.gz", &archive[..archive.len() / 2]);
    fixture.write("text", "nothing");
    let (code, out, err) = fixture.scan(&["."]);
    assert_eq!((code, out.as_str()), (5, ""), "{err}");
    assert!(err.starts_with("warning: not searched: ./cut.gz: damaged ("), "{err}");
    let summary = "Searched 2 files, 1 not searched: 0 secrets found, 0 active tokens exposed\n";
    assert!(err.contains(summary), "{err}");

    let (code, out, _) = fixture.scan(&[".", "--json"]);
    let lines: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines[0]["not_searched"].as_str()), (5, Some("./cut.gz")));
    assert_eq!((&lines[1]["files_searched"], &lines[1]["not_searched"]), (&2.into(), &1.into()));
}

#[test]
fn an_active_secret_is_exit_1_even_if_the_scan_is_incomplete() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    fixture.write("a", &secret);
    fixture.write("b", b"\xfd7zXZ\0\0\x04");
    assert_eq!(fixture.scan(&["."]).0, 1);
    assert_eq!(fixture.scan(&[".", "--revoke", "--yes"]).0, 5, "revoked, but not all was searched");
    assert_eq!(fixture.scan(&["a"]).0, 0);
}

#[test]
fn at_most_20_contents_are_named() {
    let fixture = Fixture::new();
    fixture.create("ci");
    for n in 0..23 {
        fixture.write(&format!("{n}.xz"), b"\xfd7zXZ\0\0\x04");
    }
    let (code, _, err) = fixture.scan(&["."]);
    assert_eq!((code, err.matches(": xz cannot be decompressed\n").count()), (5, 20));
    assert!(err.contains("warning: not searched: 3 more\nSearched 23 files, 23 not"), "{err}");
}

#[test]
fn a_zip_bomb_ends_the_search_of_its_file_only() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0; 1 << 20];
    for _ in 0..1_025 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    fixture.write("a/bomb.zip", zip("b.gz", &gzip(&bomb)));
    fixture.write("b", &secret);
    let (code, out, err) = fixture.scan(&["a", "b"]);
    assert_eq!((code, out.lines().count()), (1, 1), "{err}");
    let named = "not searched: a/bomb.zip: its decompressed content beyond 1 GiB was not searched";
    assert_eq!(err.matches("not searched: a/").count(), 1, "{err}");
    assert!(err.contains(named), "{err}");
}

#[test]
fn an_argument_with_an_escaped_secret_is_refused() {
    let fixture = Fixture::new();
    let secret = fixture.create("ci");
    let url = format!("x{}x", secret.replace('_', "%5F"));
    let output = fixture.output(&["show", &url]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("an argument contains the secret of"));
}
