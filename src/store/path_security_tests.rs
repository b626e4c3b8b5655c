//! Parts of the path checks that cannot be tested through the public interface.

use super::*;

#[test]
fn network_file_systems_are_recognized_by_magic_number() {
    assert_eq!(network_kind_of_magic(0x6969), Some("NFS"));
    assert_eq!(network_kind_of_magic(0xff53_4d42), Some("CIFS"));
    assert_eq!(network_kind_of_magic(0x6573_5546), Some("FUSE"));
    // ext4, xfs, btrfs, tmpfs, overlay, zfs
    for local in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1] {
        assert_eq!(network_kind_of_magic(local), None);
    }
    let error = PathProblem::Network("NFS").at(Path::new("/home"));
    assert_eq!(error.to_string(), "/home is on NFS, where file locks are unreliable");
}

#[test]
fn a_failed_creation_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    assert_eq!(create_atomically(&path, |_| Err(StoreError::Full)), Err(StoreError::Full));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_second_creator_does_not_replace_the_first_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let write = |text: &'static str| {
        create_atomically(&path, move |mut file| {
            io::Write::write_all(&mut file, text.as_bytes()).map_err(|e| StoreError::from(&e))
        })
    };
    write("first").unwrap();
    write("second").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_anonymous_file_is_private_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = anonymous_file(folder.path()).unwrap();
    io::Write::write_all(&mut file, b"x").unwrap();
    let found = file.metadata().unwrap();
    assert_eq!((found.mode() & 0o7777, found.nlink(), found.len()), (0o600, 0, 1));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(is_local_regular_file(&file));
    assert!(!is_local_regular_file(&File::open("/dev/null").unwrap()));
}
